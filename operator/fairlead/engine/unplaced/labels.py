"""Takes the label of finished Jobs off those that have not ended: the watch leaves them out, so nobody else would see them.

    label by hand, or in an exported manifest -> not watched -> listed here -> label off, an Event -> watched

Jobs that have ended get the label together with the loss of our finalizer, behind the status that says so. One that has the label without
such a status, or with the finalizer, has it from somebody else.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

import structlog

from fairlead.api.v1alpha1 import names
from fairlead.api.v1alpha1.reasons import JobReason
from fairlead.domain.errors import ApiFault
from fairlead.domain.objects import EventNote, ObjectRef
from fairlead.engine.failures.pauses import Pauses
from fairlead.engine.ports import World

log = structlog.get_logger()

Item = TypeVar("Item")

AT_ONCE = 8
"""Writes in flight."""
IN_ONE_LOOK = 400
"""Labels taken off in one look: what somebody makes by the thousand waits for the next, and holds up nobody else."""
_SAID = (f"the label {names.FINISHED_LABEL}: \"{names.FINISHED_VALUE}\" was on this Job, which has not ended, and was taken off: it is "
         "Fairlead's own, so leave it out of manifests")


class Labels:
    """Puts wrong labels right."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._looked_at = float("-inf")
        self._soon, self._seldom = Pauses(world), Pauses(world)      # of the Jobs that either look finds
        self.wake = asyncio.Event()      # a Job has left the watch, and it may have been for its label

    async def look(self) -> None:
        """Put those right that have no end in their status. Raises `ApiFault`."""
        clock = self._world.clock
        await asyncio.sleep(max(0.0, self._looked_at + self._world.settings.label_woken_seconds - clock.monotonic()))
        self._looked_at = clock.monotonic()
        await self._put_right(await self._world.finished.mislabelled(), self._soon)

    async def look_at_all(self) -> None:
        """And those that have ended and could not be let go of, since they were not seen. Raises `ApiFault`."""
        await self._put_right(await self._world.finished.with_finalizer(), self._seldom)

    async def _put_right(self, found: Sequence[ObjectRef], pauses: Pauses) -> None:
        places, uids = asyncio.Semaphore(AT_ONCE), {ref.uid for ref in found}
        pauses.keep(uids.__contains__)
        due = by_turns([ref for ref in found if not pauses.ends(ref.uid)], lambda ref: ref.namespace)
        await asyncio.gather(*(self._take_off(each, places, pauses) for each in due[:IN_ONE_LOOK]))

    async def _take_off(self, ref: ObjectRef, places: asyncio.Semaphore, pauses: Pauses) -> None:
        async with places:
            if not self._world.leadership.leads():
                return
            try:
                await self._world.store.unlabel(ref)
            except ApiFault as error:    # gone, or somebody was faster: the next look will see; or a policy refuses it
                pauses.not_taken(ref.uid, error)
                log.info("write_not_done", job=str(ref), error=str(error))
                return
            pauses.taken(ref.uid)
            log.warning("told", job=str(ref), reason=str(JobReason.LABEL_REMOVED), said=_SAID)
            await self._world.store.record_event(ref, EventNote("Warning", JobReason.LABEL_REMOVED, _SAID, "Watch"))


def by_turns(items: Iterable[Item], namespace_of: Callable[[Item], str]) -> list[Item]:
    """One of each namespace, then the next of each: however many one of them has."""
    before: Counter[str] = Counter()
    turns = []
    for item in items:
        namespace = namespace_of(item)
        turns.append((before[namespace], item))
        before[namespace] += 1
    return [item for _, item in sorted(turns, key=lambda each: each[0])]
