"""What a Job's status and Events say of each piece of news."""

from fairlead.api.v1alpha1.job import JobStatus
from fairlead.api.v1alpha1.reasons import JobReason
from fairlead.domain.job import report as statuses
from fairlead.domain.job.job import Job
from fairlead.domain.kinds import Report
from fairlead.domain.objects import EventNote
from fairlead.domain.pacing import Now
from fairlead.domain.run import aside
from fairlead.domain.run import news as said


def report(job: Job, news: said.News, now: Now) -> Report:
    """Make a Job's status and Events of what has happened to it."""
    return Report(_status(job, news, now), _events(job, news))


def _status(job: Job, news: said.News, now: Now) -> JobStatus | None:
    if isinstance(news, said.Turn):
        return _turned(job, news, now)
    if isinstance(news, said.Aside):
        return None
    match news:
        case said.Waiting(reason, message):
            return statuses.waiting(job, reason, message, now)
        case said.Begun():
            return statuses.taken_up(job, now)
        case said.KeptOut(why):
            return statuses.kept_out(job, why, now)
        case said.Accepted(run_id):
            return statuses.accepted(job, run_id, now)
        case said.Live(row, detailed, over):
            return statuses.live(job, row, now, detailed=detailed, over=over)
        case said.Unexplained(message):
            return statuses.unexplained(job, message, now)
        case said.Vanished(why):
            return statuses.vanished(job, why, now)
        case said.DeletionWaits(why, reason):
            return statuses.deleting(job, why, reason, now)
        case said.Beset(reason, message):
            return statuses.beset(job, reason, message, now)


def _turned(job: Job, news: said.Turn, now: Now) -> JobStatus | None:
    match news:
        case said.Completed(ended):
            return statuses.complete(job, ended, now)
        case said.Retried(closing, again, left):
            return statuses.retrying(job, closing, again, now, left)
        case said.Failed(closing, over, left):
            return statuses.failed(job, closing, over, now, left)
        case said.SetAside(closing, pause_seconds, left):
            return statuses.set_aside(job, closing, now, pause_seconds, left)
        case said.Parking():
            return statuses.parking(job, now)
        case said.Parked():
            return statuses.parked(job, now)
        case said.Resumed():
            return statuses.resumed(job, now)


def _events(job: Job, news: said.News) -> tuple[EventNote, ...]:
    if isinstance(news, said.Turn):
        return _events_of_turn(job, news)
    if isinstance(news, said.Aside):
        return aside.events(job, news)
    match news:
        case said.Live(row):
            return statuses.live_events(job, row)
        case said.Accepted(run_id, after_refusal=True):
            return _told("Warning", JobReason.SUBMITTED, "Submit",
                         f"the scheduler refused the Job, yet job {run_id} of an earlier submission runs it")
        case said.Accepted(run_id):
            return _told("Normal", JobReason.SUBMITTED, "Submit", f"submitted as job {run_id} (attempt {job.key.attempt})")
    return ()


def _events_of_turn(job: Job, news: said.Turn) -> tuple[EventNote, ...]:
    match news:
        case said.Completed(ended):
            return _told("Normal", JobReason.COMPLETED, "Watch", f"job {ended.finished.id} ended with exit code 0")
        case said.Retried(again=again):
            return _told("Warning", JobReason.RETRYING, "Submit", again.message)
        case said.Failed(over=over):
            return _told("Warning", over.reason, "Watch", over.message)
        case said.SetAside():
            return _told("Normal", JobReason.JOB_SUSPENDED, "Suspend", f"attempt {job.key.attempt} was ended")
        case said.Resumed():
            return _told("Normal", JobReason.JOB_RESUMED, "Resume", f"attempt {job.key.attempt} follows")
        case said.Parking() | said.Parked():
            return ()


def _told(kind: str, reason: JobReason, action: str, message: str) -> tuple[EventNote, ...]:
    return (EventNote(kind, reason, message, action),)
