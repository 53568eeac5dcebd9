"""Faults of the machine inside: daemons killed, stopped, continued and started; a home without room."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from bed.enclosure import HOME, HOME_SIZE, Enclosure
from bed.errors import BedError

_UNITS = {"k": 1024, "m": 1024**2, "g": 1024**3}
_END_SECONDS = 30.0
_KEEP_FULL_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Service:
    """A daemon of an enclosure that puts itself into the background, known by its pid file."""

    name: str
    enclosure: Enclosure
    argv: tuple[str, ...]
    pid_file: Path
    log: Path
    ready: Callable[[], bool] | None = None  # asked after a start; without it, started is ready

    @property
    def pid(self) -> int:
        """Its process id. Raises BedError when it does not run."""
        with suppress(OSError, ValueError):
            pid = int(self.pid_file.read_text())
            if self.enclosure.network.has(pid):  # a pid file outlives its daemon, and the number may be another's by now
                return pid
        raise BedError(f"{self.name} does not run in {self.enclosure.network.name}. {self.tail()}")

    @property
    def alive(self) -> bool:
        """Whether it runs; a stopped one does."""
        try:
            return self.pid > 0
        except BedError:
            return False

    def start(self, *options: str, wait_seconds: float = 60) -> None:
        """Starts it and waits until it is ready. Does nothing while it runs.

        Raises BedError with its log's last lines, and at once when the bed was ended meanwhile.
        """
        if self.alive:
            return
        self.pid_file.unlink(missing_ok=True)  # some daemons refuse to start beside a stale one
        done = self.enclosure.run(*self.argv, *options, user=False, check=False, timeout=wait_seconds)
        if done.returncode:
            raise BedError(f"{self.name} ended with {done.returncode}: {done.stderr.strip()} {self.tail()}")
        deadline = time.monotonic() + wait_seconds
        while not (self.alive and (self.ready is None or self.ready())):
            if not self.enclosure.network.path.exists():
                raise BedError(f"{self.name} was started in {self.enclosure.network.name}, which was removed meanwhile")
            if time.monotonic() > deadline:
                raise BedError(f"{self.name} is not ready after {wait_seconds} s. {self.tail()}")
            time.sleep(0.02)

    def kill(self) -> None:
        """Ends it with SIGKILL and waits until it is gone."""
        pid = self.pid
        os.kill(pid, signal.SIGKILL)
        self._await_end(pid)

    def term(self) -> None:
        """Asks it to end by SIGTERM and waits until it is gone."""
        pid = self.pid
        os.kill(pid, signal.SIGTERM)
        self._await_end(pid)

    def stop(self) -> None:
        """Stops it with SIGSTOP: it keeps its port and answers nobody."""
        os.kill(self.pid, signal.SIGSTOP)

    def cont(self) -> None:
        """Lets a stopped one go on."""
        os.kill(self.pid, signal.SIGCONT)

    def tail(self, lines: int = 5) -> str:
        """The last lines of its log, for an error's message."""
        with suppress(OSError):
            return f"{self.log.name}: " + " | ".join(self.log.read_text(errors="replace").splitlines()[-lines:])
        return f"It wrote no {self.log.name}."

    def _await_end(self, pid: int) -> None:
        deadline = time.monotonic() + _END_SECONDS
        while self.enclosure.network.has(pid):
            if time.monotonic() > deadline:
                raise BedError(f"{self.name} (process {pid}) does not end")
            time.sleep(0.01)


@contextmanager
def full_disk(enclosure: Enclosure, size: str = "256k") -> Iterator[None]:
    """Shrinks the home to `size` (bytes, or with k, m, g), never below what it holds.

    `size="0"` leaves no room at all: what is removed meanwhile makes none either.
    """
    wanted = int(size[:-1]) * _UNITS[size[-1]] if size[-1] in _UNITS else int(size)
    _shrink_home(enclosure, wanted)
    over = threading.Event()
    keeps = threading.Thread(target=_keep_full, args=(enclosure, over), daemon=True)
    if wanted == 0:
        keeps.start()
    try:
        yield
    finally:
        over.set()
        if wanted == 0:
            keeps.join()
        _resize_home(enclosure, HOME_SIZE)


def _keep_full(enclosure: Enclosure, over: threading.Event) -> None:
    """Takes room away again that somebody's removals have made."""
    while not over.wait(_KEEP_FULL_SECONDS):
        if os.statvfs(enclosure.home).f_bfree:
            _shrink_home(enclosure, 0)


def _shrink_home(enclosure: Enclosure, wanted: int) -> None:
    for last in (False, False, False, True):
        home = os.statvfs(enclosure.home)
        used = (home.f_blocks - home.f_bfree) * home.f_frsize
        try:
            _resize_home(enclosure, str(max(wanted, used, home.f_frsize)))  # a size of 0 would mean no limit
            break
        except BedError as error:
            if last or "Too small a size" not in str(error):  # somebody has written since we looked
                raise


def _resize_home(enclosure: Enclosure, size: str) -> None:
    enclosure.run("mount", "-o", f"remount,size={size}", HOME, user=False)
