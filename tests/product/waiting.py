"""Waiting for real parts: a bound, a sentence, and what was seen last.

A look costs: looking all the time slows down what is waited for.
"""

import time
from collections.abc import Callable
from typing import Final, TypeVar

T = TypeVar("T")

PAUSE_LOOKS: Final = 4
"""How many times as long as a look took is the pause behind it: a hundred Jobs are no longer listed than a fifth of the time."""
PAUSE_SHARE: Final = 0.04
"""What has not come for long may be noticed later, by this share of the time that it took."""
LONGEST_PAUSE_SECONDS: Final = 0.25
SHARED: Final = 2.0
"""Bounds are written for a machine that does nothing else, and tests share theirs: each is waited for so many times as long."""


def pause(waited_seconds: float, look_seconds: float, step_seconds: float) -> float:
    """Seconds until the next look."""
    return max(step_seconds, min(max(PAUSE_SHARE * waited_seconds, PAUSE_LOOKS * look_seconds), LONGEST_PAUSE_SECONDS))


def until(look: Callable[[], T | None], what: str, seconds: float = 30.0, step_seconds: float = 0.05) -> T:
    """Look until the answer is true; fail with `what` a user would miss, and the last answer."""
    began, seconds = time.monotonic(), seconds * SHARED
    while True:
        looked = time.monotonic()
        seen = look()
        if seen:
            return seen
        now = time.monotonic()
        if now > began + seconds:
            raise AssertionError(f"{what}: not within {seconds:g} s; seen last: {seen!r}")
        time.sleep(pause(now - began, now - looked, step_seconds))


def until_equal(look: Callable[[], object], wanted: object, what: str, seconds: float = 30.0, step_seconds: float = 0.05) -> None:
    """Look until the answer is this one; fail with `what` a user would miss, and the last answer."""
    seen: list[object] = []

    def is_wanted() -> bool:
        seen[:] = [look()]
        return seen == [wanted]

    try:
        until(is_wanted, what, seconds, step_seconds)
    except AssertionError:
        raise AssertionError(f"{what}: not {wanted!r} within {seconds * SHARED:g} s; seen last: {seen[0]!r}") from None
