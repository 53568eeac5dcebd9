"""A script's `#SBATCH` lines, read as sbatch reads them in every release from 20.11 to 26.05.

Slurm is handed the run wrapper and never sees the user's script, so the lines must be read here. The rules:

1. A directive begins with `#SBATCH` (or its old name `#SLURM`) in the first column, with or without a blank behind it.
2. Reading ends at the first line that is neither blank nor begins, after blanks, with `#`.
3. A line may hold several options; blanks and tabs part words.
4. "..." and '...' keep blanks, and may begin inside a word.
5. A backslash takes the next character as it is, in quotes too; it continues no line.
6. `#` outside quotes ends the line, even inside a word. Nothing is expanded: no `$VAR`, no backticks.
7. So many lines, of so many characters, are far more than a script needs, and each word costs time; beyond them it is refused.
8. `hetjob` parts the components of a heterogeneous job: two jobs, so it is refused, and so is what sbatch refuses itself.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from fairlead.domain.errors import UserFault

_MARKS = ("#SBATCH", "#SLURM")
_FOREIGN = ("#PBS", "#BSUB")             # sbatch translates these too
_IGNORE_FOREIGN = "--ignore-pbs"
_BLANKS = frozenset(" \t\v\f\r")
_SEPARATORS = frozenset({"hetjob", "packjob"})
MOST_LINES: Final = 256
MOST_LINE_CHARACTERS: Final = 4096
_COMMAND = re.compile(r"^[ \t\v\f\r]*[^# \t\v\f\r\n]", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Directive:
    """The words of one `#SBATCH` line, quotes and backslashes undone; `line` counts from 1."""

    line: int
    words: tuple[str, ...]

    def fault(self, reason: str) -> UserFault:
        """Make the error that refuses the script for this line."""
        return _fault(self.line, reason)


def of(script: str | None) -> tuple[Directive, ...]:
    """As `parse`; a command, which has no script, has none."""
    return () if script is None else parse(script)


def parse(script: str) -> tuple[Directive, ...]:
    """Give the directives of a script, in their order; lines without a word are left out.

    Raises:
        UserFault: a line cannot be read, or asks for more than one job; the message names the line and the reason.
    """
    found = tuple(Directive(line, _words(line, text)) for line, text in _header(script, _MARKS))
    if not any(_IGNORE_FOREIGN in directive.words for directive in found):
        for line, text in _header(script, _FOREIGN):
            mark = next(mark for mark in _FOREIGN if text.startswith(mark))
            raise _fault(line, f"{mark} lines are not read here: write the option in a #SBATCH line, or add #SBATCH {_IGNORE_FOREIGN}")
    return tuple(directive for directive in found if directive.words)


def _header(script: str, marks: tuple[str, ...]) -> Iterator[tuple[int, str]]:
    """Number and text of each line with one of `marks`, up to the script's first command."""
    command = _COMMAND.search(script)
    header = script[:command.start()] if command else script
    line, counted = 1, 0
    for number, found in enumerate(re.finditer(f"^(?:{'|'.join(marks)}).*", header, re.MULTILINE), start=1):
        line, counted = line + header.count("\n", counted, found.start()), found.start()
        if number > MOST_LINES:
            raise _fault(line, f"a script may hold {MOST_LINES} such lines: write several options in one line")
        if len(found[0]) > MOST_LINE_CHARACTERS:
            raise _fault(line, f"the line is longer than {MOST_LINE_CHARACTERS} characters: part it into several")
        yield line, found[0]


def _words(line: int, text: str) -> tuple[str, ...]:
    """Part the text of one line into words."""
    rest = text.removeprefix(next(mark for mark in _MARKS if text.startswith(mark)))
    words: list[str] = []
    while rest := rest.lstrip("".join(_BLANKS)):
        if rest[0] == "#":
            break
        if rest[0] == ":":
            raise _fault(line, "no word may begin with a colon")
        word, rest = _word(line, rest)
        if not word:
            raise _fault(line, 'sbatch ends the line at an empty word: write the option as --name=""')
        if word.lower() in _SEPARATORS:
            raise _fault(line, f"{word} makes two jobs of one script: heterogeneous jobs are not supported; apply a Job for each component")
        words.append(word)
    return tuple(words)


def _word(line: int, text: str) -> tuple[str, str]:
    """Split the first word, its quotes and backslashes undone, from the rest of the line."""
    letters: list[str] = []
    quote = ""
    place = 0
    while place < len(text) and (quote or text[place] not in _BLANKS):
        letter = text[place]
        if letter == "\\":
            place += 1
            if place == len(text) or (text[place] in _BLANKS and not quote):
                raise _fault(line, "releases of Slurm differ on a backslash before a blank or the line's end: put the value into quotes")
            letters.append(text[place])
        elif quote and letter == quote:
            quote = ""
        elif quote:
            letters.append(letter)
        elif letter in "\"'":
            quote = letter
        elif letter == "#":
            break
        else:
            letters.append(letter)
        place += 1
    if quote:
        raise _fault(line, f"the quote {quote} is not closed")
    return "".join(letters), text[place:]


def _fault(line: int, reason: str) -> UserFault:
    return UserFault(f"line {line} of the script (#SBATCH): {reason}")
