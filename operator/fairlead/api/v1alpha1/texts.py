"""What a far end says, as a status, an Event or a terminal takes it: one line, no control characters, bounded; a number in range or none.

A field of a status that a far end has a say in is of one of these types, so that there is no status which the API server would refuse: a
text that is too long is cut, a number that cannot be is not there. The cost of each is bounded by its limit, not by what was said.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Annotated, Final

from pydantic import BeforeValidator, Field

WORD_CHARACTERS: Final = 256             # a scheduler's own word, reason or version
NODES_CHARACTERS: Final = 1024
PATH_CHARACTERS: Final = 4096            # Linux' PATH_MAX
PRINTED_CHARACTERS: Final = 500          # of what a program printed: a person reads a few lines of it
LATEST_TIME: Final = 253_402_300_799     # epoch seconds: the last one of the year 9999, since RFC 3339 has four digits for it
_LOOKED_AT: Final = 4                    # so many times its limit of a text is read: escape codes and blanks go from it
_ESCAPES: Final = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-_])")


def clean(words: str, limit: int) -> str:
    """Put `words` into one line of at most `limit` characters, without escape sequences and control characters."""
    if len(words) <= limit and words.isprintable() and "  " not in words:
        return words.strip(" ")
    seen = words[:_LOOKED_AT * limit]
    line = _folded(_ESCAPES.sub("", seen))
    return line if len(line) <= limit and len(seen) == len(words) else line[:limit - 1].rstrip() + "…"


def one_line(printed: bytes | str, limit: int = PRINTED_CHARACTERS) -> str:
    """What a program printed, in one line without control characters: of a long text the last `limit`, where it says why it stopped."""
    seen = printed[-_LOOKED_AT * limit:]
    line = _folded(seen.decode(errors="replace") if isinstance(seen, bytes) else seen)
    return line if len(line) <= limit and len(seen) == len(printed) else f"... {line[-limit:]}"


def _folded(text: str) -> str:
    """What is no printable letter is a blank, and of blanks in a row there is one."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def plain_path(path: str) -> str:
    """Show a path: its blanks as they are, what is no printable letter as U+FFFD, cut where no path of Linux goes on."""
    seen = path[:PATH_CHARACTERS]
    return seen if seen.isprintable() else "".join(letter if letter.isprintable() else "\ufffd" for letter in seen)


def _text(made: Callable[[str], str], said: object) -> object:
    return made(said) if isinstance(said, str) else said


def _number(least: int, most: int, said: object) -> object:
    return None if isinstance(said, int) and not least <= said <= most else said


def _line(limit: int) -> BeforeValidator:
    return BeforeValidator(partial(_text, lambda said: clean(said, limit)))


Word = Annotated[str, Field(max_length=WORD_CHARACTERS), _line(WORD_CHARACTERS)]
"""A word, reason or version of a scheduler."""
NodeNames = Annotated[str, Field(max_length=NODES_CHARACTERS), _line(NODES_CHARACTERS)]
"""One node, or several as Slurm folds them."""
RemotePath = Annotated[str, Field(max_length=PATH_CHARACTERS), BeforeValidator(partial(_text, plain_path))]
"""A path at the far end, for people: it need not be the bytes of the path itself."""
ExitCode = Annotated[Annotated[int, Field(ge=0, le=255)] | None, BeforeValidator(partial(_number, 0, 255))]
"""What a process can exit with."""
SignalNumber = Annotated[Annotated[int, Field(ge=0, le=127)] | None, BeforeValidator(partial(_number, 0, 127))]
"""A signal, as an exit code can carry it."""
Restarts = Annotated[Annotated[int, Field(ge=0, le=999_999)] | None, BeforeValidator(partial(_number, 0, 999_999))]
"""How often something was started again."""
FileSize = Annotated[Annotated[int, Field(ge=0, le=2**53)] | None, BeforeValidator(partial(_number, 0, 2**53))]
"""Bytes; up to what the API server, which compares numbers as floats, can tell apart."""
