"""Tells what happens: seconds since the start in front of each line, commands as a person would type them."""

import sys
import time

from rich.console import Console
from rich.text import Text


class Teller:
    """Prints the demo's lines."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._console = Console(highlight=False, soft_wrap=True)

    @property
    def seconds(self) -> float:
        """Since the start."""
        return time.monotonic() - self._began

    def step(self, text: str) -> None:
        """A new chapter."""
        self._line(text, "bold")

    def note(self, text: str) -> None:
        """Something that happened."""
        self._line(text, "")

    def command(self, text: str) -> None:
        """What would be typed."""
        self._line(f"$ {text}", "cyan")

    def output(self, text: str) -> None:
        """What a program printed, as it is."""
        for line in text.rstrip("\n").split("\n"):
            self._console.print(Text(f"         {line}", style="dim" if sys.stdout.isatty() else ""))

    def _line(self, text: str, style: str) -> None:
        self._console.print(Text(f"{self.seconds:6.1f} s ", style="dim"), Text(text, style=style), sep="")
