"""A Job's next step, from its object and from what this process remembers of its current attempt.

    TakeUp -> Submit -> Watch ... -> Release                       the good day
                 |         |
                 +-> Cancel(revoke) and Cancel(end) -> next attempt, or Failed
    out of time:  Cancel(ask) -> grace -> Cancel(end) -> Watch (its end is seen) -> Failed
    suspended:    Suspend -> the same -> parked, under the next attempt's key ... Resume -> Submit
    deleted:      Cancel(ask) -> grace -> Cancel(end) -> Watch (not listed, newer) -> Bury -> Release
    left alone:   Cancel(orphan) -> Release

The object alone is the truth; memory only spares time. A process that starts with an empty memory asks the far end again.
"""

from dataclasses import dataclass

from fairlead.domain.pacing import Now, Pacing
from fairlead.domain.run.answers import CancelPhase
from fairlead.domain.run.memory import Buried, Cleared, Forced, Memory
from fairlead.domain.run.owner import RunOwner
from fairlead.domain.run.run import RunKey, StopWord


@dataclass(frozen=True, slots=True)
class Rest:
    """Nothing to do, until `at` on the monotonic clock (None: until something changes)."""

    at: float | None = None


@dataclass(frozen=True, slots=True)
class TakeUp:
    """Put the finalizer on, and write the intent of the first attempt."""


@dataclass(frozen=True, slots=True)
class Suspend:
    """Say in the status that the Job is being set aside, before anything is done to what it has on the cluster."""


@dataclass(frozen=True, slots=True)
class Resume:
    """Say in the status that a Job goes on which was parked or kept out, before anything is begun under its key."""


@dataclass(frozen=True, slots=True)
class KeepOut:
    """Say in the status that its Cluster does not admit the Job any more: nothing of its current attempt is there."""


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
    """Run the cancel script on these keys. `why` is left in their directories, for the reader of the end."""

    keys: tuple[RunKey, ...]
    phase: CancelPhase
    only_ids: tuple[str, ...] = ()
    why: StopWord = StopWord.CLOSE


@dataclass(frozen=True, slots=True)
class Bury:
    """Bring these keys' directories down to tombstones."""

    keys: tuple[RunKey, ...]


@dataclass(frozen=True, slots=True)
class Release:
    """Take the finalizer off; with the finished label if the Job has ended."""

    finished: bool


Step = Rest | TakeUp | Suspend | Resume | KeepOut | Submit | Watch | Cancel | Bury | Release


def decide(job: RunOwner, memory: Memory, now: Now, pacing: Pacing, *, admitted: bool = True) -> Step:
    """Say what comes next for this Job. `admitted`: whether its Cluster is open to its namespace now (rule ADMIT)."""
    if job.ended:
        return Release(finished=True)
    if job.deleting:
        return _decide_deletion(job, memory, now, pacing) if job.has_finalizer else Rest()
    if job.is_parked and job.suspend:
        return Rest()
    if not (job.has_finalizer and job.is_begun):
        return Suspend() if job.suspend and not job.is_begun else TakeUp()   # what has begun is ours again before it is told to end
    if job.is_kept_out and not admitted:
        return Rest()
    if job.is_parked or job.is_kept_out:
        return Resume()
    word = _stop_word(job, memory, now)
    if now.monotonic < memory.retry_at and memory.stopping is word:   # to be told to end is news that waits for no pause
        return Rest(memory.retry_at)
    return _mend(job, memory) or (_stop(job, memory, word, now, pacing) if word else _go_on(job, memory, now, admitted))


def wakes_at(job: RunOwner, memory: Memory, now: Now, pacing: Pacing) -> float:
    """When time alone changes the next step (monotonic): a grace is over, or activeDeadlineSeconds are. Infinite if it does not."""
    moments = [patience_ends(job, memory, pacing)] if job.deleting or memory.asked_at is not None else []
    deadline = job.deadline()
    if deadline is not None and not job.deleting and memory.stopping is None and not job.ended:
        moments.append(now.monotonic + deadline - now.wall)
    return min((each for each in moments if each > now.monotonic), default=float("inf"))


