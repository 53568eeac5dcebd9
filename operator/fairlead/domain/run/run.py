"""A Run: one execution on a remote cluster, named by a key. What the far end can say about it.

The words here are Fairlead's own. A scheduler's words are turned into them in its package, so that a Job knows only Runs.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache

from fairlead.api.v1alpha1 import names
from fairlead.domain.cluster.placement import Size
from fairlead.domain.kinds import plural_of
from fairlead.domain.objects import ObjectRef

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


@dataclass(frozen=True, slots=True)
class Submission:
    """All that one attempt needs at the far end. `options` are the scheduler's own argv, spec fields already in them."""

    key: RunKey
    owner: Owner
    script: bytes
    options: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    working_dir: str = ""            # empty: the remote user's home; may begin with ~/
    stdout_path: str = ""            # empty: %x-%j.out in working_dir
    stderr_path: str = ""            # empty: the same file as standard output
    login_shell: bool = True
    arguments: tuple[str, ...] = ()  # $1... of the script
    requeue: bool = False
    priority: int = 0                # where Fairlead keeps the queue: the higher, the sooner
    size: Size = field(default_factory=lambda: Size(0))   # what it takes of a host, where Fairlead hands out slots and GPUs
    resubmit: bool = False           # a `not yet` has lasted long enough, or a waiting refusal: submit again under the same key
    job_name: str = ""               # what the script finds as its job's name where a scheduler has one; empty: the scheduler's
    previous_is_lost: bool = False   # the intent says that the attempt before this one was judged Lost


class SubmitWord(StrEnum):
    """What the far end says of one key after the submit script ran."""

    SUBMITTED = "submitted"   # the scheduler accepted it under `id`, now or before
    CLAIMED = "claimed"       # job `id` has already claimed the key
    REVOKED = "revoked"       # no job ever may run under this key
    REFUSED = "refused"       # the scheduler said no, in words that mean for ever: `text`
    WAITING = "waiting"       # the scheduler said no for now (limits, queue full): `text`
    UNSURE = "unsure"         # the scheduler said no in words that are in no table: `text`
    NOT_YET = "not-yet"       # the directory is there, and nothing else: somebody has begun
    ALIVE = "alive"           # the attempt before this one is claimed by `id` and has not ended
    BUSY = "busy"             # not tried: the scheduler hung earlier in this batch
    UNKNOWN = "unknown"       # no answer that decides anything: `text` says why
    NO_TREE = "no-tree"       # the marker is missing or another: `text` says what was seen


@dataclass(frozen=True, slots=True)
class SubmitAnswer:
    """One key's answer to a submission."""

    word: SubmitWord
    id: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Listed:
    """One row of a scheduler's listing that carries one of our keys."""

    key: RunKey
    id: str
    state: RunState
    word: str                        # the scheduler's own, for people
    reason: str = ""                 # why it pends or ended, the scheduler's own words
    node: str = ""
    submitted: int | None = None     # epoch seconds, the cluster's clock
    starts: int | None = None        # epoch seconds: started, or expected to
    tracking: str = ""               # a bare host: how the Run's processes are found


@dataclass(frozen=True, slots=True)
class Started:
    """`started-<restart>`: the user's script was about to begin under this id."""

    id: str
    restart: int
    host: str
    at: int | None                   # epoch seconds, the node's clock; None: what stands there is no time


class EndWord(StrEnum):
    """What a wrapper adds to an end, where the exit code does not say it; beside these, other signals that the script was given."""

    TERM = "TERM"             # the script was told to end
    UNBEGUN = "unbegun"       # it never began: what would have been it had not come to its last step, and never will
    UNSURE = "unsure"         # whether it began is not known: the mark of that is gone
    LIMIT = "limit"           # by the node's clock the time limit was over when it was told to end
    OUT_OF_MEMORY = "oom"     # the kernel has ended a process of it for memory


@dataclass(frozen=True, slots=True)
class Finished:
    """`finished-<restart>`: the user's script ended. Above 128 also means: perhaps killed by signal `exit_code - 128`."""

    id: str
    restart: int
    exit_code: int
    at: int | None                   # epoch seconds, the node's clock; None: what stands there is no time
    words: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class LogTail:
    """The end of the user's output file, as the login node sees it; `size` in bytes, None when it cannot be read there."""

    stdout_path: str
    stderr_path: str
    size: int | None
    tail: bytes


