"""Output of any size, passed on as it comes: for a person who reads a log, not for the engine."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TypeVar

import asyncssh

from fairlead.api.v1alpha1.reasons import ClusterReason
from fairlead.api.v1alpha1.texts import one_line
from fairlead.domain.cluster.address import Address
from fairlead.domain.errors import Unanswered, Unreachable
from fairlead.schedulers.seam import COMMAND, Exchange
from fairlead.ssh.channel import Exec, put_down
from fairlead.ssh.execute import require_success
from fairlead.ssh.kept import close_connection
from fairlead.ssh.limits import PoolLimits
from fairlead.ssh.profile import read_profiles
from fairlead.ssh.resolver import Resolver
from fairlead.ssh.service import LoginService

T = TypeVar("T")

HELD_BYTES = 1 << 20                 # read ahead of a slow reader; the far end waits when as much again is on its way
CLOSE_SECONDS = PoolLimits().close_seconds     # a command has no settings file


class _Flow(Exec):
    """An exec whose output leaves as it comes; asks the far end to wait while nobody takes it."""

    def __init__(self) -> None:
        super().__init__(max_output_bytes=0)
        self._channel: asyncssh.SSHClientChannel[bytes] | None = None
        self._paused = False
        self._abandoned = False
        self.arrived = asyncio.Event()       # there is output to take, or there will be none any more

    def connection_made(self, chan: asyncssh.SSHClientChannel[bytes]) -> None:
        """The channel is open."""
        self._channel = chan

    def data_received(self, data: bytes, datatype: int | None) -> None:
        """Keep it until it is taken."""
        if datatype == asyncssh.EXTENDED_DATA_STDERR:
            self.keep_error(data)
            return
        if self._abandoned:
            return
        self.output += data
        self.arrived.set()
        self._pause_if_full()

    def connection_lost(self, exc: Exception | None) -> None:
        """There will be no more."""
        super().connection_lost(exc)
        self.arrived.set()

    def take(self) -> bytes:
        """Take what is here, at most `HELD_BYTES`; let more come when that was all."""
        taken = bytes(self.output[:HELD_BYTES])
        del self.output[:HELD_BYTES]
        if not self.output:
            if not self.closed.is_set():
                self.arrived.clear()
            self._resume()
        return taken

    def abandon(self) -> None:
        """Nobody takes any more: what still comes is thrown away, so that the channel can close."""
        self._abandoned = True
        self._resume()

    def _pause_if_full(self) -> None:
        if self._channel and not self._paused and len(self.output) > HELD_BYTES:
            self._paused = True
            self._channel.pause_reading()

    def _resume(self) -> None:
        """Take over all that the channel held back, before pausing it again.

        With each piece that it passes on it may grant the far end a whole window anew, so what it still holds would grow without end.
        """
        if self._channel and self._paused:
            self._channel.resume_reading()
            self._paused = False
            self._pause_if_full()


class Printing:
    """One connection, over which scripts print output of any size, one after the other."""

    def __init__(self, connection: asyncssh.SSHClientConnection, address: Address) -> None:
        self._connection = connection
        self._address = address

    async def output(self, exchange: Exchange[T], *, idle_timeout_seconds: float | None = 60.0) -> AsyncGenerator[bytes, None]:
        """Run an exchange's script and pass on what it prints; its bounds and its `parse` are not used.

        Leave early with `aclose()` (`contextlib.aclosing`): what runs there is ended. Raises `Unreachable` when it did not begin;
        `Unanswered` after the last piece if the script came to no clean end, or if nothing came for `idle_timeout_seconds` (None: wait for
        ever).
        """
        what = f"{exchange.verb} on {self._address}"
        flow = _Flow()
        try:
            channel, _ = await self._connection.create_session(lambda: flow, COMMAND, encoding=None, request_pty=False)
        except (asyncssh.Error, OSError) as error:
            raise Unreachable(f"{what} did not begin: {one_line(str(error))}", ClusterReason.CONNECTION_FAILED) from error
        writing = asyncio.create_task(flow.write(channel, exchange.stdin()))
        try:
            while not flow.closed.is_set() or flow.output:
                async with asyncio.timeout(idle_timeout_seconds):
                    await flow.arrived.wait()
                if piece := flow.take():
                    yield piece
        except TimeoutError as error:
            raise Unanswered(f"{what} printed nothing for {idle_timeout_seconds:g} s and was stopped",
                             ClusterReason.POLL_TIMED_OUT) from error
        finally:
            writing.cancel()
            flow.abandon()
            await put_down(self._connection, channel, flow)
        require_success(channel, flow, what)


@asynccontextmanager
async def printing_at(address: Address) -> AsyncGenerator[Printing, None]:
    """Connect, and close the connection at the end. Raises `Refused`, `Unreachable` and `Unreadable`."""
    async with connection_to(address) as connection:
        yield Printing(connection, address)


@asynccontextmanager
async def connection_to(address: Address) -> AsyncGenerator[asyncssh.SSHClientConnection, None]:
    """Connect, through jump hosts if there are any, and close it all at the end. Raises as `printing_at`."""
    async with AsyncExitStack() as stack:
        over = await stack.enter_async_context(connection_to(address.via)) if address.via else None
        service = LoginService(await asyncio.to_thread(read_profiles, address))
        connection = await service.connect(Resolver(), over)
        stack.push_async_callback(close_connection, connection, CLOSE_SECONDS)
        yield connection