def patience_ends(job: RunOwner, memory: Memory, pacing: Pacing) -> float:
    """When a Job that was told to end is ended by force, or once more (monotonic); at once if it was not told yet."""
    if memory.killed_at is not None:
        return memory.killed_at + pacing.cancel_again_seconds
    return (memory.asked_at or 0.0) + job.grace_seconds


def ends_by_force(job: RunOwner, memory: Memory, now: Now, pacing: Pacing) -> bool:
    """Whether a Job that was told to end is to be ended by force: its grace is over, or the last time was in vain.

    In vain is what was looked at afterwards: where cancelling many takes longer than `cancel_again_seconds`, time alone would have them
    cancelled again for ever, and no poll in between would count.
    """
    was_in_vain = not isinstance(memory.stage, Forced) or memory.stage.outlived
    return was_in_vain and now.monotonic >= patience_ends(job, memory, pacing)


def _mend(job: RunOwner, memory: Memory) -> Step | None:
    """What must be done on the cluster before anything else."""
    if memory.closing:   # a refused one may be claimed by an earlier submission, and then runs on: nothing but revoked
        return Cancel((job.key,), CancelPhase.REVOKE if memory.closing.refused else CancelPhase.END)
    if memory.duplicates:
        return Cancel((job.key,), CancelPhase.END, memory.duplicates)
    return Cancel((job.key,), CancelPhase.REVOKE) if memory.revoke else None


def _go_on(job: RunOwner, memory: Memory, now: Now, admitted: bool) -> Step:
    if not admitted and memory.nowhere:  # an id proves nothing: who may write the status may have written it
        return KeepOut()
    if job.run_id or not admitted:       # what a submission before this may have left there is looked for, and nothing is handed in
        return Watch((job.key,))
    if job.next_retry_at is not None and now.wall < job.next_retry_at:
        return Rest(now.monotonic + job.next_retry_at - now.wall)
    return Submit(memory.resubmit, job.previous_is_lost)


def _stop_word(job: RunOwner, memory: Memory, now: Now) -> StopWord | None:
    """Why the current attempt has to end, though nobody deletes the Job. What was once begun is brought to its end."""
    if memory.stopping:
        return memory.stopping
    deadline = job.deadline()
    if deadline is not None and now.wall >= deadline:
        return StopWord.DEADLINE
    return StopWord.SUSPEND if job.suspend or job.is_being_parked else None


def _stop(job: RunOwner, memory: Memory, word: StopWord, now: Now, pacing: Pacing) -> Step:
    if word is StopWord.SUSPEND and not job.is_being_parked:
        return Suspend()
    if memory.asked_at is None:
        return Cancel((job.key,), CancelPhase.ASK, why=word)
    if ends_by_force(job, memory, now, pacing):
        return Cancel((job.key,), CancelPhase.END, why=word)
    return Watch((job.key,))


def _decide_deletion(job: RunOwner, memory: Memory, now: Now, pacing: Pacing) -> Step:
    if isinstance(memory.stage, Buried):
        return Release(finished=False)
    if isinstance(memory.stage, Cleared):
        return Bury(job.keys)
    asked = memory.stopping is StopWord.DELETE
    if now.monotonic < memory.retry_at and asked:
        return Rest(memory.retry_at)
    if job.deletion_policy == "Orphan":
        return Cancel(job.keys, CancelPhase.ORPHAN, why=StopWord.DELETE)
    if not asked or memory.asked_at is None:
        return Cancel(job.keys, CancelPhase.ASK, why=StopWord.DELETE)
    by_force = ends_by_force(job, memory, now, pacing)
    return Cancel(job.keys, CancelPhase.END, why=StopWord.DELETE) if by_force else Watch(job.keys)
