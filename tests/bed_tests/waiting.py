"""Waiting for something that a real daemon does in its own time."""

import time
from collections.abc import Callable


def until(holds: Callable[[], object], what: str, seconds: float = 30) -> None:
    """Returns once `holds` does; fails the test after `seconds`, saying what it had waited for."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not seen in {seconds} s: {what}"
        time.sleep(0.02)
