"""Whether another attempt follows one that has ended without success, and when.

Two budgets. `infrastructureRetries`: it is proved that the script never ran. `backoffLimit`: it may have run. What would end the same way
again takes from neither.
"""

import zlib
from dataclasses import dataclass

from fairlead.api.v1alpha1.reasons import JobReason
from fairlead.domain.pacing import Pacing
from fairlead.domain.run.memory import Closing
from fairlead.domain.run.owner import RunOwner
from fairlead.domain.run.run import MOST_ATTEMPTS

NOT_AGAIN = frozenset({
    JobReason.SUBMISSION_REJECTED,      # the same words would come again
    JobReason.INVALID_SCRIPT,
    JobReason.DEPENDENCY_NEVER_SATISFIED,
    JobReason.CANCELLED_EXTERNALLY,     # a person on the cluster has said no
    JobReason.OOM_KILLED,               # at the same size it would end the same way
    JobReason.DEADLINE_EXCEEDED,
})
_GROWTH_LIMIT = 30                      # doublings, far beyond any limit


@dataclass(frozen=True, slots=True)
class Again:
    """Another attempt follows in `pause_seconds`. The counts are those after this end."""

    pause_seconds: float
    failures: int
    infrastructure_failures: int
    message: str


@dataclass(frozen=True, slots=True)
class Over:
    """The Job has failed, for this reason. The counts are those after this end."""

    reason: JobReason
    message: str
    failures: int
    infrastructure_failures: int


def after(job: RunOwner, closing: Closing, pacing: Pacing) -> Again | Over:
    """What follows the end of the current attempt."""
    failures, infrastructure = job.failures, job.infrastructure_failures
    if closing.reason in NOT_AGAIN:
        return Over(closing.reason, closing.message, failures + (not closing.never_ran), infrastructure + closing.never_ran)
    if job.key.attempt >= MOST_ATTEMPTS:
        message = f"no attempt follows the {MOST_ATTEMPTS}th; how that ended: {closing.message}"
        return Over(JobReason.BACKOFF_LIMIT_EXCEEDED, message, failures, infrastructure)
    if closing.never_ran:
        infrastructure += 1
        if infrastructure <= job.infrastructure_retries:
            pause = _pause_seconds(job, infrastructure, closing, pacing)
            message = f"attempt {job.key.attempt} never ran ({closing.message}); another follows"
            return Again(pause, failures, infrastructure, message)
        return Over(closing.reason, closing.message, failures, infrastructure)
    failures += 1
    limit = job.backoff_limit
    if failures <= limit:
        pause = _pause_seconds(job, failures, closing, pacing)
        message = f"attempt {job.key.attempt} failed ({closing.message}); another follows, {failures} of backoffLimit {limit}"
        return Again(pause, failures, infrastructure, message)
    if not limit:
        return Over(closing.reason, closing.message, failures, infrastructure)
    message = f"{failures} attempts failed, backoffLimit is {limit}; the last: {closing.message}"
    return Over(JobReason.BACKOFF_LIMIT_EXCEEDED, message, failures, infrastructure)


def _pause_seconds(job: RunOwner, count: int, closing: Closing, pacing: Pacing) -> float:
    """Doubled with each failure, and spread so that what failed together does not come back together."""
    pause = min(pacing.retry_seconds * 2.0 ** min(count - 1, _GROWTH_LIMIT), pacing.retry_limit_seconds)
    if closing.without_end and not closing.never_ran:
        pause = max(pause, pacing.unseen_end_seconds)
    share = zlib.crc32(str(job.key).encode()) / 0xFFFFFFFF
    return pause * (1 + share / 4)
