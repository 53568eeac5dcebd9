"""Tunnels: clients' TCP connections, each carried through a kept SSH connection to what listens behind a login node.

    client -> Pipe -> the address's line with the fewest streams -> its connection -> direct-tcpip -> node:port
                        '--- opened within a bound, else once more over a fresh connection, else the client is reset

Written on asyncssh's sessions and not on its forwarding: that leaves a channel behind for each client that goes while one is opened, and a
channel open that is cancelled there stays until the target answers.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Any, Final, Self

import asyncssh
from asyncssh.constants import OPEN_ADMINISTRATIVELY_PROHIBITED

from fairlead.api.v1alpha1.reasons import ClusterReason
from fairlead.api.v1alpha1.texts import one_line
from fairlead.domain.cluster.address import Address, Endpoint
from fairlead.domain.errors import Closed, FairleadError, NoStream, Refused, Unreachable
from fairlead.ssh.kept import KeptConnection, closed_by_us
from fairlead.ssh.limits import TunnelLimits
from fairlead.ssh.pipe import FarEnd, Pipe
from fairlead.ssh.pool import Line
from fairlead.ssh.told import Told
from fairlead.ssh.ways import Ways

LINE_BYTES: Final = 1024
"""Of the first line of an answer: what is longer is cut."""
CONNECTION_CLOSED: Final = "SSH connection closed"
"""asyncssh's words for an open whose connection was lost."""
FORBIDDEN: Final = (
    "the login node's sshd lets nothing be forwarded there (channel open code 1): its administrator has to allow it for this user by "
    "AllowTcpForwarding yes or local, without DisableForwarding, by PermitOpen if that is set, and without restrict, no-port-forwarding or "
    "another permitopen in authorized_keys")


class _Nobody(asyncssh.SSHTCPSession[bytes]):
    """A channel that is closed as soon as it is open: who asked for it has gone, or wanted to know no more."""

    def __init__(self) -> None:
        self.closed = asyncio.Event()

    def connection_made(self, chan: asyncssh.SSHTCPChannel[bytes]) -> None:
        """It is open."""
        chan.abort()

    def connection_lost(self, exc: Exception | None) -> None:   # noqa: ARG002  asyncssh's signature
        """It is closed."""
        self.closed.set()


class _Asks(asyncssh.SSHTCPSession[bytes]):
    """A question to what listens there, of whose answer the first line is taken."""

    def __init__(self, question: bytes) -> None:
        self._question = question
        self._channel: asyncssh.SSHTCPChannel[bytes] | None = None
        self.line = bytearray()
        self.answered, self.closed = asyncio.Event(), asyncio.Event()

    def connection_made(self, chan: asyncssh.SSHTCPChannel[bytes]) -> None:
        """It is open."""
        self._channel = chan
        chan.write(self._question)

    def data_received(self, data: bytes, datatype: int | None) -> None:   # noqa: ARG002  asyncssh's signature
        """The answer, or a piece of it."""
        self.line += data[:LINE_BYTES - len(self.line)]
        if b"\n" in self.line or len(self.line) >= LINE_BYTES:
            self.answered.set()

    def eof_received(self) -> bool:
        """There comes no more."""
        self.answered.set()
        return True

    def connection_lost(self, exc: Exception | None) -> None:   # noqa: ARG002  asyncssh's signature
        """It is closed."""
        self.answered.set()
        self.closed.set()

    def end(self) -> None:
        """Close it, whatever may still come."""
        if self._channel is not None:
            self._channel.abort()


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A stream: to what, through which login node, who takes it, and who waits until it is over."""

    address: Address
    target: Endpoint
    session: Callable[[], FarEnd | _Nobody | _Asks]
    closed: Callable[[], Coroutine[Any, Any, None]]


class _Route:
    """One address's lines and pipes."""

    def __init__(self, keep: Callable[[], KeptConnection], limits: TunnelLimits) -> None:
        self._keep, self._limits = keep, limits
        self._lines: list[Line] = []
        self.pipes: set[Pipe] = set()

    def line(self) -> Line:
        """The one with the fewest streams; a further one when each has many."""
        line = min(self._lines, key=lambda each: each.busy, default=None)
        if line is None or (line.busy >= self._limits.streams and len(self._lines) < self._limits.connections):
            line = Line(self._keep)
            self._lines.append(line)
        return line

    def retire(self) -> None:
        """Let the streams that there are have their end, and take new ones to new connections."""
        for line in self._lines:
            line.retire()


