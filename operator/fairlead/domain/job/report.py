"""A Job's status as people and tools read it. Each function returns the new status, or None when nothing a person reads has changed.

Every status is made by `having`, which makes each field fit for its type (`api.v1alpha1.texts`): whatever a far end has said, it is one
that the API server takes.
"""

from collections.abc import Sequence

from fairlead.api.v1alpha1.job import JobPhase, JobStatus, Logs
from fairlead.api.v1alpha1.reasons import JobCondition, JobReason, Word
from fairlead.domain.conditions import Says, is_true, moment, told
from fairlead.domain.job.job import Job
from fairlead.domain.objects import EventNote
from fairlead.domain.pacing import Now
from fairlead.domain.run import run_status
from fairlead.domain.run.evidence import Ended
from fairlead.domain.run.memory import Closing
from fairlead.domain.run.observation import Finished, Listed
from fairlead.domain.run.retry import Again, Over
from fairlead.domain.run.run import RunState
from fairlead.domain.run.states import SUBMITTING, said_of

_UNWATCHED = ", by what its node wrote: its end was not watched, and the scheduler has forgotten it"
_ENDED = frozenset({JobPhase.COMPLETE, JobPhase.FAILED})   # not watched any more: a generation seen once would make tools wait for the next
_READY, _RUNNING, _SUBMITTED = JobCondition.READY, JobCondition.RUNNING, JobCondition.SUBMITTED


def waiting(job: Job, reason: Word, message: str, now: Now) -> JobStatus | None:
    """Not submitted yet, and why."""
    phase = JobPhase.SUBMITTING if reason in SUBMITTING else JobPhase.PENDING
    says = [Says(_READY, False, reason, message)]
    if reason is JobReason.NAMESPACE_NOT_ALLOWED or not (job.is_begun and job.is_kept_out):   # by that it asks for a place when it goes on
        says.insert(0, Says(_SUBMITTED, False, reason, message))
    return _rewritten(job, now, phase, says)


def taken_up(job: Job, now: Now) -> JobStatus | None:
    """The intent of its current attempt: from here on something of it may be on the cluster."""
    says = [Says(_SUBMITTED, False, JobReason.SUBMITTING), Says(_READY, False, JobReason.SUBMITTING)]
    if job.is_parked:
        says.append(Says(JobCondition.SUSPENDED, False, JobReason.JOB_RESUMED))
    return _rewritten(job, now, JobPhase.SUBMITTING, says, **_intent(job, now))


def kept_out(job: Job, why: str, now: Now) -> JobStatus | None:
    """Its Cluster does not admit it any more, and nothing of the current attempt is there."""
    reason = JobReason.NAMESPACE_NOT_ALLOWED
    says = (Says(_SUBMITTED, False, reason, why), Says(_READY, False, reason, why))
    return _rewritten(job, now, JobPhase.PENDING, says, active_since=None, active_seconds=_active_seconds(job, now))


def accepted(job: Job, run_id: str, now: Now) -> JobStatus | None:
    """The scheduler has it under `run_id`."""
    run = run_status.fresh(job, id=run_id, state="PENDING")
    says = (
        Says(_SUBMITTED, True, JobReason.SUBMITTED, f"job {run_id}"),
        Says(_RUNNING, False, JobReason.QUEUED),
        Says(_READY, False, JobReason.QUEUED, "waits in the queue"),
    )
    return _rewritten(job, now, JobPhase.QUEUED, says, run=run, submit_time=moment(now.wall), next_retry_time=None)


