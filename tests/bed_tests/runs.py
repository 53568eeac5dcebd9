"""Runs of the demo and of pytest that a test ends, and what is left of them."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from bed import proc, registry
from bed.controlplane import binaries
from bed.sweep import leftovers
from bed_tests.waiting import catches, until

PROJECT = Path(__file__).parents[2]


class Run:
    """A program in a process group of its own, as a shell starts it, with its home and its temporary files in `folder`."""

    def __init__(self, program: tuple[str, ...], folder: Path, **env: str) -> None:
        for name in ("home", "tmp"):
            (folder / name).mkdir(parents=True)
        own = {"HOME": str(folder / "home"), "TMPDIR": str(folder / "tmp"), "XDG_CACHE_HOME": str(binaries.cache().parents[1])}
        whole = {**os.environ, **own, "PYTHONUNBUFFERED": "1", "PYTHONPATH": str(PROJECT / "tests"), **env}
        self._folder = folder
        self._said: list[str] = []
        self._beds: list[str] = []
        self._children: dict[int, int] = {}
        self._process = subprocess.Popen(self._argv(program), env=whole, cwd=PROJECT, text=True, process_group=0,
                                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def _argv(self, program: tuple[str, ...]) -> list[str]:
        return [sys.executable, *program]

    def reach(self, words: str) -> None:
        """Until it has said this; "": until Python has started."""
        if not words:
            until(lambda: catches(self._process.pid, signal.SIGTERM), "the program's own answer to signals")
        elif not any(words in line for line in self._lines()):
            code, said = self.ended()
            raise AssertionError(f"{words!r} was never said, and it ended with {code}:\n{said}")

    def send(self, number: signal.Signals, *, whole_group: bool) -> bool:
        """Sends a signal. What the run has to lose is noted first, while it stands still. False: it had ended by itself."""
        self._process.send_signal(signal.SIGSTOP)
        if self._process.poll() is not None:
            return False
        self._note()
        (os.killpg if whole_group else os.kill)(self._process.pid, number)
        self._process.send_signal(signal.SIGCONT)
        return True

    def ended(self) -> tuple[int, str]:
        """Its exit code and all that it said, once it has ended by itself or by a signal."""
        for _ in self._lines():
            self._note()
        assert self._process.stdout
        self._process.stdout.close()
        return self._process.wait(), "".join(self._said)

    def left(self) -> list[str]:
        """A sentence for each thing of it that is on the machine."""
        children = [pid for pid, began in self._children.items() if proc.start_time(pid) == began]
        return [
            *(sentence for bed_id in self._beds for sentence in leftovers(bed_id)),
            *(f"its child, process {pid}, is still running" for pid in children),
            *(f"{path} is still there" for name in ("home", "tmp") for path in (self._folder / name).rglob("*")),
        ]

    def _lines(self) -> Iterator[str]:
        assert self._process.stdout
        for line in self._process.stdout:
            self._said.append(line)
            yield line

    def _note(self) -> None:
        pid = self._process.pid
        self._beds += [bed_id for bed_id, owner in registry.owners().items() if owner and owner.pid == pid and bed_id not in self._beds]
        self._children |= proc.children(pid)
