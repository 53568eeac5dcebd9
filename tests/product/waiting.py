"""Waiting for real parts: a bound, a sentence, and what was seen last."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def until(look: Callable[[], T | None], what: str, seconds: float = 30.0, step_seconds: float = 0.05) -> T:
    """Look until the answer is true; fail with `what` a user would miss, and the last answer."""
    end = time.monotonic() + seconds
    while True:
        seen = look()
        if seen:
            return seen
        if time.monotonic() > end:
            raise AssertionError(f"{what}: not within {seconds:g} s; seen last: {seen!r}")
        time.sleep(step_seconds)
