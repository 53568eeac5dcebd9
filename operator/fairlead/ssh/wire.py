"""TCP under SSH: what is written in one turn of the event loop goes out in one piece.

asyncssh writes a packet of its own before each message, and a channel writes its messages one by one. Each would be a system call here, a
packet on the way and a wake-up of sshd there: half of what a small exchange costs either side.
"""

import asyncio
from collections.abc import Callable
from typing import Any, cast

LOGIN_BYTES = 1 << 20
"""What a far end may send before the login is done: sshd's own Banner ends at 256 KiB."""

GREETING_BYTES = 1024
"""Of what a far end says first, kept to tell what it is if it is no SSH server."""


class Wire(asyncio.Transport):
    """A transport that gathers what is written until the loop's next turn. All else is the transport's below it."""

    def __init__(self, tcp: asyncio.Transport) -> None:
        super().__init__()
        self._tcp = tcp
        self._loop = asyncio.get_running_loop()
        self._gathered: list[bytes | bytearray | memoryview] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Take it; the same object must not change before the loop's next turn."""
        if not self._gathered:
            self._loop.call_soon(self._flush)
        self._gathered.append(data)

    def close(self) -> None:
        """Close once all is written."""
        self._flush()
        self._tcp.close()

    def abort(self) -> None:
        """Close at once; what is not written is lost."""
        self._gathered.clear()
        self._tcp.abort()

    def is_closing(self) -> bool:
        """Whether it is closed, or will be when all is written."""
        return self._tcp.is_closing()

    def pause_reading(self) -> None:
        """Let the far end wait."""
        self._tcp.pause_reading()

    def resume_reading(self) -> None:
        """Read on."""
        self._tcp.resume_reading()

    def get_extra_info(self, name: str, default: Any = None) -> Any:   # as asyncio has it
        """The socket and its addresses."""
        return self._tcp.get_extra_info(name, default)

    def _flush(self) -> None:
        if self._gathered and not self._tcp.is_closing():
            self._tcp.write(b"".join(self._gathered))
        self._gathered.clear()


class _Opening(asyncio.Protocol):
    """Gives the protocol above the wire in place of the TCP transport, and steps aside once it has logged in.

    Until then it counts: a server that sends more than any login needs, in banners without end, is cut off.
    """

    def __init__(self, above: asyncio.Protocol) -> None:
        self.above = above
        self.wire: Wire | None = None
        self.received_bytes = 0
        self.greeting = b""
        self.has_greeted = False         # as SSH servers do; lines may come before that (RFC 4253, 4.2)
        self._end = b"\n"                # of what was received, where a greeting may have begun
        self._tcp: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """TCP is connected."""
        self._tcp = cast("asyncio.Transport", transport)
        self.wire = Wire(self._tcp)
        self.above.connection_made(self.wire)

    def data_received(self, data: bytes) -> None:
        """Count it and pass it on."""
        self.received_bytes += len(data)
        self.greeting += data[:GREETING_BYTES - len(self.greeting)]
        if not self.has_greeted:
            self.has_greeted = b"\nSSH-" in self._end + data
            self._end = (self._end + data)[-4:]
        if self.received_bytes <= LOGIN_BYTES:
            self.above.data_received(data)
        elif self._tcp:
            self._tcp.abort()

    def eof_received(self) -> bool | None:
        """Pass it on."""
        return self.above.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        """Pass it on."""
        self.above.connection_lost(exc)

    def pause_writing(self) -> None:
        """Pass it on."""
        self.above.pause_writing()

    def resume_writing(self) -> None:
        """Pass it on."""
        self.above.resume_writing()

    def step_aside(self) -> None:
        """It has logged in."""
        if self._tcp:
            self._tcp.set_protocol(self.above)


class Tcp:
    """What asyncssh connects through, as if it were a jump host's connection: one for each connection."""

    def __init__(self) -> None:
        self._opening: _Opening | None = None

    @property
    def said_too_much(self) -> bool:
        """Whether it was cut off since the far end has sent more than `LOGIN_BYTES` before the login was done."""
        return self._opening is not None and self._opening.received_bytes > LOGIN_BYTES

    @property
    def greeting(self) -> bytes:
        """What the far end has said in the place of a greeting, nothing if it has greeted as SSH servers do."""
        return self._opening.greeting if self._opening and not self._opening.has_greeted else b""

    def logged_in(self) -> None:
        """What comes now is bounded by the exchange that asks for it."""
        if self._opening:
            self._opening.step_aside()

    async def create_connection(self, factory: Callable[[], Any], host: str, port: int) -> tuple[Any, Any]:
        """Connect to an IP address. Raises `OSError`."""
        _, opening = await asyncio.get_running_loop().create_connection(lambda: _Opening(factory()), host, port)
        self._opening = opening
        return opening.wire, opening.above

    def close(self) -> None:
        """There is nothing to close but the connections themselves."""

    async def wait_closed(self) -> None:
        """Nor to wait for."""
