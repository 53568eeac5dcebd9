"""A Job's next step, from its object and from what this process remembers of its current attempt.

    TakeUp -> Submit -> Watch ... -> Release            the good day
                 |         |
                 +-> Cancel(revoke) and Cancel(end) -> next attempt, or Failed
    deleted: Cancel(ask) -> grace -> Cancel(end) -> Watch (not listed, newer) -> Bury -> Release

The object alone is the truth; memory only spares time. A process that starts with an empty memory asks the far end again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from fairlead.api.v1alpha1.job import ClusterReference, JobSpec, JobStatus
from fairlead.api.v1alpha1.meta import RunStatus
from fairlead.api.v1alpha1.reasons import JobCondition, JobReason
from fairlead.domain.conditions import is_true
from fairlead.domain.objects import ObjectRef
from fairlead.domain.pacing import Now, Pacing
from fairlead.domain.run import CancelPhase, Owner, RunKey

_WITHOUT_END = frozenset({JobReason.LOST, JobReason.ENVIRONMENT_FAILURE})


@dataclass(frozen=True, slots=True)
class Job:
    """One Job as it was last read. `held` says that our finalizer is on it."""

    ref: ObjectRef
    resource_version: int
    generation: int
    deleting: bool
    held: bool
    spec: JobSpec
    status: JobStatus

    @property
    def key(self) -> RunKey:
        """The current attempt. A status whose key is not made from our uid is another object's: it counts as none."""
        run = self.status.run
        ours = RunKey.parse(run.key) if run else None
        return ours if ours and ours.uid == self.ref.uid else RunKey(self.ref.uid, 1)

    @property
    def run_id(self) -> str:
        """The scheduler's id for the current attempt, empty while there is none."""
        run = self.status.run
        return run.id or "" if run and run.key == str(self.key) else ""

    @property
    def keys(self) -> tuple[RunKey, ...]:
        """Every attempt that may have left something, and one more: a wiped status may hide the last intent (rule ALL)."""
        return tuple(RunKey(self.ref.uid, n) for n in range(1, self.key.attempt + 2))

    @property
    def ended(self) -> bool:
        """Whether it has come to its end for good."""
        return any(is_true(self.status.conditions, kind) for kind in (JobCondition.COMPLETE, JobCondition.FAILED))

    @property
    def owner(self) -> Owner:
        """Whose name goes into the run directory."""
        return Owner(self.ref.namespace, self.ref.name, self.ref.uid)


def ghost(ref: ObjectRef, attempt: int, cluster_name: str) -> Job:
    """A Job whose object is gone, as if it were being deleted: what is left of its attempts is cancelled and buried by the same steps."""
    key = RunKey(ref.uid, attempt)
    spec = JobSpec(cluster_ref=ClusterReference(name=cluster_name), command=("true",))
    return Job(ref, 0, 0, deleting=True, held=True, spec=spec, status=JobStatus(run=RunStatus(key=str(key), attempt=attempt)))


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


@dataclass(frozen=True, slots=True)
class Memory:
    """What this process remembers of one Job between two steps. Times are monotonic seconds."""

    attempt: int = 1
    retry_at: float = 0.0
    not_yet_since: float | None = None
    resubmit: bool = False
    refusals: int = 0
    claim: str = ""                  # read before the next listing begins (rule RELIST)
    absent_since: float | None = None
    revoke: bool = False
    duplicates: tuple[str, ...] = ()
    closing: Closing | None = None
    written_at: float = float("-inf")   # last status write for details
    asked_at: float | None = None    # deletion: TERM sent
    killed_at: float | None = None   # deletion: plain scancel sent
    claims: Mapping[RunKey, str] = field(default_factory=dict)   # deletion: ids that may have run
    clear: bool = False              # deletion: no key listed in an observation that began after the cancel
    unaccounted: tuple[RunKey, ...] = ()   # deletion: claimed, not listed, and nobody has said that it ended
    buried: bool = False

    @property
    def plan(self) -> tuple[object, ...]:
        """What the next steps rest on: when it changes, the next look comes soon."""
        return self.closing, self.revoke, self.duplicates, self.claim

    def of(self, attempt: int) -> "Memory":
        """This memory if it is about `attempt`, else an empty one."""
        return self if self.attempt == attempt else Memory(attempt=attempt)

    def later(self, now: Now, seconds: float) -> "Memory":
        """The same, asking again no sooner than in `seconds`."""
        return replace(self, retry_at=now.monotonic + seconds)


@dataclass(frozen=True, slots=True)
class Rest:
    """Nothing to do, until `at` on the monotonic clock (None: until something changes)."""

    at: float | None = None


@dataclass(frozen=True, slots=True)
class TakeUp:
    """Put the finalizer on: the intent of the first attempt."""


@dataclass(frozen=True, slots=True)
class Submit:
    """Run the submit script for the current key."""

    resubmit: bool
    previous_is_lost: bool


@dataclass(frozen=True, slots=True)
class Watch:
    """Look at these keys in the next poll."""

    keys: tuple[RunKey, ...]


@dataclass(frozen=True, slots=True)
class Cancel:
    """Run the cancel script on these keys."""

    keys: tuple[RunKey, ...]
    phase: CancelPhase
    only_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Bury:
    """Bring these keys' directories down to tombstones."""

    keys: tuple[RunKey, ...]


@dataclass(frozen=True, slots=True)
class Release:
    """Take the finalizer off; with the finished label if the Job has ended."""

    finished: bool


Step = Rest | TakeUp | Submit | Watch | Cancel | Bury | Release


def decide(job: Job, memory: Memory, now: Now, pacing: Pacing) -> Step:
    """Say what comes next for this Job."""
    if job.ended:
        return Release(finished=True)
    if not job.held:
        return Rest() if job.deleting else TakeUp()
    if job.deleting:
        return _decide_deletion(job, memory, now, pacing)
    if now.monotonic < memory.retry_at:
        return Rest(memory.retry_at)
    if memory.closing:
        return Cancel((job.key,), CancelPhase.END)
    if memory.duplicates:
        return Cancel((job.key,), CancelPhase.END, memory.duplicates)
    if memory.revoke:
        return Cancel((job.key,), CancelPhase.REVOKE)
    if not job.run_id:
        return Submit(memory.resubmit, _previous_is_lost(job))
    return Watch((job.key,))


def _decide_deletion(job: Job, memory: Memory, now: Now, pacing: Pacing) -> Step:
    if memory.buried:
        return Release(finished=False)
    if memory.clear:
        return Bury(job.keys)
    if now.monotonic < memory.retry_at:
        return Rest(memory.retry_at)
    if memory.asked_at is None:
        return Cancel(job.keys, CancelPhase.ASK)
    return Cancel(job.keys, CancelPhase.END) if now.monotonic >= patience_ends(job, memory, pacing) else Watch(job.keys)


def patience_ends(job: Job, memory: Memory, pacing: Pacing) -> float:
    """When a deleted Job that was told to end is ended by force, or once more (monotonic); at once if it was not told yet."""
    if memory.killed_at is not None:
        return memory.killed_at + pacing.cancel_again_seconds
    return (memory.asked_at or 0.0) + job.spec.cancellation_grace_period_seconds


def _previous_is_lost(job: Job) -> bool:
    """Whether the attempt before this one was claimed and will write no end: judged Lost, or shown never to have come to the script."""
    before = job.key.previous
    return before is not None and any(each.key == str(before) and each.outcome in _WITHOUT_END for each in job.status.attempts)
