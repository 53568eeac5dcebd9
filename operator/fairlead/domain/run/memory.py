"""What a process remembers of a Job's current attempt between two steps. It may be lost at any moment: the far end is asked again."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from fairlead.api.v1alpha1.reasons import JobReason
from fairlead.domain.pacing import Now
from fairlead.domain.run.run import RunKey, StopWord


@dataclass(frozen=True, slots=True)
class Closing:
    """Why the current attempt is to be closed once the cancel script has run on it."""

    reason: JobReason
    message: str
    never_ran: bool = False          # proved: retried by itself
    refused: bool = False            # the scheduler said no for good: claimed after all means watch it
    exit_code: int | None = None
    signal: int | None = None
    word: str = ""                   # the scheduler's last, empty if it has none any more
    without_end: bool = False        # claimed, and the node wrote no end: what was started may still be on its way out
    tracking: str = ""               # a bare host: how the Run's processes were found


@dataclass(frozen=True, slots=True)
class Memory:
    """What this process remembers of one Job between two steps. Times are monotonic seconds."""

    attempt: int = 1
    retry_at: float = 0.0
    not_yet_since: float | None = None
    resubmit: bool = False
    refusals: int = 0
    unsure_since: float | None = None    # refused since then in words of no table
    claim: str = ""                  # read before the next listing begins (rule RELIST)
    absent_since: float | None = None
    nowhere_since: float | None = None   # looked for, and neither a job nor a directory was there, now and since then
    nowhere: bool = False            # for so long that no submission that was sent before can come any more
    revoke: bool = False
    duplicates: tuple[str, ...] = ()
    closing: Closing | None = None
    written_at: float = float("-inf")   # last status write for details
    stopping: StopWord | None = None    # why the attempt was told to end
    asked_at: float | None = None    # told to end: TERM sent
    killed_at: float | None = None   # told to end: plain scancel sent
    outlived: bool = False           # and an observation that began afterwards has not seen it gone
    claims: Mapping[RunKey, str] = field(default_factory=dict)   # deletion: ids that may have run
    clear: bool = False              # deletion: no key listed in an observation that began after the cancel
    unaccounted: tuple[RunKey, ...] = ()   # deletion: claimed, not listed, and nobody has said that it ended
    buried: bool = False

    @property
    def plan(self) -> tuple[object, ...]:
        """What the next steps rest on: when it changes, the next look comes soon."""
        return self.closing, self.revoke, self.duplicates, self.claim, self.stopping

    def of(self, attempt: int) -> "Memory":
        """This memory if it is about `attempt`, else an empty one."""
        return self if self.attempt == attempt else Memory(attempt=attempt)

    @property
    def somewhere(self) -> "Memory":
        """The same of what was seen there, or may be there from now on, since a submission is about to be sent."""
        return replace(self, nowhere_since=None, nowhere=False)

    def later(self, now: Now, seconds: float) -> "Memory":
        """The same, asking again no sooner than in `seconds`."""
        return replace(self, retry_at=now.monotonic + seconds)
