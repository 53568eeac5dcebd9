"""What an answer changes: memory, status and Events of one Job. One status write for each answer at most, and only if it changed."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from fairlead.api.v1alpha1.job import JobStatus
from fairlead.api.v1alpha1.reasons import JobReason
from fairlead.domain import endings, evidence, report, retry
from fairlead.domain.job import Job
from fairlead.domain.memory import Closing, Memory
from fairlead.domain.objects import EventNote
from fairlead.domain.owner import RunOwner
from fairlead.domain.pacing import Now, Pacing
from fairlead.domain.run import MOST_ATTEMPTS, CancelAnswer, CancelPhase, Observation, RunKey, RunState, StopWord, SubmitAnswer, SubmitWord
from fairlead.domain.steps import Cancel


@dataclass(frozen=True, slots=True)
class Outcome:
    """What follows from one answer. `status` None: nothing to write."""

    memory: Memory
    status: JobStatus | None = None
    events: tuple[EventNote, ...] = ()


def submitted(job: Job, memory: Memory, answer: SubmitAnswer, now: Now, pacing: Pacing) -> Outcome:
    """What the submit script said of the current key."""
    match answer.word:
        case SubmitWord.SUBMITTED | SubmitWord.CLAIMED:
            event = EventNote("Normal", JobReason.SUBMITTED, f"submitted as job {answer.id} (attempt {job.key.attempt})", "Submit")
            return Outcome(Memory(job.key.attempt, written_at=now.monotonic), report.accepted(job, answer.id, now), (event,))
        case SubmitWord.REVOKED:
            withdrawn = Closing(JobReason.NEVER_STARTED, "the attempt was withdrawn before it started", never_ran=True)
            return closed(job, memory, withdrawn, (now, pacing))
        case SubmitWord.REFUSED:
            return Outcome(replace(memory, closing=Closing(JobReason.SUBMISSION_REJECTED, answer.text, refused=True)))
        case SubmitWord.UNSURE if _is_refused_for_long(memory, now, pacing):
            said = f"{answer.text} (refused for {pacing.unsure_seconds:g} s in words that Fairlead does not know)"
            return Outcome(replace(memory, closing=Closing(JobReason.SUBMISSION_REJECTED, said, refused=True)))
        case SubmitWord.WAITING | SubmitWord.UNSURE:
            is_unsure, since = answer.word is SubmitWord.UNSURE, memory.unsure_since
            memory = replace(memory, unsure_since=(now.monotonic if since is None else since) if is_unsure else None)
            pause = min(pacing.refusal_seconds * 2**memory.refusals, pacing.refusal_limit_seconds)
            memory = replace(memory, refusals=min(memory.refusals + 1, 16), resubmit=True).later(now, pause)
            return Outcome(memory, report.waiting(job, JobReason.SUBMISSION_DEFERRED, answer.text, now))
        case SubmitWord.NOT_YET:
            since = now.monotonic if memory.not_yet_since is None else memory.not_yet_since
            due = now.monotonic - since >= pacing.not_yet_seconds
            pause = 0.0 if due else min(pacing.ask_again_seconds, since + pacing.not_yet_seconds - now.monotonic)
            memory = replace(memory, not_yet_since=since, resubmit=due).later(now, pause)
            text = "a submission was begun and its answer was lost; the scheduler does not list it yet"
        case SubmitWord.ALIVE:
            text = f"the attempt before this one is job {answer.id} and has not ended"
            memory = memory.later(now, pacing.ask_again_seconds)
        case SubmitWord.BUSY | SubmitWord.UNKNOWN | SubmitWord.NO_TREE:
            text = answer.text or "the scheduler did not answer"
            memory = memory.later(now, pacing.ask_again_seconds)
    return Outcome(memory, report.waiting(job, JobReason.SUBMISSION_UNKNOWN, text, now))


def _is_refused_for_long(memory: Memory, now: Now, pacing: Pacing) -> bool:
    return memory.unsure_since is not None and now.monotonic - memory.unsure_since >= pacing.unsure_seconds


def suspending(job: Job, memory: Memory, now: Now) -> Outcome:
    """The Job is to be set aside: at once if it was never taken up, else when nothing of it is left in the scheduler."""
    memory = replace(memory, retry_at=0.0)
    return Outcome(memory, report.parking(job, now) if job.is_begun else report.parked(job, now))


def resuming(job: Job, memory: Memory, now: Now) -> Outcome:
    """The Job goes on that was parked or kept out."""
    memory = replace(memory, retry_at=0.0).somewhere
    if not job.is_parked:
        return Outcome(memory, report.taken_up(job, now))
    event = EventNote("Normal", JobReason.JOB_RESUMED, f"attempt {job.key.attempt} follows", "Resume")
    return Outcome(memory, report.resumed(job, now), (event,))


def observed(job: Job, memory: Memory, observation: Observation, now: Now, pacing: Pacing) -> Outcome:
    """What a whole poll says of the current key of a Job that is not being deleted."""
    verdict = evidence.judge(job.key, observation, memory.claim)
    told = memory.stopping if memory.asked_at is not None else None
    memory = replace(memory, outlived=memory.killed_at is not None)   # unless this settles it
    has_vanished = isinstance(verdict, evidence.Unexplained) and verdict.vanished
    memory = _nowhere(memory, now, pacing) if has_vanished else memory.somewhere
    match verdict:
        case evidence.Live(row) if endings.of_hopeless(row):
            return Outcome(replace(memory, closing=endings.of_hopeless(row)))
        case evidence.Live(row):
            memory = replace(memory, absent_since=None, revoke=False)
            status = report.live(job, row, now, detailed=now.monotonic - memory.written_at >= pacing.detail_seconds)
            return Outcome(replace(memory, written_at=now.monotonic) if status else memory, status, report.live_events(job, row))
        case evidence.Duplicated(_, others):
            why = f"jobs {', '.join(others)} carry this attempt too and cannot run it: cancelled"
            event = EventNote("Warning", JobReason.DUPLICATE, why, "Cancel")
            return Outcome(replace(memory, duplicates=others), None, (event,) if not memory.duplicates else ())
        case evidence.Ended():
            failure = endings.of_stopped(job, observation, told, verdict) or endings.of_ended(verdict)
            if failure:
                return closed(job, memory, failure, (now, pacing), verdict)
            event = EventNote("Normal", JobReason.COMPLETED, f"job {verdict.finished.id} ended with exit code 0", "Watch")
            return Outcome(memory, report.complete(job, verdict, now), (event,))
        case evidence.NeverRan():
            never_ran = endings.of_stopped(job, observation, told, verdict) or endings.of_never_ran(verdict)
            return closed(job, memory, never_ran, (now, pacing))
        case evidence.Unclaimed():
            return Outcome(replace(memory, revoke=True))
        case evidence.Broken():
            stopped = endings.of_stopped(job, observation, told, verdict)
            return _broken(job, replace(memory, claim=verdict.claim), verdict, stopped, (now, pacing))
        case evidence.Unexplained(why, claim):
            memory = replace(memory, claim=claim or memory.claim)
            if not has_vanished or not job.run_id:   # without an id it was looked for since its Cluster does not admit it
                return Outcome(memory)
            return Outcome(memory.later(now, pacing.ask_again_seconds), report.vanished(job, why, now))


def _nowhere(memory: Memory, now: Now, pacing: Pacing) -> Memory:
    """Nothing of it is there now: a submission that was sent may be on its way for as long as one that has begun may say nothing."""
    since = now.monotonic if memory.nowhere_since is None else memory.nowhere_since
    return replace(memory, nowhere_since=since, nowhere=now.monotonic - since >= pacing.not_yet_seconds)


def _broken(job: Job, memory: Memory, verdict: evidence.Broken, stopped: Closing | None, context: tuple[Now, Pacing]) -> Outcome:
    now, pacing = context
    since = now.monotonic if memory.absent_since is None else memory.absent_since
    silent = verdict.began and verdict.state in {RunState.COMPLETED, RunState.UNKNOWN}
    memory = replace(memory, absent_since=since)
    if silent and now.monotonic - since < pacing.absence_seconds:   # the file may be there, unseen by an NFS client
        return Outcome(memory, report.unexplained(job, "the job left the queue and its end is not to be seen yet", now))
    if stopped:
        return closed(job, memory, stopped, context)
    return Outcome(replace(memory, closing=endings.of_broken(verdict)))


def cancelled(job: Job, memory: Memory, step: Cancel, answer: CancelAnswer, context: tuple[Now, Pacing]) -> Outcome:
    """What the cancel script said of the current key of a Job that is not being deleted: revoke, duplicates, an attempt's end."""
    now, pacing = context
    stops = step.why in {StopWord.SUSPEND, StopWord.DEADLINE}
    if stops:
        memory = replace(memory, stopping=step.why)
    if not answer.known:
        return Outcome(memory.later(now, pacing.ask_again_seconds))
    if stops:
        return _told_to_end(memory, step, answer, now)
    if memory.closing:
        return _closing_answered(job, memory, memory.closing, answer, context)
    if memory.duplicates:
        return Outcome(replace(memory, duplicates=()))
    if answer.revoked and step.phase is CancelPhase.REVOKE:
        return Outcome(replace(memory, revoke=False))           # the next poll reads `revoked`, with the scheduler's last word
    return Outcome(replace(memory, revoke=False, claim=""))     # claimed after all: list again, then it counts


