"""Our hold on a Cluster for one site: its finalizer while Jobs may run there, its status, its release once nothing can be left behind."""

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import structlog

from fairlead.api.v1alpha1.reasons import ClusterCondition, ClusterReason
from fairlead.domain.cluster import cluster as clusters
from fairlead.domain.cluster import sites
from fairlead.domain.cluster.cluster import Cluster
from fairlead.domain.cluster.residue import Sweep, keys_told
from fairlead.domain.cluster.sites import Account
from fairlead.domain.conditions import is_true
from fairlead.domain.errors import ApiFault, FairleadError, RemoteFault
from fairlead.domain.gone.debt import Debt
from fairlead.domain.gone.remains import Remains
from fairlead.domain.gone.sweep import Found, rule_on
from fairlead.domain.objects import EventNote
from fairlead.domain.pacing import Now
from fairlead.domain.run.owner import RunOwner
from fairlead.domain.run.run import RunKey, Tree
from fairlead.domain.scope import Scope
from fairlead.engine.context import SiteContext
from fairlead.engine.gone.leftovers import by_object
from fairlead.engine.site.cluster_record import ClusterRecord
from fairlead.engine.site.link import Link
from fairlead.schedulers.seam import Driver, Removal, Removed, TreeRemoval, TreeState

log = structlog.get_logger()

STRAYS_UNTOLD = 10
"""So many directories without an owner may be what crashes have left, and are taken down without a word."""
CLEARED_AT_ONCE = 1000
"""So many directories go down to tombstones in one exec when a Cluster is released; the rest with the next look."""


TREE_SECONDS = 300.0
"""A deleted Cluster waits so long for its tree to be gone, and goes without that then."""


@dataclass(slots=True)
class _Going:
    """A tree that goes with its Cluster. `began`: when (monotonic); `goes_on`: there is more to do at once."""

    began: float | None = None
    goes_on: bool = False
    is_done: bool = False


