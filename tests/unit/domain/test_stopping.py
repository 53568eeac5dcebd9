"""A Job that is set aside, or out of time: how its attempt's end is read, and what is told of it."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from fairlead.api.v1alpha1.job import JobStatus
from fairlead.api.v1alpha1.reasons import JobReason
from fairlead.domain.conditions import is_true
from fairlead.domain.job.job import Job
from fairlead.domain.pacing import Pacing, Turn
from fairlead.domain.run.answers import CancelAnswer, CancelPhase
from fairlead.domain.run.memory import Asked, Buried, Ending, Memory
from fairlead.domain.run.observation import Finished, Listed, Observation, Sentinels, Started
from fairlead.domain.run.run import RunState, StopWord
from fairlead.domain.run.steps import Cancel
from product import settled as settle
from product.objects import KEY, NOW, a_job, submitted

PACING = Pacing()
ASK = Cancel((KEY,), CancelPhase.ASK, why=StopWord.SUSPEND)
SINCE = datetime.fromtimestamp(NOW.wall - 100, UTC)
PARKING = [{"type": "Suspended", "status": "False", "reason": "JobSuspended", "lastTransitionTime": "2026-01-01T00:00:00Z"}]
RUNS = submitted(activeSince=SINCE, conditions=PARKING)
SUSPENDED, RESUMED = a_job(suspend=True, status=RUNS), a_job(status=RUNS)
STARTED = Sentinels(True, claim="7", started=(Started("7", 0, "n1", 100),))
TOLD = Memory(ending=Ending(StopWord.SUSPEND, Asked(990.0)), claim="7")


def seen(sentinels: Sentinels, *rows: Listed) -> Observation:
    return Observation({KEY: rows} if rows else {}, {KEY: sentinels}, {})


def ended(code: int, stop: StopWord | None) -> Sentinels:
    return replace(STARTED, finished=(Finished("7", 0, code, 200),), stop=stop)


def settled(job: Job, sentinels: Sentinels, *rows: Listed, memory: Memory = TOLD) -> tuple[JobStatus, list[str]]:
    outcome = settle.observed(job, memory, seen(sentinels, *rows), Turn(NOW, PACING))
    assert outcome.status is not None
    return outcome.status, [event.reason for event in outcome.events]


ENDS = {
    "it saved and ended with 0": (ended(0, StopWord.SUSPEND), ()),
    "it ended by the signal": (ended(143, StopWord.SUSPEND), ()),
    "it never started": (Sentinels(True, revoked=True, stop=StopWord.SUSPEND), ()),
    "it was killed": (replace(STARTED, stop=StopWord.SUSPEND), (Listed(KEY, "7", RunState.CANCELLED, "CANCELLED"),)),
    "there was no room for the word": (ended(143, None), ()),
}


@pytest.mark.parametrize(("sentinels", "rows"), ENDS.values(), ids=ENDS)
def test_an_attempt_that_was_set_aside_is_no_failure_and_no_success(sentinels: Sentinels, rows: tuple[Listed, ...]) -> None:
    """Else a Job that made room for another would be called failed, or complete with half of its work done."""
    status, events = settled(SUSPENDED, sentinels, *rows)
    assert (status.phase, is_true(status.conditions, "Suspended"), events) == ("Suspended", True, ["JobSuspended"])
    assert (status.failures, status.infrastructure_failures) == (None, None)
    assert status.run is not None
    assert (status.run.attempt, status.run.id) == (2, None)
    assert [(each.attempt, each.outcome) for each in status.attempts] == [(1, "JobSuspended")]
    assert (status.active_since, status.active_seconds) == (None, 100)


def test_resumed_meanwhile_the_next_attempt_follows_at_once() -> None:
    status, _ = settled(RESUMED, ended(143, StopWord.SUSPEND))
    suspended = status.condition("Suspended")
    assert suspended is not None
    assert (status.phase, suspended.status, suspended.reason, status.active_since) == ("Submitting", "False", "JobResumed", SINCE)


def test_who_remembers_nothing_reads_the_word() -> None:
    """A controller that was killed after it told a Job to end would call it failed."""
    status, _ = settled(RESUMED, ended(143, StopWord.SUSPEND), memory=Memory())
    assert not is_true(status.conditions, "Failed")


@pytest.mark.parametrize(("code", "condition"), [(0, "Complete"), (3, "Failed")])
@pytest.mark.parametrize("word", [StopWord.LATE, StopWord.CLOSE])
def test_an_end_of_its_own_counts(code: int, condition: str, word: StopWord) -> None:
    """Else a Job that is complete would run again, since it was suspended a moment too late."""
    status, _ = settled(SUSPENDED, ended(code, word))
    assert is_true(status.conditions, condition)


def test_one_that_was_killed_is_given_time_before_it_may_go_on() -> None:
    """Else what was cut off on its node would run beside the next attempt."""
    status, _ = settled(SUSPENDED, replace(STARTED, stop=StopWord.SUSPEND), Listed(KEY, "7", RunState.CANCELLED, "CANCELLED"))
    assert status.attempts[0].without_end
    assert status.next_retry_time is not None
    assert status.next_retry_time.timestamp() == int(NOW.wall + PACING.unseen_end_seconds)


def test_out_of_time_it_has_failed_and_nothing_follows() -> None:
    job = a_job(activeDeadlineSeconds=60, backoffLimit=5, status=submitted(activeSince=SINCE))
    status, events = settled(job, ended(0, StopWord.DEADLINE), memory=Memory(ending=Ending(StopWord.DEADLINE, Asked(990.0))))
    failed = status.condition("Failed")
    assert failed is not None
    assert (failed.status, failed.reason, failed.message) == ("True", "DeadlineExceeded", "activeDeadlineSeconds are over (60 s)")
    assert events == ["DeadlineExceeded"]


def test_being_told_is_remembered_from_its_answer() -> None:
    """Else a grace would begin before the script had heard of it."""
    silent = settle.cancelled(SUSPENDED, Memory(), ASK, CancelAnswer(False), Turn(NOW, PACING))
    assert (silent.memory.stopping, silent.memory.asked_at) == (StopWord.SUSPEND, None)
    assert silent.memory.retry_at == NOW.monotonic + PACING.ask_again_seconds
    told = settle.cancelled(SUSPENDED, Memory(), ASK, CancelAnswer(True, claim="7"), Turn(NOW, PACING))
    assert (told.memory.asked_at, [event.reason for event in told.events]) == (NOW.monotonic, [JobReason.CANCELLING])
    unstarted = settle.cancelled(SUSPENDED, Memory(), ASK, CancelAnswer(True, revoked=True), Turn(NOW, PACING))
    assert (unstarted.memory.asked_at, unstarted.events) == (NOW.monotonic, ()), "nothing was running: nobody was told"
    killed = settle.cancelled(SUSPENDED, told.memory, replace(ASK, phase=CancelPhase.END), CancelAnswer(True, claim="7"), Turn(NOW, PACING))
    assert killed.memory.killed_at == NOW.monotonic


def test_set_aside_and_resumed_are_said_before_anything_is_done() -> None:
    """Else a crash in between would leave a Job that runs and says that it does not."""
    job = a_job(suspend=True, status=submitted(activeSince=SINCE))
    begun = settle.suspending(job, Memory(retry_at=5000.0), NOW)
    assert begun.status is not None
    assert (begun.memory.retry_at, replace(job, status=begun.status).is_being_parked) == (0.0, True)
    fresh = a_job(has_finalizer=False, suspend=True)
    at_once = settle.suspending(fresh, Memory(), NOW)
    assert at_once.status is not None
    assert (at_once.status.phase, at_once.status.run, at_once.status.active_since) == ("Suspended", None, None)
    parked = replace(fresh, status=at_once.status, has_finalizer=True)
    assert parked.is_parked
    resumed = settle.resuming(parked, Memory(), NOW)
    assert resumed.status is not None
    after = replace(parked, status=resumed.status)
    assert (after.is_parked, after.is_being_parked, [event.reason for event in resumed.events]) == (False, False, ["JobResumed"])
    assert resumed.status.active_since == datetime.fromtimestamp(NOW.wall, UTC)


def test_one_that_is_left_alone_is_let_go_at_once() -> None:
    job = a_job(deleting=True, deletionPolicy="Orphan", status=submitted())
    step = Cancel(job.keys, CancelPhase.ORPHAN, why=StopWord.DELETE)
    unsure = settle.cancel_asked(job, Memory(), step, {KEY: CancelAnswer(True, claim="7")}, Turn(NOW, PACING))
    assert not isinstance(unsure.memory.stage, Buried), "the attempt that may follow is not revoked yet"
    answers = {KEY: CancelAnswer(True, orphaned=True), KEY.next: CancelAnswer(True, revoked=True)}
    left = settle.cancel_asked(job, Memory(), step, answers, Turn(NOW, PACING))
    assert (isinstance(left.memory.stage, Buried), [event.reason for event in left.events]) == (True, [JobReason.ORPHANED])
    nothing = dict.fromkeys(job.keys, CancelAnswer(True, revoked=True))
    assert settle.cancel_asked(job, Memory(), step, nothing, Turn(NOW, PACING)).events == ()
