"""Tells what happens: seconds since the start in front of each line, commands as a person would type them, as wide as the terminal is."""

import sys
import textwrap
import time

from rich.console import Console
from rich.text import Text

_MARGIN = 11
"""Columns before the text: the seconds, or nothing where a line goes on."""


class Teller:
    """Prints the demo's lines."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._console = Console(highlight=False, soft_wrap=True)
        self._room = self._console.width - _MARGIN if sys.stdout.isatty() else sys.maxsize

    @property
    def seconds(self) -> float:
        """Since the start."""
        return time.monotonic() - self._began

    def step(self, text: str) -> None:
        """A new chapter."""
        self._lines(self._wrapped(text, ""), "bold")

    def note(self, text: str) -> None:
        """Something that happened."""
        self._lines(self._wrapped(text, "    "), "")

    def command(self, text: str) -> None:
        """What would be typed; a long one goes on after a backslash, so that it can be copied."""
        lines = self._wrapped(f"$ {text}", "      ", spare=2)
        self._lines([f"{line} \\" for line in lines[:-1]] + lines[-1:], "cyan")

    def output(self, text: str) -> None:
        """What a program printed, as it is."""
        for line in text.rstrip("\n").split("\n"):
            self._console.print(Text(" " * _MARGIN + line, style="dim" if sys.stdout.isatty() else ""))

    def _wrapped(self, text: str, indent: str, spare: int = 0) -> list[str]:
        return textwrap.wrap(text, self._room - spare, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False,
                             drop_whitespace=True, replace_whitespace=False)

    def _lines(self, lines: list[str], style: str) -> None:
        margin = f"{self.seconds:7.1f} s  "
        for line in lines:
            self._console.print(Text(margin, style="dim"), Text(line, style=style), sep="")
            margin = " " * _MARGIN
