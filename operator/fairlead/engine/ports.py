"""The engine's ports: all it needs from the world outside. Tests put faulty ones in their place; the product has no test switches."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from fairlead.domain.cluster.address import Address, Credentials, HostKeys, Port
from fairlead.domain.gone.debt import Debt
from fairlead.domain.kinds import Kinds
from fairlead.domain.objects import ClusterName, EventNote, ObjectRef
from fairlead.domain.pacing import Now, Turn
from fairlead.domain.run.finished import Expiring
from fairlead.domain.run.quiet import Quiet
from fairlead.domain.run.run import RunKey
from fairlead.domain.run.service import KeptService, NoService, ProcessState, TunnelState, WantedService
from fairlead.domain.scope import EVERYWHERE, Scope
from fairlead.engine.settings import EngineSettings
from fairlead.schedulers.seam import Exchange
from fairlead.telemetry.journeys import Journeys

__all__ = [
    "Address", "Clock", "ClusterData", "Credentials", "EventNote", "HostKeys", "Leadership", "Ledger", "ObjectRef", "Pulse", "Remote",
    "Services", "Store", "Tokens", "World",
]

T = TypeVar("T")


class Remote(Protocol):
    """The far end. Bounded: so many connects and execs in flight overall, so many channels on a connection; callers wait in order."""

    async def exchange(self, address: Address, exchange: Exchange[T]) -> T:
        """Run one exchange and parse its answer.

        Raises `Refused`, `Unreachable` (nothing was sent), `Unanswered` (sent, and no whole answer), `Unreadable` (key or host keys
        unusable).
        """
        ...

    async def look(self, address: Address) -> Port:
        """What the port says to which a login would connect first; no login, and bounded: who looks at one port shares a look.

        Raises `Unreachable` when there was no place for a look.
        """
        ...

    def retire(self, address: Address) -> None:
        """Take what is asked from now on to a new login; what runs or waits on the connections of before ends there, then they close.

        Never raises. They close in bounded time also when the far end is stopped.
        """
        ...


class Store(Protocol):
    """Writes to our objects, each a compare-and-set on uid (and attempt): a stale view cannot repeat a decision.

    All raise `Conflict` (read again), `Unavailable` (try later) or another `ApiFault`. Each returns the object's new resourceVersion where
    there is one.
    """

    async def add_finalizer(self, ref: ObjectRef, *, host: str = "") -> str:
        """Put our finalizer on, and with it the bare host that was chosen, if any; no change if both are there.

        Conflict when the object is being deleted, or another host was chosen.
        """
        ...

    async def write_status(self, ref: ObjectRef, status: Mapping[str, Any], *, expected_attempt: int | None = None) -> str:
        """Replace the whole status, if uid (and status.run.attempt; 0 = there is none) are as expected."""
        ...

    async def release(self, ref: ObjectRef, *, finished: bool) -> str:
        """Take our finalizer off, with the finished label in the same write when `finished`. A gone object is a success."""
        ...

    async def unlabel(self, ref: ObjectRef) -> str:
        """Take the finished label off, which is there."""
        ...

    async def record_event(self, ref: ObjectRef, note: EventNote) -> None:
        """Write an Event about the object; a failure is logged, never raised."""
        ...

    async def uid_of(self, ref: ObjectRef) -> str | None:
        """The uid that lives under this name now, None if 404. Anything else (403, time-out) raises: unknown is not gone."""
        ...


class ClusterData(Protocol):
    """Reads of what objects refer to."""

    async def read_secret(self, namespace: str, name: str) -> Mapping[str, bytes] | None:
        """A Secret's data, decoded; None if there is none. Raises `Unavailable`, of which `Forbidden`."""
        ...

    async def read_config_map(self, namespace: str, name: str) -> Mapping[str, str | bytes] | None:
        """A ConfigMap's data, as bytes what is no text; None if there is none. Raises `Unavailable`."""
        ...

    async def read_labels(self, namespace: str) -> Mapping[str, str] | None:
        """A namespace's labels; None if there is no such namespace. Raises `Unavailable`, of which `Forbidden`."""
        ...

    async def is_going(self, namespace: str) -> bool:
        """Whether a namespace is being deleted or is gone: nothing can be made there. Raises `Unavailable`, of which `Forbidden`."""
        ...

    async def has_jobs(self, namespace: str, cluster: ClusterName) -> bool:
        """Whether a namespace has Jobs, finished or not, that refer to a Cluster of another. Raises `Unavailable`."""
        ...

    async def list_objects(self, plural: str, *, finished: bool = False) -> Sequence[ObjectRef]:
        """Objects in all watched namespaces, or those with the finished label alone. Raises `Unavailable`."""
        ...