def live(job: Job, row: Listed, now: Now, *, detailed: bool, over: Finished | None = None) -> JobStatus | None:
    """What the listing shows. A changed condition and the script's end (`over`) are written at once; the rest waits until `detailed`."""
    has_begun, reason = said_of(row.state)
    phase = JobPhase.RUNNING if has_begun else JobPhase.QUEUED
    run = run_status.fresh(job, id=row.id, state=row.word, reason=row.reason or None, node=row.node or None,
                           process_tracking=row.tracking or None, exit_code=over.exit_code if over else None)
    is_running = row.state in {RunState.RUNNING, RunState.FINISHING}
    was_running = is_true(job.status.conditions, _RUNNING)
    running = was_running if row.state is RunState.UNKNOWN else is_running
    why = f"{row.word}: {row.reason}" if row.reason else row.word
    if over:
        why = f"the script has ended with exit code {over.exit_code}; the scheduler clears up behind it ({why})"
    says = [
        Says(_SUBMITTED, True, JobReason.SUBMITTED, f"job {row.id}"),
        Says(_RUNNING, running, reason, f"on {row.node}" if running and row.node and not over else why),
        Says(_READY, False, reason, why),
    ]
    if row.state is RunState.STUCK:
        why = f"{why}, which does not clear by itself: change the limit there, or delete the Job and apply it with another one"
        says[-1] = Says(_READY, False, reason, why)
        says.append(Says(JobCondition.STALLED, True, reason, why))
    if row.state is RunState.HELD or is_true(job.status.conditions, JobCondition.HELD):
        says.append(Says(JobCondition.HELD, row.state is RunState.HELD, reason, why))
    if not job.is_being_parked and (row.state is RunState.SUSPENDED or is_true(job.status.conditions, JobCondition.SUSPENDED)):
        says.append(Says(JobCondition.SUSPENDED, row.state is RunState.SUSPENDED, reason, why))
    starts = moment(row.starts) if row.starts else None
    times = {"start_time": starts, "estimated_start_time": None} if running else {"estimated_start_time": starts}
    status = _rewritten(job, now, phase, says, run=run, observation_source=row.source, **times)
    is_over = over is not None and (job.status.run is None or job.status.run.exit_code != over.exit_code)
    if status is None or detailed or is_over or job.run_id != row.id:
        return status
    changed = {each.type: each.status for each in status.conditions} != {each.type: each.status for each in job.status.conditions}
    return status if changed else None


def live_events(job: Job, row: Listed) -> tuple[EventNote, ...]:
    """A job that waits for a person gets an Event when that is first seen: one that is held, or asks for more than it may have."""
    if row.state is RunState.STUCK and not is_true(job.status.conditions, JobCondition.STALLED):
        why = f"job {row.id} will not start ({row.reason}): it asks for more than it may have"
        return (EventNote("Warning", JobReason.UNSCHEDULABLE, why, "Watch"),)
    if row.state is not RunState.HELD or is_true(job.status.conditions, JobCondition.HELD):
        return ()
    why = f"job {row.id} is held on the cluster ({row.reason or row.word}): release it there"
    return (EventNote("Warning", JobReason.HELD, why, "Watch"),)


def complete(job: Job, ended: Ended, now: Now) -> JobStatus | None:
    """It ended with 0, and nothing speaks against it."""
    message = f"exit code 0{_UNWATCHED}" if ended.source == "sentinel" else "exit code 0"
    says = (
        Says(_SUBMITTED, True, JobReason.SUBMITTED, f"job {ended.finished.id}"),
        Says(_RUNNING, False, JobReason.COMPLETED),
        Says(JobCondition.COMPLETE, True, JobReason.COMPLETED, message),
        Says(_READY, True, JobReason.COMPLETED, message),
        *_over(job, JobReason.COMPLETED),
    )
    return _rewritten(job, now, JobPhase.COMPLETE, says, **_ended_fields(job, ended, now, (0, None)))


