"""Which processes belong to a bed, and their end. Standard library only: the guardian runs this too.

A process belongs to a bed if it was started with its mark in the environment, sits in one of its network namespaces, or in one of its
control groups (a program may overwrite its environment to set its title; it cannot leave its namespace); and if it lies below one that
does, which `adoption` makes sure of where there are no namespaces. Never by a name pattern.
"""

import os
import select
import signal
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from bed import proc, traces

MARK = "FAIRLEAD_BED"
PATIENCE_SECONDS = 20.0
_SETTLE_SECONDS = 0.02
_Lives = Mapping[int, tuple[int, int]]


def of_bed(bed_id: str) -> set[int]:
    """The process ids of all that belongs to the bed, without the caller's own."""
    lives = proc.everyone()
    known = _recognised(bed_id, lives)
    return (known | proc.below(known, lives)) - {os.getpid()}


def end_all(bed_id: str) -> None:
    """Ends those that lie below others first: when their ancestor has gone, nothing would say any more whose they are."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    _end(bed_id, deadline, proc.below)
    _end(bed_id, deadline, lambda known, lives: known | proc.below(known, lives))


def _end(bed_id: str, deadline: float, choose: Callable[[set[int], _Lives], set[int]]) -> None:
    """Kills until two scans in a row find nobody: a process may fork, or be between fork and exec, while one scan passes."""
    quiet = 0
    while quiet < 2 and time.monotonic() < deadline:
        lives = proc.everyone()
        found = choose(_recognised(bed_id, lives), lives) - {os.getpid()}
        quiet = 0 if found else quiet + 1
        doomed = [descriptor for pid in found if (descriptor := _kill(pid, lives[pid])) is not None]
        _await_end(doomed, deadline)
        time.sleep(_SETTLE_SECONDS)


def _recognised(bed_id: str, lives: _Lives) -> set[int]:
    """Those that say themselves whose they are."""
    mark = f"{MARK}={bed_id}".encode()
    home = {_identity(Path("/proc/1/ns/net")), _identity(Path("/proc/self/ns/net"))}
    spaces = {_identity(name) for name in traces.namespaces(bed_id)} - home - {None}
    grouped = {int(word) for group in traces.cgroups(bed_id) for word in proc.read(group / "cgroup.procs").split()}

    def belongs(pid: int) -> bool:
        if pid in grouped or mark in proc.read(Path(f"/proc/{pid}/environ")).split(b"\0"):
            return True
        return bool(spaces) and _identity(Path(f"/proc/{pid}/ns/net")) in spaces

    return {pid for pid in lives if pid != os.getpid() and belongs(pid)}


def _kill(pid: int, life: tuple[int, int]) -> int | None:
    """Kills a process through a descriptor: a second look makes sure that its id has not become another's since the scan."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return None
    with suppress(ProcessLookupError):
        if proc.start_time(pid) == life[1]:
            signal.pidfd_send_signal(descriptor, signal.SIGKILL)
            return descriptor
    os.close(descriptor)
    return None


def _await_end(descriptors: list[int], deadline: float) -> None:
    for descriptor in descriptors:
        ended = select.poll()
        ended.register(descriptor, select.POLLIN)
        ended.poll(max(0, int((deadline - time.monotonic()) * 1000)))
        os.close(descriptor)


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
