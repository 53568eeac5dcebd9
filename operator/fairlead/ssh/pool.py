"""Connections that are kept: for each address a few lanes, each one connection with a few channels, given out in the order of asking.

    exchange --- channel slot of the address (FIFO) --- lane --- its connection, or the one connect under way, shared by all who wait
                                                                   '--- seat (FIFO) --- connect slot of the host, then of all (FIFO)

A slot of the address is taken before one of all: an address that hangs keeps its own few, never everybody's.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from typing import Any

from fairlead.api.v1alpha1.reasons import ClusterReason
from fairlead.domain.cluster.address import Address
from fairlead.domain.errors import Unreachable
from fairlead.ssh.held import Connection, Held

CHANNELS_TO_SPARE = 3
"""Where a Cluster allows fewer channels on a connection, sshd's MaxSessions is tight: each is needed."""


class Lane:
    """One connection at a time: made when first needed, made again after it was lost, or retired."""

    def __init__(self, hold: Callable[[], Held]) -> None:
        self._hold = hold
        self._held: list[Held] = []  # the last is the one in use; those before it are retired or lost
        self._sessions = 0
        self._ended = asyncio.Event()
        self._listeners: set[asyncio.Task[Any]] = set()
        self.sessions_ended = 0      # so far
        self.is_crowded = False      # sshd has refused a session while somebody listened
        self.busy = 0                # channels given out

    @contextmanager
    def session(self) -> Iterator[None]:
        """Have one of sshd's sessions."""
        self._sessions += 1
        try:
            yield
        finally:
            self._sessions -= 1
            self.sessions_ended += 1
            self._ended.set()

    async def session_ends(self, ended_before: int) -> bool:
        """Wait until more of this lane's sessions have ended than `ended_before`, so that one can be had; False: others hold them all."""
        if self._sessions and self.sessions_ended == ended_before:
            self._ended.clear()
            await self._ended.wait()
        return self.sessions_ended > ended_before

    @property
    def standing(self) -> Held | None:
        """The living connection, if it is made."""
        return self._held[-1] if self._held and self._held[-1].stands else None

    @contextmanager
    def listener(self) -> Iterator[None]:
        """Have one of sshd's sessions that nobody needs: the task that does is cancelled when somebody does."""
        listeners = {task} if (task := asyncio.current_task()) else set()
        self._listeners |= listeners
        try:
            yield
        finally:
            self._listeners -= listeners

    def hush(self) -> None:
        """A session is needed, and sshd has none: whoever listens gives his back, and nobody listens here any more."""
        self.is_crowded = self.is_crowded or bool(self._listeners)
        for task in self._listeners:
            task.cancel()

    def held(self) -> AbstractAsyncContextManager[Held]:
        """Use the living connection."""
        if not self._held or not self._held[-1].is_usable:
            self._held = [*(each for each in self._held if not each.is_gone), self._hold()]
        return self._held[-1].used()

    def retire(self) -> None:
        """Make the next exchange take a new connection; this one closes when what runs on it has ended."""
        for held in self._held:
            held.retire()


class Site:
    """One address's lanes and the queue before them."""

    def __init__(self, address: Address, hold: Callable[[], Held]) -> None:
        self._channels = address.max_channels
        self._slots = asyncio.Semaphore(address.max_channels * address.max_connections)
        self._lanes = [Lane(hold) for _ in range(address.max_connections)]
        self._users = 0              # exchanges that run or wait
        self._retired = False

    @asynccontextmanager
    async def lane(self) -> AsyncIterator[Lane]:
        """Hold a channel's place on a lane; waits in order until one is free. A lane is filled before the next connection is made."""
        self._users += 1
        try:
            async with self._slots:
                lane = next(lane for lane in self._lanes if lane.busy < self._channels)
                lane.busy += 1
                try:
                    yield lane
                finally:
                    lane.busy -= 1
        finally:
            self._users -= 1
            self._retire_if_done()

    def standing(self) -> tuple[Lane, Connection]:
        """A lane whose connection stands with a session to spare, for who only listens. Raises `Unreachable` when there is none."""
        if self._channels < CHANNELS_TO_SPARE or all(lane.is_crowded for lane in self._lanes):
            raise Unreachable("few sessions may be open at a time: none can be spared", ClusterReason.CONNECTION_FAILED)
        for lane in self._lanes:
            if (held := lane.standing) and not (lane.is_crowded or self._retired):
                return lane, held.connection
        raise Unreachable("no connection stands", ClusterReason.CONNECTION_LOST)

    def retire(self) -> None:
        """Serve those who run or wait, then close; nobody asks anew."""
        self._retired = True
        self._retire_if_done()

    def _retire_if_done(self) -> None:
        if self._retired and not self._users:
            for lane in self._lanes:
                lane.retire()
