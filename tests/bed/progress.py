"""Says what a bed is doing and for how long: a live line for each step on a terminal, plain lines otherwise. All on standard error."""

import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from bed.errors import BedError

QUIET_SECONDS = 2.0
REPEAT_SECONDS = 10.0

_lock = threading.Lock()
_live: Progress | None = None
_open = 0


def say(line: str) -> None:
    """Prints one line, above the live ones if there are any."""
    with _lock:
        if _live is not None:
            _live.console.print(line, markup=False, highlight=False)
        else:
            print(line, file=sys.stderr, flush=True)


@contextmanager
def step(what: str) -> Iterator[None]:
    """Shows `what` and the time so far while the body runs; any thread may.

    A step of under ten seconds leaves nothing on a terminal, one of under two seconds no plain line.
    """
    if sys.stderr.isatty():
        with _shown(what):
            yield
        return
    began = time.monotonic()
    ended = threading.Event()
    told = threading.Thread(target=_repeat, args=(what, began, ended), daemon=True)
    told.start()
    how = "stopped after"   # not told from sys.exc_info(): the whole step may stand in an `except`
    try:
        yield
        how = "done in"
    finally:
        ended.set()
        told.join()
        if (seconds := time.monotonic() - began) >= QUIET_SECONDS:
            say(f"{what}: {how} {seconds:.0f} s")


def run(what: str, argv: Sequence[str | Path], *, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> None:
    """Runs a command as a step; it is killed if the caller is interrupted. `env` None: the caller's environment.

    Raises:
        BedError: it cannot be started or fails; the message has its last words.
    """
    with step(what), tempfile.TemporaryFile() as output:
        try:
            done = subprocess.run(argv, env=env, cwd=cwd, stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=False)
        except OSError as error:
            raise BedError(f"{what}: {argv[0]} cannot be started: {error.strerror}") from error
        if done.returncode:
            output.seek(0)
            words = output.read().decode(errors="replace").strip().splitlines()[-12:]
            raise BedError(f"{what}: {Path(argv[0]).name} failed with exit code {done.returncode}:\n" + "\n".join(words))


def _repeat(what: str, began: float, ended: threading.Event) -> None:
    if ended.wait(QUIET_SECONDS):
        return
    say(f"{what} ...")
    while not ended.wait(REPEAT_SECONDS):
        say(f"{what} ... {time.monotonic() - began:.0f} s so far")


@contextmanager
def _shown(what: str) -> Iterator[None]:
    global _live, _open
    began = time.monotonic()
    with _lock:
        if _live is None:
            _live = Progress(SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(),
                             console=Console(file=sys.stderr), transient=True)
            _live.start()
        _open += 1
        live = _live
        task = live.add_task(what, total=None)
    try:
        yield
    finally:
        with _lock:
            live.remove_task(task)
            if (seconds := time.monotonic() - began) >= REPEAT_SECONDS:
                live.console.print(f"{what}: {seconds:.0f} s", markup=False, highlight=False)
            _open -= 1
            if _open == 0:
                live.stop()
                _live = None
