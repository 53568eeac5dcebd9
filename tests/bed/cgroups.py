"""Control groups (version 1) of a cluster's own, so that Slurm's cgroup plugins can work and clusters do not meet in them."""

import os
import shlex
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")
_CONTROLLERS = ("freezer", "memory", "cpuset", "cpu", "cpuacct", "devices")  # all that Slurm's cgroup/v1 plugin may ask for
_BUSY_SECONDS = 2.0


def cgroup_supported() -> bool:
    """Whether `proctrack="cgroup"` can work on this machine: cgroup v1 with the controllers that Slurm needs.

    On cgroup v2 slurmd wants a scope made by systemd, which the bed's namespaces do not have.
    """
    return all((CGROUPS / name / "tasks").exists() for name in _CONTROLLERS)


def mount_script(group: str) -> Iterator[str]:
    """Shell lines, run in the new root: at Slurm's usual place it shows this group and nothing of the machine's."""
    yield "mount -t tmpfs -o mode=755 tmpfs sys/fs/cgroup"
    for controller in _CONTROLLERS:
        there = shlex.quote(str(CGROUPS / controller))
        yield f"mkdir -p {there}/{group} sys/fs/cgroup/{controller}"
        if controller == "cpuset":  # a new group of this one has neither, and no process can live in it
            yield f"for file in cpuset.cpus cpuset.mems; do cat {there}/$file > {there}/{group}/$file; done"
        yield f"mount --bind {there}/{group} sys/fs/cgroup/{controller}"


def remove(group: str) -> None:
    """Removes a group with its children from every controller; one is busy for a moment after its last process."""
    deadline = time.monotonic() + _BUSY_SECONDS
    while left := [Path(folder) for controller in _CONTROLLERS for folder, _, _ in os.walk(CGROUPS / controller / group, topdown=False)]:
        for folder in left:
            with suppress(OSError):
                folder.rmdir()
        if time.monotonic() > deadline:
            return  # the bed's own end looks again, and says so
        time.sleep(0.01)
