"""Jobs that no site has: their Cluster does not exist, or does not admit their namespace. They are told so, and asked after again.

One whose Cluster is gone is let go where nothing of it can be anywhere, or when its deadline is over.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping

import structlog

from fairlead.api.v1alpha1 import names
from fairlead.api.v1alpha1.reasons import JobReason
from fairlead.domain.cluster.admission import asks_for_labels
from fairlead.domain.cluster.cluster import Cluster
from fairlead.domain.errors import ApiFault
from fairlead.domain.objects import EventNote
from fairlead.domain.run.news import Waiting
from fairlead.domain.run.watched import WatchedOwner
from fairlead.engine.ports import World
from fairlead.engine.registry import Registry
from fairlead.engine.unplaced.labels import by_turns
from fairlead.engine.unplaced.nowhere import Nowhere
from fairlead.engine.writer import Writer

log = structlog.get_logger()

JOBS_AT_ONCE = 200
"""Looked at, or told, before others have their turn."""
EVENTS_IN_ONE_LOOK = 32


class Unplaced:
    """Looks after the Jobs that no site has."""

    def __init__(self, world: World, registry: Registry, writer: Writer, nowhere: Nowhere) -> None:
        self._world = world
        self._registry = registry
        self._writer = writer
        self._nowhere = nowhere
        self._told: set[str] = set()     # uids of Jobs that were told of an annotation that names another host than theirs
        self._read: dict[str, tuple[float, Mapping[str, str]]] = {}     # labels by namespace, and when they were read (monotonic)

    async def look(self) -> None:
        """Tell each Job without a Cluster what it waits for. Labels of namespaces that a Cluster asks for are read first."""
        await self._know_labels()
        found = [job async for job, cluster in self._walk() if cluster is None or self._registry.is_refused(job, cluster)]
        waiting, clock = by_turns(found, lambda job: job.ref.namespace), self._world.clock
        until = clock.monotonic() + self._world.settings.telling_seconds
        for start in range(0, len(waiting), JOBS_AT_ONCE):
            known = (self._registry.job(job.ref.uid) for job in waiting[start:start + JOBS_AT_ONCE])
            await self._writer.mishaps.each("told what it waits for", ((job, self._tell(job)) for job in known if job))
            if clock.monotonic() > until:
                break

    async def tell_misled(self) -> None:
        """Tell each Job once whose annotation names another host than the one that it has: it has no effect."""
        misled = [job async for job, _ in self._walk() if job.host and job.wished_host not in {"", job.host}]
        self._told = {uid for uid in self._told if self._registry.job(uid)}
        new = by_turns((job for job in misled if job.ref.uid not in self._told), lambda job: job.ref.namespace)[:EVENTS_IN_ONE_LOOK]
        self._told |= {job.ref.uid for job in new}
        await asyncio.gather(*(self._world.store.record_event(job.ref, _host_kept(job)) for job in new))

    async def _walk(self) -> AsyncIterator[tuple[WatchedOwner, Cluster | None]]:
        """All Jobs as they are known now, each with its Cluster. Others have their turn in between."""
        for number, each in enumerate(self._registry.jobs, 1):
            if job := self._registry.job(each.ref.uid):
                yield job, self._registry.cluster_named(job.cluster)
            if number % JOBS_AT_ONCE == 0:
                await asyncio.sleep(0)

    async def _know_labels(self) -> None:
        """Read the labels of namespaces that a Cluster asks for."""
        if not self._read and all(each.spec.allowed_namespaces.from_ != "Selector" for each in self._registry.clusters):
            return                       # a look at each Job, each few seconds, for nothing
        open_to = [(job.ref.namespace, cluster) async for job, cluster in self._walk() if cluster and not (job.deleting or job.ended)]
        asked = {namespace for namespace, cluster in open_to if asks_for_labels(cluster, namespace)}
        settings = self._world.settings
        places = asyncio.Semaphore(settings.api_questions)
        due = [each for each in asked if self._age_seconds(each) >= settings.labels_again_seconds]
        await asyncio.gather(*(self._read_labels(namespace, places) for namespace in due))
        self._read = {namespace: read for namespace, read in self._read.items()
                      if namespace in asked and self._age_seconds(namespace) < settings.labels_kept_seconds}
        self._registry.know_labels({namespace: labels for namespace, (_, labels) in self._read.items()})

    async def _read_labels(self, namespace: str, places: asyncio.Semaphore) -> None:
        """The labels of a namespace as they are now. Those of one that is gone are none; without an answer the last ones stay."""
        async with places:
            try:
                labels = await self._world.data.read_labels(namespace)
            except ApiFault as error:
                log.info("labels_unknown", namespace=namespace, error=str(error))
                return
        self._read.pop(namespace, None)
        if labels is not None:
            self._read[namespace] = self._world.clock.monotonic(), labels

    def _age_seconds(self, namespace: str) -> float:
        read_at, _ = self._read.get(namespace, (float("-inf"), {}))
        return self._world.clock.monotonic() - read_at

    async def _tell(self, job: WatchedOwner) -> None:
        cluster = self._registry.cluster_named(job.cluster)
        await (self._tell_refused(job, cluster) if cluster else self._tell_missing(job))

    async def _tell_missing(self, job: WatchedOwner) -> None:
        what, mend = f"Cluster {'/'.join(job.cluster)} does not exist", ": apply it, or correct clusterRef"
        if not self._world.scope.covers(job.cluster[0]):
            what = f"Cluster {'/'.join(job.cluster)} is in a namespace that this controller does not watch"
            mend = ": have it watched, or correct clusterRef"
        mend_deletion = ", so what may run there cannot be cancelled: apply the Cluster again"
        await self._nowhere.see_to(job, JobReason.CLUSTER_NOT_FOUND, what, mend, mend_deletion)

    async def _tell_refused(self, job: WatchedOwner, cluster: Cluster) -> None:
        why = self._registry.refusal(job, cluster) if self._registry.is_refused(job, cluster) else None
        if why is None or self._writer.is_at_rest(job):
            return
        if not (job.deleting or job.ended):
            await self._writer.tell_waiting(job, Waiting(JobReason.NAMESPACE_NOT_ALLOWED, why))
        elif job.has_finalizer:          # nothing of it is there, whoever put our finalizer on
            await self._writer.release(job, finished=job.ended)


def _host_kept(job: WatchedOwner) -> EventNote:
    said = f"the annotation {names.HOST_ANNOTATION} was changed, which has no effect: the {job.kind} stays on {job.host}, for all attempts"
    return EventNote("Warning", JobReason.HOST_KEPT, said)
