"""A deleted Cluster takes along what is at its site: directories go down to tombstones, and the tree goes once nothing in it is needed."""

from collections.abc import Callable, Container
from dataclasses import dataclass

import structlog

from fairlead.api.v1alpha1.reasons import ClusterReason
from fairlead.domain.cluster.cluster import Cluster
from fairlead.domain.errors import FairleadError, RemoteFault
from fairlead.domain.objects import EventNote
from fairlead.domain.run.run import RunKey, Tree
from fairlead.domain.scope import Scope
from fairlead.engine.cluster.site_report import SiteReport
from fairlead.engine.context import SiteContext
from fairlead.engine.gone.leftovers import by_object
from fairlead.schedulers.seam import Driver, Removal, Removed, TreeRemoval, TreeState

log = structlog.get_logger()

CLEARED_AT_ONCE = 1000
"""So many directories go down to tombstones in one exec when a Cluster is released; the rest with the next look."""


@dataclass(slots=True)
class _Going:
    """A tree that goes with its Cluster. `began`: when (monotonic); `goes_on`: there is more to do at once."""

    began: float | None = None
    goes_on: bool = False
    is_done: bool = False


class Clearing:
    """Clears the tree of one site."""

    def __init__(self, report: SiteReport, context: SiteContext, driver: Callable[[], Driver]) -> None:
        self._report = report
        self._link = report.link
        self._context = context
        self._world = context.world
        self._debts = context.debts
        self._driver = driver
        self._tree = _Going()

    @property
    def goes_on(self) -> bool:
        """Whether the tree of a deleted Cluster is being taken away, in pieces, of which the next may come at once."""
        return self._tree.goes_on

    async def is_done(self) -> bool:
        """Whether nothing but tombstones is there, and the tree is gone unless it is needed, as far as the cluster can be reached."""
        cluster = self._report.cluster
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
        cluster, trees, now = self._report.cluster, self._context.trees, self._world.clock.monotonic()
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
            if not trees.is_last(cluster, self._report.site, tree.marker):
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
            going.is_done = is_not_there or now - going.began > self._world.settings.tree_seconds
            return going.is_done
        log.info("tree_removal", tree=tree.path, state=str(removed.state), why=removed.why)
        if removed.state is TreeState.STAYS:
            trees.keeps(tree.marker)
            return await self._keeps(tree, removed.why)
        if removed.state is TreeState.MORE and now - going.began > self._world.settings.tree_seconds:
            return await self._keeps(tree, f"it could not be removed within {self._world.settings.tree_seconds:g} s")
        going.goes_on = removed.state is TreeState.MORE
        going.is_done = not going.goes_on
        return going.is_done

    async def _keeps(self, tree: Tree, why: str) -> bool:
        """Tell why the tree stays though its Cluster goes."""
        self._tree.is_done = True
        said = f"the work folder {tree.path} stays: {why}. Remove it by hand once nobody needs it"
        await self._report.tell(EventNote("Warning", ClusterReason.WORK_DIR_KEPT, said, "Delete"))
        return True

    async def _clear_tree(self) -> bool:
        scheduler, tree = self._driver().scheduler, self._link.tree
        if tree is None or not self._world.leadership.leads():
            return False
        try:
            found = await self._link.exchange(scheduler.remove(self._world.token(), tree, Removal((), sweep=True)))
            keys = [key for key in to_clear(found, self._world.scope, self._world.kinds)
                    if self._context.cluster_of(key.uid) in {None, self._report.cluster.name} and not self._debts.is_foreign(key.uid)]
            removed = await self._link.exchange(scheduler.remove(self._world.token(), tree, Removal(keys[:CLEARED_AT_ONCE])))
        except FairleadError as error:
            log.info("exchange_failed", lane="clear", error=str(error))
            return False
        return removed.keys >= set(keys)


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
