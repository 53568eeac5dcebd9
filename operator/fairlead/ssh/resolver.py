"""Names to addresses, each lookup in a thread of its own: getaddrinfo cannot be interrupted, and a slow name must delay no other."""

import asyncio
import ipaddress
import socket
import threading
from collections.abc import Sequence


class Resolver:
    """Looks names up; callers that ask for the same name at once share one lookup, so a name that hangs holds one thread."""

    def __init__(self) -> None:
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

        def look_up() -> None:
            found: Sequence[str] | Exception
            try:
                rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
                found = list(dict.fromkeys(str(row[4][0]) for row in rows))
            except (OSError, UnicodeError) as error:
                found = error if isinstance(error, OSError) else socket.gaierror(socket.EAI_NONAME, "the name is not a host name")
            try:
                loop.call_soon_threadsafe(settle, found)
            except RuntimeError:         # the loop was closed while the name server thought
                return

        threading.Thread(target=look_up, name=f"resolve {host}", daemon=True).start()   # a daemon: a hanging lookup must not delay our exit
        return lookup
