"""One site's loop, of one login or host of a Cluster: is it reached, what comes next for each of its Jobs, what does its Cluster say of it.

    wake or due -> link up? -> decide() for each Job -> API writes (take up, release)
                                     |
         three lanes, one exec each in flight, a Job in one of them at most:  submit | cancel and bury | observe
                                     |
                     answers -> settle() -> Writer -> wake

A Job is never in two lanes, and leaves one only when what came of it is written down, so submit and cancel of one key are never in flight
together; the submit lane takes the next batch meanwhile. An observation counts for a Job only if the Job
was in no other lane since it began.
"""

import asyncio
from dataclasses import replace
from functools import partial

import structlog

from fairlead.api.v1alpha1.reasons import ClusterReason, JobReason
from fairlead.domain.cluster import sites
from fairlead.domain.cluster.cluster import Cluster
from fairlead.domain.cluster.residue import Use
from fairlead.domain.errors import RemoteFault
from fairlead.domain.gone.debt import deadline_of
from fairlead.domain.gone.remains import Remains
from fairlead.domain.gone.sweep import Found
from fairlead.domain.objects import Location
from fairlead.domain.run.owner import RunOwner
from fairlead.domain.run.watched import WatchedOwner
from fairlead.engine.cluster.clearing import Clearing
from fairlead.engine.cluster.cluster_record import ClusterRecord
from fairlead.engine.cluster.hold import Hold
from fairlead.engine.cluster.site_report import SiteReport
from fairlead.engine.context import SiteContext
from fairlead.engine.failures.breaker import CLOSED
from fairlead.engine.far_end.exchanges import Work
from fairlead.engine.far_end.link import Link
from fairlead.engine.owed.overdue import Overdue
from fairlead.engine.ports import World
from fairlead.engine.registry import Registry
from fairlead.engine.site.api_steps import ApiSteps
from fairlead.engine.site.limits import in_turn
from fairlead.engine.site.service_steps import ServiceSteps
from fairlead.engine.site.starts import Starts
from fairlead.engine.writer import Writer
from fairlead.schedulers.seam import Driver
from fairlead.telemetry import metrics

log = structlog.get_logger()

FEW_JOBS = 100
REST_SECONDS_A_JOB = 0.0002
"""A turn costs 0.05 to 0.1 ms for each Job, in which nobody else is served."""


