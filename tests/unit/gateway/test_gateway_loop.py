"""A gateway's loop with a world that answers as it is told: in which order a Session is taken up, moved and ended."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from typing import Any, cast

import pytest
from prometheus_client.parser import text_string_to_metric_families

from fairlead.domain.cluster.address import Address, Endpoint
from fairlead.domain.errors import Closed, Conflict, FairleadError, NoStream, Unavailable
from fairlead.domain.gateways import LeaseSeen, SliceSeen, SliceWanted
from fairlead.domain.objects import ObjectRef
from fairlead.domain.session.session import Session
from fairlead.domain.session.session_reading import read_session
from fairlead.gateway.gateway import Gateway, Me
from fairlead.gateway.gauges import GatewayGauges
from fairlead.gateway.port_range import PortRange, PortState
from fairlead.gateway.ports import Outside
from fairlead.gateway.roster import chosen
from fairlead.gateway.settings import GatewaySettings, WaySettings
from product.objects import a_cluster

UID = "11111111-2222-4333-8444-555555555555"
HERE = str(ip_address("127.1.0.0") + os.getpid() % (1 << 22))     # of this process alone: no other has a port there
NOBODY = NoStream("nobody listens there", Closed.NOBODY_LISTENS)
FORBIDDEN = NoStream("sshd lets nothing be forwarded: AllowTcpForwarding", Closed.FORBIDDEN)


class FakeStream(asyncio.Protocol):
    """A client that is carried nowhere."""

    def __init__(self, ended: Callable[[Any, FairleadError | None], None]) -> None:
        self._ended = ended
        self.carried_bytes = 0

    def data_received(self, data: bytes) -> None:
        self.carried_bytes += len(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended(self, None)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def cut(self) -> None:
        self._transport.abort()


@dataclass
class FakeStreams:
    """Looks answer with `fault`, None: a stream can be opened."""

    fault: FairleadError | None = None
    looked: list[Endpoint] = field(default_factory=list)
    line: bytes = b"HTTP/1.1 200 OK"
    line_with_token: bytes = b"HTTP/1.1 200 OK"
    asked: list[bytes] = field(default_factory=list)

    def pipe(self, address: Address, target: Endpoint, ended: Callable[[Any, FairleadError | None], None]) -> Any:
        return FakeStream(ended)

    async def look(self, address: Address, target: Endpoint) -> None:
        self.looked.append(target)
        if self.fault:
            raise self.fault

    async def ask(self, address: Address, target: Endpoint, question: bytes) -> bytes:
        await self.look(address, target)
        self.asked.append(question)
        return self.line_with_token if b"Authorization: token t0ken" in question else self.line

    def retire(self, address: Address) -> None:
        raise AssertionError("no login changes")


@dataclass
class FakeSlices:
    """Keeps what is written; `faults` are raised first, one a call."""

    written: list[SliceWanted] = field(default_factory=list)
    seen: dict[str, SliceSeen] = field(default_factory=dict)
    faults: list[FairleadError] = field(default_factory=list)

    async def refresh(self) -> None:
        pass

    def of(self, uid: str) -> SliceSeen | None:
        return self.seen.get(uid)

    def all(self) -> Iterable[SliceSeen]:
        return tuple(self.seen.values())

    async def keep(self, wanted: SliceWanted) -> None:
        self._fail()
        if not self.written or self.written[-1] != wanted:
            self.written.append(wanted)
        self.seen[wanted.owner.uid] = SliceSeen(wanted.owner, wanted.gateway, wanted.address, wanted.port)

    async def remove(self, owner: ObjectRef) -> None:
        self._fail()
        self.seen.pop(owner.uid, None)

    def _fail(self) -> None:
        if self.faults:
            raise self.faults.pop(0)


@dataclass
class FakeLeases:
    """One gateway that lives, beside others."""

    others: list[LeaseSeen] = field(default_factory=list)

    def leads(self) -> bool:
        return True

    async def list(self) -> Sequence[LeaseSeen]:
        return [LeaseSeen("one", "pod", "1", 1e9), *self.others]

    async def remove(self, lease: LeaseSeen) -> None:
        if lease.version == "stale":
            raise Conflict("it was renewed")
        self.others.remove(lease)


class FakeSecrets:
    """Any Secret has a key, and a token."""

    async def read_secret(self, namespace: str, name: str) -> Mapping[str, bytes] | None:
        return {"ssh-privatekey": b"-", "token": b"t0ken"}

    async def read_labels(self, namespace: str) -> Mapping[str, str] | None:
        raise AssertionError("the Cluster is of the Session's own namespace")


@dataclass
class Running:
    """A gateway that runs."""

    gateway: Gateway
    ports: PortRange
    streams: FakeStreams
    slices: FakeSlices
    leases: FakeLeases

    def state(self, port: int) -> PortState:
        return self.ports.state(port, asyncio.get_running_loop().time())

    async def until(self, true: Callable[[], object]) -> None:
        async with asyncio.timeout(20):
            while not true():   # noqa: ASYNC110  a fake has no event
                await asyncio.sleep(0.01)


@asynccontextmanager
async def running(first: int, *others: LeaseSeen, **more: Any) -> AsyncIterator[Running]:
    ports, streams, slices = PortRange(first, first + 3), FakeStreams(), FakeSlices()
    leases = FakeLeases([*others])
    settings = GatewaySettings(**{"forget_seconds": 0.2, "roster_seconds": 0.05, "activity_seconds": 0.02, **more})
    gateway = Gateway(Outside(streams, slices, leases, FakeSecrets(), settings), Me("one", HERE, ports))
    gateway.put_cluster(a_cluster())
    task = asyncio.create_task(gateway.run())
    yield Running(gateway, ports, streams, slices, leases)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    await gateway.stop()


@pytest.fixture
def taken() -> Any:
    """A socket of somebody else's; behind its port lie those of the range that is used here."""
    with socket.create_server((HERE, 0)) as stranger:
        yield stranger.getsockname()[1]


