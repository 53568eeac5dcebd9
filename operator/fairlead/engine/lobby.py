"""Jobs whose Cluster does not exist: told so, and let go where nothing of theirs can be anywhere, or when their deadline is over."""

import asyncio

from fairlead.api.v1alpha1.reasons import JobReason
from fairlead.domain import report
from fairlead.domain.debt import is_overdue
from fairlead.domain.job import Job
from fairlead.domain.pacing import Now
from fairlead.domain.settle import Outcome
from fairlead.engine.overdue import Overdue
from fairlead.engine.ports import World
from fairlead.engine.registry import Registry
from fairlead.engine.writer import Writer


class Lobby:
    """Looks after the Jobs that no site has."""

    def __init__(self, world: World, registry: Registry, writer: Writer, overdue: Overdue) -> None:
        self._world = world
        self._registry = registry
        self._writer = writer
        self._overdue = overdue

    async def look(self) -> None:
        """Tell each Job without a Cluster what it waits for."""
        await asyncio.gather(*(self._tell(job) for job in self._registry.jobs if self._registry.cluster_named(job.cluster) is None))

    async def _tell(self, job: Job) -> None:
        now, memory = Now(self._world.clock.monotonic(), self._world.clock.wall()), self._writer.memory(job)
        if now.monotonic < memory.retry_at:
            return
        name = f"{job.ref.namespace}/{job.spec.cluster_ref.name}"
        if job.ended:
            await self._writer.release(job, finished=True)
        elif is_overdue(job, now.wall):
            await self._overdue.let_go([job], f"Cluster {name} does not exist", reached=False)
        elif job.deleting:
            why = f"Cluster {name} does not exist, so what may run there cannot be cancelled: apply the Cluster again"
            status = report.deleting(job, why, now) if job.held else None
            await self._writer.apply(job, Outcome(memory, status))
        else:
            why = f"Cluster {name} does not exist: apply it, or correct clusterRef"
            status = report.waiting(job, JobReason.CLUSTER_NOT_FOUND, why, now)
            await self._writer.apply(job, Outcome(memory, status))
