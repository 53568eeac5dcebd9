"""What each answer changes of a Job: what `settle` finds out, told as a Job's report tells it. With the names that `settle` has."""

from collections.abc import Mapping
from dataclasses import dataclass

from fairlead.api.v1alpha1.job import JobStatus
from fairlead.domain.job.job import Job
from fairlead.domain.job.job_report import report
from fairlead.domain.kinds import Report
from fairlead.domain.objects import EventNote
from fairlead.domain.pacing import Now, Turn
from fairlead.domain.run import settle
from fairlead.domain.run.answers import CancelAnswer, SubmitAnswer
from fairlead.domain.run.evidence import Ended
from fairlead.domain.run.memory import Closing, Memory
from fairlead.domain.run.observation import Observation
from fairlead.domain.run.run import RunKey
from fairlead.domain.run.settle import Outcome, cancel_observed
from fairlead.domain.run.steps import Cancel

__all__ = [
    "Settled", "cancel_asked", "cancel_observed", "cancel_outlasted", "cancelled", "closed", "observed", "resuming", "submitted",
    "suspending",
]


@dataclass(frozen=True, slots=True)
class Settled:
    """What is remembered once all is written, the status (None: nothing to write), and the Events."""

    memory: Memory
    status: JobStatus | None
    events: tuple[EventNote, ...]


def submitted(job: Job, memory: Memory, answer: SubmitAnswer, turn: Turn) -> Settled:
    """As `settle.submitted`."""
    return _told(job, settle.submitted(job, memory, answer, turn), turn.now)


def suspending(job: Job, memory: Memory, now: Now) -> Settled:
    """As `settle.suspending`."""
    return _told(job, settle.suspending(job, memory), now)


def resuming(job: Job, memory: Memory, now: Now) -> Settled:
    """As `settle.resuming`."""
    return _told(job, settle.resuming(job, memory), now)


def observed(job: Job, memory: Memory, observation: Observation, turn: Turn) -> Settled:
    """As `settle.observed`."""
    return _told(job, settle.observed(job, memory, observation, turn), turn.now)


def cancelled(job: Job, memory: Memory, step: Cancel, answer: CancelAnswer, turn: Turn) -> Settled:
    """As `settle.cancelled`."""
    return _told(job, settle.cancelled(job, memory, step, answer, turn), turn.now)


def closed(job: Job, memory: Memory, closing: Closing, turn: Turn, ended: Ended | None = None) -> Settled:
    """As `settle.closed`."""
    return _told(job, settle.closed(job, memory, closing, turn, ended), turn.now)


def cancel_asked(
    job: Job, memory: Memory, step: Cancel, answers: Mapping[RunKey, CancelAnswer], turn: Turn,
) -> Settled:
    """As `settle.cancel_asked`."""
    return _told(job, settle.cancel_asked(job, memory, step, answers, turn), turn.now)


def cancel_outlasted(job: Job, memory: Memory, observation: Observation, turn: Turn) -> Settled:
    """As `settle.cancel_outlasted`."""
    return _told(job, settle.cancel_outlasted(job, memory, observation, turn), turn.now)


def _told(job: Job, outcome: Outcome, now: Now) -> Settled:
    told = report(job, outcome.news, now) if outcome.news else Report()
    assert told.status is None or isinstance(told.status, JobStatus)
    return Settled(outcome.memory if told.status is None else outcome.told(now), told.status, told.events)