def _told_to_end(memory: Memory, step: Cancel, answer: CancelAnswer, now: Now) -> Outcome:
    if step.phase is CancelPhase.END:
        return Outcome(replace(memory, killed_at=now.monotonic, outlived=False))
    told = (EventNote("Normal", JobReason.CANCELLING, f"told to end: {answer.claim} ({step.why})", "Cancel"),) if answer.claim else ()
    return Outcome(replace(memory, asked_at=now.monotonic), None, told)


def _closing_answered(job: Job, memory: Memory, closing: Closing, answer: CancelAnswer, context: tuple[Now, Pacing]) -> Outcome:
    now, _ = context
    if closing.refused:
        if not answer.claim:                                    # revoked: what an earlier submission left in the queue goes too
            return Outcome(replace(memory, closing=replace(closing, refused=False)))
        why = f"the scheduler refused the Job, yet job {answer.claim} of an earlier submission runs it"
        event = EventNote("Warning", JobReason.SUBMITTED, why, "Submit")
        return Outcome(replace(memory, closing=None), report.accepted(job, answer.claim, now), (event,))
    return closed(job, replace(memory, closing=None), closing, context)


def closed(job: Job, memory: Memory, closing: Closing, context: tuple[Now, Pacing], ended: evidence.Ended | None = None) -> Outcome:
    """Close the current attempt: it is set aside, or another follows if that is allowed, or the Job has failed."""
    now, pacing = context
    fresh = Memory(job.key.attempt + 1)
    if closing.reason is JobReason.JOB_SUSPENDED and job.key.attempt < MOST_ATTEMPTS:
        event = EventNote("Normal", JobReason.JOB_SUSPENDED, f"attempt {job.key.attempt} was ended", "Suspend")
        pause_seconds = pacing.unseen_end_seconds if closing.without_end else 0.0
        return Outcome(fresh, report.set_aside(job, closing, now, pause_seconds, ended), (event,))
    following = retry.after(job, closing, pacing)
    if isinstance(following, retry.Again):
        event = EventNote("Warning", JobReason.RETRYING, following.message, "Submit")
        return Outcome(fresh, report.retrying(job, closing, following, now, ended), (event,))
    event = EventNote("Warning", following.reason, following.message, "Watch")
    return Outcome(memory, report.failed(job, closing, following, now, ended), (event,))


