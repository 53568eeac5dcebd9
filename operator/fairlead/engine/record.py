"""One Cluster object as all its sites know it, and the only writer of its finalizer and status."""

import asyncio
from dataclasses import replace

import structlog

from fairlead.api.v1alpha1.cluster import ClusterStatus
from fairlead.domain import sites
from fairlead.domain.cluster import Cluster
from fairlead.domain.errors import ApiFault, Conflict
from fairlead.engine.ports import World
from fairlead.engine.registry import Registry
from fairlead.telemetry import metrics

log = structlog.get_logger()


class Record:
    """`cluster` is the object as it was last read or written. Who changes its status holds `writing` from its look at it to the write."""

    def __init__(self, cluster: Cluster, world: World, registry: Registry) -> None:
        self.cluster = cluster
        self.writing = asyncio.Lock()
        self.said: dict[str, ClusterStatus] = {}   # what each of its hosts has said of itself since this process began
        self.sites: set[str] = set()               # those that work now
        self.cleared: set[str] = set()             # those of a deleted Cluster that have nothing left to do
        self.released = False
        self._world = world
        self._registry = registry
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

    async def write(self, status: ClusterStatus) -> bool:
        """Write the whole status, if it differs; whether it is as it should be."""
        if status == self.cluster.status:
            return True
        try:
            body = status.model_dump(mode="json", by_alias=True, exclude_none=True)
            version = await self._world.store.write_status(self.cluster.ref, body)
        except ApiFault as error:
            metrics.status_written.labels("Cluster", "conflict" if isinstance(error, Conflict) else "unavailable").inc()
            log.info("write_not_done", error=str(error))
            return False
        metrics.status_written.labels("Cluster", "ok").inc()
        self.cluster = replace(self.cluster, status=status)
        self._registry.cluster_written(self.cluster, int(version))
        return True

    async def forget(self, namespace: str) -> None:
        """Say nothing of a login any more that is nobody's."""
        async with self.writing:
            await self.write(sites.without(self.cluster, namespace))

    async def release(self) -> bool:
        """Take our finalizer off; whether it is off."""
        try:
            await self._world.store.release(self.cluster.ref, finished=False)
        except ApiFault as error:
            log.info("write_not_done", error=str(error))
            return False
        self.released = True
        return True
