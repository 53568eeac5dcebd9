"""A Run's output file, read by a person: the program that prints it from some byte on, and the rows in front of its bytes. Pure.

Byte for byte, or folded as a terminal would leave it: of each line its last state, so that redraws of a progress bar need not travel.
What is folded comes in pieces; each says up to which byte of the file it goes, and what the next one has to know of it.

Each reading is bounded in time, so that nothing stays behind on the login node when its reader goes; a reader that wants more asks
again, from the byte up to which it came.
"""

import re
from dataclasses import dataclass
from typing import Final

from fairlead.domain.run.run import RunKey, Tree
from fairlead.schedulers import sh
from fairlead.schedulers.fence import SEPARATOR

MOST_TEXT_ROW_BYTES: Final = 1 << 18
"""A row in front of a piece of text is shorter: what it holds is some dozens of lines of 32 KiB together."""
SLICE_BYTES: Final = 1 << 21
"""Folded at once: the far end holds some times as much, and a link that takes less in `PIECE_SECONDS` is none."""
_SIZE: Final = re.compile(r"[0-9]{1,18}")
PIECE_SECONDS: Final = 30
"""For what is there to be taken by its reader; one that reads on later asks again from where it came."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What is wanted of a Run's output, and how much of it was read."""

    key: RunKey
    stderr: bool = False
    wait_seconds: int = 0            # for more than there is
    path: str = ""                   # the file that was read so far, up to `offset`
    offset: int = 0
    start: str = ""                  # the start to which it belongs; empty: the last
    tail_lines: int | None = None    # where nothing was read yet: no more than these
    raw: bool = False                # byte for byte
    unshown: bytes = b""                # of the last `Text` that was read
    slice_bytes: int = SLICE_BYTES


@dataclass(frozen=True, slots=True)
class LogPlace:
    """Where in which file the bytes begin that follow."""

    path: str
    size: int
    offset: int
    start: str
    over: bool                       # this start writes no more
    last_start: str


@dataclass(frozen=True, slots=True)
class Text:
    """What follows of folded text, in bytes; up to which byte of the file it goes, and what the next piece has to know."""

    size: int
    offset: int
    unshown: bytes


@dataclass(frozen=True, slots=True)
class Nothing:
    """Why there is no file."""

    why: str


def program(fence: str, tree: Tree, reading: Reading) -> str:
    """The program that prints it: rows up to one of `log`, `no-log`, `no-tree`, and behind `log` raw bytes to the end, or rows of `text`.

    Each `text` has its bytes behind it. What is `unshown` goes to the program's standard input.
    """
    return sh.program({
        "FENCE": fence, "BIN_PATH": "", "TREE": tree.path, "MARKER": tree.marker, "KEY": str(reading.key),
        "STREAM": "err" if reading.stderr else "out", "TURNS": str(reading.wait_seconds), "PIECE_SECONDS": str(PIECE_SECONDS),
        "SEEN": reading.path, "OFFSET": str(reading.offset), "START": reading.start,
        "TAIL": "" if reading.tail_lines is None else str(reading.tail_lines), "RAW": "1" if reading.raw else "",
        "SLICE": str(reading.slice_bytes), "HELD_BYTES": str(len(reading.unshown)),
    }, "common/fold", "common/logs")


def read_text_row(row: bytes, fence: str) -> Text | None:
    """What the line in front of folded text says; None if it is no such line."""
    match row.split(SEPARATOR.encode(), 4):
        case [mark, b"text", size, offset, unshown] if mark == fence.encode() and size.isdigit() and offset.isdigit():
            return Text(int(size), int(offset), unshown)
        case _:
            return None


def read_row(row: bytes, fence: str) -> LogPlace | Nothing | None:
    """What one line says; None for a row that says nothing of the file, and for noise in front of the first row."""
    _, mark, said = row.partition(f"{fence}{SEPARATOR}".encode())
    kind, *fields = said.decode("utf-8", "replace").split(SEPARATOR)
    match (kind if mark else "", fields):
        case ("log", [path, size, offset, start, over, last]) if _SIZE.fullmatch(size) and _SIZE.fullmatch(offset):
            return LogPlace(path, int(size), int(offset), start, bool(over), last)
        case ("no-log" | "no-tree", [why]):
            return Nothing(why)
        case _:
            return None
