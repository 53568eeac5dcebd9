"""What comes before everything else: the other modules take a second to import."""

import os
import signal
import sys
from types import FrameType

_INIT = 1


def heed_sigterm() -> None:
    """Lets SIGTERM end a process 1, as it ends every other: the kernel gives it only the signals that it has asked for (pid_namespaces(7)).

    Without that, a pod that is deleted while its controller starts would stay until kubelet kills it. The controller asks for it anew
    when there is something to end in order.
    """
    if os.getpid() == _INIT:
        signal.signal(signal.SIGTERM, _end)


def _end(number: int, _: FrameType | None) -> None:
    sys.exit(128 + number)
