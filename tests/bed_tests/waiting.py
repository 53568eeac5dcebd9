"""Waiting for something that a real daemon does in its own time."""

import time
from collections.abc import Callable
from pathlib import Path


def until(holds: Callable[[], object], what: str, seconds: float = 30) -> None:
    """Returns once `holds` does; fails the test after `seconds`, saying what it had waited for."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not seen in {seconds} s: {what}"
        time.sleep(0.02)


def catches(pid: int, number: int) -> bool:
    """Whether a program has an answer of its own to a signal (proc(5), SigCgt): Python itself has none to SIGTERM."""
    caught = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("SigCgt:"))
    return bool(int(caught.split()[1], 16) & 1 << (number - 1))
