"""Reading what a remote host prints: rows behind a word that it could not know before, all of them or none.

Login shells print banners, not always with a newline at the end, names of jobs hold newlines, connections break in the middle. A row
counts only behind the fence, an answer only with a fence at both ends. Fields are parted by the unit separator; bytes that are no UTF-8
become replacement characters.

The answer is read in one pass, at a cost that grows with its length and no faster, whatever it holds: noise is passed over by a search for
the fence, a row is cut at its bounds, and an answer of more rows than were asked for is none.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from fairlead.api.v1alpha1.reasons import ClusterReason
from fairlead.api.v1alpha1.texts import one_line
from fairlead.domain.errors import Unanswered

SEPARATOR: Final = "\x1f"
MOST_ROWS: Final = 262_144               # of a whole tree; a poll has its own bound
MOST_FIELDS: Final = 16                  # of a row; what follows stays in the last one
MOST_ROW_BYTES: Final = 32 * 1024        # two paths and 4 KiB of a log in hexadecimal digits are the longest row
_SHOWN_CHARACTERS: Final = 200           # of an answer that cannot be read, in the error's sentence
_WINDOW_BYTES: Final = 1024 * 1024       # one search looks so far: a worker thread lets no other run meanwhile


@dataclass(frozen=True, slots=True)
class Row:
    """One row of an answer: its kind, and its fields. `cut`: it was longer than a row may be, and its end is not here."""

    kind: str
    fields: tuple[str, ...]
    cut: bool = False

    def field(self, index: int) -> str:
        """The field at `index`, empty when the row is shorter."""
        return self.fields[index] if index < len(self.fields) else ""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer: its rows between the two ends."""

    rows: tuple[Row, ...]
    _by_kind: Mapping[str, Sequence[Row]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        found: dict[str, list[Row]] = {}
        for row in self.rows:
            found.setdefault(row.kind, []).append(row)
        object.__setattr__(self, "_by_kind", found)

    def of(self, kind: str) -> Sequence[Row]:
        """The rows of one kind, in their order."""
        return self._by_kind.get(kind, ())

    def first(self, kind: str) -> Row | None:
        """The first row of a kind."""
        return next(iter(self.of(kind)), None)


def last_row(fence: str) -> bytes:
    """The row that ends a whole answer."""
    return f"{fence}{SEPARATOR}end\n".encode()


def read(output: bytes, fence: str, most_rows: int = MOST_ROWS) -> Answer:
    """The rows behind `fence`. Raises `Unanswered` when the answer lacks one of its ends, or holds more than `most_rows`."""
    rows: list[Row] = []
    for row in _rows(output, f"{fence}{SEPARATOR}".encode()):
        if len(rows) > most_rows + 1:    # and two ends
            raise Unanswered(f"The login node's answer holds more than the {most_rows} rows that it can need", ClusterReason.POLL_FAILED)
        rows.append(row)
    if not rows and output:
        raise Unanswered("The login node ran something else than the script: look for a ForceCommand of its sshd, which must run "
                         f"$SSH_ORIGINAL_COMMAND, and for `exec` in the user's dotfiles. It printed: {one_line(output)}",
                         ClusterReason.LOGIN_SHELL_FAILED)
    if not rows or rows[0].kind != "begin" or rows[-1] != Row("end", ()):
        raise Unanswered(_sentence(output), ClusterReason.POLL_FAILED)
    return Answer(tuple(rows[1:-1]))


def read_begun(output: bytes, fence: str) -> tuple[Sequence[Row], int]:
    """The rows of an answer that need not be whole, ends included, and how many bytes came in front of the first.

    A last row that was cut is left out.
    """
    mark = f"{fence}{SEPARATOR}".encode()
    first, last = _find(output, mark, 0), output.rfind(b"\n")
    return tuple(_rows(output[:last + 1], mark))[:MOST_ROWS], first if first >= 0 else len(output)


def _rows(output: bytes, mark: bytes) -> Iterator[Row]:
    """Each line from its first `mark` on."""
    place = 0
    while (start := _find(output, mark, place)) >= 0:
        most = start + len(mark) + MOST_ROW_BYTES
        end = output.find(b"\n", start, most)
        cut = end < 0 and most < len(output)
        line = output[start + len(mark):most if end < 0 else end].decode("utf-8", "replace")
        kind, *fields = line.split(SEPARATOR, MOST_FIELDS)
        yield Row(kind, tuple(fields), cut)
        if end < 0:
            end = _find(output, b"\n", most)
        if end < 0:
            return
        place = end + 1


def _find(output: bytes, mark: bytes, place: int) -> int:
    """Where `mark` stands next, -1 if nowhere: looked for window by window."""
    while place < len(output):
        found = output.find(mark, place, place + _WINDOW_BYTES + len(mark) - 1)
        if found >= 0:
            return found
        place += _WINDOW_BYTES
    return -1


def _sentence(output: bytes) -> str:
    if not output:
        return "The login node printed nothing: the connection broke, or the login shell did not run the script."
    return f"The login node's answer was cut; it ended with: {one_line(output, _SHOWN_CHARACTERS)}"
