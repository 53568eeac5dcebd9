"""Jobs that no site has: their Cluster does not exist, or does not admit their namespace. They are told so, and asked after again.

One whose Cluster is gone is let go where nothing of it can be anywhere, or when its deadline is over.
"""

import asyncio
from collections.abc import Iterable, Mapping

import structlog

from fairlead.api.v1alpha1 import names
from fairlead.api.v1alpha1.reasons import JobReason
from fairlead.domain import report
from fairlead.domain.admission import asks_for_labels
from fairlead.domain.cluster import Cluster
from fairlead.domain.errors import ApiFault
from fairlead.domain.job import Job
from fairlead.domain.objects import EventNote
from fairlead.domain.settle import Outcome
from fairlead.engine.ports import World
from fairlead.engine.registry import Registry
from fairlead.engine.stranded import Stranded
from fairlead.engine.writer import Writer

log = structlog.get_logger()

QUESTIONS_AT_ONCE = 16
"""To the API server."""


class Lobby:
    """Looks after the Jobs that no site has."""

    def __init__(self, world: World, registry: Registry, writer: Writer, stranded: Stranded) -> None:
        self._world = world
        self._registry = registry
        self._writer = writer
        self._stranded = stranded
        self._told: set[str] = set()     # uids of Jobs with an annotation that names another host than theirs

    async def look(self) -> None:
        """Tell each Job without a Cluster what it waits for. Labels of namespaces that a Cluster asks for are read first."""
        found = [(job, self._registry.cluster_named(job.cluster)) for job in self._registry.jobs]
        await self._tell_misled([job for job, _ in found])
        open_to = [(job.ref.namespace, cluster) for job, cluster in found if cluster and not (job.deleting or job.ended)]
        asked = {namespace for namespace, cluster in open_to if asks_for_labels(cluster, namespace)}
        places = asyncio.Semaphore(QUESTIONS_AT_ONCE)
        read = await asyncio.gather(*(self._read_labels(namespace, places) for namespace in asked))
        self._registry.know_labels({namespace: labels for namespace, labels in zip(asked, read, strict=True) if labels is not None})
        telling = ((job, self._tell_refused(job, cluster) if cluster else self._tell_missing(job)) for job, cluster in found)
        await self._writer.mishaps.each("told what it waits for", telling)

    async def _tell_misled(self, jobs: Iterable[Job]) -> None:
        """Tell each Job once whose annotation names another host than the one that it has: it has no effect."""
        misled = [job for job in jobs if job.host and job.wished_host not in {"", job.host}]
        new = [job for job in misled if job.ref.uid not in self._told]
        self._told = {job.ref.uid for job in misled}
        for job in new:
            said = f"the annotation {names.HOST_ANNOTATION} was changed, which has no effect: the Job stays on {job.host}, for all attempts"
            await self._world.store.record_event(job.ref, EventNote("Warning", JobReason.HOST_KEPT, said))

    async def _read_labels(self, namespace: str, places: asyncio.Semaphore) -> Mapping[str, str] | None:
        """The labels of a namespace as they are now, None if they cannot be read: then nobody is admitted by them."""
        async with places:
            try:
                return await self._world.data.read_labels(namespace)
            except ApiFault as error:
                log.info("labels_unknown", namespace=namespace, error=str(error))
                return None

    async def _tell_missing(self, job: Job) -> None:
        what, mend = f"Cluster {'/'.join(job.cluster)} does not exist", ": apply it, or correct clusterRef"
        mend_deletion = ", so what may run there cannot be cancelled: apply the Cluster again"
        await self._stranded.see_to(job, JobReason.CLUSTER_NOT_FOUND, what, mend, mend_deletion)

    async def _tell_refused(self, job: Job, cluster: Cluster) -> None:
        now, memory = self._world.now(), self._writer.memory(job)
        why = self._registry.refusal(job, cluster) if self._registry.is_refused(job, cluster) else None
        if why is None or now.monotonic < memory.retry_at or self._writer.rests_until(job):
            return
        if job.deleting or job.ended:    # nothing of it is there, whoever put our finalizer on
            if job.held:
                await self._writer.release(job, finished=job.ended)
        else:
            await self._writer.apply(job, Outcome(memory, report.waiting(job, JobReason.NAMESPACE_NOT_ALLOWED, why, now)))
