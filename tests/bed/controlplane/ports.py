"""Free loopback ports for servers that may be restarted on them."""

import random
import socket
from collections import deque
from pathlib import Path

from bed.errors import BedError

_LOWEST = 10000
_TRIES = 1000
_KEPT = 64
_marks: deque[socket.socket] = deque()
"""Of the ports that this process was told of last; they end with it."""


def free(count: int) -> list[int]:
    """So many ports that nobody listens on now, and that no other process is just about to take from here.

    They lie below the range that the kernel takes for outgoing connections, so that a restarted server finds its port again.

    Raises:
        BedError: none could be found.
    """
    end = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    candidates = random.SystemRandom()
    found: set[int] = set()
    for _ in range(_TRIES):
        port = candidates.randrange(_LOWEST, max(end, _LOWEST + 10000))
        if port not in found and _is_free(port) and _is_marked(port):
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


def _is_marked(port: int) -> bool:
    """Mark it as given out, by a name that one process alone can have; False: somebody else was told of it, who does not listen yet."""
    mark = socket.socket(socket.AF_UNIX)
    try:
        mark.bind(f"\0fairlead-bed-port-{port}")       # unix(7), abstract: it is gone with the socket
    except OSError:
        mark.close()
        return False
    _marks.append(mark)
    if len(_marks) > _KEPT:
        _marks.popleft().close()
    return True