class Tunnels:
    """Carries streams. One for a process; made and used in one event loop; `async with` closes it."""

    def __init__(self, limits: TunnelLimits | None = None, told: Told | None = None) -> None:
        self._limits, self._told = limits or TunnelLimits(), told or Told()
        self._ways = Ways(self._limits.pool, self._told)
        self._routes: dict[Address, _Route] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._carried = (0, 0)                           # by the pipes that have ended

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()

    @property
    def connections(self) -> int:
        """SSH connections that stand, are being made or are being closed."""
        return self._ways.seats.taken

    @property
    def carried_bytes(self) -> tuple[int, int]:
        """From clients, and to them, since this was made."""
        received, sent = self._carried
        pipes = [pipe for route in self._routes.values() for pipe in route.pipes]
        return received + sum(each.received_bytes for each in pipes), sent + sum(each.sent_bytes for each in pipes)

    def pipe(self, address: Address, target: Endpoint, ended: Callable[[Pipe, FairleadError | None], None]) -> Pipe:
        """The protocol for a client's connection that is carried to `target`, as the login node at `address` names and reaches it.

        `ended` is called when it is over: with why it was not opened, or None.
        """
        why: FairleadError | None = None

        def begin(pipe: Pipe) -> None:
            route = self._route(address)
            route.pipes.add(pipe)
            self._do(carry(route, pipe))

        def opened(pipe: Pipe) -> FarEnd:
            self._told.stream_opened("ok")
            return FarEnd(pipe)

        async def carry(route: _Route, pipe: Pipe) -> None:
            nonlocal why
            try:
                await self._through(route, _Wanted(address, target, partial(opened, pipe), pipe.channel_closed))
            except FairleadError as error:
                why = error
                self._told.stream_opened(str(error.why) if isinstance(error, NoStream) else "failed")
                pipe.not_opened()
            except BaseException:
                pipe.not_opened()
                raise

        def over(pipe: Pipe) -> None:
            self._route(address).pipes.discard(pipe)
            received, sent = self._carried
            self._carried = received + pipe.received_bytes, sent + pipe.sent_bytes
            ended(pipe, why)

        return Pipe(begin, over, self._limits)

    async def look(self, address: Address, target: Endpoint) -> None:
        """See whether a stream can be opened, and close it. Raises why not: `Refused`, `Unreachable` (also `NoStream`), `Unreadable`."""
        nobody = _Nobody()

        async def closed() -> None:
            await _within(self._limits.close_seconds, nobody.closed)

        await self._through(self._route(address), _Wanted(address, target, lambda: nobody, closed))

    async def ask(self, address: Address, target: Endpoint, question: bytes) -> bytes:
        """Open a stream, send that, and return the first line of the answer, without its end, or what came of it in time.

        Raises as `look`.
        """
        asks = _Asks(question)

        async def closed() -> None:
            try:
                await _within(self._limits.answer_seconds, asks.answered)
            finally:
                asks.end()               # also when who asks is cancelled
            await _within(self._limits.close_seconds, asks.closed)

        await self._through(self._route(address), _Wanted(address, target, lambda: asks, closed))
        return bytes(asks.line).partition(b"\n")[0].rstrip(b"\r")

    def retire(self, address: Address) -> None:
        """Log in anew for what is asked from now on; streams that there are have their end."""
        if route := self._routes.get(address):
            route.retire()

    async def close(self) -> None:
        """Reset all clients and close all connections, within the bound of one."""
        for route in self._routes.values():
            _cut_all(route)
        await self._ways.cut()
        if self._tasks:
            await asyncio.wait(self._tasks)
        self._ways.keyring.close()

    def _route(self, address: Address) -> _Route:
        return self._routes.get(address) or self._routes.setdefault(address, _Route(self._ways.keeper(address), self._limits))

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _through(self, route: _Route, wanted: _Wanted) -> None:
        """Open a channel and hold its connection until it is closed."""
        is_last = False
        while not await self._by(route.line(), route, wanted, is_last=is_last):
            is_last = True

    async def _by(self, line: Line, route: _Route, wanted: _Wanted, *, is_last: bool) -> bool:
        """The same over one line; False: its connection stood before, and did not answer."""
        is_fresh = line.standing is None
        try:
            with _counted(line):
                async with line.kept() as kept:
                    opened = await self._open(kept, wanted, is_last=is_last or is_fresh)
                    if opened:
                        await wanted.closed()
                    return opened
        except Refused as error:
            if error.reason is ClusterReason.AUTHENTICATION_FAILED:
                _cut_all(route)          # who may not log in any more may not go on with what he has
            raise

    async def _open(self, kept: KeptConnection, wanted: _Wanted, *, is_last: bool) -> bool:
        """Open it in time; False: not on this connection, which takes no further stream. Raises why not, if nothing else is tried.

        What is not answered in time is left to itself, and closed if it should open after all.
        """
        if self._ways.is_closed:
            raise closed_by_us()
        is_late, seconds, address, target = False, self._limits.open_seconds, wanted.address, wanted.target
        opening = asyncio.create_task(kept.connection.create_connection(
            lambda: _Nobody() if is_late else wanted.session(), target.host, target.port, encoding=None, window=self._limits.window_bytes))
        try:
            await asyncio.wait({opening}, timeout=seconds)
        finally:
            if not opening.done():           # also when who waits is cancelled
                is_late = True
                opening.add_done_callback(_seen)
        if is_late:
            fault: FairleadError = NoStream(f"{address} opened no stream to {target} within {seconds:g} s: the node does not answer",
                                            Closed.NO_ANSWER)
        elif (error := opening.exception()) is None:
            return True
        elif not isinstance(error, asyncssh.Error | OSError):
            raise error
        else:
            fault = _fault(wanted, error)
        says_no = isinstance(fault, NoStream) and fault.why is not Closed.NO_ANSWER
        if not says_no:                  # also so that what is never answered does not gather on a connection that others use
            kept.retire()
        if says_no or is_last:
            raise fault
        return False


async def _within(seconds: float, event: asyncio.Event) -> None:
    """Wait for it so long at most."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return


@contextmanager
def _counted(line: Line) -> Iterator[None]:
    """Have one stream more on a line."""
    line.busy += 1
    try:
        yield
    finally:
        line.busy -= 1


def _cut_all(route: _Route) -> None:
    for pipe in [*route.pipes]:
        pipe.cut()


def _fault(wanted: _Wanted, error: Exception) -> Unreachable:
    """Why it was not opened."""
    address, target = wanted.address, wanted.target
    if not isinstance(error, asyncssh.ChannelOpenError) or error.reason == CONNECTION_CLOSED:
        return Unreachable(f"{address} broke the connection off: {one_line(str(error))}", ClusterReason.CONNECTION_LOST)
    if error.code == OPEN_ADMINISTRATIVELY_PROHIBITED:
        return NoStream(f"{address}: {target}: {FORBIDDEN}", Closed.FORBIDDEN)
    return NoStream(f"{address} could not connect to {target}: {one_line(error.reason)}", Closed.NOBODY_LISTENS)


def _seen(opening: "asyncio.Task[Any]") -> None:
    """What an open came to that nobody waits for any more."""
    if not opening.cancelled():
        opening.exception()