def a_session(attempt: int = 1, version: int = 1, **spec: Any) -> Session:
    """One that runs."""
    cluster = a_cluster()
    return read_session({
        "metadata": {"name": "lab", "namespace": cluster.ref.namespace, "uid": UID, "resourceVersion": f"{version}", "generation": 1},
        "spec": {"clusterRef": {"name": cluster.ref.name}, "application": {"command": ["serve"], "port": 8888}, **spec},
        "status": {"phase": "Running", "run": {"key": f"{UID}-{attempt}", "attempt": attempt, "node": f"n{attempt}"}},
    })


def listens(port: int) -> bool:
    """Whether somebody does, also who resets each connection at once."""
    try:
        socket.create_connection((HERE, port), timeout=5).close()
    except ConnectionResetError:
        return True
    except ConnectionRefusedError:
        return False
    return True


async def first_byte(port: int) -> bytes:
    """What a client hears there."""
    with socket.create_connection((HERE, port), timeout=5) as client:
        client.setblocking(False)
        return await asyncio.get_running_loop().sock_recv(client, 1)


async def test_what_gateways_leave_that_are_gone_is_taken_away(taken: int):
    """Else each pod of a gateway that ever was would leave a Lease; or one that cannot be removed would hold up the others."""
    others = LeaseSeen("two", "pod", "stale", 0.1), LeaseSeen("three", "", "1", 0.1), LeaseSeen("four", "pod", "1", 1e9)
    async with running(taken, *others) as one:
        await one.until(lambda: one.leases.others == [others[0], others[2]])


