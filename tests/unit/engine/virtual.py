"""The engine's ports for unit tests: everything answers at once, unless a test says otherwise, and time stands still until it is moved."""

import asyncio
import selectors
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from fairlead.app.kinds import KINDS
from fairlead.domain.cluster.address import Address, Port
from fairlead.domain.cluster.cluster import Cluster
from fairlead.domain.errors import Conflict, FairleadError
from fairlead.domain.gone.debt import Debt
from fairlead.domain.kinds import Kinds
from fairlead.domain.objects import ClusterName, EventNote, ObjectRef
from fairlead.domain.run.answers import AccountingState, Probe
from fairlead.domain.run.finished import Expiring
from fairlead.domain.run.installation import Installation
from fairlead.domain.run.observation import Observation
from fairlead.domain.run.run import Tree
from fairlead.domain.scope import EVERYWHERE, Scope
from fairlead.engine.ports import T, World
from fairlead.engine.settings import EngineSettings
from fairlead.engine.site.site import Site
from fairlead.schedulers.seam import Driver, Exchange
from fairlead.schedulers.slurm.preparer import SlurmPreparer
from fairlead.schedulers.slurm.scheduler import Slurm

MARKER = "0123456789abcdef0123456789abcdef"
GOOD_PROBE = Probe(tree=Tree("/home/user/.fairlead/one", MARKER), version="24.11.5", accounting=AccountingState.ABSENT)
ONE = Installation("one", "6e1a7b9c-0000-4000-8000-000000000001", b"s" * 32)
NOTHING = Observation({}, {}, {})
SETTINGS = EngineSettings(overdue_seconds=0.0, breaker_limit_seconds=60, breaker_person_seconds=300, secret_refresh_seconds=300)


class VirtualClock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def monotonic(self) -> float:
        """Seconds so far."""
        return self.seconds

    def wall(self) -> float:
        """The same, as an epoch."""
        return 1_700_000_000 + self.seconds


@dataclass
class FakeRemote:
    """Answers each verb with what `answers` holds: a value, or an error to raise. Remembers what was asked of whom."""

    answers: dict[str, object] = field(default_factory=lambda: {"probe": GOOD_PROBE, "observe": NOTHING, "listen": ""})
    asked: list[tuple[str, Address, float]] = field(default_factory=list)
    codes: list[tuple[str, str]] = field(default_factory=list)
    retired: list[Address] = field(default_factory=list)
    during: Callable[[str], None] = lambda _verb: None
    port: Callable[[Address], Port] = lambda _address: Port.SILENT
    looks: int = 0

    async def exchange(self, address: Address, exchange: Exchange[T]) -> T:
        """As the real one, without a network."""
        self.asked.append((exchange.verb, address, exchange.timeout_seconds))
        self.codes.append((exchange.verb, exchange.code))
        self.during(exchange.verb)
        answer = self.answers[exchange.verb]
        if isinstance(answer, FairleadError):
            raise answer
        return answer  # type: ignore[return-value]

    async def look(self, address: Address) -> Port:
        """What `port` says."""
        self.looks += 1
        return self.port(address)

    def retire(self, address: Address) -> None:
        """Remember that a new login was asked for."""
        self.retired.append(address)

    def count(self, verb: str) -> int:
        """How often this was asked."""
        return sum(1 for asked, _, _ in self.asked if asked == verb)


@dataclass
class FakeStore:
    """Takes every write and remembers it."""

    statuses: list[Mapping[str, Any]] = field(default_factory=list)
    released: list[ObjectRef] = field(default_factory=list)
    unlabelled: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    uids: dict[str, str] = field(default_factory=dict)
    asked: list[ObjectRef] = field(default_factory=list)
    fault: FairleadError | None = None
    version: int = 100

    async def add_finalizer(self, ref: ObjectRef, *, host: str = "") -> str:
        """Always."""
        return self._next()

    async def write_status(self, ref: ObjectRef, status: Mapping[str, Any], *, expected_attempt: int | None = None) -> str:
        """Always."""
        self.statuses.append(status)
        return self._next()

    async def release(self, ref: ObjectRef, *, finished: bool) -> str:
        """Always."""
        self.released.append(ref)
        return self._next()

    async def unlabel(self, ref: ObjectRef) -> str:
        """Always, but for a fault."""
        if self.fault is not None:
            raise self.fault
        self.unlabelled.append(ref.name)
        return self._next()

    async def record_event(self, ref: ObjectRef, note: EventNote) -> None:
        """Remember its reason."""
        self.told.append(note.reason)

    async def uid_of(self, ref: ObjectRef) -> str | None:
        """The uid under this name in `uids`, or the fault."""
        self.asked.append(ref)
        if self.fault is not None:
            raise self.fault
        return self.uids.get(f"{ref.namespace}/{ref.name}")

    def _next(self) -> str:
        self.version += 1
        return str(self.version)


