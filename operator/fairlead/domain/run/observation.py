"""What one look at a site has seen of its Runs: rows of the listing, what their directories say, and the scheduler's last words."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from fairlead.domain.run.run import RunKey, RunState, StopWord


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
    source: str = ""                 # who says so: squeue, or the host
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
    stop: StopWord | None = None
    started: tuple[Started, ...] = ()
    finished: tuple[Finished, ...] = ()
    log: LogTail | None = None       # only beside a `finished`
    bare: bool = False               # what is there before a scheduler hears of a Run is not there: somebody has emptied it
    never: bool = False              # whoever made the claim says that it could not start the script
    word: "LastWord | None" = None     # what the scheduler said when the last start was told to end; asked by its wrapper, since it forgets


@dataclass(frozen=True, slots=True)
class LastWord:
    """What the scheduler or its accounting says of an id that the listing no longer explains."""

    id: str
    state: RunState
    word: str
    exit_code: int = 0
    signal: int = 0
    reason: str = ""
    source: str = ""                 # squeue | scontrol | sacct | host
    tracking: str = ""               # a bare host: how the Run's processes were found
    unopened: "Unopened | None" = None


@dataclass(frozen=True, slots=True)
class Unopened:
    """The scheduler could not open a job's output where it was to run, if nothing was started. Empty: it does not say which, or where."""

    path: str = ""
    node: str = ""


@dataclass(frozen=True, slots=True)
class Observation:
    """One whole poll of one site. A poll that was cut, forged or late never becomes one.

    `sentinels` and `records` (by key) are there for the keys that were asked for and that the listing does not show as one live job.
    """

    listed: Mapping[RunKey, tuple[Listed, ...]]
    sentinels: Mapping[RunKey, Sentinels]
    records: Mapping[RunKey, LastWord]
    later: frozenset[RunKey] = frozenset()   # of these nothing is said: there was no time to look at them
