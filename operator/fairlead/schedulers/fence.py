"""Reading what a remote host prints: rows behind a word that it could not know before, all of them or none.

Login shells print banners, not always with a newline at the end, names of jobs hold newlines, connections break in the middle. A row
counts only behind the fence, an answer only with a fence at both ends. Fields are parted by the unit separator; bytes that are no UTF-8
become replacement characters.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from fairlead.api.v1alpha1.reasons import ClusterReason
from fairlead.domain.errors import Unanswered

SEPARATOR = "\x1f"
_SHOWN_CHARACTERS = 200                  # of an answer that cannot be read, in the error's sentence


@dataclass(frozen=True, slots=True)
class Row:
    """One row of an answer: its kind, and its fields."""

    kind: str
    fields: tuple[str, ...]

    def field(self, index: int) -> str:
        """The field at `index`, empty when the row is shorter."""
        return self.fields[index] if index < len(self.fields) else ""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer: its rows between the two ends, and the far end's clock (epoch seconds) when it began."""

    rows: tuple[Row, ...]
    remote_time: int

    def of(self, kind: str) -> Sequence[Row]:
        """The rows of one kind, in their order."""
        return [row for row in self.rows if row.kind == kind]

    def first(self, kind: str) -> Row | None:
        """The first row of a kind."""
        return next((row for row in self.rows if row.kind == kind), None)


def read(output: bytes, fence: str) -> Answer:
    """The rows behind `fence`. Raises `Unanswered` when the answer lacks one of its ends."""
    lines = output.decode("utf-8", "replace").split("\n")
    rows = [_row(line[line.index(fence):]) for line in lines if fence + SEPARATOR in line]
    if not rows and output:
        raise Unanswered("The login node ran something else than the script: look for a ForceCommand of its sshd, which must run "
                         f"$SSH_ORIGINAL_COMMAND, and for `exec` in the user's dotfiles. It printed: {_shown(output)}",
                         ClusterReason.LOGIN_SHELL_FAILED)
    begins = rows[0].field(0) if rows and rows[0].kind == "begin" else ""
    if not (begins.isascii() and begins.isdigit()) or rows[-1] != Row("end", ()):
        raise Unanswered(_sentence(output), ClusterReason.POLL_FAILED)
    return Answer(tuple(rows[1:-1]), int(begins[:12]))


def _row(line: str) -> Row:
    _, kind, *fields = line.split(SEPARATOR)
    return Row(kind, tuple(fields))


def _sentence(output: bytes) -> str:
    if not output:
        return "The login node printed nothing: the connection broke, or the login shell did not run the script."
    return f"The login node's answer was cut; it ended with: {_shown(output)}"


def _shown(output: bytes) -> str:
    shown = "".join(letter if letter.isprintable() else " " for letter in output[-_SHOWN_CHARACTERS:].decode("utf-8", "replace"))
    return " ".join(shown.split())