def cancel_asked(
    job: RunOwner, memory: Memory, step: Cancel, answers: Mapping[RunKey, CancelAnswer], context: tuple[Now, Pacing],
) -> Outcome:
    """What the cancel script said of all keys of what is being deleted, or is gone. Until every key has answered, it is asked again."""
    now, pacing = context
    known = {key: answers[key] for key in job.keys if key in answers and answers[key].known}
    claims = {**memory.claims, **{key: each.claim for key, each in known.items() if each.claim}}
    was_told, memory = memory.stopping is StopWord.DELETE, replace(memory, claims=claims, clear=False, stopping=StopWord.DELETE)
    if not was_told:   # what was asked of it for another reason counts no more
        memory = replace(memory, asked_at=None, killed_at=None, outlived=False)
    if len(known) < len(job.keys):
        texts = [each.text for each in answers.values() if not each.known]
        why = texts[0] if texts else "no answer from the cluster"
        told = report.deleting(job, why, now) if isinstance(job, Job) else None      # who is gone is told nothing
        return Outcome(memory.later(now, pacing.ask_again_seconds), told)
    ids = ", ".join(sorted(claims.values()))
    left = any(answer.orphaned for answer in known.values())
    if left or step.phase is CancelPhase.ORPHAN:
        event = EventNote("Normal", JobReason.ORPHANED, f"left alone on the cluster: {job.run_id or ids or job.key}", "Release")
        return Outcome(replace(memory, buried=True), None, (event,) if left else ())
    if step.phase is CancelPhase.ASK:
        event = EventNote("Normal", JobReason.CANCELLING, f"told to end: {ids}", "Cancel")
        return Outcome(replace(memory, asked_at=now.monotonic), None, (event,) if memory.asked_at is None and claims else ())
    return Outcome(replace(memory, killed_at=now.monotonic, outlived=False))


def cancel_observed(job: RunOwner, memory: Memory, observation: Observation, began: float) -> Memory:
    """Whether a poll that began at `began` (monotonic) shows that nothing of what is being deleted is left in the scheduler."""
    asked = memory.killed_at if memory.killed_at is not None else memory.asked_at
    if asked is None or began < asked:
        return memory
    live = any(row.state.may_run for key in job.keys for row in observation.listed.get(key, ()))
    hidden = any(evidence.contradicts(observation.records.get(key)) for key in job.keys)
    unaccounted = tuple(key for key in job.keys if not evidence.is_accounted_for(key, observation))
    clear = not live and not hidden
    return replace(memory, clear=clear, outlived=memory.killed_at is not None and not clear, unaccounted=unaccounted)
