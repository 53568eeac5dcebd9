"""Free loopback ports for servers that may be restarted on them."""

import random
import socket
from pathlib import Path

from bed.errors import BedError

_LOWEST = 10000
_TRIES = 1000


def free(count: int) -> list[int]:
    """So many ports that nobody listens on now.

    They lie below the range that the kernel takes for outgoing connections, so that a restarted server finds its port again.

    Raises:
        BedError: none could be found.
    """
    end = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    candidates = random.SystemRandom()
    found: set[int] = set()
    for _ in range(_TRIES):
        port = candidates.randrange(_LOWEST, max(end, _LOWEST + 10000))
        if port not in found and _is_free(port):
            found.add(port)
        if len(found) == count:
            return list(found)
    raise BedError(f"no {count} free loopback ports between {_LOWEST} and {end}; `ss -ltn` shows who has them")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
