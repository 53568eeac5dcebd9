"""What a site does by API writes alone: Jobs are taken up, told what they wait for, and released."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from fairlead.api.v1alpha1.reasons import JobReason
from fairlead.domain import report, settle
from fairlead.domain.cluster import Cluster
from fairlead.domain.debt import is_overdue, will_not_go
from fairlead.domain.errors import ApiFault
from fairlead.domain.job import Job
from fairlead.domain.memory import Memory
from fairlead.domain.pacing import Now
from fairlead.domain.settle import Outcome
from fairlead.domain.steps import Release, Resume, Step, Suspend, TakeUp, decide
from fairlead.engine.context import SiteContext
from fairlead.engine.custody import Custody
from fairlead.engine.lanes import Lanes, Work
from fairlead.engine.limits import Admission, active
from fairlead.engine.overdue import Overdue

log = structlog.get_logger()

Steps = list[tuple[Job, Step]]
_Write = TakeUp | Suspend | Resume | Release


@dataclass(frozen=True, slots=True)
class Errands:
    """The API writes of one site. `ghosts` are the Jobs without an object, by uid; `wake` has the site look again at once."""

    context: SiteContext
    work: Work
    custody: Custody
    overdue: Overdue
    lanes: Lanes
    ghosts: dict[str, Job]
    wake: Callable[[], None]

    @property
    def cluster(self) -> Cluster:
        """The Cluster as it is known now."""
        return self.custody.cluster

    async def run(self, steps: Steps) -> Steps:
        """Do the steps that are API writes alone; the others, with those that became possible by it."""
        waiting = self._beyond_limit(steps)
        rest: Steps = [(job, step) for job, step in steps if not isinstance(step, _Write)]
        writes = [(job, step) for job, step in steps if isinstance(step, _Write)]
        await asyncio.gather(*(self._write(job, step, job.ref.uid in waiting, rest) for job, step in writes))
        return rest

    async def without_cluster(self, jobs: Sequence[Job], reason: JobReason, why: str) -> None:
        """Tell the Jobs that wait for the cluster, and let those go that need it no more or have waited for long enough.

        What is known of the others stays as it is.
        """
        wall = self.work.world.clock.wall()
        await self.overdue.let_go([job for job in jobs if is_overdue(job, wall)], why, reached=False)
        free = [job for job in jobs if not self.lanes.is_busy(job.ref.uid)]
        done = {job.ref.uid: step for job in free if isinstance(step := self._step(job), Release)}
        await asyncio.gather(*(self._release(job, done[job.ref.uid]) for job in free if job.ref.uid in done))
        waiting = [job for job in free if job.ref.uid not in done and not is_overdue(job, wall)]
        await asyncio.gather(*(self._tell_waiting(job, reason, why) for job in waiting))

    async def let_stuck_go(self, jobs: Sequence[Job]) -> list[Job]:
        """Let go who is overdue though the cluster answers, and all was tried; the others."""
        now, pacing, writer = self.work.now(), self.work.settings.pacing, self.work.writer
        stuck = [job for job in jobs if not self.lanes.is_busy(job.ref.uid) and will_not_go(job, writer.memory(job), now, pacing)]
        await self.overdue.let_go(stuck, f"what the Job has on Cluster {self.cluster.ref.name} does not go", reached=True)
        uids = {job.ref.uid for job in stuck}
        return [job for job in jobs if job.ref.uid not in uids]

    def _beyond_limit(self, steps: Steps) -> set[str]:
        """The uids of those for whom spec.limits.maxActiveJobs has no place: who came last."""
        jobs = self.context.registry.jobs_of((self.cluster.ref.namespace, self.cluster.ref.name))
        places = Admission(self.cluster.spec.limits.max_active_jobs).places(active(jobs))
        wanting = [job.ref.uid for job, step in steps if isinstance(step, TakeUp | Resume)]
        return set() if places is None else set(wanting[places:])

    async def _write(self, job: Job, step: _Write, is_beyond_limit: bool, rest: Steps) -> None:
        name = self.cluster.ref.name
        match step:
            case TakeUp() if self.cluster.deleting:
                await self._tell_waiting(job, JobReason.CLUSTER_TERMINATING, f"Cluster {name} is being deleted")
            case TakeUp() | Resume() if is_beyond_limit:
                limit = self.cluster.spec.limits.max_active_jobs
                why = f"Cluster {name} takes {limit} Jobs at a time (spec.limits.maxActiveJobs): this one waits"
                await self._tell_waiting(job, JobReason.CLUSTER_LIMIT_REACHED, why)
            case TakeUp():
                await self._take_up(job, rest)
            case Suspend():
                await self._apply(job, settle.suspending)
            case Resume():
                await self._apply(job, settle.resuming)
            case Release():
                await self._release(job, step)

    async def _take_up(self, job: Job, rest: Steps) -> None:
        if not await self.custody.hold() or not await self.work.writer.take_up(job):
            return
        if (known := self.work.current(job.ref.uid)) is not None:
            rest.append((known, self._step(known)))

    def _step(self, job: Job) -> Step:
        return decide(job, self.work.writer.memory(job), self.work.now(), self.work.settings.pacing)

    async def _apply(self, job: Job, settled: Callable[[Job, Memory, Now], Outcome]) -> None:
        """Write what a person's wish changes; the next look follows it."""
        if await self.work.writer.apply(job, settled(job, self.work.writer.memory(job), self.work.now())):
            self.wake()

    async def _release(self, job: Job, step: Release) -> None:
        work = self.work
        memory = work.writer.memory(job)
        if not step.finished:
            try:
                await self.context.debts.settle((self.cluster.ref.namespace, self.cluster.ref.name), job, memory.unaccounted)
            except ApiFault as error:
                log.info("write_not_done", error=str(error))
                work.writer.remember(job, memory.later(work.now(), work.settings.pacing.ask_again_seconds))
                return
        if self.ghosts.pop(job.ref.uid, None) is not None:
            work.writer.forget(job.ref.uid)
        elif await work.writer.release(job, finished=step.finished) and step.finished:
            self.context.ended(self.cluster, job)
        self.wake()

    async def _tell_waiting(self, job: Job, reason: JobReason, why: str) -> None:
        now, memory = self.work.now(), self.work.writer.memory(job)
        is_ours_to_tell = job.held if job.deleting else not job.run_id
        if job.ref.uid in self.ghosts or job.is_parked or not is_ours_to_tell or now.monotonic < memory.retry_at:
            return
        status = report.deleting(job, why, now) if job.deleting else report.waiting(job, reason, why, now)
        if status is not None:
            await self.work.writer.apply(job, Outcome(memory, status))
