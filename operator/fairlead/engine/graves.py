"""Directories that have lost their object. A finished Job's is kept while the Job is there, since it answers when a status was wiped.

Two ways lead here: a Job that ended while we looked, and a sweep of a cluster's tree (after a start, then hourly). In both the API server
is asked for each candidate, after the directory was seen: gone is a 404 or another uid; anything else is unknown, and is left alone.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import structlog

from fairlead.api.v1alpha1 import names
from fairlead.domain.errors import ApiFault
from fairlead.domain.job import Job, ghost
from fairlead.domain.objects import ObjectRef
from fairlead.domain.run import Remnant
from fairlead.engine.debts import strike_old
from fairlead.engine.ports import World
from fairlead.engine.registry import ClusterName, Registry
from fairlead.schedulers.seam import Removed

log = structlog.get_logger()

SUSPICIOUS_COUNT, SUSPICIOUS_SHARE = 10, 0.2
"""More gone at once than the greater of the two looks like a restored or narrowed API server: nothing is touched."""


@dataclass(frozen=True, slots=True)
class Grave:
    """One finished Job's directories: where, whose, up to which attempt."""

    cluster: ClusterName
    ref: ObjectRef
    attempt: int


class Graves:
    """Knows the directories of finished Jobs and finds out which have lost their object."""

    def __init__(self, world: World, registry: Registry, haunt: Callable[[ClusterName, Job], None]) -> None:
        self._world = world
        self._registry = registry
        self._haunt = haunt
        self._graves: dict[str, Grave] = {}

    def keep(self, grave: Grave) -> None:
        """A Job has ended, or was found ended: watch over its directories."""
        self._graves[grave.ref.uid] = grave

    def leave(self, cluster: ClusterName) -> None:
        """A Cluster is gone, and with it the way to its directories."""
        self._graves = {uid: each for uid, each in self._graves.items() if each.cluster != cluster}

    async def look(self) -> None:
        """See which finished Jobs are gone, and have their directories buried. Raises `ApiFault`."""
        if not self._graves:
            return
        finished = {ref.uid for ref in await self._world.data.list_finished(names.JOB_PLURAL)}
        for grave in [each for uid, each in self._graves.items() if uid not in finished and self._registry.job(uid) is None]:
            if await self._is_gone(grave.ref):
                del self._graves[grave.ref.uid]
                self._haunt(grave.cluster, ghost(grave.ref, grave.attempt, grave.cluster[1]))

    async def swept(self, cluster: ClusterName, removed: Removed) -> None:
        """What a sweep found: keep watch over what has an object, bury what has none. Raises `ApiFault`."""
        found = _newest(each for each in removed.remnants if not each.tombstone)
        gone: list[Grave] = []
        for remnant in found:
            if self._registry.job(remnant.key.uid) is not None or remnant.key.uid in self._graves:
                continue
            grave = Grave(cluster, _ref_of(remnant), remnant.key.attempt)
            if remnant.owner is None:
                if removed.complete and await self._is_unknown(remnant.key.uid):
                    gone.append(grave)
            elif await self._is_gone(grave.ref):
                gone.append(grave)
            else:
                self.keep(grave)
        if len(gone) > max(SUSPICIOUS_COUNT, SUSPICIOUS_SHARE * len(found)):
            log.error("sweep_refused", gone=len(gone), found=len(found), why="too many objects are gone at once: is the API server whole?")
            return
        await strike_old(self._world, cluster)
        for grave in gone:
            self._haunt(cluster, ghost(grave.ref, grave.attempt, cluster[1]))

    async def _is_gone(self, ref: ObjectRef) -> bool:
        try:
            return await self._world.store.uid_of(ref) != ref.uid
        except ApiFault as error:
            log.info("owner_unknown", owner=str(ref), error=str(error))
            return False

    async def _is_unknown(self, uid: str) -> bool:
        """Whether a directory without an owner (a crash right after mkdir) belongs to no Job at all."""
        finished = {ref.uid for ref in await self._world.data.list_finished(names.JOB_PLURAL)}
        return uid not in finished and self._registry.job(uid) is None


def _newest(remnants: Iterable[Remnant]) -> list[Remnant]:
    """Of each uid the highest attempt, with an owner if any attempt names one."""
    by_uid: dict[str, Remnant] = {}
    for each in sorted(remnants, key=lambda each: (each.owner is not None, each.key.attempt)):
        before = by_uid.get(each.key.uid)
        by_uid[each.key.uid] = each if before is None or before.key.attempt <= each.key.attempt else Remnant(before.key, each.owner, False)
    return list(by_uid.values())


def _ref_of(remnant: Remnant) -> ObjectRef:
    owner = remnant.owner
    return ObjectRef(names.JOB_PLURAL, owner.namespace if owner else "", owner.name if owner else "", remnant.key.uid)
