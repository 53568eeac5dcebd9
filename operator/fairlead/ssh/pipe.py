"""One client's TCP connection, joined to one channel of an SSH connection: bytes, ends and slowness go through in both directions.

    client ----> Pipe ----> channel ----> target        each way its own: end of file goes through, the other way goes on
      held while it opens, then at most what the channel buffers: else the client waits
           <----      <----         <----
      at most what the client does not take, and two windows: else the target waits

    ends: both ways are at their end, or the client has gone -> the channel closes
          cut by us, the connection lost, not opened         -> the client gets a reset, never an end that looks whole
"""  # noqa: D208  a drawing

import asyncio
import contextlib
import socket
import struct
from collections.abc import Callable
from typing import Final, cast

import asyncssh

from fairlead.ssh.limits import TunnelLimits

_RESET: Final = struct.pack("ii", 1, 0)
"""How the kernel closes a client's socket (SO_LINGER). By a reset from the start: so it does when this process is killed, too."""
_CLEAN: Final = struct.pack("ii", 0, 0)

Channel = asyncssh.SSHTCPChannel[bytes]


class Pipe(asyncio.Protocol):
    """The client's side of one stream, as asyncio's protocol of its connection. `begin` is called with it once the client is there.

    `ended` is called once with it, when client and channel both are gone.
    """

    def __init__(self, begin: "Callable[[Pipe], None]", ended: "Callable[[Pipe], None]", limits: TunnelLimits) -> None:
        self._begin, self._tell, self._limits = begin, ended, limits
        self._transport: asyncio.Transport | None = None
        self._held = bytearray()
        self._channel: Channel | None = None
        self._is_draining = False
        self._client_full = False
        self._client_ended = False
        self._closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.client_has_gone = False
        self.received_bytes = self.sent_bytes = 0       # from the client, to it

    @property
    def is_open(self) -> bool:
        """Whether its channel has been opened."""
        return self._channel is not None

    @property
    def carried_bytes(self) -> int:
        """In both directions."""
        return self.received_bytes + self.sent_bytes

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client is there."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(self._limits.held_bytes)
        client = self._transport.get_extra_info("socket")
        with contextlib.suppress(OSError):               # it may be gone already
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            for option, value in _keepalive(self._limits):
                client.setsockopt(socket.IPPROTO_TCP, option, value)
        self._begin(self)

    def data_received(self, data: bytes) -> None:
        """The client sends."""
        self.received_bytes += len(data)
        if self._channel is None:
            self._held += data
            if len(self._held) > self._limits.held_bytes and self._transport:
                self._transport.pause_reading()
            return
        with contextlib.suppress(BrokenPipeError):       # the channel is closing, which is about to be told
            self._channel.write(data)

    def eof_received(self) -> bool:
        """The client sends no more; it may still read."""
        self._client_ended = True
        if self._channel is not None:
            self._end_channel()
        return True

    def connection_lost(self, exc: Exception | None) -> None:   # noqa: ARG002  whatever took it
        """The client is gone."""
        self.client_has_gone = True
        self._held.clear()
        if self._closed.done():
            self._tell(self)
        elif self._channel is not None:                  # else it is not opened yet: whoever opens it sees that the client has gone
            self._end_soon(self._channel)

    def pause_writing(self) -> None:
        """The client takes no more for now."""
        self._client_full = True
        if self._channel is not None and not self._is_draining:
            self._channel.pause_reading()

    def resume_writing(self) -> None:
        """It takes more.

        All that the channel holds is passed on before it is asked to wait again: with each piece that it passes on it may grant the target
        a whole window anew, so what it still holds would grow without end.
        """
        self._client_full = False
        if self._channel is None:
            return
        self._is_draining = True
        self._channel.resume_reading()
        self._is_draining = False
        if self._client_full and self._channel is not None:
            self._channel.pause_reading()

    def join(self, channel: Channel) -> None:
        """Its channel is open: what was held goes on its way."""
        self._channel = channel
        if self.client_has_gone:
            self._end_soon(channel)
            return
        held, self._held = bytes(self._held), bytearray()
        channel.set_write_buffer_limits(self._limits.held_bytes)
        if held:
            channel.write(held)
        if self._client_ended:
            self._end_channel()
        else:
            self.channel_writable()

    def channel_full(self) -> None:
        """The target takes no more for now."""
        if self._transport and not self._client_ended:
            self._transport.pause_reading()

    def channel_writable(self) -> None:
        """It takes more."""
        if self._transport and not self._client_ended:
            self._transport.resume_reading()

    def target_sends(self, data: bytes) -> None:
        """Pass it on."""
        self.sent_bytes += len(data)
        if self._transport and not self._transport.is_closing():
            self._transport.write(data)

    def target_ends(self) -> None:
        """The target sends no more; it may still read."""
        if self._transport and not self._transport.is_closing():
            with contextlib.suppress(OSError):           # the client may be gone already
                self._transport.write_eof()

    def channel_lost(self, *, at_end: bool) -> None:
        """The channel is closed: by the far end, after all that the target sent, or else cut."""
        if self._transport and at_end:
            with contextlib.suppress(OSError):           # the client may be gone already
                self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _CLEAN)
            self._transport.close()                      # once the client has taken it all
        else:
            self.cut()
        self._give_up()

    def cut(self) -> None:
        """End it now, by a reset; what is under way is lost. Never raises."""
        if self._transport is None or self.client_has_gone:
            return
        with contextlib.suppress(OSError):               # it may have come to its end already, and wait for the client to take it all
            self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self._transport.abort()

    def not_opened(self) -> None:
        """There will be no channel."""
        self.cut()
        self._give_up()

    async def channel_closed(self) -> None:
        """Wait until its channel is closed, or the far end has not confirmed that in time."""
        await asyncio.shield(self._closed)

    def _end_soon(self, channel: Channel) -> None:
        channel.abort()
        asyncio.get_running_loop().call_later(self._limits.close_seconds, self._give_up)

    def _end_channel(self) -> None:
        if self._channel is not None and not self._channel.is_closing():
            with contextlib.suppress(OSError):
                self._channel.write_eof()

    def _give_up(self) -> None:
        if not self._closed.done():
            self._closed.set_result(None)
            if self.client_has_gone:
                self._tell(self)


