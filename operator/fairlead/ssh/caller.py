"""The caller of an exchange, which may be cancelled at once: the exchange runs in a task of its own, and is ended afterwards."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from fairlead.ssh.channel import KILL_SECONDS
from fairlead.ssh.kept import Connection


class Caller:
    """Waits for one task. `ended` is told of its end, also when the caller has gone."""

    def __init__(self, ended: Callable[[asyncio.Task[bytes]], None]) -> None:
        self._ended = ended
        self._loop = asyncio.get_running_loop()
        self._answer: asyncio.Future[bytes] = self._loop.create_future()
        self._opening: Connection | None = None
        self._drop: asyncio.TimerHandle | None = None
        self.has_gone = False

    async def answer(self, task: asyncio.Task[bytes]) -> bytes:
        """What the task gives. If the caller is cancelled meanwhile, the task is cancelled too, unless it is opening a channel."""
        task.add_done_callback(self._tell)
        try:
            return await self._answer
        except asyncio.CancelledError:
            self.has_gone = True
            if self._opening is None:
                task.cancel()
            else:
                self._drop = self._loop.call_later(KILL_SECONDS, self._opening.abort)
            raise

    @contextmanager
    def opening(self, connection: Connection) -> Iterator[None]:
        """Meanwhile nothing is cut short: a half-open channel could not be closed. If the caller has gone, it is cancelled at the end.

        If that takes too long, the connection is cut.
        """
        self._opening = connection
        try:
            yield
        finally:
            self._opening = None
            if self._drop:
                self._drop.cancel()
        if self.has_gone:
            raise asyncio.CancelledError

    def _tell(self, task: asyncio.Task[bytes]) -> None:
        self._ended(task)
        failure = None if task.cancelled() else task.exception()     # so it is seen, also when the caller has gone
        if self._answer.done():
            return
        if task.cancelled():
            self._answer.cancel()
        elif failure:
            self._answer.set_exception(failure)
        else:
            self._answer.set_result(task.result())
