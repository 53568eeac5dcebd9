"""A Job's status as people and tools read it. Each function returns the new status, or None when nothing a person reads has changed."""

from collections.abc import Sequence

from fairlead.api.v1alpha1.job import JobPhase, JobStatus, Logs
from fairlead.api.v1alpha1.meta import AttemptStatus, RunStatus
from fairlead.api.v1alpha1.reasons import JobCondition, JobReason
from fairlead.domain.conditions import Says, is_true, moment, told
from fairlead.domain.evidence import Ended
from fairlead.domain.job import Closing, Job
from fairlead.domain.objects import EventNote
from fairlead.domain.pacing import Now
from fairlead.domain.plain_text import PlainText
from fairlead.domain.run import Listed, LogTail, RunState

ATTEMPTS_KEPT = 5
_LETTER_ENDS = bytes(range(0x80, 0xC0))   # UTF-8: bytes that are not a letter's first
_SUBMITTING = frozenset({JobReason.SUBMITTING, JobReason.SUBMISSION_UNKNOWN, JobReason.SUBMISSION_DEFERRED})
_READY, _RUNNING, _SUBMITTED = JobCondition.READY, JobCondition.RUNNING, JobCondition.SUBMITTED

_PHASE_OF_STATE: dict[RunState, tuple[JobPhase, JobReason]] = {
    RunState.PENDING: (JobPhase.QUEUED, JobReason.QUEUED),
    RunState.STARTING: (JobPhase.QUEUED, JobReason.QUEUED),
    RunState.PREEMPTED: (JobPhase.QUEUED, JobReason.PREEMPTED),
    RunState.HELD: (JobPhase.QUEUED, JobReason.HELD),
    RunState.RUNNING: (JobPhase.RUNNING, JobReason.RUNNING),
    RunState.FINISHING: (JobPhase.RUNNING, JobReason.COMPLETING),
    RunState.SUSPENDED: (JobPhase.RUNNING, JobReason.SUSPENDED),
    RunState.UNKNOWN: (JobPhase.RUNNING, JobReason.STATE_UNKNOWN),
}


def waiting(job: Job, reason: JobReason, message: str, now: Now) -> JobStatus | None:
    """Not submitted yet, and why."""
    phase = JobPhase.SUBMITTING if reason in _SUBMITTING else JobPhase.PENDING
    return _rewritten(job, now, phase, (Says(_SUBMITTED, False, reason, message), Says(_READY, False, reason, message)))


def accepted(job: Job, run_id: str, now: Now) -> JobStatus | None:
    """The scheduler has it under `run_id`."""
    run = RunStatus(key=str(job.key), attempt=job.key.attempt, id=run_id, state="PENDING")
    says = (
        Says(_SUBMITTED, True, JobReason.SUBMITTED, f"job {run_id}"),
        Says(_RUNNING, False, JobReason.QUEUED),
        Says(_READY, False, JobReason.QUEUED, "waits in the queue"),
    )
    return _rewritten(job, now, JobPhase.QUEUED, says, run=run, submit_time=moment(now.wall), next_retry_time=None)


def live(job: Job, row: Listed, now: Now, *, detailed: bool) -> JobStatus | None:
    """What the listing shows. Only a changed condition is written at once; the rest waits until `detailed`."""
    phase, reason = _PHASE_OF_STATE.get(row.state, (JobPhase.RUNNING, JobReason.STATE_UNKNOWN))
    run = RunStatus(key=str(job.key), attempt=job.key.attempt, id=row.id, state=row.word, reason=row.reason or None, node=row.node or None)
    is_running = row.state in {RunState.RUNNING, RunState.FINISHING}
    was_running = is_true(job.status.conditions, _RUNNING)
    running = was_running if row.state is RunState.UNKNOWN else is_running
    why = f"{row.word}: {row.reason}" if row.reason else row.word
    says = [
        Says(_SUBMITTED, True, JobReason.SUBMITTED, f"job {row.id}"),
        Says(_RUNNING, running, reason, f"on {row.node}" if running and row.node else why),
        Says(_READY, False, reason, why),
    ]
    if row.state is RunState.HELD or is_true(job.status.conditions, JobCondition.HELD):
        says.append(Says(JobCondition.HELD, row.state is RunState.HELD, reason, why))
    if row.state is RunState.SUSPENDED or is_true(job.status.conditions, JobCondition.SUSPENDED):
        says.append(Says(JobCondition.SUSPENDED, row.state is RunState.SUSPENDED, reason, why))
    starts = moment(row.starts) if row.starts else None
    times = {"start_time": starts, "estimated_start_time": None} if running else {"estimated_start_time": starts}
    status = _rewritten(job, now, phase, says, run=run, observation_source="squeue", **times)
    if status is None or detailed or job.run_id != row.id:
        return status
    changed = {each.type: each.status for each in status.conditions} != {each.type: each.status for each in job.status.conditions}
    return status if changed else None


def live_events(job: Job, row: Listed) -> tuple[EventNote, ...]:
    """A job that a person has to release gets an Event when it is first seen held."""
    if row.state is not RunState.HELD or is_true(job.status.conditions, JobCondition.HELD):
        return ()
    why = f"job {row.id} is held on the cluster ({row.reason or row.word}): release it there"
    return (EventNote("Warning", JobReason.HELD, why, "Watch"),)


