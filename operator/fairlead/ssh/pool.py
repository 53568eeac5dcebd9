"""Connections that are kept: for each address a few lines, each one connection with a few channels, given out in the order of asking.

    exchange --- channel slot of the address (FIFO) --- line --- its connection, or the one connect under way, shared by all who wait
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
from fairlead.ssh.kept import Connection, KeptConnection

CHANNELS_TO_SPARE = 3
"""Where a Cluster allows fewer channels on a connection, sshd's MaxSessions is tight: each is needed."""


class Line:
    """One connection at a time: made when first needed, made again after it was lost, or retired."""

    def __init__(self, keep: Callable[[], KeptConnection]) -> None:
        self._keep = keep
        self._kept: list[KeptConnection] = []  # the last is the one in use; those before it are retired or lost
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
        """Wait until more of this line's sessions have ended than `ended_before`, so that one can be had; False: others hold them all."""
        if self._sessions and self.sessions_ended == ended_before:
            self._ended.clear()
            await self._ended.wait()
        return self.sessions_ended > ended_before

    @property
    def standing(self) -> KeptConnection | None:
        """The living connection, if it is made."""
        return self._kept[-1] if self._kept and self._kept[-1].stands else None

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
        """A session is needed, and sshd has none: what listens gives its session back, and nothing listens here any more."""
        self.is_crowded = self.is_crowded or bool(self._listeners)
        for task in self._listeners:
            task.cancel()

    def kept(self) -> AbstractAsyncContextManager[KeptConnection]:
        """Use the living connection."""
        if not self._kept or not self._kept[-1].is_usable:
            self._kept = [*(each for each in self._kept if not each.is_gone), self._keep()]
        return self._kept[-1].used()

    def retire(self) -> None:
        """Make the next exchange take a new connection; this one closes when what runs on it has ended."""
        for kept in self._kept:
            kept.retire()


class AddressPool:
    """One address's lines and the queue before them."""

    def __init__(self, address: Address, keep: Callable[[], KeptConnection]) -> None:
        self._channels = address.max_channels
        self._slots = asyncio.Semaphore(address.max_channels * address.max_connections)
        self._lines = [Line(keep) for _ in range(address.max_connections)]
        self._users = 0              # exchanges that run or wait
        self._retired = False

    @asynccontextmanager
    async def line(self) -> AsyncIterator[Line]:
        """Hold a channel's place on a line; waits in order until one is free. A line is filled before the next connection is made."""
        self._users += 1
        try:
            async with self._slots:
                line = next(line for line in self._lines if line.busy < self._channels)
                line.busy += 1
                try:
                    yield line
                finally:
                    line.busy -= 1
        finally:
            self._users -= 1
            self._retire_if_done()

    def standing(self) -> tuple[Line, Connection]:
        """A line whose connection stands with a session to spare, for who only listens. Raises `Unreachable` when there is none."""
        if self._channels < CHANNELS_TO_SPARE or all(line.is_crowded for line in self._lines):
            raise Unreachable("few sessions may be open at a time: none can be spared", ClusterReason.CONNECTION_FAILED)
        for line in self._lines:
            if (kept := line.standing) and not (line.is_crowded or self._retired):
                return line, kept.connection
        raise Unreachable("no connection stands", ClusterReason.CONNECTION_LOST)

    def retire(self) -> None:
        """Serve those who run or wait, then close; nobody asks anew."""
        self._retired = True
        self._retire_if_done()

    def _retire_if_done(self) -> None:
        if self._retired and not self._users:
            for line in self._lines:
                line.retire()
