"""What a site does by API writes alone: Jobs are taken up, told what they wait for, and released.

What is known of a Job before a wait may be old after it, since lanes go on meanwhile: it is read again.
"""

from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog

from fairlead.api.v1alpha1.reasons import JobReason
from fairlead.domain.cluster.cluster import Cluster
from fairlead.domain.errors import ApiFault
from fairlead.domain.gone.debt import is_overdue, will_not_go
from fairlead.domain.gone.remains import Remains
from fairlead.domain.run import news, settle
from fairlead.domain.run.memory import Memory
from fairlead.domain.run.owner import RunOwner
from fairlead.domain.run.settle import Outcome
from fairlead.domain.run.steps import KeepOut, Release, Rest, Resume, Step, Suspend, TakeUp, decide
from fairlead.domain.run.watched import WatchedOwner
from fairlead.engine.cluster.hold import Hold
from fairlead.engine.context import SiteContext
from fairlead.engine.failures.mishaps import contained
from fairlead.engine.far_end.exchanges import Work
from fairlead.engine.far_end.lanes import Lanes
from fairlead.engine.owed.overdue import LETTING_GO, Overdue
from fairlead.engine.site.limits import active, asks_for_a_place, beyond, places

log = structlog.get_logger()

Steps = list[tuple[RunOwner, Step]]
_Write = TakeUp | Suspend | Resume | KeepOut | Release


