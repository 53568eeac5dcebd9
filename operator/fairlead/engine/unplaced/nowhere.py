"""Jobs for which nothing can be done, since where they may run is not known, or not there any more."""

from dataclasses import dataclass

from fairlead.api.v1alpha1.reasons import JobReason
from fairlead.domain.gone.debt import is_overdue
from fairlead.domain.run.news import DeletionWaits, Waiting
from fairlead.domain.run.watched import WatchedOwner
from fairlead.engine.owed.overdue import Overdue
from fairlead.engine.ports import World
from fairlead.engine.writer import Writer


@dataclass(frozen=True, slots=True)
class Nowhere:
    """Tells them what they wait for, and lets those go that need nothing more, or have waited for long enough."""

    world: World
    writer: Writer
    overdue: Overdue

    async def see_to(self, job: WatchedOwner, reason: JobReason, what: str, mend: str, mend_deletion: str) -> None:
        """`what` is wrong, a sentence without its end; the others go on from it, for a Job that waits and for one that is being deleted."""
        if self.writer.is_at_rest(job):
            return
        if job.ended:
            await self.writer.release(job, finished=True)
        elif job.deleting and not job.is_begun:
            if job.has_finalizer:
                await self.writer.release(job, finished=False)
        elif is_overdue(job, self.world.clock.wall()):
            await self.overdue.let_go([job], what, reached=False)
        elif not job.deleting:
            await self.writer.tell_waiting(job, Waiting(reason, f"{what}{mend}"))
        elif job.has_finalizer:
            await self.writer.tell_waiting(job, DeletionWaits(f"{what}{mend_deletion}"))
