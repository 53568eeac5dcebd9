"""When a finished Job expires: a second too early costs a user its result, and never is what they asked not to have."""

from typing import Any

import pytest

from fairlead.domain.run.finished import Expiring, expiring
from product.objects import a_job

END = 1_700_000_000


def condition(kind: str, status: str = "True", at: str = "2023-11-14T22:13:20Z") -> dict[str, Any]:
    """A condition; its usual time is END."""
    return {"type": kind, "status": status, "reason": "Because", "lastTransitionTime": at}


@pytest.mark.parametrize(("conditions", "ttl_seconds", "at"), [
    pytest.param([condition("Complete")], 60, END + 60, id="a completed Job"),
    pytest.param([condition("Failed")], 60, END + 60, id="a failed one"),
    pytest.param([condition("Complete")], 0, END, id="at once"),
    pytest.param([condition("Complete")], None, None, id="without a TTL it stays"),
    pytest.param([condition("Complete", "False"), condition("Running")], 60, None, id="what has not ended stays"),
    pytest.param([], 0, None, id="so does what was never looked at"),
    pytest.param([condition("Running", "False", "2023-11-14T21:13:20Z"), condition("Complete")], 1, END + 1, id="only the end counts"),
])
def test_a_finished_job_expires_so_many_seconds_after_its_end(
    conditions: list[dict[str, Any]], ttl_seconds: int | None, at: float | None,
) -> None:
    """Else a Job would go while it runs, or stay for ever."""
    job = a_job(status={"conditions": conditions, "endTime": "1999-01-01T00:00:00Z"}, ttlSecondsAfterFinished=ttl_seconds)
    found = expiring(job)
    assert found == (None if at is None else Expiring(job.ref, 1, at))