@dataclass(frozen=True, slots=True)
class Sentinels:
    """What one run directory holds. `claim` is a job id, `revoked` says that none ever may run."""

    present: bool
    claim: str = ""
    revoked: bool = False
    id: str = ""
    refused: str = ""
    stop: "StopWord | None" = None
    started: tuple[Started, ...] = ()
    finished: tuple[Finished, ...] = ()
    log: LogTail | None = None       # only beside a `finished`
    never: bool = False              # whoever made the claim says that it could not start the script
    word: "Record | None" = None     # what the scheduler said when the last start was told to end; asked by its wrapper, since it forgets


@dataclass(frozen=True, slots=True)
class Record:
    """What the scheduler or its accounting says of an id that the listing no longer explains."""

    id: str
    state: RunState
    word: str
    exit_code: int = 0
    signal: int = 0
    reason: str = ""
    source: str = ""                 # squeue | scontrol | sacct | host
    tracking: str = ""               # a bare host: how the Run's processes were found


@dataclass(frozen=True, slots=True)
class Observation:
    """One whole poll of one site. A poll that was cut, forged or late never becomes one.

    `sentinels` and `records` (by key) are there for the keys that were asked for and that the listing does not show as one live job.
    """

    listed: Mapping[RunKey, tuple[Listed, ...]]
    sentinels: Mapping[RunKey, Sentinels]
    records: Mapping[RunKey, Record]
    any_started: bool = False        # some directory of this answer holds a `started`: the tree is shared with the nodes
    later: frozenset[RunKey] = frozenset()   # of these nothing is said: there was no time to look at them


class CancelPhase(StrEnum):
    """How hard to cancel: nothing but revoke; ask with TERM; end for good. Or leave alone what is there, and let nothing follow."""

    REVOKE = "revoke"
    ASK = "term"
    END = "kill"
    ORPHAN = "orphan"


class StopWord(StrEnum):
    """Why a Run was told to end: written into its directory first, so that its end is read rightly also by who knows nothing else."""

    CLOSE = "close"           # it is over by all that is known; whoever still runs it ends by himself
    DELETE = "delete"         # its object goes
    SUSPEND = "suspend"       # set aside by the user
    DEADLINE = "deadline"     # activeDeadlineSeconds were over
    LATE = "late"             # the script had ended before it could be told: its own end counts


@dataclass(frozen=True, slots=True)
class CancelAnswer:
    """One key after the cancel script: `claim` the id that may have run (empty: none ever will), `ids` what was cancelled."""

    known: bool                      # False: no answer that decides anything, `text` says why
    claim: str = ""
    revoked: bool = False
    ids: tuple[str, ...] = ()
    text: str = ""
    orphaned: bool = False           # left alone, now or before: nothing was done


@dataclass(frozen=True, slots=True)
class Remnant:
    """What a sweep found under one key: whose it is, whether it is down to its tombstone, and whether a live job is listed under it."""

    key: RunKey
    owner: Owner | None              # None: nobody, or nobody who could prove it: it was never handed in, or its script has changed that
    tombstone: bool
    orphaned: bool = False           # left alone by its Job's deletionPolicy, and that is proved
    listed: bool = False
    foreign: bool = False            # its `owner` is proved to be ours, and of a form that this release cannot read: another's


class AccountingState(StrEnum):
    """Whether the scheduler's accounting answers: a finished job's word can still be had after the listing forgot it."""

    AVAILABLE = "available"
    ABSENT = "absent"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Probe:
    """What a site is: made once for each connection, and again after an error."""

    tree: Tree | None                # None: `problem` says why
    version: str = ""                # the scheduler's own word
    scheduler_up: bool = False
    accounting: AccountingState = AccountingState.ABSENT
    problem: "ProbeProblem | None" = None
    text: str = ""                   # the far end's words on the problem
    home: str = ""


class ProbeProblem(StrEnum):
    """Why a site cannot be used."""

    NO_SCHEDULER = "no-scheduler"            # no sbatch in PATH
    NO_TOOLS = "no-tools"                    # a bare host without a program that we need there
    ENDS_AT_LOGOUT = "ends-at-logout"        # a bare host that would end what we start when the connection closes
    NOT_WRITABLE = "not-writable"            # workDir cannot be made or written
    NOT_OURS = "not-ours"                    # another owner's marker, or not the marker we know
    NOT_SAFE = "not-safe"                    # others can write to it, or to a folder above it
    SCHEDULER_DOWN = "scheduler-down"
