"""A TCP proxy on the loopback, or on a cable, that can be slow, cut answers short, reset, refuse or swallow everything.

Its event loop has a thread of its own, so that tests with and without asyncio can use it; the methods return once the change holds.
"""

import asyncio
import socket
import struct
import threading
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from bed.errors import BedError

_CHUNK_BYTES = 65536
_CHUNKS = 64  # on the way in one direction; more wait in the sender's socket
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # struct linger: on, zero seconds
_CALL_SECONDS = 10.0


@dataclass(slots=True, eq=False)
class _Connection:
    """A client and its connection to the target."""

    client: asyncio.StreamWriter
    target: asyncio.StreamWriter
    allowance: int | None  # bytes that may still go to the client
    upload: int | None  # bytes that may still go to the target

    def granted(self, data: bytes, *, upload: bool) -> tuple[bytes, bool]:
        """As much of the data as may still pass in its direction, and whether that was the last."""
        left = self.upload if upload else self.allowance
        if left is None:
            return data, False
        left -= len(data := data[:left])
        if upload:
            self.upload = left
        else:
            self.allowance = left
        return data, left == 0


class TcpProxy:
    """Listens on `host`:`port` and passes everything on to the target, until told otherwise. A context manager that closes itself.

    On the host's end of a node's cable (`node.enclosure.network.outer`) it is that node's only way to another one.
    """

    def __init__(self, target_host: str, target_port: int, host: str = "127.0.0.1") -> None:
        self._target = (target_host, target_port)
        self._delay_seconds = 0.0
        self._allowance: int | None = None
        self._upload: int | None = None
        self._open: set[_Connection] = set()
        self._serving: set[asyncio.Task[None]] = set()
        self._listener: asyncio.Server | None = None
        self._reserved: socket.socket | None = None
        self._loop = asyncio.new_event_loop()
        self._passing = asyncio.Event()
        self._passing.set()
        self._thread = threading.Thread(target=self._loop.run_forever, name="tcp-proxy", daemon=True)
        self._thread.start()
        self.host = host
        self.port = 0
        self._call(self._listen())

    def delay(self, seconds: float) -> None:
        """Every byte arrives this much later, in each direction; the rate stays."""
        self._delay_seconds = seconds

    def truncate_after(self, count: int) -> None:
        """Closes each connection, open or new, after `count` more bytes to the client."""
        self._call(self._set_allowance(count))

    def cut_upload_after(self, count: int) -> None:
        """Closes each connection, open or new, after `count` more bytes to the target."""
        self._call(self._set_upload(count))

    def reset(self) -> None:
        """Ends every open connection with a TCP reset on both sides. New ones pass."""
        self._call(self._reset())

    def refuse(self) -> None:
        """New connections are refused at once; the port stays ours. Open ones go on."""
        self._call(self._refuse())

    def drop(self) -> None:
        """A black hole: connections are accepted and stay open, and nothing passes any more."""
        self._loop.call_soon_threadsafe(self._passing.clear)

    def pass_through(self) -> None:
        """All faults off. What was held back by `drop` arrives now."""
        self._delay_seconds = 0.0
        self._call(self._pass_through())

    @property
    def connections(self) -> int:
        """How many connections are open through the proxy."""
        return len(self._open)

    def close(self) -> None:
        """Ends everything. A second call does nothing."""
        if self._loop.is_closed():
            return
        self._call(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _call(self, change: Coroutine[None, None, None]) -> None:
        asyncio.run_coroutine_threadsafe(change, self._loop).result(_CALL_SECONDS)

    async def _listen(self) -> None:
        if self._reserved is not None:
            self._reserved.close()
            self._reserved = None
        try:
            self._listener = await asyncio.start_server(self._accept, self.host, self.port)
        except OSError as error:
            raise BedError(f"the proxy cannot listen on {self.host}:{self.port}: {error.strerror}") from error
        self.port = self._listener.sockets[0].getsockname()[1]

    async def _refuse(self) -> None:
        if self._listener is None:
            return
        self._listener.close()
        self._listener = None
        self._reserved = socket.socket()
        self._reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._reserved.bind((self.host, self.port))  # bound and not listening: the kernel refuses, and nobody else gets the port

    async def _pass_through(self) -> None:
        await self._set_allowance(None)
        await self._set_upload(None)
        self._passing.set()
        if self._listener is None:
            await self._listen()

    async def _set_allowance(self, count: int | None) -> None:
        self._allowance = count
        for connection in self._open:
            connection.allowance = count

    async def _set_upload(self, count: int | None) -> None:
        self._upload = count
        for connection in self._open:
            connection.upload = count

    async def _reset(self) -> None:
        for connection in self._open:
            for writer in (connection.client, connection.target):
                _abort(writer)

    async def _close(self) -> None:
        if self._listener is not None:
            self._listener.close()
        if self._reserved is not None:
            self._reserved.close()
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        try:
            await self._serve(reader, writer)
        except asyncio.CancelledError:
            _abort(writer)  # only close() cancels
        finally:
            self._serving.discard(task)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._passing.wait()
        try:
            target_reader, target_writer = await asyncio.open_connection(*self._target)
        except OSError:
            _abort(writer)
            return
        connection = _Connection(writer, target_writer, self._allowance, self._upload)
        self._open.add(connection)
        try:
            async with asyncio.TaskGroup() as lanes:
                lanes.create_task(self._lane(reader, target_writer, connection))
                lanes.create_task(self._lane(target_reader, writer, connection))
        except* (OSError, _CutShortError):
            pass
        finally:
            self._open.discard(connection)
            writer.close()
            target_writer.close()

    async def _lane(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, connection: _Connection) -> None:
        """One direction. Reading and writing are apart, so that a delay moves bytes in time and does not slow their rate."""
        queue: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(_CHUNKS)
        async with asyncio.TaskGroup() as halves:
            halves.create_task(self._read(reader, queue))
            halves.create_task(self._write(queue, writer, connection))

    async def _read(self, reader: asyncio.StreamReader, queue: "asyncio.Queue[tuple[float, bytes]]") -> None:
        data = b"."
        while data:
            await self._passing.wait()
            data = await reader.read(_CHUNK_BYTES)
            await queue.put((self._loop.time() + self._delay_seconds, data))

    async def _write(self, queue: "asyncio.Queue[tuple[float, bytes]]", writer: asyncio.StreamWriter, connection: _Connection) -> None:
        while True:
            due, data = await queue.get()
            await asyncio.sleep(max(0.0, due - self._loop.time()))
            await self._passing.wait()
            if not data:
                with suppress(OSError):
                    writer.write_eof()
                return
            data, is_last = connection.granted(data, upload=writer is connection.target)
            writer.write(data)
            await writer.drain()
            if is_last:
                raise _CutShortError


class _CutShortError(Exception):
    """One side has had all that it may have."""


def _abort(writer: asyncio.StreamWriter) -> None:
    """Closes with a TCP reset instead of a goodbye."""
    with suppress(OSError):
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    writer.transport.abort()
