"""Our hold on one Cluster object: its finalizer while Jobs may run there, its status, and its release once nothing can be left behind."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import replace

import structlog

from fairlead.api.v1alpha1.reasons import ClusterCondition, ClusterReason
from fairlead.domain import cluster as clusters
from fairlead.domain.cluster import Cluster
from fairlead.domain.conditions import is_true
from fairlead.domain.errors import ApiFault, FairleadError
from fairlead.domain.job import Job
from fairlead.domain.objects import EventNote
from fairlead.domain.pacing import Now
from fairlead.domain.residue import Sweep, keys_told
from fairlead.domain.run import RunKey
from fairlead.domain.sweep import Found, judge
from fairlead.engine.debts import Debts
from fairlead.engine.graves import newest
from fairlead.engine.link import Link
from fairlead.engine.ports import World
from fairlead.engine.registry import Registry
from fairlead.schedulers.seam import Driver, Removal, Removed

log = structlog.get_logger()


class Custody:
    """Holds, reports and releases. `cluster` is the object as it was last read or written."""

    def __init__(self, cluster: Cluster, world: World, registry: Registry, debts: Debts, way: tuple[Link, Callable[[], Driver]]) -> None:
        self.cluster = cluster
        self._world = world
        self._registry = registry
        self._debts = debts
        self._link, self._driver = way
        self._holding = asyncio.Lock()
        self._reporting = asyncio.Lock()

    async def hold(self) -> bool:
        """Our finalizer on the Cluster, before the first intent: it must not go while a Job may run there. Whether it is on."""
        async with self._holding:
            if not self.cluster.held:
                try:
                    await self._world.store.add_finalizer(self.cluster.ref)
                except ApiFault as error:
                    log.info("write_not_done", error=str(error))
                    return False
                self.cluster = replace(self.cluster, held=True)
        return True

    async def report(self, now: Now, heartbeat_seconds: float) -> bool:
        """Write the status if anything that a person reads has changed, or a heartbeat is due; whether it is as it should be."""
        async with self._reporting:
            status = clusters.report(self.cluster, self._link.health, now, heartbeat_seconds)
            if status is None:
                return True
            try:
                body = status.model_dump(mode="json", by_alias=True, exclude_none=True)
                version = await self._world.store.write_status(self.cluster.ref, body)
            except ApiFault as error:
                log.info("write_not_done", error=str(error))
                return False
            self.cluster = replace(self.cluster, status=status)
            self._registry.cluster_written(self.cluster, int(version))
            return True

    async def rule(self, found: Found, now: Now, heartbeat_seconds: float) -> bool:
        """Whether a sweep may clean up so many. The status says so first: who comes next must know that an agreement was used."""
        cluster, status = self.cluster, self.cluster.status
        refused = is_true(status.conditions, ClusterCondition.SWEEP_HELD)
        ruling = judge(found, cluster.agreed_sweep, status.sweep_agreement, refused=refused)
        self._link.health = replace(self._link.health, sweep=Sweep(found, ruling))
        if not await self.report(now, heartbeat_seconds):
            self._link.health = replace(self._link.health, sweep=None)
            return False
        self._link.health = replace(self._link.health, sweep=Sweep(found, ruling, is_told=True))
        if ruling.by_agreement:
            said = f"{found.gone} of {found.runs} Runs have lost their objects and are cleaned up: {cluster.agreed_sweep} were agreed to"
            await self._tell(EventNote("Warning", ClusterReason.SWEEP_AGREED, said, "Sweep"))
        return ruling.passes

    async def forgive(self, ghosts: Iterable[Job]) -> bool:
        """Strike what is owed there, since a person has given it up, and tell, of `ghosts` too; whether nothing is owed any more."""
        owed = self._debts.of(self.cluster.name)
        keys = [each.key for each in owed]
        keys += sorted({str(ghost.key) for ghost in ghosts} - set(keys))
        if keys:
            said = f"Runs that may have left something on the cluster were given up, {len(keys)} in all: {keys_told(keys)}"
            await self._tell(EventNote("Warning", ClusterReason.DEBTS_FORGIVEN, said, "Delete"))
        try:
            await self._debts.strike(owed, "forgiven")
        except ApiFault as error:
            log.info("write_not_done", error=str(error))
            return False
        return True

    async def release(self) -> bool:
        """Let a deleted Cluster go, of which no Job may run any more, and on which nothing is owed; whether it is gone.

        With it the way to the directories of its finished Jobs goes: while the cluster answers, they go down to tombstones first.
        """
        if not self._debts.known or any(each.is_payable for each in self._debts.of(self.cluster.name)):
            return False
        if self.cluster.held and self._link.tree is not None and not await self._clear_tree():
            return False
        try:
            await self._world.store.release(self.cluster.ref, finished=False)
        except ApiFault as error:
            log.info("write_not_done", error=str(error))
            return False
        return True

    async def _clear_tree(self) -> bool:
        scheduler, tree = self._driver().scheduler, self._link.tree
        if tree is None or not self._world.leadership.held():
            return False
        try:
            found = await self._link.exchange(scheduler.remove(self._world.token(), tree, Removal((), sweep=True)))
            keys = _to_clear(found)
            removed = await self._link.exchange(scheduler.remove(self._world.token(), tree, Removal(keys)))
        except FairleadError as error:
            log.info("exchange_failed", lane="clear", error=str(error))
            return False
        return removed.keys >= set(keys)

    async def _tell(self, note: EventNote) -> None:
        log.warning("told", reason=str(note.reason), said=note.message)
        await self._world.store.record_event(self.cluster.ref, note)


def _to_clear(found: Removed) -> list[RunKey]:
    """All directories but tombstones, and those that were left alone by their Jobs' deletionPolicy."""
    there = [each for each in found.remnants if not each.tombstone]
    uids = {each.key.uid for each in newest(there)}
    return [each.key for each in there if each.key.uid in uids]
