"""A peer whose jobs are asked for by a program of its own, one process a job, that prints events."""

import json
import time
from collections.abc import Sequence
from pathlib import Path

from bed.daemon import Daemon
from bed.state import Bed
from benchmarks.peers.peer import Seen

_MARK = "EVENT "
_SAYS_LENGTH = 300
DRIVERS = Path(__file__).parent / "drivers"


def read_events(text: str) -> Seen:
    """What a driver's output says of its job. Lines that are none of its events are passed over; the last asking counts, the first end."""
    seen = Seen()
    for line in text.splitlines():
        if not line.startswith(_MARK):
            continue
        event = json.loads(line.removeprefix(_MARK))
        at, says = float(event["at"]), str(event.get("says", ""))[:_SAYS_LENGTH]
        if event["what"] == "asked":
            seen = Seen(asked=at)
        elif event["what"] == "id" and seen.submitted is None:
            seen.submitted = at
        elif event["what"] == "end" and seen.ended is None:
            seen.ended, seen.good, seen.says = at, bool(event.get("good")), says
    return seen


class Drivers:
    """The driver processes of one peer, by tag: in a folder of the bed, with a home there, and ended with the bed."""

    def __init__(self, bed: Bed, folder: Path, env: dict[str, str]) -> None:
        self._folder = folder
        self._env = bed.env | env | {"HOME": str(folder), "DO_NOT_TRACK": "1"}
        self._running: dict[str, Daemon] = {}

    def begin(self, tag: str, script: str, argv: Sequence[str | Path]) -> None:
        """Start one; the script's file is given as the last word."""
        path = self._folder / f"{tag}.sh"
        path.write_text(script, encoding="utf-8")
        self._running[tag] = Daemon([*argv, path], self._env, self._folder / f"{tag}.log", cwd=self._folder)

    def seen(self, tag: str) -> Seen:
        """What it has printed so far. One that has ended without a word of an end has failed."""
        ended = not self._running[tag].alive       # looked at first: it may say its end and be gone at once
        seen = read_events((self._folder / f"{tag}.log").read_text(encoding="utf-8", errors="replace"))
        if ended and seen.ended is None:
            seen.ended, seen.says = time.time(), f"ended without a word: {self._running[tag].tail(1)}"[:_SAYS_LENGTH]
        return seen

    def again(self, tag: str) -> None:
        """Start the same once more, if it does not run."""
        self._running[tag].start()

    def kill(self) -> None:
        """End all that run, with SIGKILL."""
        for daemon in self._running.values():
            if daemon.alive:
                daemon.kill()


class Driven:
    """A peer of which a driver process for each job is all there is. `argv`: its command line, but for the script's file."""

    def __init__(self, bed: Bed, folder: Path, env: dict[str, str], argv: Sequence[str | Path]) -> None:
        self._drivers, self._argv = Drivers(bed, folder, env), argv

    def begin(self, tag: str, script: str) -> None:
        """Ask for a job."""
        self._drivers.begin(tag, script, self._argv)

    def seen(self, tag: str) -> Seen:
        """What is known of it."""
        return self._drivers.seen(tag)

    def kill(self) -> None:
        """End what drives the jobs, with SIGKILL."""
        self._drivers.kill()

    def again(self, tag: str) -> None:
        """Whoever ran it runs it once more."""
        self._drivers.again(tag)

    def close(self) -> None:
        """Leave no process."""
        self._drivers.kill()
