"""The ledger as this process sees it: what is owed on each Cluster.

Read when leading begins, and again now and then; our own writes count at once. Until it was read nobody may say that nothing is owed.
"""

from collections.abc import Sequence

import structlog

from fairlead.domain.gone.debt import UNACCOUNTED, Debt, debt_of
from fairlead.domain.objects import ClusterName
from fairlead.domain.run.owner import RunOwner
from fairlead.domain.run.run import RunKey
from fairlead.engine.ports import World
from fairlead.telemetry import metrics

log = structlog.get_logger()


class Debts:
    """All debts of this installation, by key."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._debts: dict[str, Debt] = {}
        self._foreign: frozenset[str] = frozenset()
        self._writes = 0
        self.known = False

    def of(self, cluster: ClusterName) -> tuple[Debt, ...]:
        """What is owed on one Cluster, the oldest first."""
        return tuple(sorted((each for each in self._debts.values() if each.cluster == cluster), key=lambda each: (each.since, each.key)))

    def has(self, key: RunKey, reason: str) -> bool:
        """Whether this is written down already."""
        known = self._debts.get(str(key))
        return known is not None and known.reason == reason

    def oldest_age_seconds(self) -> float:
        """How old the oldest debt is about which something can be done; 0 without one."""
        wall = self._world.clock.wall()
        return max((_age_seconds(each, wall) for each in self._debts.values() if each.is_payable), default=0.0)

    def is_foreign(self, uid: str) -> bool:
        """Whether another release has written something about an object that only that one understands."""
        return uid in self._foreign

    @property
    def uids(self) -> frozenset[str]:
        """The objects of which anything is written, by whatever release."""
        return self._foreign | {each.ref.uid for each in self._debts.values()}

    async def refresh(self) -> None:
        """Read the ledger again, since a person may have changed it. Raises `ApiFault`."""
        while True:
            writes = self._writes
            debts = await self._world.ledger.list()
            if writes == self._writes:   # else what was read may be older than what we wrote
                break
        self._debts, self.known = {each.key: each for each in debts}, True
        self._foreign = frozenset(key.uid for each in self._world.ledger.foreign if (key := RunKey.parse(each)))
        metrics.debts_owed.set(len(debts))

    async def owe(self, debts: Sequence[Debt]) -> None:
        """Write debts into the ledger; only then may their objects go. Raises `ApiFault`: then the objects must stay."""
        if not debts:
            return
        await self._world.ledger.add(debts)
        for each in debts:
            known = self._debts.get(each.key)
            if known is None or known.reason != each.reason:
                self._debts[each.key] = each
                metrics.debt_recorded.inc()
                log.warning("debt_recorded", job=f"{each.namespace}/{each.name}", key=each.key, reason=each.reason)
        self._written()

    async def strike(self, debts: Sequence[Debt], why: str) -> None:
        """Take debts out of the ledger; `why` is for the log: paid, expired, forgiven. Raises `ApiFault`."""
        if not debts:
            return
        await self._world.ledger.remove(debts)
        for each in debts:
            if self._debts.pop(each.key, None) is not None:
                metrics.debt_paid.inc()
                log.info("debt_struck", why=why, job=f"{each.namespace}/{each.name}", key=each.key, reason=each.reason)
        self._written()

    async def settle(self, job: RunOwner, unaccounted: Sequence[RunKey]) -> None:
        """A deleted Job was seen to: its debts are paid, but for the keys of which nobody has said that they ended. Raises `ApiFault`."""
        await self.owe([debt_of(job, key, UNACCOUNTED, self._world.clock.wall()) for key in unaccounted])
        paid = [each for each in self.of(job.cluster) if each.is_payable and each.ref.uid == job.ref.uid]
        await self.strike(paid, "paid")

    async def strike_old(self) -> None:
        """Strike what is unaccounted and whose tombstone has gone too: nothing can start under its key after that. Raises `ApiFault`."""
        wall, kept_seconds = self._world.clock.wall(), self._world.settings.unaccounted_seconds
        unaccounted = [each for each in self._debts.values() if each.reason == UNACCOUNTED]
        await self.strike([each for each in unaccounted if _age_seconds(each, wall) > kept_seconds], "expired")

    def _written(self) -> None:
        self._writes += 1
        metrics.debts_owed.set(len(self._debts))


def _age_seconds(debt: Debt, wall: float) -> float:
    """How old a debt is; one whose time cannot be read is not old."""
    return wall - debt.written_at.timestamp() if debt.written_at else 0.0
