"""The wire under SSH, over loopback: fewer pieces, and nothing lost."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from fairlead.ssh.wire import Tcp, Wire


class Above(asyncio.Protocol):
    """Stands where SSH does."""

    def __init__(self) -> None:
        self.got = bytearray()
        self.lost = asyncio.Event()
        self.made_with: asyncio.BaseTransport | None = None
        self.pauses = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.made_with = transport

    def data_received(self, data: bytes) -> None:
        self.got += data

    def pause_writing(self) -> None:
        self.pauses += 1

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.set()


@asynccontextmanager
async def wired(serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]) -> AsyncIterator[tuple[Wire, Above]]:
    """Connected to a server."""
    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    async with server:
        wire, above = await Tcp().create_connection(Above, *server.sockets[0].getsockname())
        try:
            yield wire, above
        finally:
            wire.abort()
            await above.lost.wait()


async def test_what_is_written_in_one_turn_of_the_event_loop_arrives_in_one_piece() -> None:
    """Else each exchange would cost either side twice as many system calls, packets and wake-ups."""
    pieces: asyncio.Queue[bytes] = asyncio.Queue()

    async def serve(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        while piece := await reader.read(100):
            pieces.put_nowait(piece)

    async with wired(serve) as (wire, _):
        for piece in (b"one ", b"two ", b"three"):
            wire.write(piece)
        assert await pieces.get() == b"one two three"
        wire.write(b"four")
        assert await pieces.get() == b"four"


async def test_what_was_written_before_a_close_arrives() -> None:
    """Else the last words of a connection, which say that we leave, would be lost."""
    whole: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def serve(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        whole.set_result(await reader.read())

    async with wired(serve) as (wire, above):
        wire.write(b"last ")
        wire.write(b"words")
        wire.close()
        assert await whole == b"last words"
        await above.lost.wait()
        assert wire.is_closing()


async def test_an_abort_loses_what_is_not_written_yet() -> None:
    """Else a connection that is cut off because this controller may say nothing more would say it all the same."""
    whole: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def serve(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        whole.set_result(await reader.read())

    async with wired(serve) as (wire, _):
        wire.write(b"never")
        wire.abort()
        assert await whole == b""


async def test_a_far_end_that_does_not_read_is_waited_for() -> None:
    """Else a large script for a slow host would be held in memory as often as it is written."""
    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello")
        await writer.drain()
        await over.wait()

    over = asyncio.Event()
    async with wired(serve) as (wire, above):
        while not above.pauses:
            wire.write(b"x" * (1 << 20))
            await asyncio.sleep(0)
        wire.pause_reading()
        wire.resume_reading()
        while above.got != b"hello":   # noqa: ASYNC110  # the kernel brings it
            await asyncio.sleep(0)
        assert above.made_with is wire
        over.set()
