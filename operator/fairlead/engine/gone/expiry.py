"""Deletes finished Jobs whose time is up: spec.ttlSecondsAfterFinished after their end.

    ended here, or found by a list -> known, with generation and time -> time is up -> read once more -> deleted, if it is as known
                                             ^                                            |
                                             +-- read again by the next list <-- changed -+

Finished Jobs are not watched, so a change of the TTL after the end is seen by the next list, or at the latest before the deletion.
"""

import asyncio
from collections.abc import Iterable

import structlog

from fairlead.domain.run.finished import Expiring, expiring
from fairlead.domain.run.watched import WatchedOwner
from fairlead.engine.failures.breaker import CLOSED, Breaker
from fairlead.engine.failures.mishaps import contained
from fairlead.engine.ports import World

log = structlog.get_logger()

AT_ONCE = 16
"""Deletions in flight."""


class Expiry:
    """Knows when finished Jobs expire, and has them deleted then."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._known: dict[str, Expiring] = {}
        self._tries: dict[str, Breaker] = {}     # by the wall clock, as the times are

    def ended(self, job: WatchedOwner) -> None:
        """A Job has ended here: what is needed is at hand."""
        found = expiring(job)
        if found is not None:
            self._known[job.ref.uid] = found

    async def look(self) -> None:
        """See which finished Jobs have a TTL, and read them if one is new or was changed. Raises `ApiFault`."""
        before = set(self._known)
        listed = await self._world.finished.generations()
        self._forget(before - set(listed))
        if any(uid not in self._known or self._known[uid].generation != generation for uid, generation in listed.items()):
            for each in await self._world.finished.expiring():
                self._known[each.ref.uid] = each

    async def delete_due(self) -> None:
        """Delete the Jobs whose time is up; what fails is tried again. Safe to repeat."""
        now = self._world.clock.wall()
        due = [each for uid, each in self._known.items() if each.at <= now and self._tries.get(uid, CLOSED).allows(now)]
        for first in range(0, len(due), AT_ONCE):
            await asyncio.gather(*(self._delete(each, now) for each in due[first:first + AT_ONCE]))

    async def _delete(self, each: Expiring, now: float) -> None:
        if not self._world.leadership.leads():
            return
        tries, pauses = self._tries.get(each.ref.uid, CLOSED), self._world.settings.pauses
        self._tries[each.ref.uid] = tries.failed(now, pauses.deletion_seconds, pauses.deletion_limit_seconds)
        with contained("expiry", job=str(each.ref)):     # one that was changed is read by the next look, and has another time then
            await self._world.finished.delete(each)
            log.info("expired", job=str(each.ref))
            self._forget([each.ref.uid])

    def _forget(self, uids: Iterable[str]) -> None:
        for uid in uids:
            self._known.pop(uid, None)
            self._tries.pop(uid, None)
