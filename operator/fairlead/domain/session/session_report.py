"""What a Session's status and Events say of each piece of news, and of its Service and the way to its process."""


from fairlead.api.v1alpha1.job import Logs
from fairlead.api.v1alpha1.reasons import JobReason, SessionCondition, SessionReason, Word
from fairlead.api.v1alpha1.session import SessionPhase, SessionStatus
from fairlead.domain.conditions import Says, is_true, moment
from fairlead.domain.kinds import Report
from fairlead.domain.objects import EventNote
from fairlead.domain.pacing import Now
from fairlead.domain.run import aside, run_status
from fairlead.domain.run import news as said
from fairlead.domain.run.evidence import Ended
from fairlead.domain.run.run import RunState
from fairlead.domain.run.states import SUBMITTING, said_of
from fairlead.domain.session.session import Session
from fairlead.domain.session.session_status import rewritten

_ALLOCATED, _READY, _SUBMITTED = SessionCondition.ALLOCATED, SessionCondition.READY, SessionCondition.SUBMITTED
_SUSPENDED, _HELD, _STALLED = SessionCondition.SUSPENDED, SessionCondition.HELD, SessionCondition.STALLED
_PARKING = "suspended: what is on the cluster is told to end"
_NOT_LIVE: dict[str, object] = {"running_since": None, "expiration_time": None, "estimated_start_time": None, "submit_time": None,
                               "ready_since": None, "last_activity_time": None, "last_activity_report": None}


def report(session: Session, news: said.News, now: Now) -> Report:
    """Make a Session's status and Events of what has happened to it."""
    if isinstance(news, said.Turn):
        return _turned(session, news, now)
    if isinstance(news, said.Aside):
        return Report(events=aside.events(session, news))
    match news:
        case said.Waiting() | said.Begun() | said.KeptOut():
            return Report(_not_handed_in(session, news, now))
        case said.Accepted(run_id):
            return _accepted(session, run_id, now)
        case said.Live():
            return _live(session, news, now)
        case said.Unexplained(message):
            return Report(_doubtful(session, JobReason.UNEXPLAINED, message, now))
        case said.Vanished(why):
            return Report(_doubtful(session, JobReason.RUN_DIRECTORY_MISSING, f"{why}: restore it, or delete the Session", now))
        case said.DeletionWaits(why, reason):
            says = [Says(_READY, False, reason, f"deletion waits: {why}")]
            return Report(rewritten(session, now, SessionPhase.TERMINATING, says))
        case said.Beset(reason, message):
            phase = SessionPhase.TERMINATING if session.deleting else SessionPhase(session.status.phase or SessionPhase.PENDING)
            return Report(rewritten(session, now, phase, (Says(_READY, False, reason, message),)))


def _not_handed_in(session: Session, news: said.Waiting | said.Begun | said.KeptOut, now: Now) -> SessionStatus | None:
    match news:
        case said.Waiting(reason, message):
            return _waiting(session, reason, message, now)
        case said.Begun():
            says = [Says(_SUBMITTED, False, JobReason.SUBMITTING), Says(_READY, False, JobReason.SUBMITTING)]
            if session.is_parked:
                says.append(Says(_SUSPENDED, False, JobReason.JOB_RESUMED))
            return rewritten(session, now, SessionPhase.SUBMITTING, says, run=run_status.current(session))
        case said.KeptOut(why):
            reason = JobReason.NAMESPACE_NOT_ALLOWED
            says = [Says(_SUBMITTED, False, reason, why), Says(_READY, False, reason, why)]
            return rewritten(session, now, SessionPhase.PENDING, says)


def _waiting(session: Session, reason: Word, message: str, now: Now) -> SessionStatus | None:
    phase = SessionPhase.SUBMITTING if reason in SUBMITTING else SessionPhase.PENDING
    says = [Says(_READY, False, reason, message)]
    if reason is JobReason.NAMESPACE_NOT_ALLOWED or not (session.is_begun and session.is_kept_out):   # by that it asks for a place later
        says.insert(0, Says(_SUBMITTED, False, reason, message))
    return rewritten(session, now, phase, says)


def _accepted(session: Session, run_id: str, now: Now) -> Report:
    says = (Says(_SUBMITTED, True, JobReason.SUBMITTED, f"job {run_id}"), Says(_ALLOCATED, False, JobReason.QUEUED),
            Says(_READY, False, JobReason.QUEUED, "waits in the queue"))
    run = run_status.fresh(session, id=run_id, state="PENDING")
    fields = _NOT_LIVE | {"run": run, "submit_time": moment(now.wall), "next_retry_time": None}
    status = rewritten(session, now, SessionPhase.QUEUED, says, **fields)
    return Report(status, _event("Normal", JobReason.SUBMITTED, "Submit", f"submitted as job {run_id} (attempt {session.key.attempt})"))


