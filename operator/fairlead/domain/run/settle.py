"""What an answer changes: what is remembered of an owner of Runs, and the news of it. How that is told is each kind's own matter."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from fairlead.api.v1alpha1.reasons import JobReason
from fairlead.domain.pacing import Now, Turn
from fairlead.domain.run import endings, evidence, news, retry
from fairlead.domain.run.answers import CancelAnswer, CancelPhase, SubmitAnswer, SubmitWord
from fairlead.domain.run.memory import Asked, Buried, Cleared, Closing, Forced, Memory
from fairlead.domain.run.news import News
from fairlead.domain.run.observation import Observation
from fairlead.domain.run.owner import RunOwner
from fairlead.domain.run.run import MOST_ATTEMPTS, RunKey, RunState, StopWord
from fairlead.domain.run.steps import Cancel


@dataclass(frozen=True, slots=True)
class Outcome:
    """What follows from one answer. `news` None: nothing to tell."""

    memory: Memory
    news: News | None = None

    def told(self, now: Now) -> Memory:
        """The memory once the status says the news: of what a listing shows it knows when that was last told."""
        return replace(self.memory, written_at=now.monotonic) if isinstance(self.news, news.Live) else self.memory


def submitted(job: RunOwner, memory: Memory, answer: SubmitAnswer, turn: Turn) -> Outcome:
    """What the submit script said of the current key."""
    now, pacing = turn
    match answer.word:
        case SubmitWord.SUBMITTED | SubmitWord.CLAIMED:
            return Outcome(Memory(job.key.attempt, written_at=now.monotonic), news.Accepted(answer.id))
        case SubmitWord.REVOKED:
            withdrawn = Closing(JobReason.NEVER_STARTED, "the attempt was withdrawn before it started", never_ran=True)
            return closed(job, memory, withdrawn, turn)
        case SubmitWord.REFUSED:
            return Outcome(replace(memory, closing=Closing(JobReason.SUBMISSION_REJECTED, answer.text, refused=True)))
        case SubmitWord.UNSURE if _is_refused_for_long(memory, turn):
            said = f"{answer.text} (refused for {pacing.unsure_seconds:g} s in words that Fairlead does not know)"
            return Outcome(replace(memory, closing=Closing(JobReason.SUBMISSION_REJECTED, said, refused=True)))
        case SubmitWord.WAITING | SubmitWord.UNSURE:
            is_unsure, since = answer.word is SubmitWord.UNSURE, memory.unsure_since
            memory = replace(memory, unsure_since=(now.monotonic if since is None else since) if is_unsure else None)
            pause = min(pacing.refusal_seconds * 2**memory.refusals, pacing.refusal_limit_seconds)
            memory = replace(memory, refusals=min(memory.refusals + 1, 16), resubmit=True).later(now, pause)
            return Outcome(memory, news.Waiting(JobReason.SUBMISSION_DEFERRED, answer.text))
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
    return Outcome(memory, news.Waiting(JobReason.SUBMISSION_UNKNOWN, text))


def _is_refused_for_long(memory: Memory, turn: Turn) -> bool:
    return memory.unsure_since is not None and turn.now.monotonic - memory.unsure_since >= turn.pacing.unsure_seconds


def suspending(job: RunOwner, memory: Memory) -> Outcome:
    """It is to be set aside: at once if it was never taken up, else when nothing of it is left in the scheduler."""
    memory = replace(memory, retry_at=0.0)
    return Outcome(memory, news.Parking() if job.is_begun else news.Parked())


def resuming(job: RunOwner, memory: Memory) -> Outcome:
    """It goes on, which was parked or kept out."""
    memory = replace(memory, retry_at=0.0).somewhere
    return Outcome(memory, news.Resumed() if job.is_parked else news.Begun())


def observed(job: RunOwner, memory: Memory, observation: Observation, turn: Turn) -> Outcome:
    """What a whole poll says of the current key of one that is not being deleted."""
    now, pacing = turn
    verdict = evidence.judge(job.key, observation, memory.claim)
    told = memory.stopping if memory.asked_at is not None else None
    memory = memory.outlasted            # unless this settles it
    has_vanished = isinstance(verdict, evidence.Unexplained) and verdict.vanished
    memory = _nowhere(memory, turn) if has_vanished else memory.somewhere
    match verdict:
        case evidence.Live(row) if endings.of_hopeless(row):
            return Outcome(replace(memory, closing=endings.of_hopeless(row)))
        case evidence.Live(row):
            memory = replace(memory, absent_since=None, revoke=False)
            detailed = now.monotonic - memory.written_at >= pacing.detail_seconds
            return Outcome(memory, news.Live(row, detailed, evidence.end_of(job.key, row, observation)))
        case evidence.Duplicated(_, others):
            return Outcome(replace(memory, duplicates=others), None if memory.duplicates else news.Duplicated(others))
        case evidence.Ended():
            failure = endings.of_stopped(job, observation, told, verdict) or endings.of_ended(verdict)
            if failure:
                return closed(job, memory, failure, turn, verdict)
            return Outcome(memory, news.Completed(verdict))
        case evidence.NeverRan():
            never_ran = endings.of_stopped(job, observation, told, verdict) or endings.of_never_ran(verdict)
            return closed(job, memory, never_ran, turn)
        case evidence.Unclaimed(emptied=evidence.Broken() as emptied) if job.run_id:   # it was handed in: there was more
            stopped = endings.of_stopped(job, observation, told, emptied)
            return _broken(job, memory, replace(emptied, claim=job.run_id), stopped, turn)
        case evidence.Unclaimed():
            return Outcome(replace(memory, revoke=True))
        case evidence.Broken():
            stopped = endings.of_stopped(job, observation, told, verdict)
            return _broken(job, replace(memory, claim=verdict.claim), verdict, stopped, turn)
        case evidence.Unexplained(why, claim):
            memory = replace(memory, claim=claim or memory.claim)
            if not has_vanished or not job.run_id:   # without an id it was looked for since its Cluster does not admit it
                return Outcome(memory)
            return Outcome(memory.later(now, pacing.ask_again_seconds), news.Vanished(why))


def _nowhere(memory: Memory, turn: Turn) -> Memory:
    """Nothing of it is there now: a submission that was sent may be on its way for as long as one that has begun may say nothing."""
    now, pacing = turn
    since = now.monotonic if memory.nowhere_since is None else memory.nowhere_since
    return replace(memory, nowhere_since=since, nowhere=now.monotonic - since >= pacing.not_yet_seconds)


def _broken(job: RunOwner, memory: Memory, verdict: evidence.Broken, stopped: Closing | None, turn: Turn) -> Outcome:
    now, pacing = turn
    since = now.monotonic if memory.absent_since is None else memory.absent_since
    silent = verdict.began and (verdict.emptied or verdict.state in {RunState.COMPLETED, RunState.UNKNOWN})
    memory = replace(memory, absent_since=since)
    if silent and now.monotonic - since < pacing.absence_seconds:   # the file may be there, unseen by an NFS client
        return Outcome(memory, news.Unexplained("the job left the queue and its end is not to be seen yet"))
    if stopped:
        return closed(job, memory, stopped, turn)
    return Outcome(replace(memory, closing=endings.of_broken(verdict)))


def cancelled(job: RunOwner, memory: Memory, step: Cancel, answer: CancelAnswer, turn: Turn) -> Outcome:
    """What the cancel script said of the current key of one that is not being deleted: revoke, duplicates, an attempt's end."""
    now, pacing = turn
    stops = step.why in {StopWord.SUSPEND, StopWord.DEADLINE}
    if stops:
        memory = memory.told(step.why)
    if not answer.known:
        return Outcome(memory.later(now, pacing.ask_again_seconds))
    if stops:
        return _told_to_end(memory, step, answer, now)
    if memory.closing:
        return _closing_answered(job, memory, memory.closing, answer, turn)
    if memory.duplicates:
        return Outcome(replace(memory, duplicates=()))
    if answer.revoked and step.phase is CancelPhase.REVOKE:
        return Outcome(replace(memory, revoke=False))           # the next poll reads `revoked`, with the scheduler's last word
    return Outcome(replace(memory, revoke=False, claim=""))     # claimed after all: list again, then it counts


