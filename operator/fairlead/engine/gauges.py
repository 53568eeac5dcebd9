"""What is watched, counted now and then for the metrics: Jobs by phase, Clusters by condition, polls by age.

A word in a status need not be ours: what is not in our tables counts as `Other`.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import get_args

from fairlead.api.v1alpha1.meta import Condition
from fairlead.api.v1alpha1.reasons import ClusterCondition, ClusterReason, JobReason, SessionReason
from fairlead.engine.owed.debts import Debts
from fairlead.engine.ports import World
from fairlead.engine.registry import Registry
from fairlead.engine.site.site import Site
from fairlead.telemetry import metrics
from fairlead.telemetry.metrics import known

JOBS_AT_ONCE = 500
"""Others have their turn between so many."""
LATE_INTERVALS = 2.0
"""A poll is late after so many of the longest intervals, and one time-out."""
_CLUSTER_REASONS = frozenset(str(each) for each in ClusterReason)
_REASONS = frozenset(str(each) for each in (*JobReason, *SessionReason))
_STATUSES = get_args(Condition.model_fields["status"].annotation)


class Gauges:
    """Counts what is there. Each count is set in one turn of the event loop, so that no scrape sees half of it."""

    def __init__(self, world: World, registry: Registry, debts: Debts, sites: Callable[[], Iterable[Site]]) -> None:
        self._world = world
        self._registry = registry
        self._debts = debts
        self._sites = sites

    async def look(self) -> None:
        """Count everything once."""
        self._count_sites()
        self._count_clusters()
        metrics.debts_oldest_age.set(self._debts.oldest_age_seconds())
        await self._count_owners()

    def _count_sites(self) -> None:
        sites, now = tuple(self._sites()), self._world.clock.monotonic()
        reached = sum(1 for site in sites if site.is_reached)
        metrics.sites_watched.labels("yes").set(reached)
        metrics.sites_watched.labels("no").set(len(sites) - reached)
        ages = [(now - site.polled_at, site.cluster.spec.polling) for site in sites if site.polled_at is not None]
        metrics.oldest_poll_age.set(max((age for age, _ in ages), default=0.0))
        metrics.polls_late.set(sum(
            1 for age, polling in ages if age > LATE_INTERVALS * polling.max_interval_seconds + polling.timeout_seconds))

    def _count_clusters(self) -> None:
        counts: Counter[tuple[str, str]] = Counter()
        reasons: Counter[str] = Counter()
        for cluster in self._registry.clusters:
            for each in cluster.status.conditions:
                counts[each.type, each.status] += 1
                if each.type == ClusterCondition.READY and each.status != "True":
                    reasons[known(each.reason, _CLUSTER_REASONS)] += 1
        for kind in ClusterCondition:
            for status in _STATUSES:
                metrics.clusters_in_condition.labels(kind, status).set(counts[kind, status])
        metrics.clusters_not_ready.clear()
        for reason, number in reasons.items():
            metrics.clusters_not_ready.labels(reason).set(number)

    async def _count_owners(self) -> None:
        phases = {each.name: Counter[str]() for each in self._world.kinds}
        reasons = {each.name: Counter[str]() for each in self._world.kinds}
        for number, owner in enumerate(tuple(self._registry.jobs)):
            if number and not number % JOBS_AT_ONCE:
                await asyncio.sleep(0)
            phases[owner.kind][owner.status.phase or ""] += 1
            if reason := owner.waits_for:
                reasons[owner.kind][known(reason, _REASONS)] += 1
        for kind in self._world.kinds:
            _show(metrics.of_kind(kind.plural, kind.name), kind.phases, phases[kind.name], reasons[kind.name])


def _show(of_kind: metrics.OwnerMetrics, phases: Sequence[str], in_phase: Counter[str], waiting: Counter[str]) -> None:
    """Set the counts of one kind. The first of its `phases` is that of those of which nothing is said yet."""
    of_kind.watched.set(in_phase.total())
    in_phase[phases[0]] += in_phase[""]
    for phase in phases:
        of_kind.in_phase.labels(phase).set(in_phase[phase])
    of_kind.waiting.clear()
    for reason, count in waiting.items():
        of_kind.waiting.labels(reason).set(count)