def _live(session: Session, news: said.Live, now: Now) -> Report:
    """What the listing shows. What changes a condition or the node is written at once; the rest waits until it is `detailed`."""
    row, before = news.row, session.status
    has_begun, reason = said_of(row.state)
    phase = SessionPhase.RUNNING if has_begun else SessionPhase.QUEUED
    run = run_status.fresh(session, id=row.id, state=row.word, reason=row.reason or None, node=row.node or None,
                           process_tracking=row.tracking or None, exit_code=news.over.exit_code if news.over else None)
    why = f"{row.word}: {row.reason}" if row.reason else row.word
    runs = row.state is RunState.RUNNING or (row.state is RunState.UNKNOWN and is_true(before.conditions, _ALLOCATED))
    says = [Says(_SUBMITTED, True, JobReason.SUBMITTED, f"job {row.id}"),
            Says(_ALLOCATED, phase is SessionPhase.RUNNING, reason, f"on {row.node}" if row.node else why)]
    if session.is_being_parked:
        says.append(Says(_READY, False, JobReason.JOB_SUSPENDED, _PARKING))
    elif not runs:
        says.append(Says(_READY, False, reason, why))
    if row.state is RunState.STUCK:
        why = f"{why}, which does not clear by itself: change the limit there, or delete the Session and apply it with another one"
        says = [*says[:-1], Says(_READY, False, reason, why), Says(_STALLED, True, reason, why)]
    if row.state is RunState.HELD or is_true(before.conditions, _HELD):
        says.append(Says(_HELD, row.state is RunState.HELD, reason, why))
    if not session.is_being_parked and (row.state is RunState.SUSPENDED or is_true(before.conditions, _SUSPENDED)):
        says.append(Says(_SUSPENDED, row.state is RunState.SUSPENDED, reason, why))
    since = (before.running_since or moment(now.wall)) if phase is SessionPhase.RUNNING else None
    ready_since = before.ready_since if since else None
    starts = moment(row.starts) if row.starts and phase is SessionPhase.QUEUED else None
    status = rewritten(session, now, phase, says, run=run, observation_source=row.source, running_since=since, ready_since=ready_since,
                       estimated_start_time=starts)
    if status is None or not (news.detailed or _is_news(before, status)):
        return Report()
    return Report(status, _events_of_live(session, news))


def _is_news(before: SessionStatus, status: SessionStatus) -> bool:
    """Whether somebody waits for it: a condition has changed, or where the process is to be found."""
    where = [(each.run.key, each.run.id, each.run.node, each.run.exit_code) if each.run else None for each in (before, status)]
    kinds = [{each.type: each.status for each in one.conditions} for one in (before, status)]
    return where[0] != where[1] or kinds[0] != kinds[1]


def _events_of_live(session: Session, news: said.Live) -> tuple[EventNote, ...]:
    row, before = news.row, session.status.conditions
    if row.state is RunState.STUCK and not is_true(before, _STALLED):
        return _event("Warning", JobReason.UNSCHEDULABLE, "Watch",
                      f"job {row.id} will not start ({row.reason}): it asks for more than it may have")
    if row.state is RunState.HELD and not is_true(before, _HELD):
        why = f"job {row.id} is held on the cluster ({row.reason or row.word}): release it there"
        return _event("Warning", JobReason.HELD, "Watch", why)
    if row.state is RunState.RUNNING and not is_true(before, _ALLOCATED):
        return _event("Normal", JobReason.RUNNING, "Watch", f"job {row.id} runs" + (f" on {row.node}" if row.node else ""))
    return ()


def _doubtful(session: Session, reason: JobReason, message: str, now: Now) -> SessionStatus | None:
    return rewritten(session, now, SessionPhase.RUNNING, (Says(_ALLOCATED, None, reason, message), Says(_READY, False, reason, message)))


def _turned(session: Session, news: said.Turn, now: Now) -> Report:
    match news:
        case said.Completed(ended):
            message = f"the process ended with exit code 0 (job {ended.finished.id})"
            status = _over(session, SessionPhase.ENDED, SessionReason.ENDED, message, now, **_end(session, ended, 0, None, now))
            return Report(status, _event("Normal", SessionReason.ENDED, "Watch", message))
        case said.Failed():
            return _failed(session, news, now)
        case said.Retried(closing, again, left):
            says = (Says(_SUBMITTED, False, JobReason.RETRYING, closing.message), Says(_ALLOCATED, False, JobReason.RETRYING),
                    Says(_READY, False, JobReason.RETRYING, again.message), *_no_longer(session, JobReason.RETRYING))
            fields = _NOT_LIVE | run_status.following(session, closing, now, left)
            status = rewritten(session, now, SessionPhase.SUBMITTING, says, next_retry_time=moment(now.wall + again.pause_seconds),
                               failures=again.failures or None, infrastructure_failures=again.infrastructure_failures or None, **fields)
            return Report(status, _event("Warning", JobReason.RETRYING, "Submit", again.message))
        case said.SetAside(closing, pause_seconds, left):
            wait = moment(now.wall + pause_seconds) if pause_seconds else None
            fields = _NOT_LIVE | run_status.following(session, closing, now, left) | {"next_retry_time": wait}
            status = _parked(session, now, **fields) if session.spec.suspend else _resumed(session, now, **fields)
            return Report(status, _event("Normal", JobReason.JOB_SUSPENDED, "Suspend", f"attempt {session.key.attempt} was ended"))
        case said.Parking():
            says = (Says(_SUSPENDED, False, JobReason.JOB_SUSPENDED, _PARKING), Says(_READY, False, JobReason.JOB_SUSPENDED, _PARKING))
            return Report(rewritten(session, now, SessionPhase(session.status.phase or SessionPhase.PENDING), says))
        case said.Parked():
            return Report(_parked(session, now))
        case said.Resumed():
            status = _resumed(session, now, run=run_status.current(session))
            return Report(status, _event("Normal", JobReason.JOB_RESUMED, "Resume", f"attempt {session.key.attempt} follows"))


