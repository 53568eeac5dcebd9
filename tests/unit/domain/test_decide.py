"""What comes next for a Job, from its object and memory alone."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from fairlead.api.v1alpha1.reasons import JobReason
from fairlead.domain.gone.remains import Remains
from fairlead.domain.job.job import Job
from fairlead.domain.pacing import Pacing
from fairlead.domain.run.answers import CancelPhase
from fairlead.domain.run.memory import Asked, Buried, Cleared, Closing, Ending, Forced, Memory
from fairlead.domain.run.owner import RunOwner
from fairlead.domain.run.run import RunKey, StopWord
from fairlead.domain.run.steps import Bury, Cancel, KeepOut, Release, Rest, Resume, Step, Submit, Suspend, TakeUp, Watch, decide, wakes_at
from product.objects import NOW, OTHER_UID, UID, a_job, submitted

PACING = Pacing()
FRESH = Memory()
ONE, TWO = RunKey(UID, 1), RunKey(UID, 2)
BOTH = (ONE, TWO)


def ended(kind: str) -> dict[str, Any]:
    return submitted(conditions=[{"type": kind, "status": "True", "reason": "X", "lastTransitionTime": "2026-01-01T00:00:00Z"}])


def told(kind: str, status: str, reason: str) -> dict[str, Any]:
    return {"type": kind, "status": status, "reason": reason, "lastTransitionTime": "2026-01-01T00:00:00Z"}


def parked(attempt: int = 2) -> dict[str, Any]:
    return submitted("", attempt, conditions=[told("Suspended", "True", "JobSuspended")])


def since(seconds: float, **more: Any) -> dict[str, Any]:
    """The status of a submitted Job that was taken up so many seconds ago."""
    return submitted(activeSince=datetime.fromtimestamp(NOW.wall - seconds, UTC), **more)


PARKING = submitted(conditions=[told("Suspended", "False", "JobSuspended")])
ASKED = replace(FRESH, ending=Ending(StopWord.DELETE, Asked(990.0)))
SUSPENDING, LATE = (replace(FRESH, ending=Ending(word, Asked(990.0))) for word in (StopWord.SUSPEND, StopWord.DEADLINE))
RETRY = {"nextRetryTime": datetime.fromtimestamp(NOW.wall + 5, UTC)}
CLOSING = Closing(JobReason.LOST, "x")


def cancel(phase: CancelPhase, why: StopWord = StopWord.DELETE) -> Cancel:
    return Cancel(BOTH if why is StopWord.DELETE else (ONE,), phase, why=why)


ASK, END, ORPHAN, REVOKE = CancelPhase.ASK, CancelPhase.END, CancelPhase.ORPHAN, CancelPhase.REVOKE
CASES: dict[str, tuple[RunOwner, Memory, Step]] = {
    "a new Job is taken up first": (a_job(has_finalizer=False), FRESH, TakeUp()),
    "a new Job that is deleted already is left alone": (a_job(has_finalizer=False, deleting=True), FRESH, Rest()),
    "taken up: submit": (a_job(), FRESH, Submit(False, False)),
    "not yet, long enough: submit again under the same key": (a_job(), replace(FRESH, resubmit=True), Submit(True, False)),
    "a pause is a pause": (a_job(), replace(FRESH, retry_at=1001.0), Rest(1001.0)),
    "submitted: watch": (a_job(status=submitted()), FRESH, Watch((ONE,))),
    "the next attempt's intent: submit it": (a_job(status=submitted("", attempt=2)), Memory(2), Submit(False, False)),
    "the pause before it is kept by who remembers nothing": (a_job(status=submitted("", attempt=2, **RETRY)), Memory(2), Rest(1005.0)),
    "another object's status counts as none": (a_job(status={"run": {"key": f"{OTHER_UID}-3", "attempt": 3, "id": "9"}}), FRESH, TakeUp()),
    "an attempt that nobody can have come to counts as none": (a_job(status=submitted("9", 10_001)), FRESH, TakeUp()),
    "our finalizer alone says nothing: anybody may put it on": (a_job(status={}), FRESH, TakeUp()),
    "the finalizer was taken off: put on again": (a_job(has_finalizer=False, status=submitted()), FRESH, TakeUp()),
    "left the queue unclaimed: revoke": (a_job(status=submitted()), replace(FRESH, revoke=True), Cancel((ONE,), REVOKE)),
    "a double is cancelled alone": (a_job(status=submitted()), replace(FRESH, duplicates=("8",)), Cancel((ONE,), END, ("8",))),
    "an attempt is closed by the whole cancel script": (a_job(status=submitted()), replace(FRESH, closing=CLOSING), Cancel((ONE,), END)),
    "a refused attempt is only revoked at first: it may run": (a_job(), replace(FRESH, closing=replace(CLOSING, refused=True)),
                                                              Cancel((ONE,), REVOKE)),
    "complete: let go with the label": (a_job(status=ended("Complete")), FRESH, Release(True)),
    "failed before it was taken up: the label too": (a_job(has_finalizer=False, status=ended("Failed")), FRESH, Release(True)),
    "complete and deleted: let go at once": (a_job(deleting=True, status=ended("Complete")), FRESH, Release(True)),
    "deleted: ask all attempts and one more": (a_job(deleting=True, status=submitted()), FRESH, cancel(ASK)),
    "deleted with its status wiped: all the same": (a_job(deleting=True), FRESH, cancel(ASK)),
    "deleted while it is told to end for another reason: ask all": (a_job(deleting=True, status=PARKING), SUSPENDING, cancel(ASK)),
    "asked: watch during the grace": (a_job(deleting=True, status=submitted()), ASKED, Watch(BOTH)),
    "the grace is over: end": (a_job(deleting=True, cancellationGracePeriodSeconds=5), ASKED, cancel(END)),
    "ended a moment ago: watch": (a_job(deleting=True), ASKED.at(Forced(990.0, 995.0)), Watch(BOTH)),
    "ended long ago, and not looked at since: watch": (a_job(deleting=True), ASKED.at(Forced(970.0, 980.0)), Watch(BOTH)),
    "still listed long after: end again": (a_job(deleting=True), ASKED.at(Forced(970.0, 980.0, outlived=True)), cancel(END)),
    "seen gone: bury": (a_job(deleting=True), ASKED.at(Cleared()), Bury(BOTH)),
    "buried: let go without the label": (a_job(deleting=True), ASKED.at(Buried()), Release(False)),
    "deleted, and to be left alone there": (a_job(deleting=True, status=submitted(), deletionPolicy="Orphan"), FRESH, cancel(ORPHAN)),
    "what has lost its object is cancelled as a deleted Job is": (Remains(a_job().ref, a_job().location, (1,)), FRESH, cancel(ASK)),
    "made suspended: not taken up, and it says so": (a_job(has_finalizer=False, suspend=True), FRESH, Suspend()),
    "parked: nothing": (a_job(suspend=True, status=parked()), Memory(2), Rest()),
    "parked without ever having been taken up: nothing": (a_job(has_finalizer=False, suspend=True, status=parked(1)), FRESH, Rest()),
    "suspended while the finalizer was off: put on again, else it is never told to end": (
        a_job(has_finalizer=False, suspend=True, status=submitted()), FRESH, TakeUp()),
    "suspended: said before anything is done": (a_job(suspend=True, status=submitted()), FRESH, Suspend()),
    "suspended before it has an id: somebody may have begun": (a_job(suspend=True), FRESH, Suspend()),
    "suspended during a long pause: at once": (a_job(suspend=True), replace(FRESH, retry_at=1500.0), Suspend()),
    "said: ask": (a_job(suspend=True, status=PARKING), FRESH, cancel(ASK, StopWord.SUSPEND)),
    "the question failed: asked again after its pause": (a_job(suspend=True, status=PARKING), replace(
        FRESH, ending=Ending(StopWord.SUSPEND), retry_at=1001.0), Rest(1001.0)),
    "asked to make room: watch": (a_job(suspend=True, status=PARKING), SUSPENDING, Watch((ONE,))),
    "it makes no room: end": (a_job(suspend=True, status=PARKING, cancellationGracePeriodSeconds=5), SUSPENDING,
                              cancel(END, StopWord.SUSPEND)),
    "resumed while it is told to end: brought to its end first": (a_job(status=PARKING), SUSPENDING, Watch((ONE,))),
    "the same for who remembers nothing": (a_job(status=PARKING), FRESH, cancel(ASK, StopWord.SUSPEND)),
    "resumed: said before anything is begun": (a_job(status=parked()), Memory(2), Resume()),
    "resumed, never taken up: taken up first": (a_job(has_finalizer=False, status=parked(1)), FRESH, TakeUp()),
    "deleted while parked": (a_job(deleting=True, suspend=True, status=parked(1)), FRESH, cancel(ASK)),
    "in time": (a_job(activeDeadlineSeconds=60, status=since(59)), FRESH, Watch((ONE,))),
    "out of time: ask": (a_job(activeDeadlineSeconds=60, status=since(60)), FRESH, cancel(ASK, StopWord.DEADLINE)),
    "out of time in the middle of a pause": (a_job(activeDeadlineSeconds=60, status=since(60)), replace(FRESH, retry_at=1500.0),
                                             cancel(ASK, StopWord.DEADLINE)),
    "what counted before a suspension counts": (a_job(activeDeadlineSeconds=60, status=since(20, activeSeconds=40)), FRESH,
                                                cancel(ASK, StopWord.DEADLINE)),
    "out of time and past its grace: end": (a_job(activeDeadlineSeconds=60, status=since(70), cancellationGracePeriodSeconds=5), LATE,
                                            cancel(END, StopWord.DEADLINE)),
    "a deadline that was moved on does not take back what was asked": (a_job(activeDeadlineSeconds=600, status=since(70)), LATE,
                                                                     Watch((ONE,))),
}


@pytest.mark.parametrize(("job", "memory", "step"), CASES.values(), ids=CASES)
def test_the_next_step(job: RunOwner, memory: Memory, step: Step) -> None:
    assert decide(job, memory, NOW, PACING) == step


KEPT_OUT = submitted("", 2, conditions=[told("Submitted", "False", "NamespaceNotAllowed")])


@pytest.mark.parametrize(("job", "memory", "admitted", "step"), [
    pytest.param(a_job(status=submitted()), FRESH, False, Watch((ONE,)), id="handed in before: watched to its end"),
    pytest.param(a_job(), FRESH, False, Watch((ONE,)), id="perhaps handed in: looked for, and nothing is submitted"),
    pytest.param(a_job(), replace(FRESH, resubmit=True), False, Watch((ONE,)), id="nor is it submitted again"),
    pytest.param(a_job(), replace(FRESH, nowhere_since=0.0), False, Watch((ONE,)), id="not there yet: perhaps on its way"),
    pytest.param(a_job(), replace(FRESH, nowhere=True), False, KeepOut(), id="nothing is there: told"),
    pytest.param(a_job(status=submitted()), replace(FRESH, nowhere=True), False, KeepOut(), id="nor is what its status says"),
    pytest.param(a_job(status=submitted()), replace(FRESH, nowhere=True), True, Watch((ONE,)), id="what may have run is not run again"),
    pytest.param(a_job(), replace(FRESH, nowhere=True), True, Submit(False, False), id="admitted meanwhile"),
    pytest.param(a_job(status=KEPT_OUT), Memory(2), False, Rest(), id="kept out: waits"),
    pytest.param(a_job(status=KEPT_OUT), Memory(2), True, Resume(), id="admitted again: asks for a place first"),
    pytest.param(a_job(deleting=True, status=submitted()), FRESH, False, cancel(ASK), id="a deletion asks nobody"),
])
def test_whether_a_job_is_admitted_is_asked_before_each_submission(job: Job, memory: Memory, admitted: bool, step: Step) -> None:
    """Else a Cluster that was closed to a namespace would go on running its Jobs, or lose sight of them."""
    assert decide(job, memory, NOW, PACING, admitted=admitted) == step


def test_what_was_remembered_of_an_attempt_is_not_believed_of_the_next() -> None:
    """Else a claim or a refusal of an old attempt would end a new one."""
    assert replace(FRESH, claim="7", resubmit=True).of(2) == Memory(2)


@pytest.mark.parametrize("without_end", [True, False])
def test_an_attempt_that_will_write_no_end_does_not_hold_up_the_next(without_end: bool) -> None:
    """Else a Job whose first attempt claimed its key and never came to its script would wait for that attempt's end for ever."""
    before = {"key": str(RunKey(UID, 1)), "attempt": 1, "id": "7", "outcome": "Lost", "withoutEnd": without_end}
    job = a_job(status=submitted("", attempt=2, attempts=[before]))
    assert decide(job, Memory(attempt=2), NOW, PACING) == Submit(resubmit=False, previous_is_lost=without_end)


def test_time_alone_wakes_a_job_at_its_grace_and_its_deadline() -> None:
    """Else a Job past its deadline would run on until something else happened on its cluster."""
    watched = a_job(activeDeadlineSeconds=60, status=since(20))
    assert wakes_at(watched, FRESH, NOW, PACING) == NOW.monotonic + 40
    assert wakes_at(a_job(status=since(20)), FRESH, NOW, PACING) == float("inf")
    assert wakes_at(a_job(deleting=True), ASKED, NOW, PACING) == 990.0 + 30
    assert wakes_at(a_job(status=PARKING), SUSPENDING.at(Forced(990.0, 995.0)), NOW, PACING) == 995.0 + PACING.cancel_again_seconds
    assert wakes_at(a_job(deleting=True), ASKED.at(Asked(100.0)), NOW, PACING) == float("inf"), "what is past wakes nobody again"