class FarEnd(asyncssh.SSHTCPSession[bytes]):
    """The channel's side: asyncssh's session, which passes everything on to a pipe."""

    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe
        self._connection: asyncssh.SSHClientConnection | None = None

    def connection_made(self, chan: Channel) -> None:
        """It is open."""
        self._connection = cast("asyncssh.SSHClientConnection", chan.get_connection())
        self._pipe.join(chan)

    def data_received(self, data: bytes, datatype: int | None) -> None:   # noqa: ARG002  asyncssh's signature
        """The target sends."""
        self._pipe.target_sends(data)

    def eof_received(self) -> bool:
        """It sends no more; our side stays open."""
        self._pipe.target_ends()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """The channel is closed: by the far end, which had sent all, if its connection still stands.

        The far end's end of file does not tell: asyncssh 2.24 drops one that comes, and the close after it, while the client takes no more.
        Nor does `exc` alone: a connection that the far end or this process ends in good order has none.
        """
        stands = self._connection is not None and self._connection.get_extra_info("socket") is not None
        self._pipe.channel_lost(at_end=exc is None and stands)

    def pause_writing(self) -> None:
        """The target takes no more for now."""
        self._pipe.channel_full()

    def resume_writing(self) -> None:
        """It takes more."""
        self._pipe.channel_writable()


def _keepalive(limits: TunnelLimits) -> tuple[tuple[int, int], ...]:
    """How the kernel finds out that a client went without a word."""
    return ((socket.TCP_KEEPIDLE, limits.keepalive_idle_seconds), (socket.TCP_KEEPINTVL, limits.keepalive_interval_seconds),
            (socket.TCP_KEEPCNT, limits.keepalive_tries))
