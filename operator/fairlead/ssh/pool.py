"""Connections that are kept: for each address a few lanes, each one connection with a few channels, given out in the order of asking.

    exchange --- channel slot of the address (FIFO) --- lane --- its connection, or the one connect under way, shared by all who wait
                                                                   '--- connect slot of the host, then of all (FIFO)

A slot of the address is taken before one of all: an address that hangs keeps its own few, never everybody's.
"""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncssh

from fairlead.api.v1alpha1.reasons import ClusterReason
from fairlead.domain.address import Address
from fairlead.domain.errors import Unreachable


@dataclass(frozen=True, slots=True)
class PoolLimits:
    """Bounds for one process. Fifty connects at once bring 100 hosts up in 24 ms of waiting; more gains nothing."""

    connects: int = 50
    """Connections that are being made at the same time."""
    execs: int = 50
    """Exchanges at the same time, over all clusters."""
    connects_per_host: int = 2
    """Connections that are being made to one host: from the 11th without login sshd drops some, whoever they belong to (MaxStartups)."""
    jitter_seconds: float = 0.2
    """At most so long a random wait comes before a connect to a host to which another is under way."""
    close_seconds: float = 1.5
    """For a clean close; a stopped sshd never completes one."""


class Gate:
    """Lets so many connects through at once, in order, and only a few of them to one host, those apart by a random moment."""

    def __init__(self, limits: PoolLimits) -> None:
        self._limits = limits
        self._all = asyncio.Semaphore(limits.connects)
        self._hosts: dict[tuple[str, int], asyncio.Semaphore] = {}
        self._users: Counter[tuple[str, int]] = Counter()

    @asynccontextmanager
    async def passed(self, address: Address) -> AsyncIterator[None]:
        """Hold a place of the host and one of all. The host's comes first, so that hosts that hang keep nobody else waiting."""
        host = (address.host, address.port)
        crowded = self._users[host] > 0
        self._users[host] += 1
        try:
            async with self._hosts.setdefault(host, asyncio.Semaphore(self._limits.connects_per_host)):
                if crowded:
                    await asyncio.sleep(random.uniform(0, self._limits.jitter_seconds))   # noqa: S311  # not for secrets
                async with self._all:
                    yield
        finally:
            self._users[host] -= 1
            if not self._users[host]:
                del self._users[host], self._hosts[host]


class Lane:
    """One connection: made when first needed, made again after it was lost."""

    def __init__(self, dial: Callable[[], Awaitable[asyncssh.SSHClientConnection]]) -> None:
        self._dial = dial
        self._connection: asyncssh.SSHClientConnection | None = None
        self._connecting: asyncio.Task[asyncssh.SSHClientConnection] | None = None
        self._closed = False
        self.busy = 0                # channels given out

    async def connection(self) -> asyncssh.SSHClientConnection:
        """Return the living connection. All who wait share one connect, and none of them ends it by giving up."""
        if self._closed:
            raise closed_by_us()
        if self._connection and not self._connection.is_closed():
            return self._connection
        if self._connecting is None:
            self._connecting = asyncio.create_task(self._connect())
            self._connecting.add_done_callback(self._connected)
        try:
            return await asyncio.shield(self._connecting)
        except asyncio.CancelledError:
            if self._closed:
                raise closed_by_us() from None
            raise

    async def _connect(self) -> asyncssh.SSHClientConnection:
        connection = await self._dial()
        self._connection = connection
        return connection

    def _connected(self, task: asyncio.Task[asyncssh.SSHClientConnection]) -> None:
        self._connecting = None
        if not task.cancelled():
            task.exception()         # seen: those who waited may all have given up

    async def close(self, seconds: float) -> None:
        """Close within so many seconds: cleanly if the far end plays along, else by cutting off."""
        self._closed = True
        if self._connecting:
            connecting = self._connecting
            connecting.cancel()
            await asyncio.wait([connecting])
        if connection := self._connection:
            await close_connection(connection, seconds)


class Site:
    """One address's lanes and the queue before them."""

    def __init__(self, address: Address, dial: Callable[[], Awaitable[asyncssh.SSHClientConnection]]) -> None:
        self._channels = address.max_channels
        self._slots = asyncio.Semaphore(address.max_channels * address.max_connections)
        self._lanes = [Lane(dial) for _ in range(address.max_connections)]
        self._closed = False

    @asynccontextmanager
    async def lane(self) -> AsyncIterator[Lane]:
        """Hold a channel's place on a lane; waits in order until one is free. A lane is filled before the next connection is made."""
        async with self._slots:
            if self._closed:
                raise closed_by_us()
            lane = next(lane for lane in self._lanes if lane.busy < self._channels)
            lane.busy += 1
            try:
                yield lane
            finally:
                lane.busy -= 1

    async def close(self, seconds: float) -> None:
        """Close all lanes at once; who waits for one gets `Unreachable`."""
        self._closed = True
        await asyncio.gather(*(lane.close(seconds) for lane in self._lanes))


async def close_connection(connection: asyncssh.SSHClientConnection, seconds: float) -> None:
    """Close a connection, by cutting it off if the far end has not let go in time."""
    connection.close()
    try:
        async with asyncio.timeout(seconds):
            await connection.wait_closed()
    except TimeoutError:
        connection.abort()
        await connection.wait_closed()


def closed_by_us() -> Unreachable:
    """The error for an exchange whose address was forgotten before it began."""
    return Unreachable("the connection was closed by Fairlead before anything was sent: the Cluster changed, or Fairlead is stopping",
                       ClusterReason.CONNECTION_LOST)
