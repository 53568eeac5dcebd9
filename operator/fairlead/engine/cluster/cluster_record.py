"""One Cluster object as all its sites know it, and the only writer of its finalizer and status."""

import asyncio
from dataclasses import replace

import structlog

from fairlead.api.v1alpha1.cluster import ClusterStatus
from fairlead.api.v1alpha1.reasons import ClusterReason
from fairlead.domain.cluster import sites
from fairlead.domain.cluster.cluster import Cluster
from fairlead.domain.errors import ApiFault, Conflict
from fairlead.domain.objects import EventNote
from fairlead.engine.failures.pauses import Pauses, is_refusal
from fairlead.engine.ports import World
from fairlead.engine.registry import Registry
from fairlead.telemetry import metrics

log = structlog.get_logger()

_FINALIZER, _STATUS = "finalizer", "status"


class ClusterRecord:
    """`cluster` is the object as it was last read or written. A change of its status holds `writing` from the look at it to the write."""

    def __init__(self, cluster: Cluster, world: World, registry: Registry) -> None:
        self.cluster = cluster
        self.writing = asyncio.Lock()
        self.said: dict[str, ClusterStatus] = {}   # what each of its hosts has said of itself since this process began
        self.sites: set[str] = set()               # those that work now
        self.cleared: set[str] = set()             # those of a deleted Cluster that have nothing left to do
        self.forsaken: set[str] = set()            # those of a deleted Cluster at which nothing can be done any more
        self.released = False
        self.why_no_finalizer = ""                           # why our finalizer is not on it, in the API server's words
        self._pauses = Pauses(world)
        self._world = world
        self._registry = registry
        self._holding = asyncio.Lock()

    async def hold(self) -> bool:
        """Our finalizer on the Cluster, before the first intent: it must not go while a Job may run there. Whether it is on."""
        async with self._holding:
            if self.cluster.has_finalizer:
                return True
            if self._pauses.ends(_FINALIZER):
                return False
            try:
                await self._world.store.add_finalizer(self.cluster.ref)
            except ApiFault as error:
                self.why_no_finalizer = f"Cluster {self.cluster.ref.name} cannot be given Fairlead's finalizer: {error}"
                await self._not_taken(_FINALIZER, error)
                return False
            self._pauses.taken(_FINALIZER)
            self.cluster, self.why_no_finalizer = replace(self.cluster, has_finalizer=True), ""
        return True

    async def write(self, status: ClusterStatus) -> bool:
        """Write the whole status, if it differs; whether it is as it should be."""
        if status == self.cluster.status:
            return True
        if self._pauses.ends(_STATUS):
            return False
        try:
            body = status.model_dump(mode="json", by_alias=True, exclude_none=True)
            version = await self._world.store.write_status(self.cluster.ref, body)
        except ApiFault as error:
            metrics.status_written.labels("Cluster", "conflict" if isinstance(error, Conflict) else "unavailable").inc()
            await self._not_taken(_STATUS, error)
            return False
        self._pauses.taken(_STATUS)
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
        if self._pauses.ends(_FINALIZER):
            return False
        try:
            await self._world.store.release(self.cluster.ref, finished=False)
        except ApiFault as error:
            await self._not_taken(_FINALIZER, error)
            return False
        self.released = True
        return True

    async def _not_taken(self, what: str, error: ApiFault) -> None:
        """Wait, longer each time; what is refused for good is told by an Event, since the status may be just what is refused."""
        log.info("write_not_done", error=str(error))
        if is_refusal(error, self._pauses.not_taken(what, error)):
            said = f"the API server refuses what Fairlead has to write ({what}): {error}. It is tried again, less and less often"
            await self._world.store.record_event(self.cluster.ref, EventNote("Warning", ClusterReason.WRITE_REFUSED, said, "Write"))
