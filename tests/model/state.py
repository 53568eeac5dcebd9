"""What is where at one moment. Everything is a value: two moments in which all is the same are one state."""

from typing import Final, NamedTuple

# The object.
UNBORN, LIVE, DELETING, GONE = "unborn", "live", "deleting", "gone"
# Whether its Cluster is open to its namespace.
OPEN, SHUT, NEVER_OPEN = "open", "not any more", "never"
# What its status says of the current attempt: it is to be submitted, to be watched, or being withdrawn for a suspension.
SUBMIT, WATCH, WITHDRAW = "submit", "watch", "withdraw"
# A job in the scheduler. `queued`: a request that it has not worked on. `ending`: it was told to end.
QUEUED, PENDING, RUNNING, ENDING = "queued", "pending", "running", "ending"
# A controller.
OFF, IDLE, WAITING, WRITING, ASKING = "off", "idle", "waiting", "writing", "asking"

NOBODY: Final = -1
"""The controller that waits for a script, when that one has died."""
ANOTHERS: Final = 0
"""The attempt of a job that is another object's."""


class Claim(NamedTuple):
    """Where the link `claim` points."""

    id: int
    nonce: int


REVOKED: Final = Claim(0, 0)
UNBEGUN: Final = 123
"""The code of an end that its wrapper calls `unbegun`."""


class Finished(NamedTuple):
    """`finished-<number>`."""

    id: int
    number: int
    code: int


class Directory(NamedTuple):
    """One run directory."""

    there: bool = False
    id: int = 0
    refused: str = ""                # never | later
    claim: Claim | None = None
    stop: bool = False
    started: int = -1                # the highest number with `started`
    finished: Finished | None = None   # that with the highest number
    begun: tuple[tuple[int, int], ...] = ()   # arrays: task and random
    over: tuple[int, ...] = ()       # arrays: tasks that have written their end
    orphaned: bool = False


ABSENT: Final = Directory()
TOMBSTONE: Final = Directory(there=True, claim=REVOKED)
SETTLED: Final = (ABSENT, TOMBSTONE)
"""Directories of which nothing is left to do."""


class Job(NamedTuple):
    """One row of the scheduler: a job, or one task of an array."""

    attempt: int
    id: int
    state: str
    restart: int = 0
    task: int = 0
    namesake: bool = False           # another object's, of the same name


class Start(NamedTuple):
    """One start of a job: a wrapper process, and the user's script below it."""

    attempt: int
    id: int
    task: int
    restart: int
    nonce: int
    at: str = "claim"                # what it does next
    number: int = 0                  # which start of the Run it is
    code: int = 0
    marked: bool = True              # the mark of its begin, or what was to take it away, is where it was
    forgotten: bool = False          # the scheduler does not know of it any more

    def __str__(self) -> str:
        return f"start {self.nonce} of job {self.id}" + (f" task {self.task}" if self.task else "") + " (forgotten)" * self.forgotten


class Script(NamedTuple):
    """One script at the far end."""

    owner: int                       # the controller that waits for its answer
    kind: str
    attempt: int
    why: str                         # the flow that it belongs to
    at: str                          # what it does next
    again: bool = False              # submit: a resubmission
    lost: bool = False               # submit: the attempt before was judged Lost
    own: bool = False                # submit: the id comes from its own sbatch
    id: int = 0
    ids: tuple[int, ...] = ()
    claim: Claim | None = None

    def __str__(self) -> str:
        return f"{self.kind} script {self.attempt}" + (" (abandoned)" if self.owner == NOBODY else f" of c{self.owner}")


class Answer(NamedTuple):
    """What a script said."""

    word: str
    claim: Claim | None = None
    ids: tuple[int, ...] = ()
    finished: Finished | None = None
    started: int = -1


class Controller(NamedTuple):
    """One controller, and the flow that it is in."""

    number: int
    at: str = OFF
    flow: str = ""
    read: int = 0                    # the attempt in the status when it read the object: what its writes test
    withdrawing: bool = False        # and whether it was being withdrawn: the same
    attempt: int = 0
    attempts: tuple[int, ...] = ()   # deletion, debt, sweep: those to go through
    why: str = ""                    # of a close; or what is to be written
    claim: int = 0                   # memory: the claim that was read before the next listing
    again: bool = False              # memory: the next submission is a resubmission

    def __str__(self) -> str:
        return f"controller {self.number}"


class Status(NamedTuple):
    """The object's status."""

    attempt: int = 0                 # 0: there is none
    phase: str = SUBMIT
    why: str = ""                    # why the attempt before was closed


class History(NamedTuple):
    """What has happened, for the properties alone: no actor reads it. One place for each attempt."""

    starts: tuple[int, ...]          # for each task of each attempt
    judged_lost: tuple[bool, ...]
    closed: tuple[bool, ...]         # the status has gone on to the next
    submissions: tuple[int, ...]
    last: tuple[int, ...]            # the highest number that began
    good: tuple[int, ...]            # the highest number that ended with 0
    stopped: tuple[bool, ...]        # cancelled for a suspension
    orphaned: tuple[bool, ...]       # promised to be left alone
    released: bool = False           # a deletion is done and has said: nothing runs, nothing will


class State(NamedTuple):
    """All of it."""

    object: str
    held: bool                       # our finalizer is on
    end: str                         # Complete | Failed
    status: Status
    suspended: bool                  # spec.suspend
    admission: str
    ledger: int                      # the attempt of a debt
    controllers: tuple[Controller, Controller]
    scripts: tuple[Script, ...]
    directories: tuple[Directory, ...]   # attempt 1 first
    jobs: tuple[Job, ...]
    starts: tuple[Start, ...]
    left: frozenset[str]             # faults and acts that may still happen
    faults: int                      # how many more
    next_id: int
    next_nonce: int
    lost_id: int                     # of the job that the scheduler forgot
    completed: bool                  # the scheduler's word for a job that is gone
    history: History
