"""Deleted Jobs whose deadline is over: what they may leave behind is written down, then they may go, whatever their cluster does."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import structlog

from fairlead.domain.errors import ApiFault
from fairlead.domain.gone.debt import debt_of, what_is_owed
from fairlead.domain.run.news import DeletionWaits, LetGo
from fairlead.domain.run.owner import RunOwner
from fairlead.domain.run.settle import Outcome
from fairlead.engine.owed.debts import Debts
from fairlead.engine.ports import World
from fairlead.engine.writer import Writer

log = structlog.get_logger()

LETTING_GO = "let go"


@dataclass(slots=True)
class _Waiting:
    """A namespace whose debts could not be written: when the next of its Jobs is tried (monotonic), and which were so far, by uid."""

    ready_at: float = 0.0
    tried: set[str] = field(default_factory=set)


class Overdue:
    """Lets Jobs go that have waited for long enough."""

    def __init__(self, world: World, debts: Debts, writer: Writer) -> None:
        self._world = world
        self._debts = debts
        self._writer = writer
        self._waiting: dict[str, _Waiting] = {}    # by namespace: each has its own share of the ledger

    async def let_go(self, jobs: Iterable[RunOwner], why: str, *, reached: bool) -> None:
        """Write down what each may leave behind, tell it, and take its finalizer off. `reached`: its cluster answers.

        A Job whose debt cannot be written stays, and is tried again: first one of its namespace, then the others.
        """
        mishaps = self._writer.mishaps
        awake = (job for job in jobs if mishaps.rests_until(job, LETTING_GO) is None)
        ready = [job for job in awake if self._needs_nothing_written(job, reached) or self._has_turn(job)]
        await mishaps.each(LETTING_GO, ((job, self._let_go(job, why, reached)) for job in ready))

    def _needs_nothing_written(self, job: RunOwner, reached: bool) -> bool:
        return not job.is_begun or self._debts.has(job.key, what_is_owed(job, reached=reached))

    def _has_turn(self, job: RunOwner) -> bool:
        """Whether a Job is tried: of a namespace whose debts could not be written one now and then, each of its Jobs in turn."""
        now, waiting = self._world.clock.monotonic(), self._waiting.get(job.ref.namespace)
        if waiting is None:
            return True
        pause_seconds = self._world.settings.pauses.debt_seconds
        was_tried = job.ref.uid in waiting.tried
        if now < waiting.ready_at + (pause_seconds if was_tried else 0.0):   # first those who were not
            return False
        if was_tried:
            waiting.tried.clear()
        waiting.tried.add(job.ref.uid)
        waiting.ready_at = now + pause_seconds
        return True

    async def _let_go(self, job: RunOwner, why: str, reached: bool) -> None:
        clock, memory = self._world.clock, self._writer.memory(job)
        if not job.is_begun:             # nothing of it was ever handed in
            await self._writer.release(job, finished=False)
            return
        debt = debt_of(job, job.key, what_is_owed(job, reached=reached), clock.wall())
        is_news = not self._needs_nothing_written(job, reached)
        try:
            await self._debts.owe([debt])
        except ApiFault as error:
            log.info("write_not_done", job=str(job.ref), error=str(error))
            waiting = self._waiting.setdefault(job.ref.namespace, _Waiting())
            waiting.tried.add(job.ref.uid)
            waiting.ready_at = clock.monotonic() + self._world.settings.pauses.debt_seconds
            await self._writer.apply(job, Outcome(memory, DeletionWaits(f"{why}; {error}")))
            return
        if is_news:                      # there is room again
            self._waiting.pop(job.ref.namespace, None)
        await self._writer.apply(job, Outcome(memory, LetGo(why, debt.key, debt.cluster_name)))
        await self._writer.release(job, finished=False)
