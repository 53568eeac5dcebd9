"""A Job that has ended, and when it is to be deleted for that."""

from collections.abc import Iterable
from dataclasses import dataclass

from fairlead.api.v1alpha1.meta import Condition
from fairlead.domain.job.job import ENDS
from fairlead.domain.objects import ObjectRef


@dataclass(frozen=True, slots=True)
class Expiring:
    """A finished Job with a TTL, as it was when its spec had this generation."""

    ref: ObjectRef
    generation: int
    at: float                        # epoch seconds, by the clock that saw the end: a cluster's own may be hours off


def expiring(ref: ObjectRef, generation: int, conditions: Iterable[Condition], ttl_seconds: int | None) -> Expiring | None:
    """When it expires; None without a TTL, and for what has not ended."""
    ends = [each.last_transition_time.timestamp() for each in conditions if each.type in ENDS and each.status == "True"]
    return None if ttl_seconds is None or not ends else Expiring(ref, generation, max(ends) + ttl_seconds)
