"""Names to addresses, each lookup in a thread of its own: getaddrinfo cannot be interrupted, and a slow name must delay no other."""

import asyncio
import ipaddress
import socket
import threading
from collections.abc import Callable, Sequence

from fairlead.sharing.shares import Shares
from fairlead.sharing.turns import NOBODY, Waited, ignored
from fairlead.ssh.limits import none_free

LOOKUPS = 64
"""At a time: threads. A name server that is silent holds each for up to half a minute."""


class Resolver:
    """Looks names up; callers that ask for the same name at once share one lookup, so a name that hangs holds one thread.

    However many names of one namespace hang, another finds a thread free.
    """

    def __init__(
        self, look_up: Callable[[str, int], Sequence[str]] | None = None, wait_seconds: float = 30.0, waited: Waited = ignored,
    ) -> None:
        self._look_up = look_up or look_up_system
        self._running: dict[tuple[str, int], asyncio.Future[Sequence[str]]] = {}
        self._threads = Shares(LOOKUPS, "no thread for looking a name up", wait_seconds, none_free, waited)

    @property
    def waiting(self) -> int:
        """Lookups that wait for a thread."""
        return self._threads.waiting

    async def addresses(self, host: str, port: int, owner: str = NOBODY) -> Sequence[str]:
        """Return the host's IP addresses in the system's order of preference; an address is its own.

        Raises `socket.gaierror`, and `Unreachable` when too many names of the namespace `owner` hang.
        """
        try:
            return [str(ipaddress.ip_address(host))]
        except ValueError:
            pass
        if (host, port) not in self._running:
            await self._threads.take(owner)
            if (host, port) in self._running:    # somebody else has begun meanwhile
                self._threads.give_back(owner)
            else:
                self._start(host, port, owner)
        return await asyncio.shield(self._running[host, port])

    def _start(self, host: str, port: int, owner: str) -> None:
        loop = asyncio.get_running_loop()
        lookup: asyncio.Future[Sequence[str]] = loop.create_future()
        self._running[host, port] = lookup

        def settle(found: Sequence[str] | Exception) -> None:
            self._running.pop((host, port), None)
            self._threads.give_back(owner)
            if isinstance(found, Exception):
                lookup.set_exception(found)
                lookup.exception()       # seen: its callers may all have given up
            else:
                lookup.set_result(found)

        def run() -> None:
            found: Sequence[str] | Exception
            try:
                found = self._look_up(host, port)
            except (OSError, UnicodeError) as error:
                found = error if isinstance(error, OSError) else socket.gaierror(socket.EAI_NONAME, "the name is not a host name")
            except Exception as error:   # noqa: BLE001  else its place and its callers would be lost
                found = error
            try:
                loop.call_soon_threadsafe(settle, found)
            except RuntimeError:         # the loop was closed while the name server thought
                return

        threading.Thread(target=run, name=f"resolve {host}", daemon=True).start()   # a daemon: a hanging lookup must not delay our exit


def look_up_system(host: str, port: int) -> Sequence[str]:
    """The host's addresses as the system resolves them, each once. Blocks. Raises `socket.gaierror`."""
    rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(row[4][0]) for row in rows))
