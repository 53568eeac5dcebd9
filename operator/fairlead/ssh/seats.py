"""How many connections are held at once: a seat for each, and who finds none free waits in order.

    take: a seat is free -> taken
          none is free   -> the least recently used idle connection closes; wait in order -> taken, or `Unreachable` after a while

While somebody waits, a connection on which an exchange ends takes no further one: else busy clusters would keep the others out for ever.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

from fairlead.api.v1alpha1.reasons import ClusterReason
from fairlead.domain.address import Address
from fairlead.domain.errors import Unreachable
from fairlead.ssh.limits import PoolLimits


class Holder(Protocol):
    """What takes a seat: one connection, from before it is made until after it is closed."""

    users: int
    """Exchanges that run on it, or wait until it is made."""
    retired: bool
    """It takes no more of them, and closes when the last has ended."""

    def retire(self) -> None:
        """Retire it; it gives its seat back by itself."""
        ...


class Seats:
    """The seats of one process. None of its methods but `seat` waits; `held` and `waiting` are counts for a metric."""

    def __init__(self, limits: PoolLimits) -> None:
        self._limits = limits
        self._held: dict[Holder, None] = {}      # the least recently used first
        self._waiting: deque[tuple[Holder, asyncio.Future[None]]] = deque()

    @property
    def held(self) -> int:
        """Connections that stand, are being made or are being closed."""
        return len(self._held)

    @property
    def waiting(self) -> int:
        """Connections that wait for a seat before they are made."""
        return len(self._waiting)

    @asynccontextmanager
    async def seat(self, holder: Holder, where: Address) -> AsyncIterator[None]:
        """Hold a seat, in the order of asking. Raises `Unreachable`, naming `where`, when none came free in time."""
        await self._take(holder, where)
        try:
            yield
        finally:
            self._held.pop(holder, None)
            self._hand_out()

    def used(self, holder: Holder) -> None:
        """An exchange begins on it."""
        if holder in self._held:
            self._held[holder] = self._held.pop(holder)

    def rested(self, holder: Holder) -> None:
        """An exchange on it has ended: it goes if somebody waits for whom nobody else is going."""
        if self._waiting and not holder.retired and self._going(idle_only=not holder.users) < len(self._waiting):
            holder.retire()

    async def _take(self, holder: Holder, where: Address) -> None:
        if not self._waiting and len(self._held) < self._limits.connections:
            self._held[holder] = None
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((holder, turn))
        self._hand_out()
        if not turn.done():
            self._make_room()
        try:
            async with asyncio.timeout(self._limits.wait_seconds):
                await turn
        except BaseException as error:
            if (holder, turn) in self._waiting:
                self._waiting.remove((holder, turn))
            self._held.pop(holder, None)         # should it have come in the moment of giving up
            self._hand_out()
            if isinstance(error, TimeoutError):
                raise self._none_free(where) from error
            raise

    def _hand_out(self) -> None:
        """Give free seats to those who wait, in order."""
        while self._waiting and len(self._held) < self._limits.connections:
            holder, turn = self._waiting.popleft()
            if not turn.done():                  # its task was cancelled, and has not run since
                self._held[holder] = None
                turn.set_result(None)

    def _make_room(self) -> None:
        """Close the idle connection that was used least recently, unless as many are closing already."""
        if self._going(idle_only=True) < len(self._waiting):
            idle = next((holder for holder in self._held if not holder.users and not holder.retired), None)
            if idle:
                idle.retire()

    def _going(self, *, idle_only: bool) -> int:
        """How many give their seats back without being asked; `idle_only`: at once, not when their exchanges have ended."""
        return sum(holder.retired and not (idle_only and holder.users) for holder in self._held)

    def _none_free(self, where: Address) -> Unreachable:
        most = self._limits.connections
        return Unreachable(f"no connection for {where} came free within {self._limits.wait_seconds:g} s: all {most} that this controller "
                           "may hold are in use; raise its setting ssh.connections", ClusterReason.NO_FREE_CONNECTION)