@dataclass
class FakeData:
    """Secrets by name, labels by namespace, and finished objects."""

    secrets: dict[str, Mapping[str, bytes]] = field(default_factory=lambda: {"hpc-key": {"ssh-privatekey": b"one"}})
    labels: dict[str, Mapping[str, str]] = field(default_factory=dict)
    finished: list[ObjectRef] = field(default_factory=list)
    unfinished: list[ObjectRef] = field(default_factory=list)
    fault: FairleadError | None = None
    wishing: frozenset[str] = frozenset()
    going: frozenset[str] = frozenset()
    asked_for: list[str] = field(default_factory=list)
    listed: list[str] = field(default_factory=list)

    async def read_secret(self, namespace: str, name: str) -> Mapping[str, bytes] | None:
        """The Secret, or the fault."""
        if self.fault is not None:
            raise self.fault
        return self.secrets.get(name)

    async def read_config_map(self, namespace: str, name: str) -> Mapping[str, str | bytes] | None:
        """There is none."""
        return None

    async def read_labels(self, namespace: str) -> Mapping[str, str] | None:
        """The labels of the namespace, or the fault."""
        if self.fault is not None:
            raise self.fault
        return self.labels.get(namespace)

    async def is_going(self, namespace: str) -> bool:
        """Whether it is one of `going`, or the fault."""
        if self.fault is not None:
            raise self.fault
        return namespace in self.going

    async def has_jobs(self, namespace: str, cluster: ClusterName) -> bool:
        """Whether it is one of `wishing`, or the fault."""
        self.asked_for.append(namespace)
        if self.fault is not None:
            raise self.fault
        return namespace in self.wishing

    async def list_objects(self, plural: str, *, finished: bool = False) -> Sequence[ObjectRef]:
        """What was put there."""
        self.listed.append(plural)
        return self.finished if finished else [*self.finished, *self.unfinished]


@dataclass
class FakeLedger:
    """Debts by key."""

    debts: dict[str, Debt] = field(default_factory=dict)
    foreign: frozenset[str] = frozenset()
    fault: FairleadError | None = None

    async def list(self) -> Sequence[Debt]:
        """All of them, or the fault."""
        if self.fault is not None:
            raise self.fault
        return list(self.debts.values())

    async def add(self, debts: Sequence[Debt]) -> None:
        """Write them down, or the fault."""
        if self.fault is not None:
            raise self.fault
        self.debts |= {each.key: each for each in debts if each.key not in self.debts or self.debts[each.key].reason != each.reason}

    async def remove(self, debts: Sequence[Debt]) -> None:
        """Strike them."""
        for each in debts:
            self.debts.pop(each.key, None)


@dataclass
class FakeFinished:
    """Finished Jobs with a TTL, by uid; a deletion may meet a fault, or a Job that was changed since."""

    jobs: dict[str, Expiring] = field(default_factory=dict)
    fault: FairleadError | None = None
    deleted: list[str] = field(default_factory=list)
    whole_lists: int = 0
    wrongly: list[ObjectRef] = field(default_factory=list)

    async def mislabelled(self) -> Sequence[ObjectRef]:
        """What was put there."""
        return list(self.wrongly)

    async def with_finalizer(self) -> Sequence[ObjectRef]:
        """None."""
        return []

    async def generations(self) -> Mapping[str, int]:
        """What was put there."""
        return {uid: each.generation for uid, each in self.jobs.items()}

    async def expiring(self) -> Sequence[Expiring]:
        """What was put there, and one more list is counted."""
        self.whole_lists += 1
        return list(self.jobs.values())

    async def delete(self, job: Expiring) -> None:
        """Take it away."""
        if self.fault is not None:
            raise self.fault
        if job.ref.uid in self.jobs and self.jobs[job.ref.uid].generation != job.generation:
            raise Conflict("changed")
        self.jobs.pop(job.ref.uid, None)
        self.deleted.append(job.ref.name)


@dataclass
class Leading:
    """Leads until told otherwise."""

    says: bool = True

    def leads(self) -> bool:
        """Whether it leads."""
        return self.says


@dataclass
class Virtual:
    """All fakes together, and the World made of them."""

    remote: FakeRemote = field(default_factory=FakeRemote)
    store: FakeStore = field(default_factory=FakeStore)
    data: FakeData = field(default_factory=FakeData)
    ledger: FakeLedger = field(default_factory=FakeLedger)
    leadership: Leading = field(default_factory=Leading)
    clock: VirtualClock = field(default_factory=VirtualClock)
    finished: FakeFinished = field(default_factory=FakeFinished)
    scope: Scope = EVERYWHERE
    kinds: Kinds = KINDS
    settings: EngineSettings = SETTINGS

    @property
    def world(self) -> World:
        """The engine's ports. Tokens repeat and jitter is none: nothing here depends on chance."""
        return World(self.remote, self.store, self.data, self.ledger, self.leadership, self.clock, lambda: MARKER, lambda: 0.0,
                     self.finished, self.kinds, self.scope, settings=self.settings)


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop that waits for nothing: when all that can happen has happened, its time is that of the next timer."""

    def __init__(self) -> None:
        self.seconds = 0.0
        super().__init__(_Leaping(self))

    def time(self) -> float:
        """Seconds so far."""
        return self.seconds


class _Leaping(selectors.SelectSelector):
    """Instead of waiting it moves the time of its loop."""

    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """What is ready now."""
        assert timeout is not None, "everybody waits for ever"
        self._loop.seconds += max(timeout, 0.0)
        return super().select(0)


class LoopClock:
    """The clock of a `VirtualLoop`."""

    def monotonic(self) -> float:
        """The loop's own time."""
        return asyncio.get_running_loop().time()

    def wall(self) -> float:
        """The same, as an epoch."""
        return 1_700_000_000 + self.monotonic()


def in_virtual_time(scene: Coroutine[Any, Any, T]) -> T:
    """Play a scene in a loop that waits for nothing."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(scene)


def driver_of(cluster: Cluster) -> Driver:
    """The real Slurm behind the seam: it is pure."""
    return Driver(Slurm(ONE, "", cluster.spec.slurm.accounting), SlurmPreparer(cluster.spec.slurm))


@asynccontextmanager
async def turning(site: Site) -> AsyncIterator[None]:
    """While a site's loop turns."""
    task = asyncio.create_task(site.run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
