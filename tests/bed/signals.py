"""Ctrl-C and `kill`: the first one ends the run in order, the next ones must not end that end."""

import signal
from types import FrameType
from typing import NoReturn

from bed import progress

INTERRUPTED = 130
"""The exit code after an interrupt: 128 + SIGINT, as shells say it."""

_ENDING = (signal.SIGINT, signal.SIGTERM)


def end_in_order() -> None:
    """From now on SIGINT and SIGTERM raise KeyboardInterrupt in the main thread, once: whoever closes the bed then is left in peace."""
    for number in _ENDING:
        signal.signal(number, _interrupt)


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    for ignored in _ENDING:
        signal.signal(ignored, signal.SIG_IGN)
    progress.say("ending: everything that was started is being removed")
    raise KeyboardInterrupt