async def test_a_session_is_open_once_its_process_listens_and_never_where_a_stranger_does(taken: int):
    """Else clients would hang, be sent to a process that is not there, or to another program of the gateway's node."""
    async with running(taken) as one:
        one.streams.fault = NOBODY
        one.gateway.put(a_session())
        await one.until(lambda: len(one.streams.looked) >= 2)
        assert [each.state for each in one.slices.written][-1] == "Opening"
        one.streams.fault = FORBIDDEN
        await one.until(lambda: one.slices.written[-1].state == "Broken")
        assert "AllowTcpForwarding" in one.slices.written[-1].message
        one.streams.fault = None
        await one.until(lambda: one.slices.written[-1].state == "Open")
        assert (one.slices.written[-1].message, one.streams.looked[-1]) == ("", Endpoint("n1", 8888))
        port = one.slices.written[-1].port
        assert port > taken
        assert one.state(taken) is PortState.QUARANTINED
        assert listens(port)


def shown(one: Running, carried: tuple[int, int] = (0, 0)) -> Callable[..., float]:
    """What the gateway's metrics say now, by name without the prefix and by labels."""
    text = GatewayGauges(one.gateway.seen, lambda: carried).page()[0].decode()
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]

    def value(name: str, **labels: str) -> float:
        return sum(each.value for each in samples if each.name == f"fairlead_{name}" and labels.items() <= each.labels.items())

    return value


async def test_what_it_holds_is_shown_in_its_metrics(taken: int):
    """Else nobody would see that the ports run out, that a tunnel stays broken, or that clients are turned away."""
    async with running(taken) as one:
        before = shown(one)
        assert {state: before("ports_of_range", state=state) for state in ("free", "in_use", "resting", "quarantined")} == {
            "free": 4, "in_use": 0, "resting": 0, "quarantined": 0}
        one.streams.fault = FORBIDDEN
        one.gateway.put(a_session())
        await one.until(lambda: one.slices.written and one.slices.written[-1].state == "Broken")
        assert listens(one.slices.written[-1].port or 0)      # a client who is turned away
        await one.until(lambda: shown(one)("stream_opened_total", outcome="turned_away") == before("stream_opened_total") + 1)
        await one.until(lambda: shown(one)("tunnels_broken_age_seconds") > 0.05)
        broken = shown(one)
        assert (broken("tunnels_held", state="Broken"), broken("tunnels_held")) == (1, 1)
        assert {state: broken("ports_of_range", state=state) for state in ("free", "in_use", "resting", "quarantined")} == {
            "free": 2, "in_use": 1, "resting": 0, "quarantined": 1}
        one.streams.fault = None
        await one.until(lambda: one.slices.written[-1].state == "Open")
        with socket.create_connection((HERE, one.slices.written[-1].port or 0)):
            await one.until(lambda: shown(one)("streams_held") == 1)
        await one.until(lambda: shown(one)("streams_held") == 0)
        held = shown(one, carried=(10, 300))
        assert (held("tunnels_held", state="Open"), held("tunnels_held"), held("tunnels_broken_age_seconds")) == (1, 1, 0)
        assert held("carried_bytes_total", direction="from_client") == before("carried_bytes_total", direction="from_client") + 10
        assert held("carried_bytes_total", direction="to_client") == before("carried_bytes_total", direction="to_client") + 300


async def test_another_run_is_opened_anew_on_the_same_port(taken: int):
    """Else after a requeue clients would be sent to the node of before, where somebody else may listen by now."""
    async with running(taken + 1) as one:
        one.gateway.put(a_session())
        await one.until(lambda: one.slices.written and one.slices.written[-1].state == "Open")
        first = one.slices.written[-1]
        one.streams.fault = NOBODY
        one.gateway.put(a_session(attempt=2, version=2))
        await one.until(lambda: one.slices.written[-1].run_key == f"{UID}-2")
        now = one.slices.written[-1]
        assert (now.state, now.port, now.gateway) == ("Opening", first.port, first.gateway)
        one.streams.fault = None
        await one.until(lambda: one.slices.written[-1].state == "Open")
        assert one.streams.looked[-1] == Endpoint("n2", 8888)