class FinishedJobs(Protocol):
    """Jobs with the label of finished ones: those with a TTL, of which none is being deleted already, and those that have it wrongly."""

    async def mislabelled(self) -> Sequence[ObjectRef]:
        """Those whose status has no end. Raises `Unavailable`."""
        ...

    async def with_finalizer(self) -> Sequence[ObjectRef]:
        """Those that have our finalizer all the same. Raises `Unavailable`."""
        ...

    async def generations(self) -> Mapping[str, int]:
        """The generation of each by uid, from metadata alone. Raises `Unavailable`."""
        ...

    async def expiring(self) -> Sequence[Expiring]:
        """All of them with their times. Raises `Unavailable`."""
        ...

    async def delete(self, job: Expiring) -> None:
        """Delete it if its spec is as known; a gone one is a success. Raises `Conflict` when it was changed, `Unavailable`."""
        ...


class Services(Protocol):
    """The Services of owners that are reached through one, and what gateways say of the way to their processes."""

    async def keep(self, owner: ObjectRef, kind: str, wanted: WantedService) -> KeptService | NoService:
        """Have an owner's Service as it is wanted; no request if it is. What has its name and is not its own is never touched.

        Raises `Conflict` (look again), `Unavailable`.
        """
        ...

    def tunnel(self, owner: ObjectRef, service: str, key: RunKey) -> TunnelState | None:
        """What a gateway says of the way to this Run, on an object that is this owner's; None if none has said a word."""
        ...

    def process(self, owner: ObjectRef, service: str, key: RunKey) -> ProcessState | None:
        """What a gateway says of the process itself, in the same place."""
        ...

    def quiet(self, owner: ObjectRef, service: str, key: RunKey) -> Quiet | None:
        """Since when nothing is carried for clients, by what is said in the same place; None if something is, or nobody knows."""
        ...

    def take(self, plural: str, event: str | None, body: Mapping[str, Any]) -> str:
        """One watch event about `services` or `endpointslices`; the uid of whose object it is, empty if it is nobody's."""
        ...

    async def refresh(self) -> None:
        """List them all. Raises `Unavailable`; what was known then stays."""
        ...


class Tokens(Protocol):
    """Secrets of owners' own, with the tokens of their processes."""

    async def own(self, owner: ObjectRef, kind: str, name: str) -> Mapping[str, bytes] | None:
        """The fields of an owner's Secret, made first if there is none of that name; None if that one is not the owner's: it is left alone.

        Raises `Conflict` (try again), `Unavailable`, of which `Forbidden`, another `ApiFault` if it is refused.
        """
        ...


class Ledger(Protocol):
    """What is still owed on clusters, kept outside of the objects that are gone."""

    @property
    def foreign(self) -> frozenset[str]:
        """The keys of entries that another release has written, as of the last list: what they are about is left alone."""
        ...

    async def list(self) -> Sequence[Debt]:
        """All debts, the oldest first. Raises `ApiFault`."""
        ...

    async def add(self, debts: Sequence[Debt]) -> None:
        """Write debts down, those of a namespace all or none; only after this may their objects go. Raises `ApiFault`.

        Calls at the same time share a write. Each namespace has a share of its own.
        """
        ...

    async def remove(self, debts: Sequence[Debt]) -> None:
        """Strike debts; no change for those that are not there. Raises `ApiFault`."""
        ...


class Leadership(Protocol):
    """Whether this process may act."""

    def leads(self) -> bool:
        """True while our Lease is surely ours, by CLOCK_BOOTTIME and by the wall clock: asked before every destructive exec."""
        ...


class Clock(Protocol):
    """Time, so that tests can turn it."""

    def monotonic(self) -> float:
        """Seconds that count on during sleep (CLOCK_BOOTTIME)."""
        ...

    def wall(self) -> float:
        """Epoch seconds."""
        ...


class Pulse(Protocol):
    """Where each loop proves that it lives."""

    def beat(self, name: str, expect_within_seconds: float) -> None:
        """`name` lives, and will be heard from again within so many seconds."""
        ...

    def forget(self, name: str) -> None:
        """`name` has ended as it should."""
        ...


@dataclass(frozen=True, slots=True)
class World:
    """All ports together, and by what settings they are used. `token` gives 32 fresh random hex digits, `jitter` a number in 0..1.

    `kinds` are those whose Runs are seen to, `scope` says what all lists are about, `journeys` is told how Jobs come to their ids.
    `services` None: no kind has Services. `tokens` None: none are made.
    """

    remote: Remote
    store: Store
    data: ClusterData
    ledger: Ledger
    leadership: Leadership
    clock: Clock
    token: Callable[[], str]
    jitter: Callable[[], float]
    finished: FinishedJobs
    kinds: Kinds
    scope: Scope = EVERYWHERE
    journeys: Journeys = field(default_factory=Journeys)
    services: Services | None = None
    tokens: Tokens | None = None
    settings: EngineSettings = field(default_factory=EngineSettings)

    @property
    def turn(self) -> Turn:
        """By what one look decides, now."""
        return Turn(self.now(), self.settings.pacing)

    def now(self) -> Now:
        """This moment on both clocks."""
        return Now(self.clock.monotonic(), self.clock.wall())
