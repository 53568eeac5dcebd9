"""Jobs of a Cluster of several bare hosts, until each is given one: by the same write that puts the finalizer on, and for good."""

from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from fairlead.api.v1alpha1.reasons import JobReason, Word
from fairlead.domain.cluster.cluster import Cluster
from fairlead.domain.cluster.placement import Room, place
from fairlead.domain.errors import ApiFault, UserFault
from fairlead.domain.run import settle
from fairlead.domain.run.news import Waiting
from fairlead.domain.run.request import Size
from fairlead.domain.run.steps import Rest, Step, Suspend, TakeUp, decide
from fairlead.domain.run.token import NotYet
from fairlead.domain.run.watched import WatchedOwner
from fairlead.engine.cluster.cluster_record import ClusterRecord
from fairlead.engine.context import SiteContext
from fairlead.engine.far_end.scripts import request_of
from fairlead.engine.site.limits import active, beyond, in_turn, places
from fairlead.engine.unplaced.nowhere import Nowhere
from fairlead.engine.writer import Writer

log = structlog.get_logger()

_SMALLEST = Size(1)
"""Of a Job whose script cannot be read any more: it was read once, when the Job got its host."""


@dataclass(frozen=True, slots=True)
class Placing:
    """Gives hosts to Jobs. `takes_runs` says whether a host of a Cluster answers and has room for new files."""

    context: SiteContext
    writer: Writer
    nowhere: Nowhere
    takes_runs: Callable[[Cluster, str], bool]
    sizes: dict[str, Size]           # by uid: a script is read once

    async def look(self, record: ClusterRecord) -> None:
        """See to all Jobs of one Cluster that have no host yet."""
        cluster, registry = record.cluster, self.context.registry
        jobs = registry.jobs_of(cluster.name)
        without = [job for job in jobs if cluster.site_for(job.ref.namespace, job.host) is None and not registry.is_refused(job, cluster)]
        steps = [(job, self._step(job)) for job in without]
        await self._each("set aside", ((job, self._set_aside(job)) for job, step in steps if isinstance(step, Suspend)))
        lost = (job for job, step in steps if not isinstance(step, Rest | Suspend | TakeUp))
        await self._each("told what it waits for", ((job, self._tell_lost(job)) for job in lost))
        waiting = in_turn(job for job, step in steps if isinstance(step, TakeUp))
        if waiting:
            left = [job for job in self.context.left() if job.cluster == cluster.name]
            await self._place(record, waiting, [job for job in jobs if job.is_active] + left)

    def forget_gone(self) -> None:
        """Forget the sizes of Jobs that have left; of those that may run on, they are still taken."""
        left = {job.ref.uid for job in self.context.left()}
        for uid in [uid for uid in self.sizes if self.context.registry.job(uid) is None and uid not in left]:
            del self.sizes[uid]

    async def _place(self, record: ClusterRecord, waiting: list[WatchedOwner], placed: Sequence[WatchedOwner]) -> None:
        """Give hosts to those `waiting`, in their order, beside those that are `placed`; the others are told why not."""
        cluster = record.cluster
        if told := self._why_nobody(cluster):
            await self._tell_all(waiting, *told)
            return
        count = places(cluster.spec.limits, active(placed))
        first, others = (waiting, []) if count is None else (waiting[:count], waiting[count:])
        await self._tell_all(others, JobReason.CLUSTER_LIMIT_REACHED, beyond(cluster))
        rooms = await self._rooms(cluster, placed)
        sizes = dict(await self.writer.mishaps.each("placed", ((job, self._sized(cluster, job)) for job in first)))
        sized = [(job, size) for job in first if (size := sizes.get(job.ref.uid)) is not None]
        given = place(((job.ref.uid, size, job.wished_host) for job, size in sized), rooms)
        await self._each("taken up", (
            (job, self._take_up(record, job, given[job.ref.uid])) for job, _ in sized if job.ref.uid in given))
        await self._each("told what it waits for", (
            (job, self._tell(job, JobReason.NO_FREE_HOST, f"waits until a host of Cluster {cluster.ref.name} has {_in_words(size)} free"))
            for job, size in sized if job.ref.uid not in given))

    def _why_nobody(self, cluster: Cluster) -> tuple[JobReason, str] | None:
        """Why no Job at all can be begun on a Cluster; None if one can."""
        name = cluster.ref.name
        if cluster.deleting:
            return JobReason.CLUSTER_TERMINATING, f"Cluster {name} is being deleted"
        if cluster.spec.suspend:
            return JobReason.CLUSTER_SUSPENDED, f"Cluster {name} is suspended"
        if not any(self.takes_runs(cluster, host.name) for host in cluster.hosts):
            return JobReason.CLUSTER_NOT_READY, f"Cluster {name} is not ready: none of its hosts answers and has room for new files"
        return None

    async def _rooms(self, cluster: Cluster, placed: Sequence[WatchedOwner]) -> list[Room]:
        """What each host has, and what of it is free."""
        used = dict.fromkeys((host.name for host in cluster.hosts), Size(0))
        there = [job for job in placed if job.host in used]
        sizes = dict(await self.writer.mishaps.each("measured", ((job, self._sized(cluster, job)) for job in there)))
        for job in there:
            used[job.host] += sizes.get(job.ref.uid) or _SMALLEST
        wholes = {host.name: Size(host.slots, host.gpus) for host in cluster.hosts}
        return [Room(name, whole, whole - used[name], self.takes_runs(cluster, name)) for name, whole in wholes.items()]

    async def _sized(self, cluster: Cluster, job: WatchedOwner) -> tuple[str, Size | None]:
        return job.ref.uid, await self._size_of(cluster, job)

    async def _size_of(self, cluster: Cluster, job: WatchedOwner) -> Size | None:
        """What a Job takes of a host; None after it was told what it lacks. What can never run takes nothing: its host says why."""
        size = self.sizes.get(job.ref.uid)
        if size is None:
            try:
                submission = self.context.driver_of(cluster).preparer.prepare(await request_of(job, self.context.world))
            except NotYet as error:
                await self._tell(job, error.reason, str(error))
                return None
            except UserFault:
                return Size(0)
            except ApiFault as error:
                log.info("script_unknown", job=str(job.ref), error=str(error))
                return None
            size = self.sizes[job.ref.uid] = submission.size
        return size

    def _step(self, job: WatchedOwner) -> Step:
        writer, now, pacing = self.writer, self.context.world.now(), self.context.world.settings.pacing
        if until := writer.rests_until(job):
            return Rest(until)
        return writer.mishaps.ask(job, "decided on", lambda: decide(job, writer.memory(job), now, pacing), None) or Rest()

    async def _each(self, stage: str, work: Iterable[tuple[WatchedOwner, Coroutine[Any, Any, None]]]) -> None:
        await self.writer.mishaps.each(stage, work)

    async def _take_up(self, record: ClusterRecord, job: WatchedOwner, host: str) -> None:
        if await record.hold():
            await self.writer.take_up(job, host)
        elif record.why_no_finalizer:
            await self._tell(job, JobReason.CLUSTER_NOT_READY, record.why_no_finalizer)

    async def _set_aside(self, job: WatchedOwner) -> None:
        await self.writer.apply(job, settle.suspending(job, self.writer.memory(job)))

    async def _tell_lost(self, job: WatchedOwner) -> None:
        """A Job that was taken up and does not say where: it may run on any host, so nothing can be begun or ended for it."""
        mend = ": write status.host back"
        await self.nowhere.see_to(job, JobReason.HOST_UNKNOWN, f"it is not known on which host the {job.kind} runs", mend, mend)

    async def _tell_all(self, jobs: Iterable[WatchedOwner], reason: JobReason, why: str) -> None:
        await self._each("told what it waits for", ((job, self._tell(job, reason, why)) for job in jobs))

    async def _tell(self, job: WatchedOwner, reason: Word, why: str) -> None:
        if not job.is_begun:
            await self.writer.tell_waiting(job, Waiting(reason, why))


def _in_words(size: Size) -> str:
    slots = f"{size.slots} slot{'' if size.slots == 1 else 's'}"
    return f"{slots} and {size.gpus} GPU{'' if size.gpus == 1 else 's'}" if size.gpus else slots