@dataclass(frozen=True, slots=True)
class ApiSteps:
    """The API writes of one site. `jobs` gives all owners as they are known now, `cleaning` are those of them without an object, by uid."""

    context: SiteContext
    work: Work
    hold: Hold
    overdue: Overdue
    lanes: Lanes
    jobs: Callable[[], list[RunOwner]]
    cleaning: dict[str, Remains]
    wake: Callable[[], None]         # has the site look again at once

    @property
    def cluster(self) -> Cluster:
        """The Cluster as it is known now."""
        return self.hold.cluster

    def decided(self) -> Steps:
        """What comes next for each Job that no lane changes now."""
        return [(job, self._step(job)) for job in self._free()]

    async def run(self) -> None:
        """Do the steps that are API writes alone."""
        steps = self.decided()
        waiting = self._beyond_limit(steps)
        writes = [(job, step) for job, step in steps if isinstance(step, _Write)]
        await self._each("gone on with", ((job, self._write(job, step, job.ref.uid in waiting)) for job, step in writes))

    async def let_overdue_go(self, why: str) -> None:
        """Let those go that have waited for the cluster for long enough."""
        wall = self.work.world.clock.wall()
        await self.overdue.let_go([job for job in with_object(self.jobs()) if self._is_overdue(job, wall)], why, reached=False)

    async def without_cluster(self, reason: JobReason, why: str) -> None:
        """Tell the Jobs that wait for the cluster, and let those go that need it no more or have waited for long enough.

        What is known of the others stays as it is.
        """
        await self.let_overdue_go(why)
        await self._each("released", ((job, self._release(job, step)) for job, step in self.decided() if isinstance(step, Release)))
        wall = self.work.world.clock.wall()
        waiting = [job for job, step in self.decided() if not isinstance(step, Release) and not self._is_overdue(job, wall)]
        telling = ((job, self._tell_waiting(job, reason, why)) for job in with_object(waiting))
        await self._each("told what it waits for", telling)

    async def let_stuck_go(self) -> None:
        """Let those go that are overdue though the cluster answers, once all was tried."""
        wall, mishaps, free = self.work.world.clock.wall(), self.work.writer.mishaps, list(with_object(self._free()))
        resting = [job for job in free if mishaps.rests_until(job) and self._is_overdue(job, wall)]
        stuck = [job for job in free if mishaps.ask(job, LETTING_GO, partial(self._is_stuck, job), False)] + resting
        await self.overdue.let_go(stuck, f"what it has on Cluster {self.cluster.ref.name} does not go", reached=True)

    def _free(self) -> list[RunOwner]:
        return [job for job in self.jobs() if not self.lanes.is_busy(job.ref.uid)]

    def _beyond_limit(self, steps: Steps) -> set[str]:
        """The uids of those for whom spec.limits.maxActiveJobs has no place: the last. It counts for each login, and for all bare hosts."""
        of_all = self.context.registry.jobs_of(self.cluster.name) if self.cluster.spec.process else self.jobs()
        jobs = [job for job in with_object(of_all) if job.ref.uid not in self.cleaning and not self._is_missed(job)]
        free = places(self.cluster.spec.limits, active([*jobs, *self._left()]))
        wanting = [job.ref.uid for job, step in steps if asks_for_a_place(job, step)]
        return set() if free is None else set(wanting[free:])

    def _left(self) -> list[WatchedOwner]:
        """The Jobs that left the watch while they were active, as far as the limit counts them."""
        whole, site = self.hold.record.cluster, self.cluster.site
        return [job for job in self.context.left() if job.cluster == whole.name and (
            whole.spec.process or whole.site_for(job.ref.namespace, job.host) == site)]

    def _is_missed(self, job: WatchedOwner) -> bool:
        """Whether nothing was there of a Job that is not admitted: by its status alone it takes nobody's place."""
        return self.work.writer.memory(job).nowhere_since is not None and self.context.registry.refusal(job, self.cluster) is not None

    async def _write(self, job: RunOwner, step: _Write, is_beyond_limit: bool) -> None:
        if isinstance(step, Release):
            await self._release(job, step)
        elif isinstance(job, WatchedOwner):
            await self._go_on(job, step, is_beyond_limit)

    async def _go_on(self, job: WatchedOwner, step: TakeUp | Suspend | Resume | KeepOut, is_beyond_limit: bool) -> None:
        name = self.cluster.ref.name
        match step:
            case TakeUp() if self.cluster.deleting and not job.is_begun:
                await self._tell_waiting(job, JobReason.CLUSTER_TERMINATING, f"Cluster {name} is being deleted")
            case Resume() if why := self.context.registry.refusal(job, self.cluster):
                await self._tell_waiting(job, JobReason.NAMESPACE_NOT_ALLOWED, why)
            case KeepOut() if why := self.context.registry.refusal(job, self.cluster):
                memory = self.work.writer.memory(job)
                await self.work.writer.apply(job, Outcome(memory, news.KeptOut(why)))
            case TakeUp() | Resume() if full := self.work.link.full:
                await self._tell_waiting(job, JobReason.CLUSTER_NOT_READY, f"Cluster {name} takes nothing new: {full}")
            case TakeUp() | Resume() if is_beyond_limit:
                await self._tell_waiting(job, JobReason.CLUSTER_LIMIT_REACHED, beyond(self.cluster))
            case TakeUp():
                await self._take_up(job)
            case Suspend():
                await self._apply(job, settle.suspending)
            case Resume():
                await self._apply(job, settle.resuming)

    async def _take_up(self, job: WatchedOwner) -> None:
        if await self.hold.take():
            await self.work.writer.take_up(job, self.cluster.host.name if self.cluster.host else "")
        elif why := self.hold.record.why_no_finalizer:
            await self._tell_waiting(job, JobReason.CLUSTER_NOT_READY, why)

    def _is_stuck(self, job: RunOwner) -> bool:
        work = self.work
        return will_not_go(job, work.writer.memory(job), work.world.now(), work.world.settings.pacing)

    def _is_overdue(self, job: RunOwner, wall: float) -> bool:
        """Whether it is let go whatever goes wrong with it; not if even that cannot be told."""
        with contained("overdue", job=str(job.ref)):
            return is_overdue(job, wall)
        return False

    async def _each(self, stage: str, work: Iterable[tuple[RunOwner, Coroutine[Any, Any, None]]]) -> None:
        await self.work.writer.mishaps.each(stage, work)

    def _step(self, job: RunOwner) -> Step:
        writer, now, pacing = self.work.writer, self.work.world.now(), self.work.world.settings.pacing
        if until := writer.rests_until(job):
            return Rest(until)

        def decided() -> Step:
            admitted = self.context.registry.refusal(job, self.cluster) is None
            return decide(job, writer.memory(job), now, pacing, admitted=admitted)

        return writer.mishaps.ask(job, "decided on", decided, None) or Rest(writer.rests_until(job))

    async def _apply(self, job: WatchedOwner, settled: Callable[[RunOwner, Memory], Outcome]) -> None:
        """Write what a person's wish changes; the next look follows it."""
        if (await self.work.writer.apply(job, settled(job, self.work.writer.memory(job)))).done:
            self.wake()

    async def _release(self, job: RunOwner, step: Release) -> None:
        work = self.work
        memory = work.writer.memory(job)
        if not step.finished:
            try:
                await self.context.debts.settle(job, memory.unaccounted)
            except ApiFault as error:
                log.info("write_not_done", error=str(error))
                work.writer.remember(job, memory.later(work.world.now(), work.world.settings.pacing.ask_again_seconds))
                return
        if self.cleaning.pop(job.ref.uid, None) is not None:
            work.writer.forget(job.ref.uid)
        elif not await work.writer.release(job, finished=step.finished):
            return
        elif step.finished and isinstance(job, WatchedOwner):
            self.context.ended(job)
        self.wake()

    async def _tell_waiting(self, job: WatchedOwner, reason: JobReason, why: str) -> None:
        is_ours_to_tell = job.has_finalizer if job.deleting else job.is_kept_out or not job.run_id
        is_set_aside = job.is_parked and job.suspend
        if job.ref.uid not in self.cleaning and not is_set_aside and is_ours_to_tell:
            await self.work.writer.tell_waiting(job, news.DeletionWaits(why) if job.deleting else news.Waiting(reason, why))


def with_object(owners: Iterable[RunOwner]) -> Iterable[WatchedOwner]:
    """Those that are more than what is left of one that is gone: they can be told something."""
    return (each for each in owners if isinstance(each, WatchedOwner))
