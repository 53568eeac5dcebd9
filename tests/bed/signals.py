"""Ctrl-C and `kill`: the first one ends a run in order, the next ones must not end that end.

Standard library only: a program calls `end_at_once` before it reads the rest of its modules.
"""

import os
import signal
import sys
from types import FrameType
from typing import NoReturn

INTERRUPTED = 130
"""The exit code after an interrupt: 128 + SIGINT, as shells say it."""

_ENDING = (signal.SIGINT, signal.SIGTERM)
_STANDARD_ERROR = 2


def end_at_once(program: str) -> None:
    """From now on SIGINT and SIGTERM end the process with a sentence: nothing has been started that would have to be removed."""
    def end(number: int, frame: FrameType | None) -> NoReturn:
        _say(f"{program}: stopped before anything was started")
        sys.exit(INTERRUPTED)  # an exception: a module that is being read may have a temporary file to remove

    for number in _ENDING:
        signal.signal(number, end)


def end_in_order() -> None:
    """From now on SIGINT and SIGTERM raise KeyboardInterrupt in the main thread, once: whoever closes the bed then is left in peace."""
    def end(number: int, frame: FrameType | None) -> NoReturn:
        for ignored in _ENDING:
            signal.signal(ignored, signal.SIG_IGN)
        _say("ending: everything that was started is being removed")
        raise KeyboardInterrupt

    for number in _ENDING:
        signal.signal(number, end)


def _say(sentence: str) -> None:
    """Past Python's buffers: the signal may have come in the midst of a write to them."""
    os.write(_STANDARD_ERROR, f"{sentence}\n".encode())
