"""What a site says of itself on its Cluster: the status, and Events."""

from dataclasses import replace

import structlog

from fairlead.api.v1alpha1.reasons import ClusterCondition, ClusterReason
from fairlead.domain.cluster import cluster as clusters
from fairlead.domain.cluster import sites
from fairlead.domain.cluster.cluster import Cluster
from fairlead.domain.cluster.residue import Sweep
from fairlead.domain.cluster.sites import Account
from fairlead.domain.conditions import is_true
from fairlead.domain.gone.sweep import Found, rule_on
from fairlead.domain.objects import EventNote
from fairlead.domain.pacing import Now
from fairlead.engine.cluster.cluster_record import ClusterRecord
from fairlead.engine.context import SiteContext
from fairlead.engine.far_end.link import Link

log = structlog.get_logger()

STRAYS_UNTOLD = 10
"""So many directories without an owner may be what crashes have left, and are taken down without a word."""


class SiteReport:
    """Speaks for one site: `site` is empty for the Cluster's own."""

    def __init__(self, record: ClusterRecord, site: str, context: SiteContext, link: Link) -> None:
        self.record = record
        self.site = site
        self.link = link
        self._world = context.world
        self._debts = context.debts
        self._is_told = True                 # as far as this site knows

    @property
    def cluster(self) -> Cluster:
        """The Cluster as it was last read or written, as this site sees it."""
        return sites.seen_by(self.record.cluster, self.site)

    async def report(self, now: Now, heartbeat_seconds: float) -> bool:
        """Write the status if anything that a person reads has changed, or a heartbeat is due; whether it is as it should be."""
        async with self.record.writing:
            cluster = self._as_told()
            status = clusters.report(cluster, self.link.health, now, heartbeat_seconds)
            if status is None and self._is_told:
                return True
            status = status or cluster.status
            if cluster.spec.process:
                self.record.said[self.site] = status
                account = Account(self._debts.of(cluster.name), now.wall)
                status = sites.with_hosts(self.record.cluster, self.record.said, account)
            elif cluster.site:
                status = sites.with_login(self.record.cluster, self.site, self.link.user, status)
            self._is_told = await self.record.write(status)
            return self._is_told

    def _as_told(self) -> Cluster:
        """The Cluster with what this site has said of itself before: the status has only a part of what each of several hosts says."""
        cluster, said = self.cluster, self.record.said.get(self.site)
        if said is None:
            return cluster
        known = cluster.status
        return replace(cluster, status=said.having(
            work_dir=known.work_dir, sweep_agreement=known.sweep_agreement, last_heartbeat_time=known.last_heartbeat_time))

    async def rule(self, found: Found, now: Now, heartbeat_seconds: float) -> bool:
        """Whether a sweep may clean up so many. The status says so first: the next controller must know that an agreement was used."""
        cluster, status = self.cluster, self.cluster.status
        refused = is_true(status.conditions, ClusterCondition.SWEEP_HELD)
        ruling = rule_on(found, cluster.agreed_sweep, status.sweep_agreement, refused=refused)
        self.link.health = replace(self.link.health, sweep=Sweep(found, ruling))
        if not await self.report(now, heartbeat_seconds):
            self.link.health = replace(self.link.health, sweep=None)
            return False
        self.link.health = replace(self.link.health, sweep=Sweep(found, ruling, is_told=True))
        if ruling.by_agreement:
            said = f"{found.gone} of {found.runs} Runs have lost their objects and are cleaned up: {cluster.agreed_sweep} were agreed to"
            await self.tell(EventNote("Warning", ClusterReason.SWEEP_AGREED, said, "Sweep"))
        return ruling.passes

    async def tell_of_strays(self, strays: int, strange: int) -> None:
        """Tell of what nobody has handed in, beyond what a crash leaves, and of entries that are no Run's."""
        if strays > STRAYS_UNTOLD or strange:
            said = (f"the work folder's runs/ holds {strays} directories that were never handed in (some go with each sweep) and {strange} "
                    "entries that are no Run's, or too many to be looked at (they are left there): a script must have made them")
            await self.tell(EventNote("Warning", ClusterReason.STRANGE_ENTRIES, said, "Sweep"))

    async def tell(self, note: EventNote) -> None:
        """Log it, and have an Event say it."""
        log.warning("told", reason=str(note.reason), said=note.message)
        await self._world.store.record_event(self.cluster.ref, note)
