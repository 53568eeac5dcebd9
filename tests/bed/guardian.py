"""A small process that removes a bed when the bed's owner ends, in whatever way.

It starts before anything else of a bed does, in a session of its own (a kill of the owner's process group does not reach it), and waits
for the end of a pipe whose write end only the owner holds. Standard library only, and nothing of the owner's is kept open.

    owner: writes RELEASE   the bed was closed or is to be kept   -> guardian exits, touching nothing
    owner: ends             also by kill -9                       -> guardian sweeps by the bed's id
"""

import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

from bed.sweep import sweep

RELEASE = b"."
GRACE_MILLISECONDS = 2000
"""How long after the owner's end a copy of its pipe is waited for: a child between fork and exec holds one until it has its mark."""

LAST_LOOK_SECONDS = 0.5
"""A short command of the owner's, without a mark, may still have been at work while the first sweep passed."""

_START = "import sys; sys.path.insert(0, sys.argv.pop(1)); from bed.guardian import main; main()"


def start(bed_id: str) -> tuple["subprocess.Popen[bytes]", int]:
    """Starts the guardian of a bed. Returns its process and the write end of the pipe, which no child inherits."""
    read_end, write_end = os.pipe()
    package_root = str(Path(__file__).resolve().parents[1])
    argv = [sys.executable, "-I", "-S", "-c", _START, package_root, bed_id, str(read_end), str(os.getpid())]
    try:
        guardian = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/",
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}, pass_fds=[read_end], start_new_session=True,
        )
    except BaseException:
        os.close(write_end)
        raise
    finally:
        os.close(read_end)
    return guardian, write_end


def main() -> None:
    """The guardian itself: its arguments are the bed's id, the read end of the pipe and the owner's process id."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)
    bed_id, pipe, owner = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    if _released(pipe, owner):
        return
    sweep(bed_id)
    time.sleep(LAST_LOOK_SECONDS)
    sweep(bed_id)


def _released(pipe: int, owner: int) -> bool:
    """Waits for the pipe, and for the owner as well: a fork of the owner without exec would hold the pipe open for ever."""
    watched = _watch(owner)
    if watched is not None:
        _ready(pipe, watched)
    return pipe in _ready(pipe, timeout=GRACE_MILLISECONDS) and os.read(pipe, 1) == RELEASE


def _ready(*descriptors: int, timeout: int | None = None) -> set[int]:
    waiting = select.poll()
    for descriptor in descriptors:
        waiting.register(descriptor, select.POLLIN)
    return {descriptor for descriptor, _ in waiting.poll(timeout)}


def _watch(owner: int) -> int | None:
    """A descriptor that becomes readable when the owner ends; None if it has ended already."""
    try:
        descriptor = os.pidfd_open(owner)
    except ProcessLookupError:
        return None
    if os.getppid() == owner:  # still our parent: the id is not somebody else's by now
        return descriptor
    os.close(descriptor)
    return None
