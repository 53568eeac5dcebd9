"""Our hold on a Cluster for one site: its finalizer while Jobs may run there, its release once nothing can be left behind."""

from collections.abc import Iterable, Mapping, Sequence

import structlog

from fairlead.api.v1alpha1.reasons import ClusterReason
from fairlead.domain.cluster import cluster as clusters
from fairlead.domain.cluster import sites
from fairlead.domain.cluster.cluster import Cluster
from fairlead.domain.cluster.residue import keys_told
from fairlead.domain.errors import ApiFault
from fairlead.domain.gone.debt import Debt
from fairlead.domain.gone.remains import Remains
from fairlead.domain.objects import EventNote
from fairlead.domain.run.owner import RunOwner
from fairlead.engine.cluster.clearing import Clearing
from fairlead.engine.cluster.cluster_record import ClusterRecord
from fairlead.engine.cluster.site_report import SiteReport
from fairlead.engine.context import SiteContext

log = structlog.get_logger()


class Hold:
    """Takes it, and lets go, for one site."""

    def __init__(self, report: SiteReport, clearing: Clearing, context: SiteContext) -> None:
        self._report = report
        self._clearing = clearing
        self._site = report.site
        self._link = report.link
        self._context = context
        self._world = context.world
        self._debts = context.debts
        self._dark_since: float | None = None    # a deleted Cluster has lost its Secret, and does not answer (monotonic)
        self._went_with_namespace = False    # the Cluster's namespace is being deleted: no Secret can be made there again

    @property
    def record(self) -> ClusterRecord:
        """The Cluster as all its sites know it."""
        return self._report.record

    @property
    def cluster(self) -> Cluster:
        """The Cluster as it was last read or written, as this site sees it."""
        return self._report.cluster

    @property
    def owed(self) -> tuple[Debt, ...]:
        """What is owed at this site, or at nobody knows which, the oldest first."""
        cluster = self.record.cluster
        return tuple(each for each in self._debts.of(cluster.name) if cluster.site_for(each.namespace, each.host) in {self._site, None})

    async def take(self) -> bool:
        """Our finalizer on the Cluster, before the first intent; whether it is on."""
        return await self.record.hold()

    async def let_go(self, jobs: Sequence[RunOwner], cleaning: dict[str, Remains]) -> bool:
        """Release a deleted Cluster once no Job may run there any more, and nothing is owed, or it was given up; whether it is gone.

        One of several sites goes before that, as soon as nothing is left to do for its `jobs` and in `cleaning`; the last host
        takes the Cluster with it.
        """
        cluster = self.cluster
        if not cluster.deleting:
            return bool(cluster.site) and not self._is_needed(jobs, cleaning) and await self._retire()
        registry = self._context.registry
        theirs = [job for job in registry.jobs_of(cluster.name) if job.has_finalizer and not registry.is_refused(job, cluster)]
        if any(job.deleting for job in theirs):
            return False
        is_forsaken = await self.is_forsaken()
        (self.record.forsaken.add if is_forsaken else self.record.forsaken.discard)(self._site)
        if any(job.is_begun for job in theirs) and not is_forsaken:
            return False
        if cluster.forgives_debts:
            if not await self._forgive(cleaning.values()):
                return False
            cleaning.clear()
        if (cleaning or any(each.is_payable for each in self.owed)) and not is_forsaken:
            return False
        return await (self._retire() if cluster.site and not cluster.spec.process else self._release())

    async def is_forsaken(self) -> bool:
        """Whether nothing can be done at the cluster any more: the namespace of a deleted Cluster goes and takes its Secret with it.

        A key that was read before is used while the cluster answers, and for as long as it may come back; a suspended one is not asked.
        """
        cluster = self.cluster
        if self._link.tree is not None:
            self._dark_since = None
        if not cluster.deleting or not (cluster.spec.suspend or (self._link.lacks_secret and self._link.is_beyond_reach)):
            return False
        if not self._went_with_namespace:
            try:
                self._went_with_namespace = await self._world.data.is_going(cluster.ref.namespace)
            except ApiFault as error:
                log.info("namespace_not_read", error=str(error))
        now = self._world.clock.monotonic()
        self._dark_since = now if self._dark_since is None else self._dark_since
        is_dark_for_long = now - self._dark_since >= self._world.settings.pacing.forsaken_seconds
        return self._went_with_namespace and (is_dark_for_long or not self._link.has_address)

    def _is_needed(self, jobs: Sequence[RunOwner], cleaning: Mapping[str, Remains]) -> bool:
        """Whether one of several sites has something to do, or may have: what lies there is known after the first sweep."""
        if jobs or cleaning or self.cluster.host or any(each.is_payable for each in self.owed):
            return True
        health = self._link.health
        if health.trouble is not None and clusters.STAGE_OF.get(health.trouble.reason) is clusters.Stage.CREDENTIALS:
            return False                 # its Secret is gone, and nobody waits for it
        return health.sweep is None or self._context.remembers(self.record.cluster, self._site)

    async def _forgive(self, cleaning: Iterable[Remains]) -> bool:
        """Strike what is owed there, since a person has given it up, and tell, of `cleaning` too; whether nothing is owed any more."""
        owed = self.owed
        keys = [each.key for each in owed]
        keys += sorted({str(each.key) for each in cleaning} - set(keys))
        if keys:
            said = f"Runs that may have left something on the cluster were given up, {len(keys)} in all: {keys_told(keys)}"
            await self._report.tell(EventNote("Warning", ClusterReason.DEBTS_FORGIVEN, said, "Delete"))
        try:
            await self._debts.strike(owed, "forgiven")
        except ApiFault as error:
            log.info("write_not_done", error=str(error))
            return False
        return True

    async def _release(self) -> bool:
        """Let a deleted Cluster go, once all its sites are ready for that and nothing is owed at any; whether it is gone.

        With it the way to the directories of its finished Jobs goes: while the cluster answers, they go down to tombstones first. What is
        owed where nothing can be done any more stays in the ledger: a Cluster of this name pays it.
        """
        cluster = self.record.cluster
        owed = [each for each in self._debts.of(cluster.name) if each.is_payable]
        beyond = {*self.record.forsaken, *([None] if self.record.forsaken else ())}
        if not self._debts.known or any(cluster.site_for(each.namespace, each.host) not in beyond for each in owed):
            return False
        if any(self._world.scope.covers(each.namespace) for each in cluster.status.logins):
            return False
        record = self.record
        if self._site not in record.cleared:
            if not await self._clearing.is_done():
                return False
            record.cleared.add(self._site)
        if record.sites - record.cleared:
            return False
        if not record.released and await record.release() and owed:
            log.warning("cluster_went_with_its_namespace", cluster=str(cluster.ref), owed=len(owed),
                        keys=keys_told([each.key for each in owed]))
        return record.released

    async def _retire(self) -> bool:
        """Take this site out of the Cluster's status; whether it is out. Of a deleted Cluster it is cleared first."""
        if not self._debts.known or (self.cluster.deleting and not await self._clearing.is_done()):
            return False
        async with self.record.writing:
            self.record.said.pop(self._site, None)
            return await self.record.write(sites.without(self.record.cluster, self._site))
