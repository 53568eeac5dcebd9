"""The engine's ports: all it needs from the world outside. Tests put faulty ones in their place; the product has no test switches."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from fairlead.schedulers.seam import Exchange

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Credentials:
    """What proves who we are to a login node. Never printed: `repr` is masked."""

    private_key: bytes               # the Secret's ssh-privatekey as it is
    passphrase: bytes | None = None
    certificate: bytes | None = None

    def __repr__(self) -> str:
        return "Credentials(...)"


@dataclass(frozen=True, slots=True)
class HostKeys:
    """Which host keys are trusted, exactly one of the two filled: known_hosts text, or fingerprints (`SHA256:...`)."""

    known_hosts: str = ""
    fingerprints: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Address:
    """A remote login identity to connect to, with all that is needed for it. Equal addresses share connections."""

    host: str
    port: int
    user: str
    credentials: Credentials
    host_keys: HostKeys
    connect_timeout_seconds: float = 10.0
    keepalive_interval_seconds: float = 15.0
    max_connections: int = 1
    max_channels: int = 4            # below half of sshd's MaxSessions 10: it frees a slot only after the client saw the exit


class Remote(Protocol):
    """The far end. Bounded: at most so many connects and execs in flight overall, so many channels on a connection; callers wait in order."""

    async def exchange(self, address: Address, exchange: Exchange[T]) -> T:
        """Run one exchange and parse its answer.

        Raises `Refused`, `Unreachable` (nothing was sent), `Unanswered` (sent, and no whole answer), `Unreadable` (key or host keys unusable).
        """
        ...

    async def forget(self, address: Address) -> None:
        """Close this address's connections; never raises, bounded in time also when the far end is stopped."""
        ...


@dataclass(frozen=True, slots=True)
class ObjectRef:
    """One Kubernetes object of ours, by name and uid: a namesake with another uid is another object."""

    plural: str                      # clusters | jobs
    namespace: str
    name: str
    uid: str


@dataclass(frozen=True, slots=True)
class EventNote:
    """A Kubernetes Event to be: `type` Normal | Warning, `reason` CamelCase, `action` what was done."""

    type: str
    reason: str
    message: str
    action: str = "Reconcile"


class Store(Protocol):
    """Writes to our objects, each a compare-and-set on uid (and attempt): a stale view cannot repeat a decision.

    All raise `Conflict` (read again) or `Unavailable` (try later). Each returns the object's new resourceVersion where there is one.
    """

    async def add_finalizer(self, ref: ObjectRef) -> str:
        """Put our finalizer on; no change if it is there. Conflict when the object is being deleted."""
        ...

    async def write_status(self, ref: ObjectRef, status: Mapping[str, Any], *, expected_attempt: int | None = None) -> str:
        """Replace the whole status, if uid (and status.run.attempt; 0 = there is none) are as expected."""
        ...

    async def release(self, ref: ObjectRef, *, finished: bool) -> str:
        """Take our finalizer off, with the finished label in the same write when `finished`. A gone object is a success."""
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
        """A Secret's data, decoded; None if there is none. Raises `Unavailable`."""
        ...

    async def read_config_map(self, namespace: str, name: str) -> Mapping[str, str] | None:
        """A ConfigMap's data; None if there is none. Raises `Unavailable`."""
        ...

    async def list_finished(self, plural: str) -> Sequence[ObjectRef]:
        """Objects with the finished label in all namespaces, metadata alone. Raises `Unavailable`."""
        ...


class Leadership(Protocol):
    """Whether this process may act."""

    def held(self) -> bool:
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
