"""Waits for a moment in which nothing else keeps the machine busy: others work on it too, and a round takes seconds."""

import time
from dataclasses import dataclass
from pathlib import Path

_STAT = Path("/proc/stat")
_LOOK_SECONDS = 0.25
_IDLE_SHARE = 0.75
_PATIENCE_SECONDS = 120.0


@dataclass(slots=True)
class Quiet:
    """Of one run: how long it will still wait, how many measures there were, and how many of them began all the same on a busy machine."""

    patience_seconds: float = _PATIENCE_SECONDS
    measures: int = 0
    busy: int = 0

    def wait(self) -> None:
        """Return once three quarters of the cores are idle, or when the run's patience is at its end."""
        self.measures += 1
        began = time.monotonic()
        while (share := _idle_share()) < _IDLE_SHARE and self.patience_seconds > time.monotonic() - began:
            time.sleep(_LOOK_SECONDS)
        self.patience_seconds -= time.monotonic() - began
        self.busy += share < _IDLE_SHARE

    @property
    def says(self) -> str:
        """One sentence, empty after a quiet run."""
        return f"{self.busy} of {self.measures} measures began while others used more than a quarter of the cores" if self.busy else ""


def _idle_share() -> float:
    """Of all cores, while this process looks."""
    before = _ticks()
    time.sleep(_LOOK_SECONDS)
    after = _ticks()
    passed = [late - early for early, late in zip(before, after, strict=True)]
    return (passed[3] + passed[4]) / max(1, sum(passed))     # idle, and waiting for a disk


def _ticks() -> list[int]:
    return list(map(int, _STAT.read_text(encoding="utf-8").splitlines()[0].split()[1:9]))
