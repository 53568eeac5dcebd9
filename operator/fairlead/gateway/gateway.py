"""One gateway's loop: what the API server shows goes in, and each Session gets its next step, one at a time, beside the others.

take up: port -> door -> slice                    give up: listener closed, seen to refuse -> streams -> slice gone -> port rests
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any

import structlog

from fairlead.domain.cluster.cluster import Cluster
from fairlead.domain.errors import ApiFault, Conflict
from fairlead.domain.gateways import SliceSeen
from fairlead.domain.objects import ClusterName, ObjectRef
from fairlead.domain.run.service import TunnelState
from fairlead.domain.session.session import Session
from fairlead.gateway.addresses import Addresses
from fairlead.gateway.asking import Asking
from fairlead.gateway.door import Door
from fairlead.gateway.held import Held
from fairlead.gateway.port_range import PortRange, PortState, sole_claims
from fairlead.gateway.ports import Outside
from fairlead.gateway.roster import Roster
from fairlead.gateway.steps import Among, Seen, Step, next_step
from fairlead.gateway.wanted import Wanted, wanted

log = structlog.get_logger()

Work = Callable[[], Coroutine[Any, Any, None]]


@dataclass(frozen=True, slots=True)
class Me:
    """This gateway: its name among the others, the address on which it is reached, its ports."""

    name: str
    address: str
    ports: PortRange


@dataclass(frozen=True, slots=True)
class Holdings:
    """What a gateway holds: Sessions by the state of their tunnels, since when the oldest of the Broken ones is so, clients, ports."""

    tunnels: Mapping[TunnelState, int]
    broken_seconds: float
    streams: int
    ports: Mapping[PortState, int]


class Gateway:
    """Holds Sessions. `put` and `drop` say what the API server shows; `run` goes on until it is cancelled, `stop` ends all of it."""

    def __init__(self, outside: Outside, me: Me) -> None:
        self._outside, self._me, self._settings = outside, me, outside.settings
        self._addresses, self._roster = Addresses(outside), Roster()
        self._asking = Asking(outside.streams, outside.secrets)
        self._sessions: dict[str, Session] = {}          # by uid
        self._held: dict[str, Held] = {}
        self._adopted: dict[str, int] = {}
        self._busy: dict[str, asyncio.Task[None]] = {}
        self._failures: dict[str, int] = {}              # of its last step, so many times in a row
        self._due: set[str] = set()
        self._wake = asyncio.Event()
        self._is_draining = False

    @property
    def sessions(self) -> Mapping[str, ObjectRef]:
        """Those that are known, by uid."""
        return {uid: each.ref for uid, each in self._sessions.items()}

    def seen(self) -> "Holdings":
        """How it stands at this moment."""
        now = self._outside.monotonic()
        held = self._held.values()
        broken = [now - each.since for each in held if each.state is TunnelState.BROKEN]
        return Holdings(Counter(each.state for each in held), max(broken, default=0.0), sum(each.door.streams for each in held),
                        self._me.ports.counts(now))

    def put(self, session: Session) -> None:
        """A Session came or changed. What is older than what is known says nothing: lists and watches come in any order."""
        known = self._sessions.get(session.ref.uid)
        if known is None or known.resource_version < session.resource_version:
            self._sessions[session.ref.uid] = session
            self.look_at(session.ref.uid)

    def drop(self, uid: str) -> None:
        """It is gone."""
        self._sessions.pop(uid, None)
        self.look_at(uid)

    def put_cluster(self, cluster: Cluster) -> None:
        """A Cluster came or changed."""
        self._addresses.put(cluster)
        for held in self._held.values():
            if held.session.cluster == cluster.name:
                held.nudge()

    def drop_cluster(self, name: ClusterName) -> None:
        """It is gone."""
        self._addresses.drop(name)

    def look_at(self, uid: str) -> None:
        """Something was heard of a Session, or of its slice."""
        self._due.add(uid)
        self._wake.set()

    def take_back(self, *, lived_before: bool) -> None:
        """Before the first step, once Sessions and slices were listed: have the ports that we had, and let the others rest."""
        mine = [each for each in self._outside.slices.all() if self._is_mine(each) and each.uid in self._sessions]
        claims = sole_claims((each.uid, each.port) for each in mine if each.port is not None)
        self._adopted = {uid: port for uid, port in claims.items() if self._me.ports.adopt(port, uid)}
        if lived_before:
            self._me.ports.rest_all(self._outside.monotonic())

    async def run(self) -> None:
        """Go on."""
        beside = asyncio.create_task(self._see_leases()), asyncio.create_task(self._see_activity())
        try:
            while True:
                self._wake.clear()
                self._turn()
                await self._wake.wait()
        finally:
            for task in beside:
                task.cancel()

    async def stop(self) -> None:
        """Drain, once `run` was ended and our Lease given back: what others have taken goes in peace, what is left is cut. Bounded."""
        self._is_draining = True
        with contextlib.suppress(TimeoutError):              # who takes over may have come this second
            async with asyncio.timeout(self._settings.last_words_seconds):
                await self._see_roster()
        turning = asyncio.create_task(self.run())
        try:
            async with asyncio.timeout(self._settings.drain_seconds):
                while self._held and self._has_others():     # noqa: ASYNC110  others' Leases have no event of ours
                    await asyncio.sleep(0.1)
        except TimeoutError:
            log.warning("not_all_taken", sessions=len(self._held))
        turning.cancel()
        for task in self._busy.values():
            task.cancel()
        if self._busy:
            await asyncio.wait(self._busy.values(), timeout=self._settings.last_words_seconds)
        await asyncio.gather(*(self._leave(held) for held in self._held.values()))

    def _has_others(self) -> bool:
        return bool(self._roster.live(self._outside.monotonic()) - {self._me.name})

    async def _leave(self, held: Held) -> None:
        """Say that nobody is there, unless somebody is, and end it."""
        await held.end_looking()
        held.state, held.message = TunnelState.BROKEN, "the gateway has stopped"
        try:
            async with asyncio.timeout(self._settings.last_words_seconds):
                if not self._is_anothers(held.session.ref.uid):
                    await self._outside.slices.keep(held.slice(self._me.name, self._me.address))
        except (ApiFault, TimeoutError) as error:
            log.warning("slice_not_written", session=str(held.session.ref), error=str(error))
        await held.door.close()

    async def _see_leases(self) -> None:
        """See the gateways come and go; and look at every Session now and then, whatever was heard of it."""
        looked_at, live = self._outside.monotonic(), frozenset[str]()
        while True:
            await self._see_roster()
            now = self._outside.monotonic()
            await self._forget(now)
            before, live = live, self._roster.live(now)
            if live != before or now >= looked_at + self._settings.look_seconds:
                looked_at = now
                self._look_at_all()
            await asyncio.sleep(self._settings.roster_seconds)

    async def _see_roster(self) -> None:
        try:
            self._roster.see(await self._outside.leases.list(), self._outside.monotonic())
        except ApiFault as error:
            log.info("leases_not_listed", error=str(error))

    async def _see_activity(self) -> None:
        """See for whose clients bytes are carried: a look at all of them, in memory."""
        while True:
            now = self._outside.now()
            for held in self._held.values():
                held.count(now)
            await asyncio.sleep(self._settings.activity_seconds)

    async def _forget(self, now: float) -> None:
        """Take away what gateways have left that are gone: each pod has a name, and so a Lease, of its own."""
        for lease in self._roster.forgotten(now, self._settings.forget_seconds):
            try:
                await self._outside.leases.remove(lease)
            except ApiFault as error:
                log.info("lease_not_removed", gateway=lease.gateway, error=str(error))
            else:
                log.info("lease_removed", gateway=lease.gateway)

    def _look_at_all(self) -> None:
        for uid in {*self._sessions, *self._held, *(each.uid for each in self._outside.slices.all())}:
            self.look_at(uid)

    def _turn(self) -> None:
        """Begin the next step of each Session that is due."""
        now = self._outside.monotonic()
        live = self._roster.live(now)
        among = Among(self._me.name, live, may_take=not self._is_draining and self._outside.leases.leads())
        for uid in [*self._due]:
            if uid in self._busy:
                continue                     # looked at again when its step is done
            self._due.discard(uid)
            session, leads = self._sessions.get(uid), self._outside.slices.of(uid)
            target = wanted(session) if session else None
            held = self._held.get(uid)
            if held and target and not held.is_shut:
                held.see(target)
            step = next_step(Seen(uid, target is not None, leads.gateway if leads else None, held is not None), among)
            if held and held.is_shut and step is Step.KEEP:
                step = Step.CLOSE            # begun, and not done yet
            ref = session.ref if session else held.session.ref if held else leads.owner if leads else None
            if (work := self._work(step, uid, ref, target)) is not None:
                task = self._busy[uid] = asyncio.create_task(self._step(work, uid, step))
                task.add_done_callback(lambda _, uid=uid: self._done(uid))   # type: ignore[misc]

    def _work(self, step: Step, uid: str, ref: ObjectRef | None, target: Wanted | None) -> Work | None:
        match step:
            case Step.OPEN if target is not None:
                return lambda: self._open(uid, target)
            case Step.KEEP:
                return lambda: self._keep(uid)
            case Step.CLOSE:
                return lambda: self._close(uid, ref)
            case Step.GIVE_UP:
                return lambda: self._give_up(uid)
            case _:
                return None

    async def _step(self, work: Work, uid: str, step: Step) -> None:
        """One step. What fails is tried again after a while."""
        try:
            await work()
        except Conflict as error:
            log.info("step_conflicts", step=step.value, uid=uid, error=str(error))
        except ApiFault as error:
            log.warning("step_failed", step=step.value, uid=uid, error=str(error))
        except Exception:
            log.exception("step_broken", step=step.value, uid=uid)
        else:
            self._failures.pop(uid, None)
            return
        failures = self._failures[uid] = self._failures.get(uid, 0) + 1
        pause_seconds = min(self._settings.again_seconds * 2 ** min(failures - 1, 10), self._settings.look_seconds)
        asyncio.get_running_loop().call_later(pause_seconds, self.look_at, uid)

    def _done(self, uid: str) -> None:
        self._busy.pop(uid, None)
        if uid in self._due:
            self._wake.set()

    async def _open(self, uid: str, session: Wanted) -> None:
        """Take it up."""
        for _ in range(self._settings.ports.tries):
            now = self._outside.monotonic()
            port = self._adopted.pop(uid, None) or self._me.ports.take(uid, now)
            if port is None:
                log.warning("no_port", session=str(session.ref), **{each.name.lower(): n for each, n in self._me.ports.counts(now).items()})
                asyncio.get_running_loop().call_later(self._settings.look_seconds, self.look_at, uid)
                return
            door = Door(self._outside.streams, self._me.address, port, lambda _: self._nudge(uid), self._settings.door)
            try:
                await door.open()
            except OSError as error:
                log.warning("port_taken", port=port, error=str(error))
                self._me.ports.quarantine(port, now)
                continue
            held = self._held[uid] = Held(session, door, lambda: self.look_at(uid), self._settings.way)
            held.look_on(self._asking, self._addresses)
            if self._is_anothers(uid):       # whose slice is ready as yet: a word of ours before there is a way would turn clients away
                await held.wait_for_way(self._settings.lead_seconds)
            await self._keep(uid)
            return

    async def _keep(self, uid: str) -> None:
        """Have its slice say what is so."""
        if held := self._held.get(uid):
            await self._outside.slices.keep(held.slice(self._me.name, self._me.address))

    async def _close(self, uid: str, ref: ObjectRef | None) -> None:
        """End it: the door, then the slice, then the port rests. Without the slice's end the port stays ours, and this is tried again."""
        await self._shut(uid)
        if ref is not None:
            await self._outside.slices.remove(ref)
        self._let_go(uid)

    async def _give_up(self, uid: str) -> None:
        """Another has it: its slice leads there. Who has not heard yet comes here, and is led on while the Session is as it was."""
        loop, held = asyncio.get_running_loop(), self._held[uid]
        until = loop.time() + self._settings.linger_seconds
        while loop.time() < until and (session := self._sessions.get(uid)) and wanted(session) == held.session:   # noqa: ASYNC110  as above
            await asyncio.sleep(0.1)
        await self._shut(uid, self._settings.drain_seconds)
        self._let_go(uid)

    def _is_anothers(self, uid: str) -> bool:
        """Whether its slice names another gateway."""
        seen = self._outside.slices.of(uid)
        return seen is not None and seen.gateway != self._me.name

    async def _shut(self, uid: str, flush_seconds: float | None = None) -> None:
        held = self._held.get(uid)
        if held is None:
            return
        held.is_shut = True
        await held.end_looking()
        refuses = await held.door.close(flush_seconds)
        log.info("door_closed", session=str(held.session.ref), port=held.door.port, refuses=refuses, left=held.door.streams)

    def _let_go(self, uid: str) -> None:
        self._held.pop(uid, None)
        self._adopted.pop(uid, None)
        for port in [port for port, whose in self._me.ports.used.items() if whose == uid]:
            self._me.ports.let_go(port, self._outside.monotonic())

    def _nudge(self, uid: str) -> None:
        if held := self._held.get(uid):
            held.nudge()

    def _is_mine(self, leads: SliceSeen) -> bool:
        return (leads.gateway, leads.address) == (self._me.name, self._me.address)