def failed(job: Job, closing: Closing, over: Over, now: Now, ended: Ended | None) -> JobStatus | None:
    """It failed for good."""
    reason, message = over.reason, over.message
    says = [
        Says(_RUNNING, False, reason),
        Says(JobCondition.FAILED, True, reason, message),
        Says(_READY, False, reason, message),
        Says(JobCondition.STALLED, True, reason, message),
        *_over(job, reason),
    ]
    if not is_true(job.status.conditions, _SUBMITTED):
        says.append(Says(_SUBMITTED, bool(job.run_id), reason, message))
    if ended is not None:
        fields = _ended_fields(job, ended, now, (closing.exit_code, closing.signal))
    else:
        run = run_status.closed(job, closing)
        fields = {"run": run, "end_time": moment(now.wall), "estimated_start_time": None}
    return _rewritten(
        job, now, JobPhase.FAILED, says, failures=over.failures or None, infrastructure_failures=over.infrastructure_failures or None,
        next_retry_time=None, **fields,
    )


def retrying(job: Job, closing: Closing, again: Again, now: Now, ended: Ended | None) -> JobStatus | None:
    """The attempt is closed and the next one's intent written, in one status."""
    says = (
        Says(_SUBMITTED, False, JobReason.RETRYING, closing.message),
        Says(_RUNNING, False, JobReason.RETRYING),
        Says(_READY, False, JobReason.RETRYING, again.message),
        *_over(job, JobReason.RETRYING),
    )
    return _rewritten(
        job, now, JobPhase.SUBMITTING, says, failures=again.failures or None, infrastructure_failures=again.infrastructure_failures or None,
        next_retry_time=moment(now.wall + again.pause_seconds), **_following(job, closing, now, ended),
    )


def parking(job: Job, now: Now) -> JobStatus | None:
    """What it has on the cluster is about to be told to end, since it is suspended."""
    message = "suspended: what is on the cluster is told to end"
    says = (Says(JobCondition.SUSPENDED, False, JobReason.JOB_SUSPENDED, message), Says(_READY, False, JobReason.JOB_SUSPENDED, message))
    return _rewritten(job, now, JobPhase(job.status.phase or JobPhase.PENDING), says)


def parked(job: Job, now: Now, **fields: object) -> JobStatus | None:
    """Nothing of it is on the cluster, and nothing is begun until it is resumed."""
    message = "nothing is on the cluster until spec.suspend is false"
    says = (
        Says(_SUBMITTED, False, JobReason.JOB_SUSPENDED),
        Says(_RUNNING, False, JobReason.JOB_SUSPENDED),
        Says(JobCondition.SUSPENDED, True, JobReason.JOB_SUSPENDED, message),
        Says(_READY, False, JobReason.JOB_SUSPENDED, message),
    )
    return _rewritten(job, now, JobPhase.SUSPENDED, says, active_since=None, active_seconds=_active_seconds(job, now), **fields)


def set_aside(job: Job, closing: Closing, now: Now, pause_seconds: float, ended: Ended | None) -> JobStatus | None:
    """The attempt was ended by a suspension; the next one's key is there for when it is resumed, which it may be already."""
    wait = moment(now.wall + pause_seconds) if pause_seconds else None
    fields = _following(job, closing, now, ended) | {"next_retry_time": wait}
    if job.spec.suspend:
        return parked(job, now, **fields)
    return resumed(job, now, **fields)


def resumed(job: Job, now: Now, **fields: object) -> JobStatus | None:
    """It is to be submitted again."""
    says = (
        Says(_SUBMITTED, False, JobReason.JOB_RESUMED),
        Says(_RUNNING, False, JobReason.JOB_RESUMED),
        Says(JobCondition.SUSPENDED, False, JobReason.JOB_RESUMED),
        Says(_READY, False, JobReason.JOB_RESUMED),
    )
    return _rewritten(job, now, JobPhase.SUBMITTING, says, **(_intent(job, now) | fields))


def unexplained(job: Job, message: str, now: Now) -> JobStatus | None:
    """It left the queue, and its end is not seen yet."""
    says = (Says(_RUNNING, None, JobReason.UNEXPLAINED, message), Says(_READY, False, JobReason.UNEXPLAINED, message))
    return _rewritten(job, now, JobPhase.RUNNING, says)


