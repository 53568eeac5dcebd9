"""Debts are paid when their cluster answers: what is left of each object that is gone is cleaned up by the steps of a deletion."""

import asyncio
from collections.abc import Callable

import structlog

from fairlead.domain.gone.debt import Debt, debtor
from fairlead.domain.gone.remains import Remains
from fairlead.domain.objects import ClusterName
from fairlead.engine.failures.mishaps import contained
from fairlead.engine.owed.debts import Debts
from fairlead.engine.ports import World
from fairlead.engine.registry import Registry

log = structlog.get_logger()


class Payments:
    """Finds the debts that can be paid. `clean_up` has a Run cleaned up whose object is gone; `saw_end` knows the Jobs that ended here."""

    def __init__(
        self, world: World, registry: Registry, debts: Debts, clean_up: Callable[[Remains], None], saw_end: Callable[[str], bool],
    ) -> None:
        self._world = world
        self._registry = registry
        self._debts = debts
        self._clean_up = clean_up
        self._saw_end = saw_end

    async def collect(self, cluster: ClusterName, may_be_paid: Callable[[Debt], bool]) -> None:
        """Begin to pay what is owed on a cluster, as far as it may be: its login answers, and it is not under way.

        The API server is asked first: gone is a 404 or another uid. An object that somebody brought back owes nothing.
        """
        scope = self._world.scope
        owed = [each for each in self._debts.of(cluster) if each.is_payable and scope.covers(each.namespace) and may_be_paid(each)]
        places = asyncio.Semaphore(self._world.settings.api_questions)
        await asyncio.gather(*(self._collect(each, places) for each in owed))

    async def _collect(self, debt: Debt, places: asyncio.Semaphore) -> None:
        async with places:
            with contained("payments", key=debt.key, cluster="/".join(debt.cluster)):
                await self._see_to(debt)

    async def _see_to(self, debt: Debt) -> None:
        living = self._registry.job(debt.ref.uid)
        if living is not None:
            if not living.deleting:
                await self._debts.strike([debt], "void")
        elif self._saw_end(debt.ref.uid):
            await self._debts.strike([debt], "void")     # handed over by an uninstallation, and taken up again
        elif await self._world.store.uid_of(debt.ref) != debt.ref.uid:
            log.info("paying", job=str(debt.ref), key=debt.key, reason=debt.reason, since=debt.since)
            self._clean_up(debtor(debt))
