"""A Run: one execution on a remote cluster, named by a key; where it lives there, whose it is, and where a scheduler says that it is.

The words here are Fairlead's own. A scheduler's words are turned into them in its package, so that a Job knows only Runs.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from fairlead.api.v1alpha1 import names
from fairlead.domain.objects import ObjectRef, plural_of

MOST_ATTEMPTS = 9_999
"""No Job has more: backoffLimit and infrastructureRetries allow 2,001, the rest are suspensions. What names a later one is no key."""
_KEY = re.compile(r"(?P<uid>[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})-(?P<attempt>[1-9][0-9]{0,3})")


@dataclass(frozen=True, slots=True, order=True)
class RunKey:
    """`<object uid>-<attempt>`: what a submission, a directory, a claim and a debt are filed under. Attempts count from 1."""

    uid: str
    attempt: int

    def __str__(self) -> str:
        return f"{self.uid}-{self.attempt}"

    @classmethod
    def parse(cls, text: str) -> "RunKey | None":
        """The key that `text` spells, or None: what a remote host prints need not be one."""
        return _key(text)

    @property
    def previous(self) -> "RunKey | None":
        """The attempt before this one."""
        return RunKey(self.uid, self.attempt - 1) if self.attempt > 1 else None

    @property
    def next(self) -> "RunKey":
        """The attempt after this one."""
        return RunKey(self.uid, self.attempt + 1)


@lru_cache(maxsize=1 << 15)          # each look at a Job asks for its key, several times
def _key(text: str) -> RunKey | None:
    found = _KEY.fullmatch(text)
    return RunKey(found["uid"], int(found["attempt"])) if found else None


class RunState(StrEnum):
    """Where a scheduler says that a Run is. `UNKNOWN` is any word not in its table: never terminal."""

    PENDING = "Pending"
    STARTING = "Starting"
    HELD = "Held"
    STUCK = "Stuck"              # it waits for what does not come by itself: a limit would have to be changed
    RUNNING = "Running"
    SUSPENDED = "Suspended"
    FINISHING = "Finishing"
    COMPLETED = "Completed"
    FAILED = "Failed"
    TIMED_OUT = "TimedOut"
    OUT_OF_MEMORY = "OutOfMemory"
    NODE_FAILED = "NodeFailed"
    BOOT_FAILED = "BootFailed"
    PREEMPTED = "Preempted"
    CANCELLED = "Cancelled"
    UNKNOWN = "Unknown"

    @property
    def is_terminal(self) -> bool:
        """Whether the scheduler has nothing more to do for it.

        PREEMPTED is: seen on Slurm 20.11 to 26.05, a preempted job that runs again goes from COMPLETING to PENDING.
        """
        return self in _TERMINAL

    @property
    def may_run(self) -> bool:
        """Whether its script may be running, or start, under this id: all that is not terminal."""
        return not self.is_terminal


_TERMINAL = frozenset({
    RunState.COMPLETED, RunState.FAILED, RunState.TIMED_OUT, RunState.OUT_OF_MEMORY, RunState.NODE_FAILED, RunState.BOOT_FAILED,
    RunState.PREEMPTED, RunState.CANCELLED,
})


@dataclass(frozen=True, slots=True)
class Tree:
    """The folder at the far end that holds every run directory, and the marker that proves it is that folder."""

    path: str           # absolute, as the far end resolved it: <workDir>/<installation>
    marker: str         # random hex, made once, kept in the Cluster's status


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose Run it is: written into the run directory, so that a sweep knows whom to ask. `kind` need not be one that we know."""

    namespace: str
    name: str
    uid: str
    kind: str = names.JOB_KIND

    @property
    def ref(self) -> ObjectRef:
        """The object."""
        return ObjectRef(plural_of(self.kind), self.namespace, self.name, self.uid)


class StopWord(StrEnum):
    """Why a Run was told to end: written into its directory first, so that a controller that knows nothing else reads its end rightly."""

    CLOSE = "close"           # it is over by all that is known; whoever still runs it ends by himself
    DELETE = "delete"         # its object goes
    SUSPEND = "suspend"       # set aside by the user
    DEADLINE = "deadline"     # activeDeadlineSeconds were over
    LATE = "late"             # the script had ended before it could be told: its own end counts
