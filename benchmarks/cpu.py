"""How much CPU a group of processes has used so far, from /proc."""

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pids: Iterable[int]) -> float:
    """User and system time of these processes, and of their children that have ended and were waited for, to a hundredth of a second each.

    What ended unseen by a process of the group is not in it.
    """
    ticks = 0
    for pid in pids:
        with suppress(OSError):
            fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
            ticks += sum(map(int, fields[11:15]))    # utime, stime, cutime, cstime
    return ticks / _TICKS


def resident_bytes(pid: int) -> int:
    """Memory of a process that is in RAM. Raises `OSError` when it has ended."""
    return int(Path(f"/proc/{pid}/statm").read_text(encoding="utf-8").split()[1]) * os.sysconf("SC_PAGE_SIZE")


def open_files(pid: int) -> int:
    """Open files of a process, sockets too. Raises `OSError` when it has ended."""
    return len(os.listdir(f"/proc/{pid}/fd"))   # noqa: PTH208  # a count, no paths
