"""Listening at the far end for a Run's begin or end, so that the poll which sees it comes at once and not at the end of its interval.

    polls grow rare -> listen ---- nothing for a minute --------> listen
                              '--- news: poll now, and again soon -> listen, from the line that was heard on
                              '--- no answer: only polls for a while

What is heard says when to look, never what is there. So a far end that has news without end, or never, or lies, changes nothing but the
moment of a poll, and how often it may do that is bounded.
"""

import asyncio
from collections import deque
from collections.abc import Callable

import structlog

from fairlead.api.v1alpha1.reasons import ClusterReason
from fairlead.domain.errors import FairleadError, RemoteFault, Unreachable
from fairlead.engine.far_end.exchanges import Work

log = structlog.get_logger()

AT_MOST = 6
"""So many begin within `ListeningSettings.within_seconds`."""
NOTHING_HEARD = "?"
"""No line that anybody writes."""


class Listening:
    """Listens for one site. `call` is called when a poll is worth while, `wake` when somebody may listen anew."""

    def __init__(self, work: Work, call: Callable[[], None], wake: Callable[[], None]) -> None:
        self._work = work
        self._settings = work.world.settings.listening
        self._call, self._wake = call, wake
        self._task: asyncio.Task[None] | None = None
        self._heard: str | None = None       # the line that was heard last
        self._began: deque[float] = deque(maxlen=AT_MOST)
        self._quiet_until = self._called_at = float("-inf")
        self.is_proven = False
        """Whether it has called for a poll that then saw a change: there it can be relied on, and polls in between may be few."""

    def listen(self) -> None:
        """Have somebody listen, if nobody does and somebody may."""
        now = self._work.world.clock.monotonic()
        too_often = len(self._began) == AT_MOST and now - self._began[0] < self._settings.within_seconds
        if self._task is None and self._work.link.tree is not None and not too_often and now >= self._quiet_until:
            self._began.append(now)
            self._task = asyncio.create_task(self._listen())
            self._task.add_done_callback(self._ended)

    def saw(self, *, changed: bool) -> None:
        """A poll has ended."""
        if changed and self._work.world.clock.monotonic() - self._called_at < self._settings.news_seconds:
            self.is_proven = True

    async def close(self) -> None:
        """Listen no more; what listens at the far end is ended."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _listen(self) -> None:
        try:
            if self._heard is None:          # what was written before anybody listened is no news
                self._heard = await self._hear(NOTHING_HEARD)
            heard = await self._hear(self._heard)
        except FairleadError as error:
            log.debug("not_listening", error=str(error))
            self.is_proven = False
            if not (isinstance(error, RemoteFault) and error.reason is ClusterReason.CONNECTION_LOST):
                self._quiet_until = self._work.world.clock.monotonic() + self._settings.failed_seconds
            return
        if heard != self._heard:
            self._heard, self._called_at = heard, self._work.world.clock.monotonic()
            self._call()

    async def _hear(self, known: str) -> str:
        work = self._work
        if (tree := work.link.tree) is None or not work.world.leadership.leads():
            raise Unreachable("there is nowhere to listen", ClusterReason.CONNECTION_LOST)
        return await work.link.aside(work.driver().scheduler.listen(work.world.token(), tree, known, self._settings.exec_seconds))

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._task = None
        if task.cancelled():
            return
        if error := task.exception():
            log.error("listening_failed", exc_info=error)
            self._quiet_until = self._work.world.clock.monotonic() + self._settings.failed_seconds
        self._wake()
