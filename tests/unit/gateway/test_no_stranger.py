"""Two gateways, few ports, Sessions that come and go, proxies that hear late, gateways that crash or hear nothing: in virtual time.

No client ever reaches another Session than the one whose Service he called.
"""

import random
from dataclasses import dataclass, field

import pytest

from fairlead.domain.gateways import LeaseSeen
from fairlead.gateway.port_range import PortRange, sole_claims
from fairlead.gateway.roster import Roster
from fairlead.gateway.settings import PortSettings
from fairlead.gateway.steps import Among, Seen, Step, next_step

LEASE_SECONDS = 5.0
REST_SECONDS = PortSettings().rest_seconds
PROXY_SECONDS = REST_SECONDS - 1.0
PORTS = (20000, 20003)


@dataclass(frozen=True)
class Slice:
    """Where a Session's Service leads."""

    gateway: str
    port: int


@dataclass
class Api:
    """The API server: which Sessions run, their slices with all that they were, Leases."""

    running: dict[str, bool] = field(default_factory=dict)
    slices: dict[str, Slice] = field(default_factory=dict)
    history: list[tuple[float, str, Slice | None]] = field(default_factory=list)
    leases: dict[str, LeaseSeen] = field(default_factory=dict)

    def write(self, now: float, uid: str, leads: Slice | None) -> None:
        if leads is None:
            self.slices.pop(uid, None)
        else:
            self.slices[uid] = leads
        self.history.append((now, uid, leads))


class Gateway:
    """The pure parts, put together as the process does it: a port is let go of only when its slice is seen to be gone or another's."""

    def __init__(self, name: str, api: Api, rest_seconds: float, now: float, *, before: bool) -> None:
        self.name, self.api, self.roster, self.ports = name, api, Roster(), PortRange(*PORTS, PortSettings(rest_seconds))
        self.listening: dict[str, int] = {}                  # by uid
        claims = sole_claims((uid, each.port) for uid, each in api.slices.items() if each.gateway == name)
        for uid, port in claims.items():
            self.ports.adopt(port, uid)
        self.adopted = dict(claims)
        if before and rest_seconds:
            self.ports.rest_all(now)

    def renew(self, now: float) -> None:
        self.api.leases[self.name] = LeaseSeen(self.name, self.name, f"{now}", LEASE_SECONDS)

    def turn(self, now: float, rng: random.Random) -> None:
        """Look, and do one step for each Session, in any order; some of what it does is not done: the API server does not answer."""
        self.roster.see(self.api.leases.values(), now)
        place = Among(self.name, self.roster.live(now), may_take=True)
        known = sorted(self.api.running.keys() | self.api.slices.keys() | self.listening.keys())
        for uid in rng.sample(known, len(known)):
            leads = self.api.slices.get(uid)
            seen = Seen(uid, self.api.running.get(uid, False), leads.gateway if leads else None, uid in self.listening)
            self.do(next_step(seen, place), uid, leads, now, fails=rng.random() < 0.2)

    def do(self, step: Step, uid: str, leads: Slice | None, now: float, *, fails: bool) -> None:
        match step:
            case Step.OPEN:
                port = self.adopted.pop(uid, None) or self.ports.take(uid, now)
                if port is None:
                    return
                self.listening[uid] = port
                if not fails:
                    self.api.write(now, uid, Slice(self.name, port))
            case Step.KEEP:
                wanted = Slice(self.name, self.listening[uid])
                if leads != wanted and not fails:
                    self.api.write(now, uid, wanted)
            case Step.CLOSE:
                port = self.listening.pop(uid, None) or self.adopted.pop(uid, None)
                if fails and leads is not None:
                    if port is not None:
                        self.adopted[uid] = port             # closed, and its slice still there: it is no other's
                    return
                if leads is not None:
                    self.api.write(now, uid, None)
                if port is not None:
                    self.ports.let_go(port, now)
            case Step.GIVE_UP:
                self.ports.let_go(self.listening.pop(uid), now)


def walk(seed: int, rest_seconds: float, events: int = 400) -> str:
    """One life of all of it; what went wrong, empty if nothing did."""
    rng, api, now, count = random.Random(seed), Api(), 0.0, 0
    alive: dict[str, Gateway] = {name: Gateway(name, api, rest_seconds, now, before=False) for name in ("a", "b")}
    for _ in range(events):
        now += rng.choice((0.1, 0.5, 1.5, 10.0))
        event = rng.choice(("start", "start", "end", "turn", "turn", "turn", "crash", "back", "client", "client"))
        who = rng.choice(("a", "b"))
        for each in alive.values():
            if rng.random() < 0.9:                           # else it does not reach the API server for a while
                each.renew(now)
        match event:
            case "start" if sum(api.running.values()) < 5:
                count += 1
                api.running[f"s{count}"] = True
            case "end" if api.running:
                api.running[rng.choice(sorted(api.running))] = False
            case "turn" if who in alive:
                alive[who].turn(now, rng)
            case "crash":
                alive.pop(who, None)
            case "back" if who not in alive:
                alive[who] = Gateway(who, api, rest_seconds, now, before=True)
            case "client":
                for uid, leads in reachable(api, now):
                    gateway = alive.get(leads.gateway)
                    reached = next((each for each, port in gateway.listening.items() if port == leads.port), None) if gateway else None
                    if reached not in {None, uid}:
                        return f"at {now:.1f} a client of {uid} reached {reached} at {leads}"
    return ""


def reachable(api: Api, now: float):
    """Where some node's proxy may send a client of each Session: any slice that it had within the time in which proxies hear."""
    until: dict[str, float] = {}
    for at, uid, leads in reversed(api.history):
        if leads is not None and until.get(uid, now) > now - PROXY_SECONDS:
            yield uid, leads
        until[uid] = at


@pytest.mark.parametrize("seed", range(30))
def test_no_client_ever_reaches_another_session(seed):
    """Else somebody would see another tenant's notebook at his own Session's address."""
    assert walk(seed, REST_SECONDS) == ""


def test_the_walk_finds_what_goes_wrong_without_rest():
    """Else it would prove nothing."""
    assert any(walk(seed, 0.0) for seed in range(20))
