"""The three lanes of a site: submit, cancel (with burial), observe; and one beside them for the sweep. One exec each in flight.

    submit: exec ------> ids written down        a Job is busy from the first to the last
                   exec (of other Jobs) ------> ids written down

A Job is in one lane at most that changes it.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from functools import partial
from typing import Any

import structlog

from fairlead.domain.errors import FairleadError
from fairlead.domain.run.owner import RunOwner
from fairlead.engine.ports import Clock

log = structlog.get_logger()


class Lanes:
    """The tasks of one site. `on_done` is called with the lane and whether anything changed."""

    def __init__(self, clock: Clock, on_done: Callable[[str, bool], None]) -> None:
        self._clock = clock
        self._on_done = on_done
        self._execs: dict[str, asyncio.Task[bool]] = {}
        self._writing: dict[str, asyncio.Task[bool]] = {}    # their exec is over
        self._busy: dict[asyncio.Task[bool], set[str]] = {}
        self._left_at: dict[str, float] = {}                 # when a Job left a lane (monotonic), by uid

    def is_free(self, lane: str) -> bool:
        """Whether an exec of this lane may be started."""
        return lane not in self._execs

    def is_busy(self, uid: str) -> bool:
        """Whether this Job is in a lane that changes it, or what came of that is not written down yet."""
        return any(uid in uids for uids in self._busy.values())

    def was_busy_since(self, uid: str, monotonic: float) -> bool:
        """Whether it is, or was at any time after this moment."""
        return self.is_busy(uid) or self._left_at.get(uid, monotonic) > monotonic

    def forget_before(self, monotonic: float) -> None:
        """Nobody asks any more about a moment before this one."""
        self._left_at = {uid: at for uid, at in self._left_at.items() if at > monotonic}

    def start(self, lane: str, coroutine: Coroutine[Any, Any, bool], jobs: Iterable[RunOwner] = ()) -> None:
        """Start a free lane's exec, and what follows from its answer: whether anything changed. `jobs` are busy until that is done."""
        task = self._execs[lane] = asyncio.create_task(self._run(lane, coroutine))
        self._busy[task] = {job.ref.uid for job in jobs}
        task.add_done_callback(partial(self._done, lane))

    async def leave(self, lane: str) -> None:
        """The exec of this task is over: let the next one begin while what it answered is written down, one batch at a time."""
        if before := self._writing.get(lane):
            await asyncio.wait({before})
        self._writing[lane] = self._execs.pop(lane)
        self._on_done(lane, False)

    async def close(self) -> None:
        """Give up what is in flight; the directory at the far end answers later."""
        tasks = tuple(self._busy)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, lane: str, coroutine: Coroutine[Any, Any, bool]) -> bool:
        try:
            return await coroutine
        except FairleadError as error:
            log.info("exchange_failed", lane=lane, error=str(error))
        except Exception:
            log.exception("lane_failed", lane=lane)
        return False

    def _done(self, lane: str, task: asyncio.Task[bool]) -> None:
        for stage in (self._execs, self._writing):
            if stage.get(lane) is task:
                del stage[lane]
        self._left_at.update(dict.fromkeys(self._busy.pop(task), self._clock.monotonic()))
        self._on_done(lane, not task.cancelled() and task.result())
