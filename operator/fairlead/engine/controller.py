"""All of the engine: the sites of each Cluster, the Jobs that no site has, and what is left of objects that are gone."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import structlog

from fairlead.domain.cluster import sites
from fairlead.domain.cluster.cluster import Cluster
from fairlead.domain.errors import FairleadError
from fairlead.domain.gone.debt import Debt
from fairlead.domain.gone.remains import Remains
from fairlead.domain.objects import ClusterName
from fairlead.domain.run.installation import Installation
from fairlead.domain.run.run import RunKey
from fairlead.domain.run.watched import WatchedOwner
from fairlead.engine.cluster.cluster_record import ClusterRecord
from fairlead.engine.cluster.logins import Logins
from fairlead.engine.context import Overseer, SiteContext
from fairlead.engine.failures.mishaps import contained
from fairlead.engine.far_end.link import Link
from fairlead.engine.gauges import Gauges
from fairlead.engine.gone.expiry import Expiry
from fairlead.engine.gone.leftovers import Leftover, Leftovers
from fairlead.engine.owed.debts import Debts
from fairlead.engine.owed.overdue import Overdue
from fairlead.engine.owed.payments import Payments
from fairlead.engine.ports import Pulse, World
from fairlead.engine.registry import Registry
from fairlead.engine.site.site import Site
from fairlead.engine.site.site_table import SiteTable
from fairlead.engine.trees import Trees
from fairlead.engine.unplaced.labels import Labels
from fairlead.engine.unplaced.nowhere import Nowhere
from fairlead.engine.unplaced.placing import Placing
from fairlead.engine.unplaced.unplaced import Unplaced
from fairlead.engine.writer import Writer
from fairlead.schedulers.seam import Driver, Removed

log = structlog.get_logger()


class Controller:
    """Starts and ends the loops as Clusters come and go. The registry must have been filled once before `run()`."""

    def __init__(
        self, world: World, registry: Registry, installation: Installation,
        driver_of: Callable[[Cluster], Driver], pulse: Pulse,
    ) -> None:
        self._world = world
        self._registry = registry
        self._settings = world.settings
        self._pulse = pulse
        self._sites = SiteTable(world, registry, pulse, self._make)
        self._left: dict[str, WatchedOwner] = {}  # by uid: they left the watch while they were active
        writer = Writer(world, registry)
        self._debts = Debts(world)
        nowhere = Nowhere(world, writer, Overdue(world, self._debts, writer))
        self._unplaced = Unplaced(world, registry, writer, nowhere)
        self._leftovers = Leftovers(world, registry, self._debts, self._clean_up, self._is_reached)
        self._payments = Payments(world, registry, self._debts, self._clean_up, self._leftovers.saw_end)
        self._expiry = Expiry(world)
        self._labels = Labels(world)
        self._logins = Logins(world)
        self._gauges = Gauges(world, registry, self._debts, self._sites.values)
        self._look_at_unplaced = asyncio.Event()
        self._context = SiteContext(
            world, registry, installation, self._debts, Trees(registry), driver_of,
            pulse.beat, self._remembers, self._cluster_of, self._left_active, self._ended, self._swept,
        )
        self._writer = writer
        self._placing = Placing(self._context, writer, nowhere, self._host_takes_runs, {})

    async def run(self) -> None:
        """Work until cancelled; then abandon what is in flight, bounded: the far end answers later."""
        self._registry.on_cluster = self._cluster_changed
        self._registry.on_job = self._job_changed
        self._registry.on_job_lost = self._job_lost
        self._registry.on_labels = self._labels_changed
        for job in self._registry.jobs:
            self._follow(job)
        for cluster in self._registry.clusters:
            with contained("begin", cluster=str(cluster.ref)):
                self._cluster_changed(cluster, False)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._every("ledger", self._settings.ledger_seconds, self._look_into_ledger))
                group.create_task(self._every("payments", self._settings.payments_seconds, self._collect))
                group.create_task(self._every("unplaced", self._settings.unplaced_seconds, self._receive, self._look_at_unplaced))
                group.create_task(self._every("leftovers", self._settings.finished_seconds, self._leftovers.look))
                group.create_task(self._every("finished", self._settings.finished_seconds, self._expiry.look))
                group.create_task(self._every("labels", self._settings.label_seconds, self._labels.look, self._labels.wake))
                group.create_task(self._every("labels of the ended", self._settings.finished_seconds, self._labels.look_at_all))
                group.create_task(self._every("expiry", self._settings.expiry_seconds, self._expiry.delete_due))
                group.create_task(self._every("gauges", self._settings.gauges_seconds, self._gauges.look))
                if (services := self._world.services) is not None:
                    group.create_task(self._every("services", self._settings.finished_seconds, services.refresh))
                group.create_task(self._every("memories", self._settings.finished_seconds, self._forget_gone))
        finally:
            await self._sites.close()

    def _cluster_changed(self, cluster: Cluster, gone: bool) -> None:
        if gone:
            self._sites.gone(cluster)
            self._leftovers.leave(cluster.name)
        else:
            self._sites.changed(cluster)
            self._open_sites(cluster)
        self._look_at_unplaced.set()

    def _open_sites(self, cluster: Cluster) -> None:
        """Have the sites that the Cluster has by itself, and those at which something is to be done."""
        record = self._sites.records[cluster.ref.uid]
        if record.released:
            return
        jobs = [job for job in self._registry.jobs_of(cluster.name) if self._needs_site(job, cluster)]
        debts = [debt for debt in self._debts.of(cluster.name) if debt.is_payable and self._world.scope.covers(debt.namespace)]
        wanted_at = [cluster.site_for(job.ref.namespace, job.host) for job in jobs]
        wanted_at += [cluster.site_for(debt.namespace, debt.host) for debt in debts]
        known = sites.known_sites(record.cluster) | self._logins.of(record.cluster)
        for site in known.union(each for each in wanted_at if each is not None):
            self._sites.open(cluster, site)

    def _make(self, record: ClusterRecord, name: str) -> Site:
        context = self._context
        link = Link(self._world, context.installation, context.driver_of, context.trees.remembered)
        return Site(record, name, context, link)

    def _needs_site(self, job: WatchedOwner, cluster: Cluster) -> bool:
        """Whether something is to be done for a Job at its site. A Cluster that is being deleted begins nothing for anybody."""
        if self._registry.is_refused(job, cluster):
            return False
        return job.is_begun or (job.has_finalizer and job.deleting) or not cluster.deleting

    def _follow(self, job: WatchedOwner) -> None:
        """Know since when a Job wants its id. Its creation is known in whole seconds; who was suspended wants it from now on."""
        journeys, uid = self._world.journeys, job.ref.uid
        if self._registry.job(uid) is None or job.suspend or job.deleting:
            journeys.forget(uid)
        elif job.key.attempt == 1 and not job.run_id and not job.ended:
            is_new = job.created_at is None or job.was_set_aside
            age_seconds = 0.0 if is_new else self._world.clock.wall() - (job.created_at or 0.0) - 1.0
            journeys.begin(uid, max(age_seconds, 0.0))

    def _job_changed(self, job: WatchedOwner) -> None:
        self._follow(job)
        cluster = self._registry.cluster_named(job.cluster)
        name = cluster.site_for(job.ref.namespace, job.host) if cluster else None
        if cluster is None or name is None or self._registry.is_refused(job, cluster):
            self._look_at_unplaced.set()
        elif self._registry.job(job.ref.uid) is not None and self._needs_site(job, cluster):
            self._sites.open(cluster, name).wake()
        elif site := self._sites.get(cluster, name):
            site.wake()
        if cluster and cluster.has_choice:
            self._look_at_unplaced.set()         # a host may have become free

    def _labels_changed(self) -> None:
        for site in self._sites.values():
            site.wake()

    def _job_lost(self, job: WatchedOwner) -> None:
        """A Job went without our doing: its directories are kept as a finished Job's are, and buried once its object is surely gone."""
        self._leftovers.keep(Leftover(job.location, job.ref, _attempts(job), policy=job.deletion_policy, kind=job.kind))
        if job.is_active:
            self._left[job.ref.uid] = job
        self._labels.wake.set()

    def _left_active(self) -> Sequence[WatchedOwner]:
        """Whoever takes a Job out of the watch, by a label or without our finalizer, does not end what it runs."""
        self._left = {uid: job for uid, job in self._left.items() if self._registry.job(uid) is None and self._may_run(job)}
        return tuple(self._left.values())

    def _may_run(self, job: WatchedOwner) -> bool:
        """Whether a Job that has left is still remembered as one that has not ended, or is being ended."""
        site = self._sites.at(job.location, job.ref.namespace)
        return self._leftovers.awaits(job.ref.uid) or (site is not None and site.is_under_way(job.ref.uid))

    def _remembers(self, cluster: Cluster, site: str) -> bool:
        return any(cluster.site_for(each.ref.namespace, each.location.host) == site for each in self._leftovers.on(cluster.name))

    def _host_takes_runs(self, cluster: Cluster, host: str) -> bool:
        site = self._sites.get(cluster, host)
        return site is not None and site.takes_runs

    def _cluster_of(self, uid: str) -> ClusterName | None:
        job = self._registry.job(uid)
        return job.cluster if job else self._leftovers.cluster_of(uid)

    def _is_reached(self, leftover: Leftover) -> bool:
        site = self._sites.at(leftover.location, leftover.ref.namespace)
        return site is not None and site.is_reached

    def _clean_up(self, remains: Remains) -> None:
        if site := self._sites.at(remains.location, remains.ref.namespace):
            site.clean_up(remains)

    async def _receive(self) -> None:
        """See to the Jobs that no site has."""
        with contained("unplaced"):
            await self._unplaced.look()
        for record in tuple(self._sites.records.values()):
            if record.cluster.has_choice:
                with contained("placing", cluster=str(record.cluster.ref)):
                    await self._placing.look(record)
                await asyncio.sleep(0)       # others have their turn between the looks at many Jobs
        self._placing.forget_gone()
        await self._writer.tell_mishaps()
        await self._unplaced.tell_misled()

    async def _collect(self) -> None:
        """Begin to pay what is owed at each site that answers; those at which there is something to do are opened first."""
        await self._logins.look(self._registry.clusters)
        for cluster in self._registry.clusters:
            with contained("payments", cluster=str(cluster.ref)):
                self._open_sites(cluster)
                record = self._sites.records[cluster.ref.uid]
                for namespace in self._logins.nobodys(record.cluster, record.sites):
                    await record.forget(namespace)
                await self._payments.collect(cluster.name, self._may_be_paid)

    def _may_be_paid(self, debt: Debt) -> bool:
        site = self._sites.at(debt.location, debt.namespace)
        return site is not None and site.is_reached and not site.is_under_way(debt.ref.uid)

    def _ended(self, job: WatchedOwner) -> None:
        self._expiry.ended(job)
        self._leftovers.keep(Leftover(job.location, job.ref, _attempts(job), ended=True, was_watched=True, kind=job.kind))

    async def _forget_gone(self) -> None:
        """Forget what is remembered of Jobs that have left without our doing."""
        self._writer.keep(lambda uid: self._registry.job(uid) is not None)
        for site in tuple(self._sites.values()):
            site.forget_gone()
            await asyncio.sleep(0)

    async def _look_into_ledger(self) -> None:
        await self._debts.refresh()
        if self._world.leadership.leads():
            await self._debts.strike_old()

    async def _swept(self, site: Overseer, removed: Removed) -> Sequence[RunKey]:
        return await self._leftovers.swept(removed, site)

    async def _every(
        self, name: str, seconds: float, look: Callable[[], Coroutine[Any, Any, None]], wake: asyncio.Event | None = None,
    ) -> None:
        """Look again and again, soon when `wake` is set; after what goes wrong the next look comes soon, too."""
        wake = wake or asyncio.Event()
        while True:
            wake.clear()
            pause_seconds = seconds
            self._pulse.beat(name, self._settings.turn_seconds + seconds + self._settings.stuck_seconds)
            try:
                if self._world.leadership.leads():
                    async with asyncio.timeout(self._settings.turn_seconds):
                        await look()
            except FairleadError as error:
                log.info("look_failed", what=name, error=str(error))
                pause_seconds = min(seconds, self._settings.pauses.look_seconds)
            except Exception:
                log.exception("look_failed", what=name)
            await asyncio.sleep(min(self._settings.woken_seconds, pause_seconds))
            try:
                async with asyncio.timeout(pause_seconds - self._settings.woken_seconds):
                    await wake.wait()
            except TimeoutError:
                pass


def _attempts(job: WatchedOwner) -> tuple[int, ...]:
    return tuple(range(1, job.key.attempt + 1))
