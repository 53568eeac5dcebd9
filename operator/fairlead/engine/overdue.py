"""Deleted Jobs whose deadline is over: what they may leave behind is written down, then they may go, whatever their cluster does."""

from collections.abc import Iterable, Iterator

import structlog

from fairlead.api.v1alpha1.reasons import JobReason
from fairlead.domain import report
from fairlead.domain.debt import debt_of, what_is_owed
from fairlead.domain.errors import ApiFault
from fairlead.domain.job import Job
from fairlead.domain.objects import EventNote
from fairlead.domain.settle import Outcome
from fairlead.engine.debts import Debts
from fairlead.engine.ports import World
from fairlead.engine.writer import Writer

log = structlog.get_logger()

ASK_AGAIN_SECONDS = 5.0
"""Until the ledger is tried again when it could not be written."""
LETTING_GO = "let go"


class Overdue:
    """Lets Jobs go that have waited for long enough."""

    def __init__(self, world: World, debts: Debts, writer: Writer) -> None:
        self._world = world
        self._debts = debts
        self._writer = writer
        self._ready_at: dict[str, float] = {}      # by namespace: each has its own share of the ledger

    async def let_go(self, jobs: Iterable[Job], why: str, *, reached: bool) -> None:
        """Write down what each may leave behind, tell it, and take its finalizer off. `reached`: its cluster answers.

        A Job whose debt cannot be written stays, and is tried again: first one of its namespace, then the others.
        """
        mishaps = self._writer.mishaps
        ready = [job for job in self._whose_turn(jobs) if mishaps.rests_until(job, LETTING_GO) is None]
        await mishaps.each(LETTING_GO, ((job, self._let_go(job, why, reached)) for job in ready))

    def _whose_turn(self, jobs: Iterable[Job]) -> Iterator[Job]:
        """All, but of a namespace whose debts could not be written one now and then, and the others once that one has gone."""
        now, tried = self._world.clock.monotonic(), set[str]()
        for job in jobs:
            namespace = job.ref.namespace
            ready_at = self._ready_at.get(namespace)
            if ready_at is None or (now >= ready_at and namespace not in tried):
                tried.add(namespace)
                yield job

    async def _let_go(self, job: Job, why: str, reached: bool) -> None:
        clock, memory = self._world.clock, self._writer.memory(job)
        if not job.is_begun:             # nothing of it was ever handed in
            await self._writer.release(job, finished=False)
            return
        debt = debt_of(job, job.key, what_is_owed(job, reached=reached), clock.wall())
        try:
            await self._debts.owe([debt])
        except ApiFault as error:
            log.info("write_not_done", job=str(job.ref), error=str(error))
            self._ready_at[job.ref.namespace] = clock.monotonic() + ASK_AGAIN_SECONDS
            await self._writer.apply(job, Outcome(memory, report.deleting(job, f"{why}; {error}", self._world.now())))
            return
        self._ready_at.pop(job.ref.namespace, None)
        said = (f"{why}; deletionDeadlineSeconds ({job.spec.deletion_deadline_seconds} s) are over, so the Job goes. What it may have left "
                f"there is written down as {debt.key}, and cleaned up when Cluster {debt.cluster_name} answers")
        await self._writer.apply(job, Outcome(memory, None, (EventNote("Warning", JobReason.LET_GO, said, "Delete"),)))
        await self._writer.release(job, finished=False)
