"""Whether a process is ready, by the answer to a GET: as the kubelet has it, a status from 200 to 399. Pure."""

import re
from typing import Final

_STATUS_LINE: Final = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2})(?: .*)?", re.DOTALL)


def question(path: str) -> bytes:
    """A GET of this path, after which the connection ends."""
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: fairlead\r\nAccept: */*\r\nConnection: close\r\n\r\n".encode("ascii")


def unready(path: str, line: bytes) -> str:
    """Why the process is not ready, from the first line of its answer; empty if it is. Nothing of the line but its number is shown."""
    found = _STATUS_LINE.fullmatch(line)
    if found is None:
        return f"GET {path}: " + ("what answers does not speak HTTP" if line else "no answer")
    status = int(found[1])
    return "" if 200 <= status < 400 else f"GET {path} is answered with status {status}"
