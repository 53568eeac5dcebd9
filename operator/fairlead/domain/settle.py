"""What an answer changes: memory, status and Events of one Job. One status write for each answer at most, and only if it changed."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from fairlead.api.v1alpha1.job import JobStatus
from fairlead.api.v1alpha1.reasons import JobReason
from fairlead.domain import endings, evidence, report
from fairlead.domain.job import Closing, Job, Memory
from fairlead.domain.objects import EventNote
from fairlead.domain.pacing import Now, Pacing
from fairlead.domain.run import CancelAnswer, CancelPhase, Observation, RunKey, RunState, SubmitAnswer, SubmitWord


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
            return closed(job, memory, withdrawn, now, pacing)
        case SubmitWord.REFUSED:
            return Outcome(replace(memory, closing=Closing(JobReason.SUBMISSION_REJECTED, answer.text, refused=True)))
        case SubmitWord.WAITING | SubmitWord.UNSURE:
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


def observed(job: Job, memory: Memory, observation: Observation, now: Now, pacing: Pacing) -> Outcome:
    """What a whole poll says of the current key of a Job that is not being deleted."""
    verdict = evidence.judge(job.key, observation, memory.claim)
    match verdict:
        case evidence.Live(row):
            memory = replace(memory, absent_since=None, revoke=False)
            status = report.live(job, row, now, detailed=now.monotonic - memory.written_at >= pacing.detail_seconds)
            return Outcome(replace(memory, written_at=now.monotonic) if status else memory, status, report.live_events(job, row))
        case evidence.Duplicated(_, others):
            why = f"jobs {', '.join(others)} carry this attempt too and cannot run it: cancelled"
            event = EventNote("Warning", JobReason.DUPLICATE, why, "Cancel")
            return Outcome(replace(memory, duplicates=others), None, (event,) if not memory.duplicates else ())
        case evidence.Ended():
            failure = endings.of_ended(verdict)
            if failure:
                return closed(job, memory, failure, now, pacing, verdict)
            event = EventNote("Normal", JobReason.COMPLETED, f"job {verdict.finished.id} ended with exit code 0", "Watch")
            return Outcome(memory, report.complete(job, verdict, now), (event,))
        case evidence.NeverRan():
            return closed(job, memory, endings.of_never_ran(verdict), now, pacing)
        case evidence.Unclaimed():
            return Outcome(replace(memory, revoke=True))
        case evidence.Broken():
            since = now.monotonic if memory.absent_since is None else memory.absent_since
            silent = verdict.state in {RunState.COMPLETED, RunState.UNKNOWN}
            memory = replace(memory, absent_since=since, claim=verdict.claim)
            if silent and now.monotonic - since < pacing.absence_seconds:   # the file may be there, unseen by an NFS client
                return Outcome(memory, report.unexplained(job, "the job left the queue and its end is not to be seen yet", now))
            return Outcome(replace(memory, closing=endings.of_broken(verdict)))
        case evidence.Unexplained(why, claim, vanished):
            memory = replace(memory, claim=claim or memory.claim)
            if not vanished:
                return Outcome(memory)
            return Outcome(memory.later(now, pacing.ask_again_seconds), report.vanished(job, why, now))


def cancelled(job: Job, memory: Memory, phase: CancelPhase, answer: CancelAnswer, context: tuple[Now, Pacing]) -> Outcome:
    """What the cancel script said of the current key of a Job that is not being deleted: revoke, duplicates, the close of an attempt."""
    now, pacing = context
    if not answer.known:
        return Outcome(memory.later(now, pacing.ask_again_seconds))
    if memory.closing:
        return _closing_answered(job, memory, memory.closing, answer, context)
    if memory.duplicates:
        return Outcome(replace(memory, duplicates=()))
    if answer.revoked and phase is CancelPhase.REVOKE:
        return Outcome(replace(memory, revoke=False))           # the next poll reads `revoked`, with the scheduler's last word
    return Outcome(replace(memory, revoke=False, claim=""))     # claimed after all: list again, then it counts


def _closing_answered(job: Job, memory: Memory, closing: Closing, answer: CancelAnswer, context: tuple[Now, Pacing]) -> Outcome:
    now, pacing = context
    memory = replace(memory, closing=None)
    if closing.refused and answer.claim:
        why = f"the scheduler refused the Job, yet job {answer.claim} of an earlier submission runs it"
        event = EventNote("Warning", JobReason.SUBMITTED, why, "Submit")
        return Outcome(memory, report.accepted(job, answer.claim, now), (event,))
    return closed(job, memory, closing, now, pacing)


def closed(job: Job, memory: Memory, closing: Closing, now: Now, pacing: Pacing, ended: evidence.Ended | None = None) -> Outcome:
    """Close the current attempt: another follows if it is proved that this one never ran, else the Job has failed."""
    failures = (job.status.infrastructure_failures or 0) + closing.never_ran
    if closing.never_ran and failures <= pacing.infrastructure_retries:
        pause = pacing.retry_seconds * 2 ** (failures - 1)
        status = report.retrying(job, closing, failures, now, now.wall + pause)
        why = f"attempt {job.key.attempt} never ran ({closing.message}); another follows"
        event = EventNote("Warning", JobReason.RETRYING, why, "Submit")
        return Outcome(Memory(job.key.attempt + 1).later(now, pause), status, (event,))
    event = EventNote("Warning", closing.reason, closing.message, "Watch")
    return Outcome(memory, report.failed(job, closing, failures, now, ended), (event,))


def cancel_asked(
    job: Job, memory: Memory, phase: CancelPhase, answers: Mapping[RunKey, CancelAnswer], context: tuple[Now, Pacing],
) -> Outcome:
    """What the cancel script said of all keys of a Job that is being deleted. Until every key has answered, it is asked again."""
    now, pacing = context
    known = {key: answers[key] for key in job.keys if key in answers and answers[key].known}
    claims = {**memory.claims, **{key: each.claim for key, each in known.items() if each.claim}}
    memory = replace(memory, claims=claims, clear=False)
    if len(known) < len(job.keys):
        texts = [each.text for each in answers.values() if not each.known]
        why = texts[0] if texts else "no answer from the cluster"
        return Outcome(memory.later(now, pacing.ask_again_seconds), report.deleting(job, why, now))
    event = EventNote("Normal", JobReason.CANCELLING, "told to end: " + ", ".join(sorted(claims.values())), "Cancel")
    first = memory.asked_at is None and bool(claims)
    if phase is CancelPhase.ASK:
        return Outcome(replace(memory, asked_at=now.monotonic), None, (event,) if first else ())
    return Outcome(replace(memory, killed_at=now.monotonic))


def cancel_observed(job: Job, memory: Memory, observation: Observation, began: float) -> Memory:
    """Whether a poll that began at `began` (monotonic) shows that nothing of a Job being deleted is left in the scheduler."""
    asked = memory.killed_at if memory.killed_at is not None else memory.asked_at
    if asked is None or began < asked:
        return memory
    live = any(row.state.may_run for key in job.keys for row in observation.listed.get(key, ()))
    hidden = any(evidence.contradicts(observation.records.get(key)) for key in job.keys)
    unaccounted = tuple(key for key in job.keys if not evidence.is_accounted_for(key, observation))
    return replace(memory, clear=not live and not hidden, unaccounted=unaccounted)
