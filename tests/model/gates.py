"""Real programs that can be stopped before each command of theirs: small commands in front of their PATH wait to be let go."""

import os
import re
import select
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

COMMANDS: Final = ("mkdir", "ln", "readlink", "mv", "rm", "sbatch", "squeue", "scancel", "begin", "end")
"""What stops a program. `begin` and `end` are the user's script's own first and last command."""
_PATIENCE_SECONDS: Final = 60.0

_GATE: Final = """#!/bin/sh
folder=${0%/*} name=${0##*/}
printf '%s\\n' "$name $*" >"$folder/arrived"
IFS= read -r order <"$folder/go"
PATH=${PATH#*:}
case $name in begin | end) exit "${order:-0}" ;; esac
exec "$name" "$@"
"""


class Gated:
    """One program that waits before each command that matches one of `stops`. `at` is that command; empty once it has ended."""

    def __init__(
        self, folder: Path, argv: Sequence[str], environment: Mapping[str, str], stops: tuple[str, ...], stdin: bytes = b"",
    ) -> None:
        self._stops = re.compile("|".join(stops))
        folder.mkdir(parents=True)
        self.folder = folder
        gate = folder / "gate"
        gate.write_text(_GATE)
        gate.chmod(0o755)
        for command in COMMANDS:
            (folder / command).symlink_to("gate")
        for fifo in ("arrived", "go"):
            os.mkfifo(folder / fifo)
        # Open for both, so that nobody waits for the other side to open; when this process dies, whoever waits reads an end and goes on.
        self._arrived, self._go = (os.open(folder / fifo, os.O_RDWR) for fifo in ("arrived", "go"))
        (folder / "stdin").write_bytes(stdin)
        with (folder / "stdin").open("rb") as source, (folder / "output").open("wb") as output:
            self.process = subprocess.Popen(
                argv, env={**environment, "PATH": f"{folder}:{environment['PATH']}"}, cwd="/", stdin=source, stdout=output,
                stderr=output, start_new_session=True,
            )
        self._ended = os.pidfd_open(self.process.pid)
        self.at = ""
        self._wait()

    @property
    def has_ended(self) -> bool:
        """Whether nothing of it waits any more."""
        return not self.at

    @property
    def output(self) -> bytes:
        """What it has printed."""
        return (self.folder / "output").read_bytes()

    def go(self, order: str = "go") -> None:
        """Let it carry out the command that it waits before, and run up to the next."""
        os.write(self._go, f"{order}\n".encode())
        self._wait()

    def passes(self, wanted: str, order: str = "go") -> None:
        """Let it run until it has carried out a command that matches `wanted`, or has ended."""
        found = None
        while self.at and not found:
            found = re.match(wanted, self.at)
            self.go(order if found else "go")

    def finishes(self) -> None:
        """Let it run to its end."""
        while self.at:
            self.go("0")

    def kill(self) -> None:
        """SIGKILL, for it and all that it has started."""
        self.at = ""
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                if f"{self.folder}:".encode() in (entry / "environ").read_bytes():
                    os.kill(int(entry.name), signal.SIGKILL)
            except OSError:
                continue
        self.process.wait()

    def close(self) -> None:
        """Nothing of it stays."""
        self.kill()
        for number in (self._arrived, self._go, self._ended):
            os.close(number)

    def _wait(self) -> None:
        self.at = ""
        poll = select.poll()
        poll.register(self._arrived, select.POLLIN)
        poll.register(self._ended, select.POLLIN)
        ready = dict(poll.poll(_PATIENCE_SECONDS * 1000))
        if self._arrived in ready:
            self.at = os.read(self._arrived, select.PIPE_BUF).decode()
            if not self._stops.match(self.at):
                self.go()
        elif ready:
            self.process.wait()
        else:
            message = f"{self.folder.name} neither ended nor came to a command: {self.output.decode(errors='replace')}"
            raise AssertionError(message)
