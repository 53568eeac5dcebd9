"""Names to addresses, each lookup in a thread of its own: getaddrinfo cannot be interrupted, and a slow name must delay no other."""

import asyncio
import ipaddress
import socket
import threading
from collections.abc import Callable, Sequence


class Resolver:
    """Looks names up; callers that ask for the same name at once share one lookup, so a name that hangs holds one thread."""

    def __init__(self, look_up: Callable[[str, int], Sequence[str]] | None = None) -> None:
        self._look_up = look_up or look_up_system
        self._running: dict[tuple[str, int], asyncio.Future[Sequence[str]]] = {}

    async def addresses(self, host: str, port: int) -> Sequence[str]:
        """Return the host's IP addresses in the system's order of preference; an address is its own. Raises `socket.gaierror`."""
        try:
            return [str(ipaddress.ip_address(host))]
        except ValueError:
            pass
        lookup = self._running.get((host, port)) or self._start(host, port)
        return await asyncio.shield(lookup)

    def _start(self, host: str, port: int) -> asyncio.Future[Sequence[str]]:
        loop = asyncio.get_running_loop()
        lookup: asyncio.Future[Sequence[str]] = loop.create_future()
        self._running[host, port] = lookup

        def settle(found: Sequence[str] | Exception) -> None:
            self._running.pop((host, port), None)
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
            try:
                loop.call_soon_threadsafe(settle, found)
            except RuntimeError:         # the loop was closed while the name server thought
                return

        threading.Thread(target=run, name=f"resolve {host}", daemon=True).start()   # a daemon: a hanging lookup must not delay our exit
        return lookup


def look_up_system(host: str, port: int) -> Sequence[str]:
    """The host's addresses as the system resolves them, each once. Blocks. Raises `socket.gaierror`."""
    rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(row[4][0]) for row in rows))
