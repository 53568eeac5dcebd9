"""Whether another attempt follows, and when."""

import pytest

from fairlead.api.v1alpha1.reasons import JobReason
from fairlead.domain.pacing import Pacing
from fairlead.domain.run.memory import Closing
from fairlead.domain.run.retry import NOT_AGAIN, Again, Over, after
from fairlead.domain.run.run import RunKey
from product.objects import UID, a_job, submitted

PACING = Pacing()
FAILED = Closing(JobReason.NON_ZERO_EXIT_CODE, "the script exited with code 1", exit_code=1)
NEVER_RAN = Closing(JobReason.NEVER_STARTED, "x", never_ran=True)
LOST = Closing(JobReason.LOST, "x", without_end=True)


def failed(count: int) -> dict[str, object]:
    return submitted(attempt=count + 1, failures=count)


def never_ran(count: int) -> dict[str, object]:
    return submitted(attempt=count + 1, infrastructureFailures=count)


CASES = {
    "a script that fails, by default": (a_job(status=submitted()), FAILED, JobReason.NON_ZERO_EXIT_CODE),
    "a script that fails, with some of the limit left": (a_job(backoffLimit=2, status=failed(1)), FAILED, None),
    "a script that fails for the last time": (a_job(backoffLimit=2, status=failed(2)), FAILED, JobReason.BACKOFF_LIMIT_EXCEEDED),
    "one that may have run": (a_job(status=submitted()), LOST, JobReason.LOST),
    "one that may have run, and may again": (a_job(backoffLimit=1, status=submitted()), LOST, None),
    "one that never ran": (a_job(status=submitted()), NEVER_RAN, None),
    "one that never ran, once too often": (a_job(status=never_ran(3)), NEVER_RAN, JobReason.NEVER_STARTED),
    "one that never ran, where none is wanted": (a_job(infrastructureRetries=0, status=submitted()), NEVER_RAN, JobReason.NEVER_STARTED),
    "one that never ran, with the other limit used up": (a_job(backoffLimit=1, status=failed(1)), NEVER_RAN, None),
}


@pytest.mark.parametrize(("job", "closing", "reason"), CASES.values(), ids=CASES)
def test_another_attempt_follows_where_it_is_allowed(job, closing, reason) -> None:
    """Else a script would run more often than its Job allows, or a broken node would cost it."""
    following = after(job, closing, PACING)
    assert (following.reason if isinstance(following, Over) else None) is reason


@pytest.mark.parametrize("reason", sorted(NOT_AGAIN))
def test_what_would_end_the_same_way_is_not_tried_again(reason: JobReason) -> None:
    """Else a Job that a person has cancelled on the cluster would come back."""
    following = after(a_job(backoffLimit=9, status=submitted()), Closing(reason, "x"), PACING)
    assert following == Over(reason, "x", 1, 0)


def test_pauses_grow_to_their_limit_and_are_spread() -> None:
    """Else a failing Job would hammer its cluster, and a hundred that failed together would come back together."""
    pauses = []
    for count in (0, 1, 2, 5, 6, 500):
        following = after(a_job(backoffLimit=1000, status=failed(count)), FAILED, PACING)
        assert isinstance(following, Again)
        pauses.append(following.pause_seconds)
    for pause, shortest in zip(pauses, (10, 20, 40, 320, 360, 360), strict=True):
        assert shortest <= pause <= shortest * 1.25
    many = {after(a_job(uid=f"{n:08d}{UID[8:]}", backoffLimit=1), FAILED, PACING) for n in range(20)}
    assert len({each.pause_seconds for each in many if isinstance(each, Again)}) == 20


def test_one_whose_end_nobody_saw_is_given_time_to_end() -> None:
    """Else a node that was cut off would run the script beside the next attempt."""
    following = after(a_job(backoffLimit=1, status=submitted()), LOST, PACING)
    assert isinstance(following, Again)
    assert following.pause_seconds >= PACING.unseen_end_seconds


def test_the_sentence_says_how_often_and_why() -> None:
    following = after(a_job(backoffLimit=2, status=failed(2)), FAILED, PACING)
    assert following.message == "3 attempts failed, backoffLimit is 2; the last: the script exited with code 1"
    again = after(a_job(backoffLimit=2, status=failed(1)), FAILED, PACING)
    assert again.message == "attempt 2 failed (the script exited with code 1); another follows, 2 of backoffLimit 2"
    assert a_job(status=failed(1)).key == RunKey(UID, 2)
