"""How much of a queue is taken: places for Jobs, and tokens for submissions."""

import pytest

from fairlead.api.v1alpha1.cluster import Limits
from fairlead.domain.job.job import Job
from fairlead.engine.site.limits import Bucket, active, places
from product.objects import a_job, submitted

RETRYING = submitted("", attempt=2, nextRetryTime="2026-01-01T00:00:00Z")


def said(kind: str, reason: str, status: str = "True") -> dict[str, object]:
    """A status with one condition."""
    return {"conditions": [{"type": kind, "status": status, "reason": reason, "lastTransitionTime": "2026-01-01T00:00:00Z"}]}


@pytest.mark.parametrize(("job", "counts"), [
    pytest.param(a_job(has_finalizer=False), 0, id="not-taken-up"),
    pytest.param(a_job(status={}), 0, id="somebody-put-our-finalizer-on"),
    pytest.param(a_job(), 1, id="on-its-way"),
    pytest.param(a_job(status=submitted()), 1, id="on-the-cluster"),
    pytest.param(a_job(status=RETRYING), 1, id="a-retry-keeps-its-place"),
    pytest.param(a_job(deleting=True, status=submitted()), 1, id="deleted-and-not-gone"),
    pytest.param(a_job(suspend=True, status=said("Suspended", "JobSuspended")), 0, id="set-aside"),
    pytest.param(a_job(status=submitted() | said("Suspended", "Suspended")), 1, id="stopped-by-the-scheduler"),
    pytest.param(a_job(status=submitted("", 2) | said("Submitted", "NamespaceNotAllowed", "False")), 0, id="kept-out"),
    pytest.param(a_job(status=said("Complete", "Completed")), 0, id="ended"),
])
def test_a_job_takes_a_place_from_its_take_up_to_its_end(job: Job, counts: int) -> None:
    """Else more would be on the cluster than its owner allows, or places would stay empty."""
    assert active([job]) == counts


@pytest.mark.parametrize(("limit", "taken", "free"), [(None, 1_000_000, None), (3, 0, 3), (3, 2, 1), (3, 3, 0), (1, 5, 0)])
def test_places_are_what_the_limit_leaves(limit: int | None, taken: int, free: int | None) -> None:
    """Else a limit that was lowered while Jobs run would let further ones in."""
    assert places(Limits(max_active_jobs=limit), taken) == free


def test_without_a_rate_everything_may_go() -> None:
    """Else a Cluster without a limit would have one."""
    bucket = Bucket.of(Limits(), 0.0)
    assert bucket.taken(10_000, 0.0).allows(0.0) is None
    assert bucket.next_at(5.0) == 5.0


@pytest.mark.parametrize(("rate", "at_once", "seconds_to_next"), [(0.1, 1, 10.0), (0.5, 1, 2.0), (1, 1, 1.0), (2.5, 2, 0.2), (10, 10, 0.1)])
def test_a_burst_is_a_seconds_worth_and_one_at_least(rate: float, at_once: int, seconds_to_next: float) -> None:
    """Else a slow rate would let nothing through, or a fast one everything at once after a quiet night."""
    full = Bucket.of(Limits(submit_per_second=rate), 100.0)
    assert full.allows(1e6) == at_once
    empty = full.taken(at_once, 100.0)
    assert empty.allows(100.0) == 0
    assert empty.next_at(100.0) == pytest.approx(100.0 + seconds_to_next)
    assert empty.allows(empty.next_at(100.0)) == 1, "who wakes when he is told finds a token"


@pytest.mark.parametrize("rate", [0.01, 0.3, 0.7, 3.0, 7.1])
def test_on_average_no_more_go_than_the_rate_says(rate: float) -> None:
    """Else a site that counts would see more than was promised."""
    bucket, now, gone = Bucket.of(Limits(submit_per_second=rate), 0.0), 0.0, 0
    while now < 1000:
        allowed = bucket.allows(now) or 0
        bucket, gone = bucket.taken(allowed, now), gone + allowed
        now = max(bucket.next_at(now), now + 0.001)
    assert 1000 * rate - 1 <= gone <= 1000 * rate + max(1, rate) + 1


def test_a_changed_rate_gives_no_second_burst() -> None:
    """Else each change of a Cluster would send a burst."""
    empty = Bucket.of(Limits(submit_per_second=10), 0.0).taken(10, 0.0)
    assert empty.after(Limits(submit_per_second=100), 0.0).allows(0.0) == 0
    assert Bucket.of(Limits(submit_per_second=100), 0.0).after(Limits(submit_per_second=2), 0.0).allows(0.0) == 2
    assert Bucket.of(Limits(), 0.0).after(Limits(submit_per_second=2), 0.0).allows(0.0) == 2
