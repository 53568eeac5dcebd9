"""Control groups of a cluster's or host's own, so that clusters do not meet in them.

Version 1 for Slurm's cgroup plugins, version 2 for a bare host whose user may make some, all that there are for a Kubernetes node.
"""

import os
import shlex
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from bed import proc, traces
from bed.errors import BedError

CGROUPS = Path("/sys/fs/cgroup")
_CONTROLLERS = ("freezer", "memory", "cpuset", "cpu", "cpuacct", "devices")  # all that Slurm's cgroup/v1 plugin may ask for
_CPUSET = ("cpuset.cpus", "cpuset.mems")
_BUSY_SECONDS = 2.0
_END_SECONDS = 20.0


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


def make(group: str) -> Path:
    """Makes a group (version 2); its folder. Raises BedError where the machine shows no cgroup2 at a usual place, or forbids it."""
    folder = _version_2() / group
    _mkdir(folder)
    return folder


def make_everywhere(group: str) -> Path:
    """Makes a group in version 2, as `make`, and in each hierarchy of version 1 where there are some, for a program that wants them all."""
    folder = make(group)
    if folder.parent != CGROUPS:
        for hierarchy in (path for path in sorted(CGROUPS.iterdir()) if (path / "tasks").exists() and not path.is_symlink()):
            _mkdir(hierarchy / group)
            for setting in _CPUSET:   # empty in a new group, and no process can live in it then
                if (hierarchy / setting).exists():
                    (hierarchy / group / setting).write_text((hierarchy / setting).read_text())
    return folder


def kill(group: str) -> None:
    """Kills every process of a group of version 2 and of the groups below it, whatever they start meanwhile.

    Raises:
        BedError: one does not end.
    """
    folder = _version_2() / group
    deadline = time.monotonic() + _END_SECONDS
    while left := {int(word) for place, _, _ in os.walk(folder) for word in proc.read(Path(place) / "cgroup.procs").split()}:
        try:
            (folder / "cgroup.kill").write_text("1")
        except OSError:   # before Linux 5.14, or the group has gone
            for pid in left:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        if time.monotonic() > deadline:
            raise BedError(f"processes {sorted(left)} of {group} do not end after SIGKILL; they may wait for a device")
        time.sleep(0.01)


def _version_2() -> Path:
    roots = [root for root in (CGROUPS, CGROUPS / "unified") if (root / "cgroup.procs").exists()]
    if not roots:
        raise BedError(f"no cgroup2 is mounted at {CGROUPS} or below: mount -t cgroup2 cgroup2 {CGROUPS}/unified")
    return roots[0]


def _mkdir(folder: Path) -> None:
    try:
        folder.mkdir()
    except OSError as error:
        raise BedError(f"this machine lets nobody make the control group {folder}: {error.strerror}") from error


def delegate(group: str, uid: int, pid: int) -> Path:
    """Makes a group that is the user's to divide, as `Delegate=yes` of a systemd unit does, and moves one process into it."""
    folder = make(group)
    for path in (folder, folder / "cgroup.procs", folder / "cgroup.subtree_control", folder / "cgroup.threads"):
        os.chown(path, uid, uid)
    (folder / "cgroup.procs").write_text(f"{pid}\n")
    return folder


def idle(group: str, pid: int) -> None:
    """Makes a group for one process and all that it will start: they run where nobody else needs the cores, as if on another machine.

    Raises BedError where the kernel cannot do that (before 5.15), or the hierarchy does not hand it out.
    """
    for root in (CGROUPS / "cpu", CGROUPS):
        if (root / "cgroup.procs").exists():
            folder = root / group
            folder.mkdir()
            if (folder / "cpu.idle").exists():
                (folder / "cpu.idle").write_text("1\n")
                (folder / "cgroup.procs").write_text(f"{pid}\n")
                return
            folder.rmdir()
    raise BedError(f"no control group in {CGROUPS} has cpu.idle: that takes Linux 5.15 or newer and the controller `cpu` in the root group")


def below_own(group: str) -> Path | None:
    """Makes a group below the one that we are in; None where we may not."""
    folder = traces.own_cgroup() / group
    try:
        folder.mkdir()
    except OSError:
        return None
    return folder


def remove(group: str) -> None:
    """Removes a group with its children from every hierarchy; one is busy for a moment after its last process."""
    deadline = time.monotonic() + _BUSY_SECONDS
    roots = (CGROUPS / group, *CGROUPS.glob(f"*/{group}"))
    while left := [Path(folder) for root in roots for folder, _, _ in os.walk(root, topdown=False)]:
        for folder in left:
            with suppress(OSError):
                folder.rmdir()
        if time.monotonic() > deadline:
            return  # the bed's own end looks again, and says so
        time.sleep(0.01)
