"""Who still needs a controller when it is to be taken away, as a table."""

from dataclasses import replace
from typing import Any

import pytest

from fairlead.domain.gone.debt import NOT_LEFT_ALONE, UNACCOUNTED, UNREACHABLE, Debt
from fairlead.domain.job.job import Job
from fairlead.domain.leaving import Standing, handed_over, is_under_way
from product.objects import KEY, a_cluster, a_job, submitted

WHEN = "2026-01-01T00:00:00Z"


def said(kind: str, status: str, reason: str) -> dict[str, Any]:
    """A status with one condition, of a Job whose first attempt was handed in."""
    return submitted(conditions=[{"type": kind, "status": status, "reason": reason, "lastTransitionTime": WHEN}])


def debt(reason: str) -> Debt:
    """Something that is owed."""
    return Debt(str(KEY), "lab", "hpc", "Job", "lab", "old", WHEN, reason)


@pytest.mark.parametrize(("job", "needs"), [
    pytest.param(a_job(), True, id="meant"),
    pytest.param(a_job(status=submitted()), True, id="handed in"),
    pytest.param(a_job(status=submitted(), has_finalizer=False), True, id="handed in, and somebody took our finalizer off"),
    pytest.param(a_job(has_finalizer=False), False, id="waits"),
    pytest.param(a_job(status={}), False, id="waits with our finalizer"),
    pytest.param(a_job(status=said("Suspended", "True", "JobSuspended")), False, id="set aside"),
    pytest.param(a_job(status=said("Suspended", "False", "JobSuspended")), True, id="on its way there"),
    pytest.param(a_job(status=said("Complete", "True", "Completed")), False, id="ended"),
    pytest.param(a_job(status=submitted(), deleting=True), True, id="being deleted"),
    pytest.param(a_job(status=said("Suspended", "True", "JobSuspended"), deleting=True), True, id="set aside, and being deleted"),
    pytest.param(a_job(status={}, deleting=True), False, id="never begun, and being deleted"),
])
def test_a_job_needs_its_controller_while_it_may_have_something_on_a_cluster(job: Job, needs: bool) -> None:
    """Else what runs would be left to nobody, or an installation that does nothing could not be taken away."""
    assert is_under_way(job) is needs
    assert bool(Standing((job,), (), ()).busy) is needs


@pytest.mark.parametrize(("reason", "needs"), [(UNREACHABLE, True), (NOT_LEFT_ALONE, True), (UNACCOUNTED, False)])
def test_what_is_owed_needs_it_as_long_as_something_can_be_done(reason: str, needs: bool) -> None:
    """Else what still runs for a deleted Job would never be ended, or a week would have to pass for nothing."""
    assert bool(Standing((), (), (debt(reason),)).busy) is needs


def test_a_cluster_needs_it_only_to_be_deleted() -> None:
    """Else no installation that has a Cluster could be taken away."""
    assert Standing((), (a_cluster(),), ()).busy == ()
    assert len(Standing((), (a_cluster(deleting=True),), ()).busy) == 1
    assert Standing((), (a_cluster(deleting=True, has_finalizer=False),), ()).busy == ()


@pytest.mark.parametrize(("job", "reason"), [
    (a_job(status=submitted()), NOT_LEFT_ALONE), (a_job(status=submitted(), deleting=True), UNREACHABLE),
    (a_job(status=submitted(), deleting=True, deletionPolicy="Orphan"), NOT_LEFT_ALONE),
], ids=["runs", "being deleted", "being deleted, to be left alone"])
def test_what_is_handed_over_is_left_alone_but_for_what_was_to_be_ended(job: Job, reason: str) -> None:
    """Else the next installation would end what it was to leave alone, or leave alone what somebody has deleted."""
    owed = handed_over(job, 1.7e9)
    assert (owed.key, owed.reason) == (str(KEY), reason)


def test_what_would_begin_is_suspended_and_nothing_else() -> None:
    """Else a Job would begin behind the ones that were ended, or one that has ended would be changed."""
    begins = a_job(has_finalizer=False)
    others = [a_job(status=said("Complete", "True", "Completed")), a_job(deleting=True), a_job(suspend=True)]
    assert Standing((begins, *others), (), ()).may_begin == (begins,)
    assert Standing((replace(begins, deleting=True),), (), ()).may_begin == ()
