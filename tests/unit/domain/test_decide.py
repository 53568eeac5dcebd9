"""What comes next for a Job, from its object and memory alone."""

from dataclasses import replace
from typing import Any

import pytest

from fairlead.api.v1alpha1.reasons import JobReason
from fairlead.domain.job import Bury, Cancel, Closing, Job, Memory, Release, Rest, Step, Submit, TakeUp, Watch, decide, ghost
from fairlead.domain.pacing import Now, Pacing
from fairlead.domain.run import CancelPhase, RunKey
from product.objects import OTHER_UID, UID, a_job, submitted

NOW = Now(1000.0, 1.7e9)
PACING = Pacing()
FRESH = Memory()
ONE, TWO = RunKey(UID, 1), RunKey(UID, 2)
BOTH = (ONE, TWO)


def ended(kind: str) -> dict[str, Any]:
    return submitted(conditions=[{"type": kind, "status": "True", "reason": "X", "lastTransitionTime": "2026-01-01T00:00:00Z"}])


ASKED = replace(FRESH, asked_at=990.0)
CASES: dict[str, tuple[Job, Memory, Step]] = {
    "a new Job is taken up first": (a_job(held=False), FRESH, TakeUp()),
    "a new Job that is deleted already is left alone": (a_job(held=False, deleting=True), FRESH, Rest()),
    "taken up: submit": (a_job(), FRESH, Submit(False, False)),
    "not yet, long enough: submit again under the same key": (a_job(), replace(FRESH, resubmit=True), Submit(True, False)),
    "a pause is a pause": (a_job(), replace(FRESH, retry_at=1001.0), Rest(1001.0)),
    "submitted: watch": (a_job(status=submitted()), FRESH, Watch((ONE,))),
    "the next attempt's intent: submit it": (a_job(status=submitted("", attempt=2)), Memory(2), Submit(False, False)),
    "another object's status counts as none": (a_job(status={"run": {"key": f"{OTHER_UID}-3", "attempt": 3, "id": "9"}}), FRESH,
                                               Submit(False, False)),
    "left the queue unclaimed: revoke": (a_job(status=submitted()), replace(FRESH, revoke=True), Cancel((ONE,), CancelPhase.REVOKE)),
    "a double is cancelled alone": (a_job(status=submitted()), replace(FRESH, duplicates=("8",)), Cancel((ONE,), CancelPhase.END, ("8",))),
    "an attempt is closed by the whole cancel script": (a_job(status=submitted()), replace(FRESH, closing=Closing(JobReason.LOST, "x")),
                                                        Cancel((ONE,), CancelPhase.END)),
    "complete: let go with the label": (a_job(status=ended("Complete")), FRESH, Release(True)),
    "failed before it was taken up: the label too": (a_job(held=False, status=ended("Failed")), FRESH, Release(True)),
    "complete and deleted: let go at once": (a_job(deleting=True, status=ended("Complete")), FRESH, Release(True)),
    "deleted: ask all attempts and one more": (a_job(deleting=True, status=submitted()), FRESH, Cancel(BOTH, CancelPhase.ASK)),
    "deleted with its status wiped: all the same": (a_job(deleting=True), FRESH, Cancel(BOTH, CancelPhase.ASK)),
    "asked: watch during the grace": (a_job(deleting=True, status=submitted()), ASKED, Watch(BOTH)),
    "the grace is over: end": (a_job(deleting=True, cancellationGracePeriodSeconds=5), ASKED, Cancel(BOTH, CancelPhase.END)),
    "ended a moment ago: watch": (a_job(deleting=True), replace(ASKED, killed_at=995.0), Watch(BOTH)),
    "still listed long after: end again": (a_job(deleting=True), replace(ASKED, killed_at=980.0), Cancel(BOTH, CancelPhase.END)),
    "seen gone: bury": (a_job(deleting=True), replace(ASKED, clear=True), Bury(BOTH)),
    "buried: let go without the label": (a_job(deleting=True), replace(ASKED, clear=True, buried=True), Release(False)),
    "what has lost its object is cancelled as a deleted Job is": (ghost(a_job().ref, 1, "hpc"), FRESH, Cancel(BOTH, CancelPhase.ASK)),
}


@pytest.mark.parametrize(("job", "memory", "step"), CASES.values(), ids=CASES)
def test_the_next_step(job: Job, memory: Memory, step: Step) -> None:
    assert decide(job, memory, NOW, PACING) == step


def test_what_was_remembered_of_an_attempt_is_not_believed_of_the_next() -> None:
    """Else a claim or a refusal of an old attempt would end a new one."""
    assert replace(FRESH, claim="7", resubmit=True).of(2) == Memory(2)


@pytest.mark.parametrize(("outcome", "lost"), [
    ("Lost", True), ("EnvironmentFailure", True), ("NeverStarted", False), ("WorkDirNotShared", False),
])
def test_an_attempt_that_will_write_no_end_does_not_hold_up_the_next(outcome: str, lost: bool) -> None:
    """Else a Job whose first attempt claimed its key and never came to its script would wait for that attempt's end for ever."""
    before = {"key": str(RunKey(UID, 1)), "attempt": 1, "id": "7", "outcome": outcome}
    job = a_job(status=submitted("", attempt=2, attempts=[before]))
    assert decide(job, Memory(attempt=2), NOW, PACING) == Submit(resubmit=False, previous_is_lost=lost)
