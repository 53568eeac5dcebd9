"""Pauses after writes that the API server did not take: for each object its own, longer each time in a row, until one succeeds."""

from collections.abc import Callable, Iterable

from fairlead.domain.errors import ApiFault, Conflict, Forbidden, Unavailable
from fairlead.engine.failures.breaker import CLOSED, Breaker
from fairlead.engine.ports import World

REFUSALS = 5
"""So many in a row are no passing fault: nobody writes in between so often, and a policy or webhook may say no with any status."""


def is_refusal(error: ApiFault, times: int) -> bool:
    """Whether a write that was not taken for the `times`th time in a row is refused for good, as far as one can tell."""
    if isinstance(error, Unavailable):
        return isinstance(error, Forbidden)
    return not isinstance(error, Conflict) or times >= REFUSALS


class Pauses:
    """Those after writes of one kind. A policy refuses them for good, so that no pace is right but a slower one each time."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._known: dict[str, Breaker] = {}

    def ends(self, uid: str) -> float:
        """When a write of this object may be tried (monotonic); 0 if it may be now, or nothing is known of it."""
        until = self._known.get(uid, CLOSED).retry_at
        return until if until > self._world.clock.monotonic() else 0.0

    def not_taken(self, uid: str, error: ApiFault) -> int:
        """One more was not taken; how many in a row these are."""
        now, known, pauses = self._world.clock.monotonic(), self._known.get(uid, CLOSED), self._world.settings.pauses
        limit = pauses.refused_limit_seconds if is_refusal(error, known.failures + 1) else pauses.write_limit_seconds
        known = known.failed(now, pauses.first_seconds, limit, self._world.jitter())
        if isinstance(error, Unavailable) and error.retry_after_seconds:
            known = Breaker(known.failures, max(known.retry_at, now + min(error.retry_after_seconds, pauses.asked_limit_seconds)))
        self._known[uid] = known
        return known.failures

    def taken(self, uid: str) -> None:
        """A write succeeded, or the object has left."""
        self._known.pop(uid, None)

    def keep(self, is_known: Callable[[str], bool]) -> None:
        """Forget the objects that nobody knows any more."""
        self._known = {uid: each for uid, each in self._known.items() if is_known(uid)}

    @property
    def uids(self) -> Iterable[str]:
        """Of the objects of which something is known."""
        return self._known.keys()
