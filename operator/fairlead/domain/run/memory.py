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
class Untold:
    """The cancel script has not answered for all keys yet."""


@dataclass(frozen=True, slots=True)
class Asked:
    """TERM was sent at this moment."""

    at: float


@dataclass(frozen=True, slots=True)
class Forced:
    """It was ended by force, the last time at this moment, after TERM."""

    asked_at: float
    at: float
    outlived: bool = False           # an observation that began afterwards has not seen it gone


@dataclass(frozen=True, slots=True)
class Cleared:
    """Deletion: no key was listed in an observation that began after the cancel."""

    unaccounted: tuple[RunKey, ...] = ()     # claimed, not listed, and nobody has said that it ended


@dataclass(frozen=True, slots=True)
class Buried:
    """Deletion: the directories are tombstones, or are left alone."""

    unaccounted: tuple[RunKey, ...] = ()


Stage = Untold | Asked | Forced | Cleared | Buried


@dataclass(frozen=True, slots=True)
class Ending:
    """The attempt is told to end, for this reason, and has come so far."""

    why: StopWord
    stage: Stage = Untold()


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
    ending: Ending | None = None
    claims: Mapping[RunKey, str] = field(default_factory=dict)   # deletion: ids that may have run

    @property
    def stage(self) -> Stage | None:
        """How far it has come with its end; None if it was not told to end."""
        return self.ending.stage if self.ending else None

    @property
    def stopping(self) -> StopWord | None:
        """Why the attempt was told to end."""
        return self.ending.why if self.ending else None

    @property
    def asked_at(self) -> float | None:
        """When TERM was sent, while nobody has seen it gone."""
        stage = self.stage
        return stage.at if isinstance(stage, Asked) else stage.asked_at if isinstance(stage, Forced) else None

    @property
    def killed_at(self) -> float | None:
        """When it was last ended by force, while nobody has seen it gone."""
        return self.stage.at if isinstance(self.stage, Forced) else None

    @property
    def unaccounted(self) -> tuple[RunKey, ...]:
        """Keys of which nobody has said that they ended, though nothing is listed any more."""
        return self.stage.unaccounted if isinstance(self.stage, Cleared | Buried) else ()

    def told(self, why: StopWord) -> "Memory":
        """The same, told to end for this reason: what was asked of it for another counts no more."""
        return self if self.stopping is why else replace(self, ending=Ending(why))

    def at(self, stage: Stage) -> "Memory":
        """The same, further with its end. It was told to."""
        assert self.ending is not None  # noqa: S101  a mistake of ours
        return replace(self, ending=replace(self.ending, stage=stage))

    @property
    def outlasted(self) -> "Memory":
        """The same after a look that has not seen it gone."""
        return self.at(replace(self.stage, outlived=True)) if isinstance(self.stage, Forced) else self

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
