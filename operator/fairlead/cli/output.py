"""An output as its reader has come through it: which file, up to which byte. Each reading goes on from there, over any connection."""

import secrets
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, aclosing
from typing import Final

from fairlead.api.v1alpha1.reasons import ClusterReason
from fairlead.api.v1alpha1.texts import clean
from fairlead.cli.objects import get_address, get_cluster
from fairlead.domain.cluster.cluster import Cluster
from fairlead.domain.cluster.sites import seen_by
from fairlead.domain.errors import Unanswered, UserFault
from fairlead.domain.run.run import RunKey, Tree
from fairlead.domain.run.watched import WatchedOwner
from fairlead.kube.client import KubeClient
from fairlead.schedulers import output
from fairlead.schedulers.output import LogPlace, Nothing, Reading, Text
from fairlead.schedulers.seam import Exchange
from fairlead.ssh.stream import Printing, printing_at

_PREAMBLE_BYTES: Final = 64 * 1024       # what a login shell may print before our row
_SENTENCE_CHARACTERS: Final = 1000
_WITHOUT_KEY: Final = "the whole output is for those who may. Once it has ended, the last 4 KiB stand in its status, in logs.tail."
_SILENT_SECONDS: Final = 60.0            # well above a reading's own bounds: then the connection is dead


class NoOutput(UserFault):
    """There is no file to read, and why."""


class Output:
    """Reads one object's output, attempt after attempt, over a connection that is made when it is needed and made again when it broke."""

    def __init__(self, client: KubeClient, owner: WatchedOwner, *, stderr: bool, tail_lines: int | None, raw: bool) -> None:
        self._client = client
        self._location, self._namespace = owner.location, owner.ref.namespace
        self._kind = owner.kind
        self._stderr = stderr
        self._tail_lines = tail_lines
        self._raw = raw
        self._unshown = b""                 # what the far end needs to fold on from `offset`
        self._open = AsyncExitStack()
        self._line: Printing | None = None
        self._tree: Tree | None = None
        self.key = owner.key
        self.place: LogPlace | None = None  # what the last reading said before its first byte
        self.path = ""
        self.offset = 0

    async def __aenter__(self) -> "Output":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.hang_up()

    async def hang_up(self) -> None:
        """Close the connection; the next reading makes another."""
        self._line = None
        await self._open.aclose()

    def found(self, owner: WatchedOwner) -> None:
        """Whose output it is, as it is now: it may have been given a host since."""
        self._location = owner.location

    def turn_to(self, key: RunKey) -> None:
        """Read this attempt from now on: from its beginning, unless it goes on in the file that was read so far."""
        self.key, self.place = key, None

    @property
    def is_drained(self) -> bool:
        """Whether everything was read that this attempt's latest start has written, and it writes no more."""
        place = self.place
        return place is not None and place.over and place.start == place.last_start and self.offset >= place.size

    async def read(self, wait_seconds: int = 0) -> AsyncGenerator[bytes, None]:
        """What is there beyond `offset`, and what comes within about `wait_seconds`.

        Raises `NoOutput`, `UserFault` when the way to the cluster is missing, `ApiFault`, `RemoteFault`: a later reading loses nothing.
        """
        line, tree = await self._connected()
        place = self.place
        start = place.start if place and not self._is_left(place) else ""
        fence = secrets.token_hex(16)
        wanted = Reading(self.key, self._stderr, wait_seconds, self.path, self.offset, start, self._tail_lines, self._raw, self._unshown)
        exchange = Exchange("logs", output.program(fence, tree, wanted), wanted.unshown, 0.0, 0, bytes)
        async with aclosing(line.output(exchange, idle_timeout_seconds=wait_seconds + _SILENT_SECONDS)) as pieces:
            self.place, piece = await self._beginning(pieces, fence)
            if (self.path, self.offset) != (self.place.path, self.place.offset):
                self.path, self.offset, self._unshown = self.place.path, self.place.offset, b""
            if self._raw:
                self.offset += len(piece)
                yield piece
                async for piece in pieces:
                    self.offset += len(piece)
                    yield piece
                return
            yield b""
            async for text, shown in _texts(pieces, piece, fence):
                self.offset, self._unshown = text.offset, text.unshown
                yield shown

    def _is_left(self, place: LogPlace) -> bool:
        """Whether a later start than the one that was read has begun, and nothing of this one is missing."""
        return place.start != place.last_start and self.offset >= place.size

    async def _connected(self) -> tuple[Printing, Tree]:
        if self._line is None or self._tree is None:
            whole = await get_cluster(self._client, *self._location.cluster)
            site = whole.site_for(self._namespace, self._location.host)
            if site is None:
                raise UserFault(f"It is not decided yet on which host of its Cluster the {self._kind} runs")
            cluster = seen_by(whole, site)
            self._tree = _tree_of(cluster)
            self._line = await self._open.enter_async_context(printing_at(await get_address(self._client, cluster, _WITHOUT_KEY)))
        return self._line, self._tree

    async def _beginning(self, pieces: AsyncIterator[bytes], fence: str) -> tuple[LogPlace, bytes]:
        """Read our rows, and noise before them; the bytes that came behind them."""
        text, noise_bytes = b"", 0
        async for piece in pieces:
            text += piece
            noise_bytes += len(piece)
            start = 0
            while (end := text.find(b"\n", start)) >= 0:
                row, start = text[start:end], end + 1
                match output.read_row(row, fence):
                    case Nothing(why):
                        raise NoOutput(clean(why, _SENTENCE_CHARACTERS))
                    case LogPlace() as place:
                        return place, text[start:]
            text = text[start:]
            if noise_bytes > _PREAMBLE_BYTES:
                break
        raise Unanswered("The login node did not run the script: its shell printed something else", ClusterReason.LOGIN_SHELL_FAILED)


async def _texts(pieces: AsyncIterator[bytes], came: bytes, fence: str) -> AsyncGenerator[tuple[Text, bytes], None]:
    """Folded text, each piece when all of it has come: of one that was cut off nothing counts. `came` was read of `pieces` already."""
    buffer, text = bytearray(came), None
    while True:
        while text is not None or b"\n" in buffer:
            if text is None:
                row, _, rest = buffer.partition(b"\n")
                text, buffer = output.read_text_row(bytes(row), fence), rest
                if text is None:
                    raise Unanswered("The login node printed something else than the output", ClusterReason.POLL_FAILED)
            if len(buffer) < text.size:
                break
            yield text, bytes(buffer[:text.size])
            del buffer[:text.size]
            text = None
        if text is None and len(buffer) > output.MOST_TEXT_ROW_BYTES:
            raise Unanswered("The login node printed something else than the output", ClusterReason.POLL_FAILED)
        try:
            buffer += await anext(pieces)
        except StopAsyncIteration:
            return


def _tree_of(cluster: Cluster) -> Tree:
    folder = cluster.status.work_dir
    if folder is None or not folder.path or not folder.marker:
        raise UserFault(f"Cluster {cluster.ref.namespace}/{cluster.ref.name} has never been reached: its status names no work folder")
    return Tree(folder.path, folder.marker)
