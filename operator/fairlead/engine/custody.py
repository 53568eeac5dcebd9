"""Our hold on one Cluster object: its finalizer while Jobs may run there, its status, and its release once nothing can be left behind."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import structlog

from fairlead.domain import cluster as clusters
from fairlead.domain.cluster import Cluster
from fairlead.domain.errors import ApiFault, FairleadError
from fairlead.domain.pacing import Now
from fairlead.engine.link import Link
from fairlead.engine.ports import World
from fairlead.engine.registry import Registry
from fairlead.schedulers.seam import Driver, Removal

log = structlog.get_logger()


class Custody:
    """Holds, reports and releases. `cluster` is the object as it was last read or written."""

    def __init__(self, cluster: Cluster, world: World, registry: Registry, link: Link, driver: Callable[[], Driver]) -> None:
        self.cluster = cluster
        self._world = world
        self._registry = registry
        self._link = link
        self._driver = driver
        self._holding = asyncio.Lock()

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

    async def report(self, now: Now, heartbeat_seconds: float) -> None:
        """Write the status if anything that a person reads has changed, or a heartbeat is due."""
        status = clusters.report(self.cluster, self._link.health, now, heartbeat_seconds)
        if status is None:
            return
        try:
            body = status.model_dump(mode="json", by_alias=True, exclude_none=True)
            version = await self._world.store.write_status(self.cluster.ref, body)
        except ApiFault as error:
            log.info("write_not_done", error=str(error))
            return
        self.cluster = replace(self.cluster, status=status)
        self._registry.cluster_written(self.cluster, int(version))

    async def release(self) -> bool:
        """Let a deleted Cluster go, of which no Job may run any more; whether it is gone.

        With it the way to the directories of its finished Jobs goes: while the cluster answers, they go down to tombstones first.
        """
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
            keys = [each.key for each in found.remnants if not each.tombstone]
            removed = await self._link.exchange(scheduler.remove(self._world.token(), tree, Removal(keys)))
        except FairleadError as error:
            log.info("exchange_failed", lane="clear", error=str(error))
            return False
        return removed.keys >= set(keys)
