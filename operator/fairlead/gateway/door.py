"""One Session's door: the port of this gateway on which its clients are taken, and their streams.

    closed -> open -> leads somewhere <-> leads nowhere: who comes is reset
                 '--> closed: the listener first, seen to refuse; then the streams have a moment, and are cut
"""  # noqa: D208  a drawing

import asyncio
import contextlib
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, cast

from fairlead.domain.cluster.address import Address, Endpoint
from fairlead.domain.errors import FairleadError
from fairlead.gateway.ports import Stream, Streams
from fairlead.gateway.settings import DoorSettings
from fairlead.telemetry import metrics

TURNED_AWAY: Final = "turned_away"
"""How a client is counted who was not let in."""
_RESET: Final = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True)
class Leads:
    """Through which login node, to what."""

    address: Address
    target: Endpoint


class _Nowhere(asyncio.Protocol):
    """A client who came too early or too late."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Reset it."""
        with contextlib.suppress(OSError):
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        cast("asyncio.Transport", transport).abort()


class Door:
    """One port of `host`. `failed` is called with why a client's stream was not opened."""

    def __init__(
        self, streams: Streams, host: str, port: int, failed: Callable[[FairleadError], None], settings: DoorSettings,
    ) -> None:
        self._streams, self._host, self.port, self._failed, self._settings = streams, host, port, failed, settings
        self._server: asyncio.Server | None = None
        self._way: Leads | None = None
        self._open: set[Stream] = set()
        self._ended_bytes = 0            # carried by streams that have ended
        self._emptied = asyncio.Event()
        self._emptied.set()

    @property
    def streams(self) -> int:
        """Clients that are carried, or are about to be."""
        return len(self._open)

    @property
    def carried_bytes(self) -> int:
        """For all clients so far."""
        return self._ended_bytes + sum(each.carried_bytes for each in self._open)

    async def open(self) -> None:
        """Listen. Raises `OSError`, when somebody else does."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._client, self._host, self.port, backlog=self._settings.backlog)

    def lead(self, way: Leads | None) -> None:
        """Take clients there from now on; None: nowhere."""
        self._way = way

    def cut(self) -> None:
        """Reset all clients."""
        for stream in [*self._open]:
            stream.cut()

    async def close(self, flush_seconds: float | None = None) -> bool:
        """Listen no more, let the streams have their seconds, and cut them; whether the port was seen to refuse. Bounded.

        `flush_seconds` None: those of the settings.
        """
        self._way = None
        if self._server is not None:
            self._server.close()
        refuses = await self._refuses()
        await self._wait_until_empty(self._settings.flush_seconds if flush_seconds is None else flush_seconds)
        self.cut()
        await self._wait_until_empty(self._settings.cut_seconds)
        return refuses

    def _client(self) -> Any:
        if self._way is None or len(self._open) >= self._settings.streams:
            metrics.stream_opened.labels(TURNED_AWAY).inc()
            return _Nowhere()
        stream = self._streams.pipe(self._way.address, self._way.target, self._ended)
        self._open.add(stream)
        self._emptied.clear()
        return stream

    def _ended(self, stream: Stream, why: FairleadError | None) -> None:
        self._open.discard(stream)
        self._ended_bytes += stream.carried_bytes
        if not self._open:
            self._emptied.set()
        if why is not None:
            self._failed(why)

    async def _wait_until_empty(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._emptied.wait()

    async def _refuses(self) -> bool:
        """Whether a connect to the port is refused."""
        try:
            async with asyncio.timeout(self._settings.refused_seconds):
                _, writer = await asyncio.open_connection(self._host, self.port)
        except ConnectionRefusedError:
            return True
        except (OSError, TimeoutError):
            return False
        writer.transport.abort()
        return False
