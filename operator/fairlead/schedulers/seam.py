"""The seam: what the engine asks of a scheduler. A third scheduler is one new package that answers these six."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, Protocol, TypeVar

from fairlead.domain.run.answers import CancelAnswer, CancelPhase, Probe, Remnant, SubmitAnswer
from fairlead.domain.run.installation import Installation
from fairlead.domain.run.observation import Observation
from fairlead.domain.run.request import RunRequest, Submission
from fairlead.domain.run.run import RunKey, StopWord, Tree

T = TypeVar("T")

COMMAND = """exec sh -c 'IFS= read -r x && IFS= read -r n && s=$(dd bs="$n" count=1 iflag=fullblock 2>/dev/null) && eval "$s"'"""
"""The one command ever given to a login shell. The code comes on standard input behind its byte count, so that no shell reads ahead
into the payload (dash, fed through its own standard input, ran payloads as commands); a cut connection leaves half a text, which is a
syntax error. `dd` takes exactly so many bytes everywhere; busybox's `head -c` reads ahead."""

NOT_RUN = 93
"""Exit code of a shell that reads our standard input as its commands: where a dotfile says `exec zsh`, ours is never run. The first line
ends such a shell, whichever it is, before it comes to the payload, which may hold a user's script."""


@dataclass(frozen=True, slots=True)
class Exchange(Generic[T]):
    """One exec at the far end: what is sent, how long and how much may come back, and how to read it.

    `parse` takes standard output whole and raises `Unanswered` when the fence is not at both ends.
    """

    verb: str                        # probe | submit | observe | cancel | remove | sweep | listen: the metric's label
    code: str
    payload: bytes
    timeout_seconds: float
    max_output_bytes: int
    parse: Callable[[bytes], T]
    last_row: bytes = b""
    """The answer's last row: with it and an exit status the answer is whole, whoever still holds its channel open."""

    aside: bool = False
    """It only listens: it rides on a connection that stands, holds no place that others could need, and may end unanswered at any time."""

    def stdin(self) -> bytes:
        """A line that ends whoever takes this for commands, then byte count, newline, code, payload."""
        code = self.code.encode()
        return b"exit %d\n%d\n%b%b" % (NOT_RUN, len(code), code, self.payload)


@dataclass(frozen=True, slots=True)
class Place:
    """Where the tree should be: what the Cluster's spec says, and the marker that its status remembers (empty: never seen)."""

    work_dir: str                    # absolute, or ~/...
    installation: Installation
    marker: str                      # remembered in status
    fresh_marker: str                # 32 random hex digits, used if the tree has to be made


@dataclass(frozen=True, slots=True)
class Query:
    """What a poll should tell: `keys` with the id we know for each (or empty), and whether to touch live directories (daily).

    `look_seconds`: once so many are over, the keys that are left wait for the next poll.
    """

    keys: Mapping[RunKey, str]
    touch: bool = False
    look_seconds: int = 15


@dataclass(frozen=True, slots=True)
class Cancellation:
    """One key to cancel, what to do at most, and why: that word stays in its directory."""

    key: RunKey
    phase: CancelPhase
    only_ids: tuple[str, ...] = ()   # DUP: cancel these ids of the key alone, and do not revoke
    why: StopWord = StopWord.CLOSE


@dataclass(frozen=True, slots=True)
class Removal:
    """Keys whose directories go down to tombstones, and the age after which tombstones go too. `sweep`: list what is there as well."""

    keys: Sequence[RunKey]
    tombstone_days: int = 7
    sweep: bool = False


@dataclass(frozen=True, slots=True)
class Removed:
    """Keys that are tombstones now, and with `sweep` everything the tree holds and every listed key with our mark."""

    keys: frozenset[RunKey]
    remnants: tuple[Remnant, ...] = ()
    complete: bool = False           # `remnants` is the whole of it
    strange: int = 0                 # so many entries are no Run's, or beyond what is listed


class TreeState(StrEnum):
    """What has become of a tree that was to be taken away."""

    GONE = "gone"
    MORE = "more"                    # it is on its way: ask again
    STAYS = "stays"


@dataclass(frozen=True, slots=True)
class TreeRemoval:
    """A tree that goes with its Cluster. `owed`: uids of objects of which something is owed, whose tombstones keep it.

    So does the tombstone of a Run whose end nobody saw, for as long as it would stand.
    """

    tree: Tree
    installation: Installation
    owed: Sequence[str] = ()
    tombstone_days: int = 7


@dataclass(frozen=True, slots=True)
class TreeRemoved:
    """What has become of it, and why it stays."""

    state: TreeState
    why: str = ""


class Scheduler(Protocol):
    """A scheduler at the far end of SSH. `fence` is a fresh random word (32 hex digits) for each exchange; all methods are pure."""

    def probe(self, fence: str, place: Place) -> Exchange[Probe]:
        """Make or find the tree and say what the site is."""
        ...

    def submit(self, fence: str, tree: Tree, submissions: Sequence[Submission]) -> Exchange[Mapping[RunKey, SubmitAnswer]]:
        """Submit each once, whatever happened before; a key that is missing in the answer counts as UNKNOWN."""
        ...

    def observe(self, fence: str, tree: Tree, query: Query) -> Exchange[Observation]:
        """One listing for all Runs, then sentinels and accounting for the keys it does not explain."""
        ...

    def listen(self, fence: str, tree: Tree, known: str, seconds: int) -> Exchange[str]:
        """Wait so long for a Run's begin or end, which is news to who knows `known`; what to know next. Says nothing of any Run."""
        ...

    def cancel(self, fence: str, tree: Tree, cancellations: Sequence[Cancellation]) -> Exchange[Mapping[RunKey, CancelAnswer]]:
        """Revoke each key and cancel what the listing shows under it; safe to repeat."""
        ...

    def remove(self, fence: str, tree: Tree, removal: Removal) -> Exchange[Removed]:
        """Bring directories down to tombstones (revoked renamed over claim first), and sweep."""
        ...

    def remove_tree(self, fence: str, removal: TreeRemoval) -> Exchange[TreeRemoved]:
        """Take the whole tree away if nothing in it is needed; safe to repeat until it is gone or stays."""
        ...


class Preparer(Protocol):
    """What turns a request into what one attempt needs at the far end. Pure."""

    def prepare(self, request: RunRequest) -> Submission:
        """The submission of an owner's current key.

        Raises `UserFault` with a sentence when the script or an option can never work.
        """
        ...


@dataclass(frozen=True, slots=True)
class Driver:
    """A scheduler with its preparer, made for one Cluster's spec."""

    scheduler: Scheduler
    preparer: Preparer
