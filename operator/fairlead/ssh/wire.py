"""TCP under SSH: what is written in one turn of the event loop goes out in one piece.

asyncssh writes a packet of its own before each message, and a channel writes its messages one by one. Each would be a system call here, a
packet on the way and a wake-up of sshd there: half of what a small exchange costs either side.
"""

import asyncio
from collections.abc import Callable
from typing import Any, cast


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
    """Gives the protocol above the wire in place of the TCP transport, and steps aside."""

    def __init__(self, above: asyncio.Protocol) -> None:
        self.above = above
        self.wire: Wire | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """TCP is connected."""
        tcp = cast("asyncio.Transport", transport)
        self.wire = Wire(tcp)
        tcp.set_protocol(self.above)
        self.above.connection_made(self.wire)


class Tcp:
    """What asyncssh connects through, as if it were a jump host's connection."""

    async def create_connection(self, factory: Callable[[], Any], host: str, port: int) -> tuple[Any, Any]:
        """Connect to an IP address. Raises `OSError`."""
        _, opening = await asyncio.get_running_loop().create_connection(lambda: _Opening(factory()), host, port)
        return opening.wire, opening.above

    def close(self) -> None:
        """There is nothing to close but the connections themselves."""

    async def wait_closed(self) -> None:
        """Nor to wait for."""
