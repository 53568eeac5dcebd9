"""The peer of the pool: kept connections under one lock, which is held while one is made. Many pools begin like this."""

import asyncio
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self, TypeVar

import asyncssh

from fairlead.api.v1alpha1.reasons import ClusterReason
from fairlead.domain.cluster.address import Address
from fairlead.domain.errors import Unreachable
from fairlead.schedulers.seam import Exchange
from fairlead.ssh.channel import open_channel
from fairlead.ssh.execute import Command, execute

T = TypeVar("T")

CHANNELS = 4                         # of a connection at the same time, as the product has it: sshd refuses more than MaxSessions
REOPEN_SECONDS = 0.05                # for sshd to free a session
REOPEN_TIMES = 20


class LockedPool:
    """Runs exchanges as the product does, over the same connections; only who waits for whom differs."""

    def __init__(self, dial: Callable[[Address], Awaitable[asyncssh.SSHClientConnection]]) -> None:
        self._dial = dial
        self._lock = asyncio.Lock()
        self._connections: dict[Address, asyncssh.SSHClientConnection] = {}
        self._channels: dict[Address, asyncio.Semaphore] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for connection in self._connections.values():
            connection.close()
        for connection in self._connections.values():
            await connection.wait_closed()

    async def exchange(self, address: Address, exchange: Exchange[T]) -> T:
        """Run one exchange. Raises `Unreachable` and `Unanswered`."""
        async with self._lock:
            connection = self._connections.get(address)
            if connection is None or connection.is_closed():
                connection = self._connections[address] = await self._dial(address)
        where = f"{address.user}@{address.host}:{address.port}"
        command = Command(exchange.verb, where, exchange.stdin(), address.connect_timeout_seconds, exchange.timeout_seconds,
                        exchange.max_output_bytes, exchange.last_row)
        async with self._channels.setdefault(address, asyncio.Semaphore(CHANNELS)):
            for _ in range(REOPEN_TIMES):
                if opened := await open_channel(connection, command.max_output_bytes, command.last_row, command.open_seconds):
                    return exchange.parse(await execute(connection, opened, command))
                await asyncio.sleep(REOPEN_SECONDS)
        raise Unreachable(f"{where} opens no session", ClusterReason.CONNECTION_FAILED)
