"""A long-running child process of a bed, and the faults that it can be given."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from bed.errors import BedError
from bed.processes import MARK

_started: dict[str, list["Daemon"]] = {}


class Daemon:
    """A program in a session of its own (Ctrl-C does not reach it) that ends with its bed; its output is appended to `log`.

    `env` is added to a plain environment and must hold the bed's mark; nothing of the caller's environment is passed on.

    Raises:
        BedError: the program cannot be started, or `env` lacks the mark.
    """

    def __init__(self, argv: Sequence[str | Path], env: Mapping[str, str], log: Path, *, cwd: Path = Path("/")) -> None:
        if MARK not in env:
            raise BedError(f"{argv[0]} was to be started without the bed's mark, so nobody would end it: pass bed.env")
        self.argv = [str(word) for word in argv]
        self.log = log
        self.env = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LC_ALL": "C.UTF-8",
                    "TMPDIR": str(log.parent), **env}  # so that its temporary files end with the bed
        self._cwd = cwd
        self._process = self._spawn()
        _started.setdefault(env[MARK], []).append(self)

    @property
    def pid(self) -> int:
        """The process id of the current start."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it runs; a stopped one does."""
        return self._process.poll() is None

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative: the signal that ended it."""
        return self._process.poll()

    def start(self) -> None:
        """Starts it again with the same command. Does nothing while it runs."""
        if not self.alive:
            self._process = self._spawn()

    def kill(self) -> None:
        """Ends it with SIGKILL and waits for its end."""
        self._send(signal.SIGKILL)
        self._process.wait()

    def stop(self) -> None:
        """Stops it with SIGSTOP: it keeps its ports and answers nobody."""
        self._send(signal.SIGSTOP)

    def cont(self) -> None:
        """Lets a stopped one go on."""
        self._send(signal.SIGCONT)

    def term(self, timeout_seconds: float = 10) -> None:
        """Asks it to end by SIGTERM; kills it after `timeout_seconds`."""
        self._send(signal.SIGTERM)
        self.cont()
        try:
            self._process.wait(timeout_seconds)
        except subprocess.TimeoutExpired:
            self.kill()

    def tail(self, lines: int = 10) -> str:
        """The last lines of its log, for an error's message."""
        try:
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
        except FileNotFoundError:
            return "(no log)"

    def _send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)  # sends nothing to a process that was already waited for

    def _spawn(self) -> "subprocess.Popen[bytes]":
        descriptor = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            return subprocess.Popen(
                self.argv, env=self.env, cwd=self._cwd, start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=descriptor, stderr=descriptor,
            )
        except OSError as error:
            raise BedError(f"{self.argv[0]} cannot be started: {error.strerror}") from error
        finally:
            os.close(descriptor)


def reap(bed_id: str) -> None:
    """Collects the exit codes of a bed's daemons, once the bed has ended them."""
    for started in _started.pop(bed_id, []):
        if started._process.poll() is None:
            started.kill()
