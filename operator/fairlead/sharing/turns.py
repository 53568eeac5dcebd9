"""Queues for one of few places: in the order of asking within a namespace, and the namespaces in turn."""

import asyncio
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

Taker = TypeVar("Taker")
NOBODY = ""
"""A namespace whose places are in no share: only their number is bounded."""
Waited = Callable[[float], None]
"""Told of each wait that is over, in vain or not: its seconds. Who finds a place at once has not waited."""


def ignored(_seconds: float) -> None:
    """Nobody wants to know."""


class Turns(ABC, Generic[Taker]):
    """A queue before places. Nobody waits longer than `wait_seconds`: then he gets the `fault` that is made of a sentence."""

    def __init__(self, wait_seconds: float, fault: Callable[[str], Exception], waited: Waited = ignored) -> None:
        self._wait_seconds, self._fault, self._waited = wait_seconds, fault, waited
        self._queues: dict[str, deque[tuple[Taker, asyncio.Future[None]]]] = {}   # whose turn is next first

    @property
    def waiting(self) -> int:
        """How many wait now."""
        return sum(map(len, self._queues.values()))

    @abstractmethod
    def _may_take(self, owner: str) -> bool:
        """Whether a place is free for this namespace."""

    @abstractmethod
    def _take(self, owner: str, taker: Taker) -> None:
        """Count a place as taken."""

    @abstractmethod
    def _give_back(self, owner: str, taker: Taker) -> None:
        """Count it as free again."""

    @abstractmethod
    def _none_free(self, taker: Taker) -> str:
        """What is said to who has waited in vain."""

    def _queued(self, owner: str) -> int:
        return len(self._queues.get(owner, ()))

    async def _come_by(self, owner: str, taker: Taker) -> None:
        """Take a place, at once if one is free. Raises the fault when none came free in time."""
        if owner not in self._queues and self._may_take(owner):
            self._take(owner, taker)
            return
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[None] = loop.create_future()
        began = loop.time()
        self._queues.setdefault(owner, deque()).append((taker, turn))
        self._is_waited_for()
        try:
            async with asyncio.timeout(self._wait_seconds):
                await turn
        except BaseException as error:
            self._give_up(owner, taker, turn)
            if isinstance(error, TimeoutError):
                raise self._fault(self._none_free(taker)) from error
            raise
        finally:
            self._waited(loop.time() - began)

    def _is_waited_for(self) -> None:
        """Somebody has begun to wait."""

    def _hand_out(self) -> None:
        """Give free places to those who wait."""
        while (owner := next((each for each in self._queues if self._may_take(each)), None)) is not None:
            queue = self._queues.pop(owner)
            taker, turn = queue.popleft()
            if queue:
                self._queues[owner] = queue      # behind the others
            if not turn.done():                  # else its task was cancelled, and has not run since
                self._take(owner, taker)
                turn.set_result(None)

    def _give_up(self, owner: str, taker: Taker, turn: asyncio.Future[None]) -> None:
        queue = self._queues.get(owner)
        if queue and (taker, turn) in queue:
            queue.remove((taker, turn))
            if not queue:
                del self._queues[owner]
        elif turn.done() and not turn.cancelled():   # it came in the moment of giving up
            self._give_back(owner, taker)
            self._hand_out()
