"""Whether a process is ready, by the answers to a GET. Pure.

Without a token it is as the kubelet has it: a status from 200 to 399. With one the same is asked twice. What answers well without the token
is another's server, and does not get to see it; the process itself refuses that, and answers well with it.
"""

import re
from typing import Final

_STATUS_LINE: Final = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2})(?: .*)?", re.DOTALL)
_REFUSED: Final = frozenset({401, 403})


def question(path: str, token: bytes | None = None) -> bytes:
    """A GET of this path, after which the connection ends; with the token as Jupyter takes it. The token has no control characters."""
    shown = b"" if token is None else b"Authorization: token " + token + b"\r\n"
    head = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: fairlead\r\nAccept: */*\r\nConnection: close\r\n".encode("ascii")
    return head + shown + b"\r\n"


def unready(path: str, line: bytes) -> str:
    """Why the process is not ready, from the first line of its answer; empty if it is. Nothing of the line but its number is shown."""
    status = _status(line)
    if status is None:
        return _silent(path, line)
    return "" if 200 <= status < 400 else f"GET {path} is answered with status {status}"


def is_strange(line: bytes) -> bool:
    """Whether what has answered like this without the token is another's server: it asks for none."""
    status = _status(line)
    return status is not None and 200 <= status < 300


def unguarded(path: str, line: bytes) -> str:
    """Why the token is not shown to what has answered like this without it; empty if it asks for one."""
    status = _status(line)
    if status is None:
        return _silent(path, line)
    if is_strange(line):
        return f"GET {path} is answered with status {status} without the token: another server has the port, or the process asks for none"
    return "" if status in _REFUSED else f"GET {path} without the token is answered with status {status}, and not with 403"


def shut_out(path: str, line: bytes) -> str:
    """Why the process is not ready, from its answer to the token; empty if it is."""
    status = _status(line)
    if status is None:
        return _silent(path, line)
    return "" if 200 <= status < 300 else f"GET {path} with the token is answered with status {status}"


def _status(line: bytes) -> int | None:
    found = _STATUS_LINE.fullmatch(line)
    return int(found[1]) if found else None


def _silent(path: str, line: bytes) -> str:
    return f"GET {path}: " + ("what answers does not speak HTTP" if line else "no answer")