def complete(job: Job, ended: Ended, now: Now) -> JobStatus | None:
    """It ended with 0."""
    says = (
        Says(_SUBMITTED, True, JobReason.SUBMITTED, f"job {ended.finished.id}"),
        Says(_RUNNING, False, JobReason.COMPLETED),
        Says(JobCondition.COMPLETE, True, JobReason.COMPLETED, "exit code 0"),
        Says(_READY, True, JobReason.COMPLETED, "exit code 0"),
        *_over(job, JobReason.COMPLETED),
    )
    return _rewritten(job, now, JobPhase.COMPLETE, says, **_ended_fields(job, ended, 0, None))


def failed(job: Job, closing: Closing, failures: int, now: Now, ended: Ended | None) -> JobStatus | None:
    """It failed for good."""
    reason = closing.reason
    says = [
        Says(_RUNNING, False, reason),
        Says(JobCondition.FAILED, True, reason, closing.message),
        Says(_READY, False, reason, closing.message),
        Says(JobCondition.STALLED, True, reason, closing.message),
        *_over(job, reason),
    ]
    if not is_true(job.status.conditions, _SUBMITTED):
        says.append(Says(_SUBMITTED, bool(job.run_id), reason, closing.message))
    if ended is not None:
        fields = _ended_fields(job, ended, closing.exit_code, closing.signal)
    else:
        run = _closed_run(job, closing)
        fields = {"run": run, "end_time": moment(now.wall), "estimated_start_time": None}
    return _rewritten(job, now, JobPhase.FAILED, says, infrastructure_failures=failures or None, next_retry_time=None, **fields)


def retrying(job: Job, closing: Closing, failures: int, now: Now, at: float) -> JobStatus | None:
    """The attempt is closed and the next one's intent written, in one status."""
    left = _closed_run(job, closing).model_dump()
    attempt = AttemptStatus.model_validate(left | {"outcome": closing.reason, "end_time": moment(now.wall)})
    following = job.key.next
    says = (
        Says(_SUBMITTED, False, JobReason.RETRYING, closing.message),
        Says(_RUNNING, False, JobReason.RETRYING),
        Says(_READY, False, JobReason.RETRYING, closing.message),
        *_over(job, JobReason.RETRYING),
    )
    return _rewritten(
        job, now, JobPhase.SUBMITTING, says, run=RunStatus(key=str(following), attempt=following.attempt),
        attempts=(*job.status.attempts, attempt)[-ATTEMPTS_KEPT:], infrastructure_failures=failures, next_retry_time=moment(at),
        submit_time=None, start_time=None, estimated_start_time=None,
    )


def unexplained(job: Job, message: str, now: Now) -> JobStatus | None:
    """It left the queue, and its end is not seen yet."""
    says = (Says(_RUNNING, None, JobReason.UNEXPLAINED, message), Says(_READY, False, JobReason.UNEXPLAINED, message))
    return _rewritten(job, now, JobPhase.RUNNING, says)


def vanished(job: Job, why: str, now: Now) -> JobStatus | None:
    """Its run directory is gone: a site may have purged it. Not an end."""
    message = f"{why}: restore it, or delete the Job"
    return _rewritten(job, now, JobPhase.RUNNING, (
        Says(_RUNNING, None, JobReason.RUN_DIRECTORY_MISSING, message), Says(_READY, False, JobReason.RUN_DIRECTORY_MISSING, message)))


def deleting(job: Job, why: str, now: Now) -> JobStatus | None:
    """It is being deleted and something keeps it from being gone."""
    return _rewritten(job, now, JobPhase.TERMINATING, (Says(_READY, False, JobReason.CLUSTER_UNREACHABLE, f"deletion waits: {why}"),))


def _over(job: Job, reason: JobReason) -> tuple[Says, ...]:
    """What an attempt that has ended no longer is."""
    return tuple(Says(kind, False, reason) for kind in (JobCondition.HELD, JobCondition.SUSPENDED) if is_true(job.status.conditions, kind))


def _run(job: Job) -> RunStatus:
    run = job.status.run
    return run if run and run.key == str(job.key) else RunStatus(key=str(job.key), attempt=job.key.attempt)


def _closed_run(job: Job, closing: Closing) -> RunStatus:
    """The attempt as it was left; what the listing showed before its end is no longer said."""
    return _run(job).model_copy(update={
        "state": closing.word or None, "reason": None, "exit_code": closing.exit_code, "signal": closing.signal,
    })


def _ended_fields(job: Job, ended: Ended, exit_code: int | None, signal: int | None) -> dict[str, object]:
    run = _run(job).model_copy(update={
        "id": ended.finished.id, "state": ended.word or None, "reason": None, "exit_code": exit_code, "signal": signal,
        "node": ended.started.host or None,
    })
    logs = None
    if ended.log is not None:
        log = ended.log
        logs = Logs(stdout_path=log.stdout_path, stderr_path=log.stderr_path or None, bytes=log.size, tail=_plain(log))
    return {
        "run": run, "start_time": moment(ended.started.at), "end_time": moment(ended.finished.at), "estimated_start_time": None,
        "restarts": ended.started.restart or None, "logs": logs, "observation_source": ended.source,
    }


def _plain(log: LogTail) -> str:
    """The tail as text that is safe in a terminal; a letter that the cut has parted is left out."""
    plain, tail = PlainText(), log.tail
    if log.size is not None and log.size > len(tail):
        tail = tail.lstrip(_LETTER_ENDS) if tail[:4].lstrip(_LETTER_ENDS) else tail
    return plain.feed(tail) + plain.end()


def _rewritten(job: Job, now: Now, phase: JobPhase, says: Sequence[Says], **fields: object) -> JobStatus | None:
    status = job.status.model_copy(update={
        **fields, "phase": phase, "observed_generation": job.generation,
        "conditions": told(job.status.conditions, says, now.wall, job.generation),
    })
    return None if status == job.status else status