class Site:
    """The loop of one site of a Cluster: `run()` goes on until it is cancelled or released. `site`: which, empty for the Cluster's own."""

    def __init__(self, record: ClusterRecord, site: str, context: SiteContext, link: Link) -> None:
        cluster = self._seen = sites.seen_by(record.cluster, site)
        self._site = site
        self.name = f"site {cluster.ref}{f' at {site}' if site else ''}"
        self._context = context
        self._world: World = context.world
        self._registry: Registry = context.registry
        self._settings = context.world.settings
        self._link = link
        link.on_port = self.wake
        self._report = SiteReport(record, site, context, link)
        self._clearing = Clearing(self._report, context, self._driver)
        self._hold = Hold(self._report, self._clearing, context)
        self._writer = Writer(context.world, context.registry, self._beat)
        self._cleaning: dict[str, Remains] = {}
        work = Work(self._world, self._link, self._writer, self._current, self._driver)
        self._starts = Starts(work, context, self)
        overdue = Overdue(context.world, context.debts, self._writer)
        self._api_steps = ApiSteps(context, work, self._hold, overdue, self._starts.lanes, self._jobs, self._cleaning, self.wake)
        self._service_steps = ServiceSteps(work, self._own_jobs)
        self._wake = asyncio.Event()
        self._released = False

    @property
    def cluster(self) -> Cluster:
        """The Cluster as it is known now."""
        return self._report.cluster

    @property
    def location(self) -> Location:
        """Where it is."""
        return Location(self.cluster.name, self._site if self.cluster.spec.process else "")

    @property
    def is_reached(self) -> bool:
        """Whether the cluster answered at the last try."""
        return self._link.tree is not None

    @property
    def takes_runs(self) -> bool:
        """Whether it can be given something new to run."""
        return self.is_reached and not self._link.full

    @property
    def polled_at(self) -> float | None:
        """When a poll was last answered (monotonic), or the first was due; None while the site is left alone or was never reached."""
        return self._link.polled_at

    def wake(self) -> None:
        """Something changed: look at it at once."""
        self._wake.set()

    def changed(self) -> None:
        """The Cluster was changed or deleted."""
        before, cluster = self._seen, self.cluster
        self._seen = cluster
        if cluster.generation != before.generation:
            self._starts.changed(cluster)
            self._link.reset()
        if cluster.agreed_sweep != before.agreed_sweep:
            self._starts.sweep_now()
        self.wake()

    def leave(self) -> None:
        """The Cluster is gone: end the loop and close the connection."""
        self._released = True
        self.wake()

    def clean_up(self, remains: Remains) -> None:
        """See to it that nothing is left of an owner of Runs whose object is gone."""
        metrics.run_swept.inc()
        log.info("burying", job=str(remains.ref), attempt=remains.key.attempt)
        self._cleaning[remains.ref.uid] = remains
        self.wake()

    def is_under_way(self, uid: str) -> bool:
        """Whether what is left of this object is being cleaned up already."""
        return uid in self._cleaning

    @property
    def is_cleaning(self) -> bool:
        """Whether what is left of anything is being cleaned up."""
        return bool(self._cleaning)

    def forget_gone(self) -> None:
        """Forget what was remembered of Jobs that are gone, and after which nothing is left to clean up."""
        self._writer.keep(lambda uid: uid in self._cleaning or self._context.cluster_of(uid) is not None)

    async def rule(self, found: Found) -> bool:
        """Whether a sweep may clean up behind so many objects."""
        return await self._report.rule(found, self._world.now(), self._settings.heartbeat_seconds)

    async def tell_of_strays(self, strays: int, strange: int) -> None:
        """Tell people of directories that were never handed in, and of entries that are no Run's, if they are many."""
        await self._report.tell_of_strays(strays, strange)

    async def run(self) -> None:
        """Turn until the Cluster is released."""
        structlog.contextvars.bind_contextvars(cluster=f"{self.cluster.ref.namespace}/{self.cluster.ref.name}",
                                               **({"site": self._site} if self._site else {}))
        failures = CLOSED
        try:
            while not self._released:
                self._wake.clear()
                self._beat()
                try:
                    due = await self._turn()
                    failures = CLOSED
                except Exception as error:
                    log.exception("turn_failed", failures=failures.failures + 1)
                    await self._tell_of(error)
                    first_seconds, limit_seconds = self._settings.pauses.first_seconds, self._settings.breaker_limit_seconds
                    failures = failures.failed(self._world.clock.monotonic(), first_seconds, limit_seconds, self._world.jitter())
                    due = failures.retry_at
                self._context.beat(self.name, 2 * self._settings.idle_seconds)
                pause = min(due - self._world.clock.monotonic(), self._settings.idle_seconds)
                await asyncio.sleep(self._least_pause())
                if pause > 0 and not self._released:
                    await (asyncio.sleep(pause) if failures.failures else _event_within(self._wake, pause))
        finally:
            await self._starts.close()
            self._link.close()

    def _least_pause(self) -> float:
        """Seconds that are the others', after a turn with many Jobs: all sites of one namespace have a share of the loop together.

        Jobs that are elsewhere count if each namespace that has Jobs here has as many: none slows the site of one that has few.
        """
        here = self._jobs()
        everywhere = min(map(self._registry.count_in, {job.ref.namespace for job in here}), default=0)
        jobs = max(len(here), everywhere)
        return min(jobs * REST_SECONDS_A_JOB, self._settings.rest_limit_seconds) if jobs > FEW_JOBS else 0.0

    async def _tell_of(self, error: Exception) -> None:
        """Say on the Cluster that a turn broke off. Should this be what goes wrong, the log has to do."""
        said = f"a look at the Cluster met an error of Fairlead's own ({type(error).__name__}): the controller's log says more"
        self._link.failed(RemoteFault(said, ClusterReason.INTERNAL_ERROR))
        try:
            await self._report.report(self._world.now(), self._settings.heartbeat_seconds)
        except Exception:
            log.exception("turn_not_told")

    async def _turn(self) -> float:
        """One look at everything; when the next is due (monotonic)."""
        if not self._world.leadership.leads():
            return self._world.clock.monotonic() + 1.0
        await self._count()
        self._beat()
        due = await self._see_to()
        self._beat()
        await self._writer.tell_mishaps(self._starts.lanes.is_busy)
        await self._report.report(self._world.now(), self._settings.heartbeat_seconds)
        self._beat()
        if await self._hold.let_go(self._own_jobs(), self._cleaning):
            self._released = True
        if self._clearing.goes_on:
            self.wake()
        return min(due, self._next_deadline())

    def _beat(self) -> None:
        """One step is done: the next takes no longer than this, since each of its waits has a deadline."""
        seconds = max(self._settings.turn_seconds, self._settings.reach_seconds + self._settings.stuck_seconds)
        self._context.beat(self.name, seconds + self.cluster.spec.connection.connect_timeout_seconds)

    async def _count(self) -> None:
        """Know what this site is needed for, the Cluster's own by all. What is owed there holds the Cluster as a Job does."""
        name, is_own = self.cluster.name, not self._site
        jobs = self._registry.jobs_of(name) if is_own else self._own_jobs()
        runs = sum(1 for job in jobs if job.is_begun and not (job.ended or job.is_kept_out))
        use = Use(runs, len(self._cleaning), self._context.debts.of(name) if is_own else self._hold.owed)
        self._link.health = replace(self._link.health, use=use)
        if use.owed and not self.cluster.deleting:
            await self._hold.take()

    async def _see_to(self) -> float:
        """Do for each Job what can be done now; when the next look is due (monotonic)."""
        return min(await self._service_steps.run(), await self._see_to_runs())

    async def _see_to_runs(self) -> float:
        name = self.cluster.ref.name
        if self.cluster.spec.suspend:
            await self._api_steps.without_cluster(JobReason.CLUSTER_SUSPENDED, f"Cluster {name} is suspended")
            self._link.close()
            return self._world.clock.monotonic() + self._settings.idle_seconds
        if not await self._reached():
            trouble = self._link.health.trouble
            why = f"Cluster {name} is not ready: {trouble.message if trouble else 'connecting'}"
            if await self._hold.is_forsaken():
                why = (f"the namespace {self.cluster.ref.namespace} is being deleted and has taken a Secret of Cluster {name} with it, "
                       "so nothing can be ended there")
            await self._api_steps.without_cluster(JobReason.CLUSTER_NOT_READY, why)
            return max(self._link.retry_at, self._world.clock.monotonic() + 0.05)
        await self._api_steps.let_stuck_go()
        await asyncio.sleep(0)           # others have their turn between the looks at many Jobs
        await self._api_steps.run()
        await asyncio.sleep(0)
        return self._starts.start(self._api_steps.decided())

    async def _reached(self) -> bool:
        """Whether the cluster can be worked with. A far end that keeps us waiting keeps nobody from going whose deadline is over."""
        reaching = asyncio.ensure_future(self._link.ensure(self.cluster))
        try:
            while not (await asyncio.wait({reaching}, timeout=self._settings.overdue_seconds))[0]:
                await self._api_steps.let_overdue_go(f"Cluster {self.cluster.ref.name} does not answer")
                await self._count()
                await self._report.report(self._world.now(), self._settings.heartbeat_seconds)   # what is owed since is news, too
            return await reaching
        finally:
            reaching.cancel()

    def _next_deadline(self) -> float:
        """When the next deleted Job is overdue (monotonic); one that is so already is looked at each second."""
        now = self._world.now()
        ask = self._writer.mishaps.ask
        deadlines = [deadline for job in self._jobs() if (deadline := ask(job, "let go", partial(deadline_of, job), None)) is not None]
        return now.monotonic + max(min(deadlines, default=float("inf")) - now.wall, 1.0)

    def _jobs(self) -> list[RunOwner]:
        return [*self._own_jobs(), *self._cleaning.values()]

    def _own_jobs(self) -> list[WatchedOwner]:
        cluster, registry = self._report.record.cluster, self._registry     # whole: its status knows hosts that were taken out
        return in_turn(job for job in registry.jobs_of(cluster.name)
                       if cluster.site_for(job.ref.namespace, job.host) == self._site and not registry.is_refused(job, cluster))

    def _current(self, uid: str) -> RunOwner | None:
        return self._registry.job(uid) or self._cleaning.get(uid)

    def _driver(self) -> Driver:
        return self._context.driver_of(self.cluster)

async def _event_within(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass
