"""An owner of Runs that has ended, and when it is to be deleted for that."""

from dataclasses import dataclass

from fairlead.domain.objects import ObjectRef
from fairlead.domain.run.watched import WatchedOwner


@dataclass(frozen=True, slots=True)
class Expiring:
    """A finished one with a time to live, as it was when its spec had this generation."""

    ref: ObjectRef
    generation: int
    at: float                        # epoch seconds, by the clock that saw the end


def expiring(owner: WatchedOwner) -> Expiring | None:
    """When it expires; None without a time to live, and for what has not ended."""
    if owner.ttl_seconds is None or owner.ended_at is None:
        return None
    return Expiring(owner.ref, owner.generation, owner.ended_at + owner.ttl_seconds)
