"""Which processes belong to a bed, and their end. Standard library only: the guardian runs this too.

A process belongs to a bed if it was started with its mark in the environment, sits in one of its network namespaces, or in one of its
control groups (a program may overwrite its environment to set its title; it cannot leave its namespace). Never by a name pattern.
"""

import os
import select
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from bed import proc, traces

MARK = "FAIRLEAD_BED"
PATIENCE_SECONDS = 20.0
_SETTLE_SECONDS = 0.02


def of_bed(bed_id: str) -> set[int]:
    """The process ids of all that belongs to the bed, without the caller's own."""
    belongs = _membership(bed_id)
    everyone = {int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()}
    return {pid for pid in everyone - {os.getpid()} if belongs(pid)}


def end_all(bed_id: str) -> None:
    """Kills until two scans in a row find nobody: a process may fork, or be between fork and exec, while one scan passes."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    quiet = 0
    while quiet < 2 and time.monotonic() < deadline:
        found = of_bed(bed_id)
        quiet = 0 if found else quiet + 1
        belongs = _membership(bed_id)
        doomed = [descriptor for pid in found if (descriptor := _kill(pid, belongs)) is not None]
        _await_end(doomed, deadline)
        time.sleep(_SETTLE_SECONDS)


def _membership(bed_id: str) -> Callable[[int], bool]:
    mark = f"{MARK}={bed_id}".encode()
    home = {_identity(Path("/proc/1/ns/net")), _identity(Path("/proc/self/ns/net"))}
    spaces = {_identity(name) for name in traces.namespaces(bed_id)} - home - {None}
    grouped = {int(word) for group in traces.cgroups(bed_id) for word in proc.read(group / "cgroup.procs").split()}

    def belongs(pid: int) -> bool:
        if proc.start_time(pid) is None:
            return False
        if pid in grouped or mark in proc.read(Path(f"/proc/{pid}/environ")).split(b"\0"):
            return True
        return bool(spaces) and _identity(Path(f"/proc/{pid}/ns/net")) in spaces

    return belongs


def _kill(pid: int, belongs: Callable[[int], bool]) -> int | None:
    """Kills a process through a descriptor: the second look makes sure that its id has not become another's since the scan."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return None
    with suppress(ProcessLookupError):
        if belongs(pid):
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