def _told_to_end(memory: Memory, step: Cancel, answer: CancelAnswer, now: Now) -> Outcome:
    if step.phase is CancelPhase.END:
        return Outcome(_forced(memory, now))
    return Outcome(memory.at(Asked(now.monotonic)), news.ToldToEnd(answer.claim, step.why) if answer.claim else None)


def _forced(memory: Memory, now: Now) -> Memory:
    return memory.at(Forced(now.monotonic if memory.asked_at is None else memory.asked_at, now.monotonic))


def _closing_answered(job: RunOwner, memory: Memory, closing: Closing, answer: CancelAnswer, turn: Turn) -> Outcome:
    if closing.refused:
        if not answer.claim:                                    # revoked: what an earlier submission left in the queue goes too
            return Outcome(replace(memory, closing=replace(closing, refused=False)))
        return Outcome(replace(memory, closing=None), news.Accepted(answer.claim, after_refusal=True))
    return closed(job, replace(memory, closing=None), closing, turn)


def closed(job: RunOwner, memory: Memory, closing: Closing, turn: Turn, ended: evidence.Ended | None = None) -> Outcome:
    """Close the current attempt: it is set aside, or another follows if that is allowed, or the Job has failed."""
    _, pacing = turn
    fresh = Memory(job.key.attempt + 1)
    if closing.reason is JobReason.JOB_SUSPENDED and job.key.attempt < MOST_ATTEMPTS:
        pause_seconds = pacing.unseen_end_seconds if closing.without_end else 0.0
        return Outcome(fresh, news.SetAside(closing, pause_seconds, ended))
    following = retry.after(job, closing, pacing)
    if isinstance(following, retry.Again):
        return Outcome(fresh, news.Retried(closing, following, ended))
    return Outcome(memory, news.Failed(closing, following, ended))