class Hold:
    """Holds, reports and releases, for one site: empty for the Cluster's own."""

    def __init__(self, record: ClusterRecord, site: str, context: SiteContext, way: tuple[Link, Callable[[], Driver]]) -> None:
        self.record = record
        self._site = site
        self._context = context
        self._world = context.world
        self._debts = context.debts
        self._link, self._driver = way
        self._is_told = True                 # as far as this site knows
        self._went_with_namespace = False    # the Cluster's namespace is being deleted: no Secret can be made there again
        self._tree = _Going()

    @property
    def cluster(self) -> Cluster:
        """The Cluster as it was last read or written, as this site sees it."""
        return sites.seen_by(self.record.cluster, self._site)

    @property
    def owed(self) -> tuple[Debt, ...]:
        """What is owed at this site, or at nobody knows which, the oldest first."""
        cluster = self.record.cluster
        return tuple(each for each in self._debts.of(cluster.name) if cluster.site_for(each.namespace, each.host) in {self._site, None})

    @property
    def goes_on(self) -> bool:
        """Whether the tree of a deleted Cluster is being taken away, in pieces, of which the next may come at once."""
        return self._tree.goes_on

    async def take(self) -> bool:
        """Our finalizer on the Cluster, before the first intent; whether it is on."""
        return await self.record.hold()

    async def report(self, now: Now, heartbeat_seconds: float) -> bool:
        """Write the status if anything that a person reads has changed, or a heartbeat is due; whether it is as it should be."""
        async with self.record.writing:
            cluster = self._as_told()
            status = clusters.report(cluster, self._link.health, now, heartbeat_seconds)
            if status is None and self._is_told:
                return True
            status = status or cluster.status
            if cluster.spec.process:
                self.record.said[self._site] = status
                account = Account(self._debts.of(cluster.name), now.wall)
                status = sites.with_hosts(self.record.cluster, self.record.said, account)
            elif cluster.site:
                status = sites.with_login(self.record.cluster, self._site, self._link.user, status)
            self._is_told = await self.record.write(status)
            return self._is_told

    def _as_told(self) -> Cluster:
        """The Cluster with what this site has said of itself before: the status has only a part of what each of several hosts says."""
        cluster, said = self.cluster, self.record.said.get(self._site)
        if said is None:
            return cluster
        known = cluster.status
        return replace(cluster, status=said.having(
            work_dir=known.work_dir, sweep_agreement=known.sweep_agreement, last_heartbeat_time=known.last_heartbeat_time))

    async def rule(self, found: Found, now: Now, heartbeat_seconds: float) -> bool:
        """Whether a sweep may clean up so many. The status says so first: who comes next must know that an agreement was used."""
        cluster, status = self.cluster, self.cluster.status
        refused = is_true(status.conditions, ClusterCondition.SWEEP_HELD)
        ruling = rule_on(found, cluster.agreed_sweep, status.sweep_agreement, refused=refused)
        self._link.health = replace(self._link.health, sweep=Sweep(found, ruling))
        if not await self.report(now, heartbeat_seconds):
            self._link.health = replace(self._link.health, sweep=None)
            return False
        self._link.health = replace(self._link.health, sweep=Sweep(found, ruling, is_told=True))
        if ruling.by_agreement:
            said = f"{found.gone} of {found.runs} Runs have lost their objects and are cleaned up: {cluster.agreed_sweep} were agreed to"
            await self._tell(EventNote("Warning", ClusterReason.SWEEP_AGREED, said, "Sweep"))
        return ruling.passes

    async def tell_of_strays(self, strays: int, strange: int) -> None:
        """Tell of what nobody has handed in, beyond what a crash leaves, and of entries that are no Run's."""
        if strays > STRAYS_UNTOLD or strange:
            said = (f"the work folder's runs/ holds {strays} directories that were never handed in (some go with each sweep) and {strange} "
                    "entries that are no Run's, or too many to be looked at (they are left there): a script must have made them")
            await self._tell(EventNote("Warning", ClusterReason.STRANGE_ENTRIES, said, "Sweep"))

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
        if not cluster.deleting or not (cluster.spec.suspend or (self._link.lacks_secret and self._link.is_beyond_reach)):
            return False
        if not self._went_with_namespace:
            try:
                self._went_with_namespace = await self._world.data.is_going(cluster.ref.namespace)
            except ApiFault as error:
                log.info("namespace_not_read", error=str(error))
        return self._went_with_namespace and (not self._link.has_address or self._is_owed_for_long())

    def _is_owed_for_long(self) -> bool:
        times = [each.written_at.timestamp() for each in self.owed if each.is_payable and each.written_at]
        return self._world.clock.wall() - max(times, default=0.0) >= self._context.settings.pacing.forsaken_seconds

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
            await self._tell(EventNote("Warning", ClusterReason.DEBTS_FORGIVEN, said, "Delete"))
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
            if not await self._cleared():
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
        if not self._debts.known or (self.cluster.deleting and not await self._cleared()):
            return False
        async with self.record.writing:
            self.record.said.pop(self._site, None)
            return await self.record.write(sites.without(self.record.cluster, self._site))

    async def _cleared(self) -> bool:
        """Whether nothing but tombstones is there, and the tree is gone unless it is needed, as far as the cluster can be reached."""
        cluster = self.cluster
        if not cluster.has_finalizer or cluster.spec.suspend:
            return True
        if self._tree.began is not None or self._has_lost_tree():
            return await self._without_tree()
        return self._link.is_beyond_reach or (await self._clear_tree() and await self._without_tree())

    def _has_lost_tree(self) -> bool:
        """Whether the tree is not where it was: a controller before this one may have begun to take it away."""
        trouble = self._link.health.trouble
        return trouble is not None and trouble.reason is ClusterReason.WORK_DIR_NOT_OURS and self._link.is_beyond_reach

    async def _without_tree(self) -> bool:
        """Whether the tree is gone, or stays for good: the last Cluster that leads to it takes it along, once nothing in it is needed.

        What takes longer than one exec goes on with the next look, within a bound.
        """
        cluster, trees, now = self.cluster, self._context.trees, self._world.clock.monotonic()
        going, tree = self._tree, self._link.tree or _remembered(cluster)
        going.goes_on = False
        if going.is_done or tree is None:
            return True
        if not self._world.leadership.leads():
            return False
        if going.began is None:
            if cluster.forgives_debts:
                return await self._keeps(tree, "what was owed there was given up")
            if self._debts.of(cluster.name):
                return await self._keeps(tree, "the ledger has Runs on it of which nobody has said that they ended")
            if not trees.is_last(cluster, self._site, tree.marker):
                return True
            going.began = now
        trees.took(tree.marker)
        removal = TreeRemoval(tree, self._context.installation, sorted(self._debts.uids))
        try:
            removed = await self._link.exchange(self._driver().scheduler.remove_tree(self._world.token(), removal))
        except FairleadError as error:
            log.info("exchange_failed", lane="tree", error=str(error))
            is_not_there = isinstance(error, RemoteFault) and error.reason is ClusterReason.WORK_DIR_NOT_OURS
            if is_not_there:
                trees.keeps(tree.marker)
            going.is_done = is_not_there or now - going.began > TREE_SECONDS
            return going.is_done
        log.info("tree_removal", tree=tree.path, state=str(removed.state), why=removed.why)
        if removed.state is TreeState.STAYS:
            trees.keeps(tree.marker)
            return await self._keeps(tree, removed.why)
        if removed.state is TreeState.MORE and now - going.began > TREE_SECONDS:
            return await self._keeps(tree, f"it could not be removed within {TREE_SECONDS:g} s")
        going.goes_on = removed.state is TreeState.MORE
        going.is_done = not going.goes_on
        return going.is_done

    async def _keeps(self, tree: Tree, why: str) -> bool:
        """Tell why the tree stays though its Cluster goes."""
        self._tree.is_done = True
        said = f"the work folder {tree.path} stays: {why}. Remove it by hand once nobody needs it"
        await self._tell(EventNote("Warning", ClusterReason.WORK_DIR_KEPT, said, "Delete"))
        return True

    async def _clear_tree(self) -> bool:
        scheduler, tree = self._driver().scheduler, self._link.tree
        if tree is None or not self._world.leadership.leads():
            return False
        try:
            found = await self._link.exchange(scheduler.remove(self._world.token(), tree, Removal((), sweep=True)))
            keys = [key for key in to_clear(found, self._world.scope, self._world.kinds)
                    if self._context.cluster_of(key.uid) in {None, self.cluster.name} and not self._debts.is_foreign(key.uid)]
            removed = await self._link.exchange(scheduler.remove(self._world.token(), tree, Removal(keys[:CLEARED_AT_ONCE])))
        except FairleadError as error:
            log.info("exchange_failed", lane="clear", error=str(error))
            return False
        return removed.keys >= set(keys)

    async def _tell(self, note: EventNote) -> None:
        log.warning("told", reason=str(note.reason), said=note.message)
        await self._world.store.record_event(self.cluster.ref, note)


def _remembered(cluster: Cluster) -> Tree | None:
    """The tree that the status remembers."""
    known = cluster.status.work_dir
    return Tree(known.path, known.marker) if known and known.path and known.marker else None


def to_clear(found: Removed, scope: Scope, kinds: Container[str]) -> list[RunKey]:
    """All directories but tombstones, those left alone by their Jobs' deletionPolicy, another release's, and of namespaces not watched."""
    objects, foreign = by_object(found.remnants, kinds)
    says_whose = scope.is_all and not foreign
    ours = (each for each in objects if (scope.covers(each.owner.namespace) if each.owner else says_whose))
    return sorted({key for each in ours for key in each.keys})