async def test_clients_are_refused_until_the_process_answers(taken: int):
    """Else they would be sent to a server that is still loading, and take its errors for its last word."""
    async with running(taken + 1) as one:
        one.streams.line = b"HTTP/1.1 503 Service Unavailable, <b>secret</b>"
        one.gateway.put(a_session(application={"command": ["serve"], "port": 8888, "readiness": {"http": {"path": "/up?a=1"}}}))
        await one.until(lambda: one.slices.written and one.slices.written[-1].state == "Open")
        first = one.slices.written[-1]
        assert (first.is_ready, first.message) == (False, "GET /up?a=1 is answered with status 503")
        assert one.streams.asked[0].startswith(b"GET /up?a=1 HTTP/1.1\r\nHost: localhost\r\n")
        with pytest.raises(ConnectionResetError):
            await first_byte(first.port or 0)
        one.streams.line = b"HTTP/1.1 302 Found"
        await one.until(lambda: one.slices.written[-1].is_ready)
        assert one.slices.written[-1].message == ""


async def test_clients_are_sent_to_a_stranger_not_even_until_he_has_answered_several_times(taken: int):
    """Else they would show their token to who has taken the port of a process that has ended."""
    async with running(taken + 1) as one:
        one.streams.line = b"HTTP/1.1 403 Forbidden"
        one.gateway.put(a_session(application={"preset": "Jupyter", "port": 8888}))
        await one.until(lambda: one.slices.written and one.slices.written[-1].is_ready)
        asked = len(one.streams.asked)
        one.streams.line = b"HTTP/1.1 200 OK"
        one.gateway.put_cluster(a_cluster())             # so that it is looked at now
        await one.until(lambda: not one.slices.written[-1].is_ready)
        assert one.slices.written[-1].message.startswith("GET /api/status is answered with status 200 without the token")
        assert [b"t0ken" in each for each in one.streams.asked[asked:]] == [False]


async def test_it_is_told_when_nothing_is_carried_and_when_something_is_again(taken: int):
    """Else a Session in use would be ended, or one that nobody uses never; or a thousand of them would cost writes."""
    async with running(taken + 1, way=WaySettings(quiet_seconds=0.3)) as one:
        one.gateway.put(a_session())
        await one.until(lambda: one.slices.written and one.slices.written[-1].quiet)
        port, told = one.slices.written[-1].port or 0, len(one.slices.written)
        with socket.create_connection((HERE, port), timeout=5) as client:
            await asyncio.sleep(0.5)
            assert len(one.slices.written) == told, "a client who sends nothing, and time that passes, cost no write"
            client.sendall(b"x")
            await one.until(lambda: one.slices.written[-1].quiet is None)
            await one.until(lambda: one.slices.written[-1].quiet)
        assert len(one.slices.written) == told + 2
        one.streams.fault = FORBIDDEN
        one.gateway.put(a_session(version=2, application={"command": ["serve"], "port": 8889}))      # looked at, since it has changed
        await one.until(lambda: one.slices.written[-1].state == "Broken")
        one.streams.fault = None
        await one.until(lambda: one.slices.written[-1].state == "Open")
        states = [each.state for each in one.slices.written]
        back = one.slices.written[len(states) - states[::-1].index("Broken")]
        assert back.quiet is None, "while it could not be reached nobody could use it: the time begins anew"


async def test_a_port_rests_only_when_the_slice_is_gone(taken: int):
    """Else it would be given to another Session while this one's clients are still sent there."""
    async with running(taken + 1) as one:
        one.gateway.put(a_session())
        await one.until(lambda: one.slices.written and one.slices.written[-1].state == "Open")
        port = one.slices.written[-1].port
        one.slices.faults = [Unavailable("away"), Conflict("changed")]
        one.gateway.put(a_session(version=2, suspend=True))
        await one.until(lambda: not listens(port))
        assert one.state(port) is PortState.IN_USE
        await one.until(lambda: one.state(port) is PortState.RESTING)
        assert one.slices.seen == {}
        one.gateway.put(a_session(version=3))
        await one.until(lambda: one.slices.seen)
        assert one.slices.written[-1].port != port