def cancel_asked(
    job: RunOwner, memory: Memory, step: Cancel, answers: Mapping[RunKey, CancelAnswer], turn: Turn,
) -> Outcome:
    """What the cancel script said of all keys of what is being deleted, or is gone. Until every key has answered, it is asked again."""
    now, pacing = turn
    known = {key: answers[key] for key in job.keys if key in answers and answers[key].known}
    claims = {**memory.claims, **{key: each.claim for key, each in known.items() if each.claim}}
    memory = replace(memory, claims=claims).told(StopWord.DELETE)
    if len(known) < len(job.keys):
        texts = [each.text for each in answers.values() if not each.known]
        why = texts[0] if texts else "no answer from the cluster"
        return Outcome(memory.later(now, pacing.ask_again_seconds), news.DeletionWaits(why))
    ids = ", ".join(sorted(claims.values()))
    left = any(answer.orphaned for answer in known.values())
    if left or step.phase is CancelPhase.ORPHAN:
        return Outcome(memory.at(Buried()), news.LeftAlone(job.run_id or ids or str(job.key)) if left else None)
    if step.phase is CancelPhase.ASK:
        is_first = memory.asked_at is None and claims
        return Outcome(memory.at(Asked(now.monotonic)), news.ToldToEnd(ids) if is_first else None)
    return Outcome(_forced(memory, now))


def cancel_outlasted(job: RunOwner, memory: Memory, observation: Observation, turn: Turn) -> Outcome:
    """For what something that is being deleted waits, once it was told to end for a while and its job is still listed."""
    now, pacing = turn
    if memory.asked_at is None or now.monotonic - memory.asked_at < pacing.cancel_again_seconds:
        return Outcome(memory)
    row = next((row for key in job.keys for row in observation.listed.get(key, ()) if row.state.may_run), None)
    if row is None:
        return Outcome(memory)
    over = evidence.end_of(row.key, row, observation)
    why = f"its script has ended with exit code {over.exit_code}, and" if over else "it was told to end, and"
    return Outcome(memory, news.DeletionWaits(f"{why} job {row.id} is still {row.word} on the cluster", JobReason.CANCELLING))


def cancel_observed(job: RunOwner, memory: Memory, observation: Observation, began: float) -> Memory:
    """Whether a poll that began at `began` (monotonic) shows that nothing of what is being deleted is left in the scheduler."""
    asked = memory.killed_at if memory.killed_at is not None else memory.asked_at
    if asked is None or began < asked:
        return memory
    live = any(row.state.may_run for key in job.keys for row in observation.listed.get(key, ()))
    hidden = any(evidence.contradicts(observation.records.get(key)) for key in job.keys)
    if live or hidden:
        return memory.outlasted
    return memory.at(Cleared(tuple(key for key in job.keys if not evidence.is_accounted_for(key, observation))))