def vanished(job: Job, why: str, now: Now) -> JobStatus | None:
    """Its run directory is gone: a site may have purged it. Not an end."""
    message = f"{why}: restore it, or delete the Job"
    return _rewritten(job, now, JobPhase.RUNNING, (
        Says(_RUNNING, None, JobReason.RUN_DIRECTORY_MISSING, message), Says(_READY, False, JobReason.RUN_DIRECTORY_MISSING, message)))


def deleting(job: Job, why: str, reason: JobReason, now: Now) -> JobStatus | None:
    """It is being deleted and something keeps it from being gone."""
    return _rewritten(job, now, JobPhase.TERMINATING, (Says(_READY, False, reason, f"deletion waits: {why}"),))


def beset(job: Job, reason: JobReason, message: str, now: Now) -> JobStatus | None:
    """Something went wrong with it that nobody has foreseen, or a write is refused. What else is known of it stays as it is."""
    phase = JobPhase.TERMINATING if job.deleting else JobPhase(job.status.phase or JobPhase.PENDING)
    return _rewritten(job, now, phase, (Says(_READY, False, reason, message),))


def _over(job: Job, reason: JobReason) -> tuple[Says, ...]:
    """What an attempt that has ended no longer is."""
    kinds = [kind for kind in (JobCondition.HELD, JobCondition.SUSPENDED) if is_true(job.status.conditions, kind)]
    if job.is_being_parked:
        kinds.append(JobCondition.SUSPENDED)
    return tuple(Says(kind, False, reason) for kind in kinds)


def _active_seconds(job: Job, now: Now) -> int | None:
    """What counts against activeDeadlineSeconds up to now."""
    since, before = job.status.active_since, job.status.active_seconds
    return before if since is None else (before or 0) + max(0, int(now.wall - since.timestamp()))


def _following(job: Job, closing: Closing, now: Now, ended: Ended | None) -> dict[str, object]:
    """The fields by which an attempt is closed and the next one's intent is written."""
    nothing_yet = {"submit_time": None, "start_time": None, "estimated_start_time": None, "restarts": None}
    return run_status.following(job, closing, now, ended) | nothing_yet


def _intent(job: Job, now: Now) -> dict[str, object]:
    """The fields by which the current attempt is meant, whether or not it was before; activeDeadlineSeconds count from then."""
    return {"run": run_status.current(job), "active_since": job.status.active_since or moment(now.wall)}


def _ended_fields(job: Job, ended: Ended, now: Now, how: tuple[int | None, int | None]) -> dict[str, object]:
    """`how` are exit code and signal."""
    run = run_status.over(job, ended, *how)
    logs = None
    if ended.log is not None:
        log = ended.log
        logs = Logs(stdout_path=log.stdout_path, stderr_path=log.stderr_path or None, bytes=log.size, tail=run_status.tail_of(log))
    return {
        "run": run, **run_status.times(ended, now), "estimated_start_time": None,
        "restarts": ended.started.restart or None, "logs": logs, "observation_source": ended.source,
    }


def _rewritten(job: Job, now: Now, phase: JobPhase, says: Sequence[Says], **fields: object) -> JobStatus | None:
    if is_true(job.status.conditions, JobCondition.STALLED) and all(each.type is not JobCondition.STALLED for each in says):
        says = [*says, Says(JobCondition.STALLED, False, says[-1].reason)]
    if job.is_begun and job.status.active_since is None:   # activeDeadlineSeconds count from here; who sets the Job aside says otherwise
        fields = {"active_since": moment(now.wall)} | fields
    status = job.status.having(**fields | {
        "phase": phase, "host": job.host or None, "observed_generation": None if phase in _ENDED else job.generation,
        "conditions": told(job.status.conditions, says, now.wall, job.generation),
    })
    return None if status == job.status else status