async def test_a_slice_that_another_gateway_has_written_ends_our_part_and_is_left(taken: int):
    """Else two gateways would hold one Session, and its clients be cut off from whichever came first."""
    async with running(taken + 1) as one:
        one.gateway.put(a_session())
        await one.until(lambda: one.slices.written and one.slices.written[-1].state == "Open")
        mine = one.slices.seen[UID]
        one.slices.seen[UID] = replace(mine, gateway="one-that-is-dead-by-now", address="10.0.0.9")
        writes = len(one.slices.written)
        one.gateway.drop(UID)                        # and it has ended: it falls to us to end what is theirs
        await one.until(lambda: not listens(mine.port or 0))
        await one.until(lambda: one.state(mine.port or 0) is PortState.RESTING)
        assert len(one.slices.written) == writes


async def test_a_session_of_a_gateway_that_is_not_heard_of_any_more_is_taken(taken: int):
    """Else nobody would reach it until something else happened to it."""
    other = next(name for name in map(str, range(100)) if chosen(UID, {"one", name}) == name)
    async with running(taken + 1, LeaseSeen(other, "pod", "1", 0.5)) as one:
        one.gateway.put(a_session())
        await one.until(lambda: one.slices.written)


@pytest.mark.parametrize(("fault", "first"), [(None, "Open"), (NOBODY, "Opening")])
async def test_a_slice_of_another_is_written_anew_once_there_is_a_way(taken: int, fault: FairleadError | None, first: str):
    """Else each move from a gateway that stops to the next one would turn clients away, since a slice that is opening is not ready."""
    async with running(taken + 1, lead_seconds=0.3) as one:
        one.streams.fault = fault
        one.slices.seen[UID] = SliceSeen(a_session().ref, "gone", "10.0.0.9", 20000)
        one.gateway.put(a_session())
        await one.until(lambda: one.slices.written)
        assert one.slices.written[0].state == first


async def test_who_stops_sees_who_came_a_moment_ago(taken: int):
    """Else an upgrade of the only gateway would cut everybody off: the new one is ready, and the old one told to end in the same second."""
    async with running(taken + 1, roster_seconds=60.0) as one:
        one.gateway.put(a_session())
        await one.until(lambda: one.slices.written and one.slices.written[-1].state == "Open")
        one.leases.others.append(LeaseSeen("new", "pod", "1", 1e9))
        stops = asyncio.create_task(one.gateway.stop())
        await asyncio.sleep(0.2)
        assert listens(one.slices.written[-1].port or 0)
        one.slices.seen[UID] = replace(one.slices.seen[UID], gateway="new", address="10.0.0.9")
        one.gateway.drop(UID)
        await stops
        assert one.slices.seen[UID].gateway == "new"


async def test_who_stops_leads_on_who_comes_late_and_leaves_what_another_has_taken(taken: int):
    """Else proxies that hear a moment later would turn clients away, and the last word of who stops would undo that another has it."""
    other = next(name for name in map(str, range(100)) if chosen(UID, {"one", name}) == "one")
    async with running(taken + 1, LeaseSeen(other, "pod", "1", 1e9), linger_seconds=0.5, drain_seconds=1.0) as one:
        one.gateway.put(a_session())
        await one.until(lambda: one.slices.written and one.slices.written[-1].state == "Open")
        port = one.slices.written[-1].port or 0
        theirs = one.slices.seen[UID] = replace(one.slices.seen[UID], gateway=other, address="10.0.0.9")
        writes = len(one.slices.written)
        with socket.create_connection((HERE, port), timeout=5):
            await one.until(lambda: one.gateway.seen().streams == 1)
            stops = asyncio.create_task(one.gateway.stop())
            one.gateway.look_at(UID)
            await asyncio.sleep(0.1)
            assert listens(port), "for as long as proxies need to hear"
            await one.until(lambda: not listens(port))
            await stops
        assert one.slices.seen[UID] == theirs
        assert len(one.slices.written) == writes
