"""One channel of a connection: opened for one command, gathered from, and put down with what runs on it."""

import asyncio
import contextlib
from collections.abc import Callable

import asyncssh

from fairlead.api.v1alpha1.reasons import ClusterReason
from fairlead.api.v1alpha1.texts import one_line
from fairlead.domain.errors import Unreachable
from fairlead.schedulers.seam import COMMAND

STDERR_KEPT_BYTES = 4096             # the end of it: where programs say why they stopped
WRITE_CHUNK_BYTES = 65536            # what asyncssh's channel buffers before it asks us to pause
TERM_SECONDS = 0.4                   # for a script to end by TERM
KILL_SECONDS = 0.8                   # for the far end to confirm a KILL; one that does not loses its connection
RETRIED_WORDS = frozenset({"open failed", "SSH connection closed"})
"""sshd's words while MaxSessions are taken (it frees one only after the client saw the exit), and asyncssh's for a connection just lost."""


class Exec(asyncssh.SSHClientSession[bytes]):
    """What comes back on a channel: output up to a bound, beyond it only the fact; and the end of standard error.

    It is over when the channel closes, or with an exit status and `last_row` in the output: what a dotfile left running may hold the
    channel open for good. `may_run` is asked when the far end has opened the channel and nothing runs on it yet: with False nothing will.
    """

    def __init__(self, max_output_bytes: int, last_row: bytes = b"", may_run: Callable[[], bool] = lambda: True) -> None:
        self._max_output_bytes = max_output_bytes
        self._last_row = last_row
        self._may_run = may_run
        self._has_exited = False
        self._searched_bytes = 0
        self._received_bytes = 0
        self.output = bytearray()
        self.errors = bytearray()
        self.overflowed = False
        self.withheld = False                # nothing may run on it
        self.timed_out = False
        self.lost: Exception | None = None   # why the connection broke off, if the library or the far end said so
        self.closed = asyncio.Event()
        self._settled = asyncio.Event()      # closed, whole, overflowed or timed out
        self._writable = asyncio.Event()
        self._writable.set()

    def connection_made(self, chan: asyncssh.SSHClientChannel[bytes]) -> None:
        """The far end has opened the channel. One that was closed is asked to run nothing."""
        if not self._may_run():
            self.withheld = True
            chan.abort()

    def data_received(self, data: bytes, datatype: int | None) -> None:
        """Keep what is within the bound; both streams count."""
        self._received_bytes += len(data)
        if self._received_bytes > self._max_output_bytes:
            self.overflowed = True
            self._settle()
        elif datatype == asyncssh.EXTENDED_DATA_STDERR:
            self.keep_error(data)
        else:
            self.output += data
            self._look_for_end()

    def exit_status_received(self, status: int) -> None:   # noqa: ARG002  # the channel keeps it
        """The command has ended; what it printed may still be on the way."""
        self._has_exited = True
        self._look_for_end()

    def _look_for_end(self) -> None:
        if self._has_exited and self._last_row:
            if self.output.find(self._last_row, max(self._searched_bytes - len(self._last_row), 0)) >= 0:
                self._settle()
            self._searched_bytes = len(self.output)

    def keep_error(self, data: bytes) -> None:
        """Keep the end of standard error."""
        self.errors += data
        del self.errors[:-STDERR_KEPT_BYTES]

    def eof_received(self) -> bool:
        """Leave our side open: a script that has said all may still have to read."""
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """The channel is closed, by either side or by the loss of its connection."""
        self.lost = exc
        self.closed.set()
        self._settle()

    def pause_writing(self) -> None:
        """The far end reads more slowly than we write."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """The far end has caught up."""
        self._writable.set()

    async def converse(self, channel: asyncssh.SSHClientChannel[bytes], stdin: bytes, seconds: float) -> None:
        """Write everything, and return when the channel is closed, too much came back, or so many seconds are over."""
        in_time = asyncio.get_running_loop().call_later(seconds, self._time_out)
        try:
            await self.write(channel, stdin)
            await self._settled.wait()
        finally:
            in_time.cancel()

    async def write(self, channel: asyncssh.SSHClientChannel[bytes], stdin: bytes) -> None:
        """Write everything and end of file, as fast as the far end reads; a script that ends without reading it all ends this too."""
        try:
            for start in range(0, len(stdin), WRITE_CHUNK_BYTES):
                await self._writable.wait()
                if self._settled.is_set():
                    break
                channel.write(stdin[start:start + WRITE_CHUNK_BYTES])
            channel.write_eof()
        except BrokenPipeError:
            return                   # its exit status says more

    def _time_out(self) -> None:
        self.timed_out = not self._settled.is_set()
        self._settle()

    def _settle(self) -> None:
        """Whoever writes or waits goes on."""
        self._settled.set()
        self._writable.set()


Opened = tuple[asyncssh.SSHClientChannel[bytes], Exec]


async def open_channel(
    connection: asyncssh.SSHClientConnection, max_output_bytes: int, last_row: bytes, seconds: float,
    may_run: Callable[[], bool] = lambda: True,
) -> Opened | None:
    """Open a channel for the seam's one command; None: not now, or not on this connection, ask again in a moment.

    `may_run` is asked once more when it is open: with False it is closed, and the far end started nothing.

    Raises `Unreachable` when the far end does not answer in time (the connection is dropped) or never will: nothing was sent either way.
    Not to be cancelled: what was half open then could not be put down.
    """
    late = False

    def drop() -> None:
        nonlocal late
        late = True
        connection.abort()

    session = Exec(max_output_bytes, last_row, may_run)
    in_time = asyncio.get_running_loop().call_later(seconds, drop)
    try:
        channel, _ = await connection.create_session(lambda: session, COMMAND, encoding=None, request_pty=False)
    except (asyncssh.Error, OSError) as error:
        if late:
            raise _too_late(connection, seconds) from error
        if session.withheld or connection.is_closed() or (isinstance(error, asyncssh.ChannelOpenError) and error.reason in RETRIED_WORDS):
            return None
        raise Unreachable(f"{_far_end(connection)} does not open a session: {one_line(str(error))}",
                          ClusterReason.CONNECTION_FAILED) from error
    finally:
        in_time.cancel()
    if late:
        raise _too_late(connection, seconds)
    return channel, session


def _too_late(connection: asyncssh.SSHClientConnection, seconds: float) -> Unreachable:
    return Unreachable(f"{_far_end(connection)} opened no session on a standing connection within {seconds:g} s",
                       ClusterReason.CONNECT_TIMEOUT)


def _far_end(connection: asyncssh.SSHClientConnection) -> str:
    return f"{connection.get_extra_info('username')}@{connection.get_extra_info('host')}:{connection.get_extra_info('port')}"


async def hang_up(channel: asyncssh.SSHClientChannel[bytes], session: Exec) -> None:
    """Close a channel whose command has ended and whose answer is whole; sshd's session is free once it has confirmed that."""
    channel.close()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(KILL_SECONDS):
            await session.closed.wait()


async def put_down(connection: asyncssh.SSHClientConnection, channel: asyncssh.SSHClientChannel[bytes], session: Exec) -> None:
    """End what runs on a channel: TERM, then KILL (sshd passes them to its process group since 7.9), and drop the connection if it stays.

    A channel that is merely closed leaves the process running and its place in sshd's MaxSessions taken. A command under `timeout` is in a
    process group of its own: it ends by that time-out.
    """
    for signal, seconds in (("TERM", TERM_SECONDS), ("KILL", KILL_SECONDS)):
        if session.closed.is_set():
            return
        try:
            channel.send_signal(signal)
            async with asyncio.timeout(seconds):
                await session.closed.wait()
        except OSError:              # TimeoutError, or a channel that is closing
            continue
    if not session.closed.is_set():
        connection.abort()