def _failed(session: Session, news: said.Failed, now: Now) -> Report:
    """It ended otherwise; that its time was over is what it was asked for, and no failure."""
    closing, over = news.closing, news.over
    reason: str = over.reason
    phase, message = SessionPhase.FAILED, over.message
    if over.reason is JobReason.DEADLINE_EXCEEDED and session.status.ready_since is None and not _lifetime_is_over(session, now):
        reason = SessionReason.STARTUP_DEADLINE_EXCEEDED
        message = f"the process was not ready within startupDeadlineSeconds ({session.spec.startup_deadline_seconds} s), and was ended"
    elif over.reason is JobReason.DEADLINE_EXCEEDED and session.spec.idle_timeout_seconds and not _lifetime_is_over(session, now):
        phase, reason = SessionPhase.ENDED, SessionReason.IDLE_TIMEOUT
        message = f"nothing was carried for clients for idleTimeoutSeconds ({session.spec.idle_timeout_seconds} s)"
    elif over.reason is JobReason.DEADLINE_EXCEEDED:
        phase, reason = SessionPhase.ENDED, SessionReason.LIFETIME_OVER
        message = f"maxLifetimeSeconds are over ({session.active_deadline_seconds} s)"
    if news.ended is not None:
        fields = _end(session, news.ended, closing.exit_code, closing.signal, now)
    else:
        fields = {"run": run_status.closed(session, closing), "end_time": moment(now.wall)}
    status = _over(session, phase, reason, message, now, failures=over.failures or None,
                   infrastructure_failures=over.infrastructure_failures or None, next_retry_time=None, **fields)
    return Report(status, _event("Warning" if phase is SessionPhase.FAILED else "Normal", reason, "Watch", message))


def _lifetime_is_over(session: Session, now: Now) -> bool:
    ends = session.lifetime_ends
    return ends is not None and now.wall >= ends


def _over(session: Session, phase: SessionPhase, reason: str, message: str, now: Now, **fields: object) -> SessionStatus | None:
    """It has come to its end for good."""
    kind = SessionCondition.ENDED if phase is SessionPhase.ENDED else SessionCondition.FAILED
    says = [Says(_ALLOCATED, False, reason), Says(kind, True, reason, message), Says(_READY, False, reason, message),
            Says(_STALLED, True, reason, message), *_no_longer(session, reason)]
    if not is_true(session.status.conditions, _SUBMITTED):
        says.append(Says(_SUBMITTED, bool(session.run_id), reason, message))
    return rewritten(session, now, phase, says, estimated_start_time=None, **fields)


def _parked(session: Session, now: Now, **fields: object) -> SessionStatus | None:
    reason, message = JobReason.JOB_SUSPENDED, "nothing is on the cluster until spec.suspend is false"
    says = (Says(_SUBMITTED, False, reason), Says(_ALLOCATED, False, reason), Says(_SUSPENDED, True, reason, message),
            Says(_READY, False, reason, message))
    return rewritten(session, now, SessionPhase.SUSPENDED, says, **fields)


def _resumed(session: Session, now: Now, **fields: object) -> SessionStatus | None:
    reason = JobReason.JOB_RESUMED
    says = (Says(_SUBMITTED, False, reason), Says(_ALLOCATED, False, reason), Says(_SUSPENDED, False, reason), Says(_READY, False, reason))
    return rewritten(session, now, SessionPhase.SUBMITTING, says, **fields)


def _no_longer(session: Session, reason: str) -> tuple[Says, ...]:
    """What an attempt that has ended no longer is."""
    kinds = [kind for kind in (_HELD, _SUSPENDED) if is_true(session.status.conditions, kind)]
    return tuple(Says(kind, False, reason) for kind in (*kinds, *((_SUSPENDED,) if session.is_being_parked else ())))


def _end(session: Session, ended: Ended, exit_code: int | None, signal: int | None, now: Now) -> dict[str, object]:
    """What is known of an end that the node has written, with the last of the output."""
    logs, log = None, ended.log
    if log is not None:
        logs = Logs(stdout_path=log.stdout_path, stderr_path=log.stderr_path or None, bytes=log.size, tail=run_status.tail_of(log))
    return {"run": run_status.over(session, ended, exit_code, signal), "end_time": run_status.times(ended, now)["end_time"], "logs": logs,
            "observation_source": ended.source}


def _event(kind: str, reason: str, action: str, message: str) -> tuple[EventNote, ...]:
    return (EventNote(kind, reason, message, action),)


