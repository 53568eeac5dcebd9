"""What cannot be accounted for: written into the ledger before its object goes, struck when its tombstone has gone too."""

from datetime import datetime

import structlog

from fairlead.api.v1alpha1.meta import as_timestamp
from fairlead.api.v1alpha1.names import JOB_KIND
from fairlead.domain.conditions import moment
from fairlead.domain.debt import UNACCOUNTED, Debt
from fairlead.domain.job import Job
from fairlead.domain.memory import Memory
from fairlead.domain.objects import ObjectRef
from fairlead.engine.ports import World
from fairlead.engine.registry import ClusterName
from fairlead.telemetry import metrics

log = structlog.get_logger()

DEBT_SECONDS = 7 * 86400.0
"""As long as tombstones stand."""


async def write_down(world: World, cluster: ObjectRef, job: Job, memory: Memory) -> None:
    """Put each key of a deleted Job of which nobody has said that it ended into the ledger. Raises `ApiFault`: then the Job must stay."""
    since = as_timestamp(moment(world.clock.wall()))
    for key in memory.unaccounted:
        debt = Debt(str(key), cluster.namespace, cluster.name, JOB_KIND, job.ref.namespace, job.ref.name, since, UNACCOUNTED)
        await world.ledger.add(debt)
        metrics.debt_recorded.inc()
        log.warning("unaccounted", job=str(job.ref), key=str(key), attempt=key.attempt)


async def strike_old(world: World, cluster: ClusterName) -> None:
    """Strike what no sweep has found again while its tombstone stood: nothing can start under its key after that. Raises `ApiFault`."""
    for debt in await world.ledger.list():
        age_seconds = world.clock.wall() - datetime.fromisoformat(debt.since).timestamp()
        if (debt.cluster_namespace, debt.cluster_name) == cluster and age_seconds > DEBT_SECONDS:
            await world.ledger.remove(debt.key)
            metrics.debt_paid.inc()
