"""Ends and removes all that a bed left on the machine, found by its id alone. Standard library only: the guardian runs this too.

A process belongs to a bed if it was started with its mark in the environment, sits in one of its network namespaces, or in one of its
control groups (a program may overwrite its environment to set its title; it cannot leave its namespace). Never by a name pattern.
"""

import ctypes
import os
import re
import select
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from bed import registry

MARK = "FAIRLEAD_BED"
NETNS = Path("/run/netns")
LINKS = Path("/sys/class/net")
CGROUPS = Path("/sys/fs/cgroup")
PATIENCE_SECONDS = 20.0
_MNT_DETACH = 2
_SETTLE_SECONDS = 0.02


def sweep(bed_id: str) -> list[str]:
    """Ends every process of the bed, then removes its mounts, namespaces, links, control groups, subnets and folder.

    Safe to repeat and to run twice at once. The folder goes last and only when nothing else is left, so that the next start finds what
    this one could not end. Returns a sentence for each thing that is still there.
    """
    _end_processes(bed_id)
    _unmount(bed_id)
    for name in _namespaces(bed_id):
        _umount(name)
        name.unlink(missing_ok=True)
    for link in _links(bed_id):
        subprocess.run(["ip", "link", "del", link.name], stderr=subprocess.DEVNULL, check=False)
    for group in reversed(_cgroups(bed_id)):
        _eventually(group.rmdir)
    registry.withdraw(bed_id)
    left = [sentence for sentence in leftovers(bed_id) if not sentence.startswith("folder ")]
    if left:
        return left
    for folder in (registry.RUN / f".{bed_id}", registry.RUN / bed_id):
        shutil.rmtree(folder, ignore_errors=True)
    registry.tidy()
    return leftovers(bed_id)


def leftovers(bed_id: str) -> list[str]:
    """A sentence for each thing of the bed that is on the machine."""
    return [
        *(f"process {pid} is still running: {_command(pid)}" for pid in sorted(processes(bed_id))),
        *(f"mount {point} is still there" for point in _mounts(bed_id)),
        *(f"network namespace {name.name} is still there" for name in _namespaces(bed_id)),
        *(f"network link {link.name} is still there" for link in _links(bed_id)),
        *(f"control group {group} is still there" for group in _cgroups(bed_id)),
        *(f"subnet {entry.name}/30 is still taken" for entry in registry.subnets_of(bed_id)),
        *(f"folder {folder} is still there" for folder in (registry.RUN / bed_id, registry.RUN / f".{bed_id}") if folder.exists()),
    ]


def traces() -> set[str]:
    """The ids in the names of network namespaces: a command that outlived its bed by a moment may have made one after all."""
    found = (re.fullmatch(r"flb([0-9a-f]{8})-.*", name.name) for name in NETNS.glob("flb*"))
    return {match[1] for match in found if match}


def processes(bed_id: str) -> set[int]:
    """The process ids of all that belongs to the bed, without the caller's own."""
    belongs = _membership(bed_id)
    everyone = {int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()}
    return {pid for pid in everyone - {os.getpid()} if belongs(pid)}


def _membership(bed_id: str) -> Callable[[int], bool]:
    mark = f"{MARK}={bed_id}".encode()
    home = {_identity(Path("/proc/1/ns/net")), _identity(Path("/proc/self/ns/net"))}
    spaces = {_identity(name) for name in _namespaces(bed_id)} - home - {None}
    grouped = {int(word) for group in _cgroups(bed_id) for word in _read(group / "cgroup.procs").split()}

    def belongs(pid: int) -> bool:
        if _ended(pid):
            return False
        if pid in grouped or mark in _read(Path(f"/proc/{pid}/environ")).split(b"\0"):
            return True
        return bool(spaces) and _identity(Path(f"/proc/{pid}/ns/net")) in spaces

    return belongs


def _end_processes(bed_id: str) -> None:
    """Kills until two scans in a row find nobody: a process may fork, or be between fork and exec, while one scan passes."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    quiet = 0
    while quiet < 2 and time.monotonic() < deadline:
        found = processes(bed_id)
        quiet = 0 if found else quiet + 1
        belongs = _membership(bed_id)
        doomed = [descriptor for pid in found if (descriptor := _kill(pid, belongs)) is not None]
        _await_end(doomed, deadline)
        time.sleep(_SETTLE_SECONDS)


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


def _ended(pid: int) -> bool:
    return registry.start_time(pid) is None


def _namespaces(bed_id: str) -> list[Path]:
    return sorted(NETNS.glob(f"flb{bed_id}*"))


def _links(bed_id: str) -> list[Path]:
    return sorted(LINKS.glob(f"flb{bed_id}*"))


def _cgroups(bed_id: str) -> list[Path]:
    """The bed's control groups, parents before children: one hierarchy (version 2) or one for each controller (version 1)."""
    roots = [*CGROUPS.glob(f"flb{bed_id}*"), *CGROUPS.glob(f"*/flb{bed_id}*")]
    return [Path(folder) for root in sorted(roots) for folder, _, _ in os.walk(root)]


def _mounts(bed_id: str) -> list[Path]:
    """Mount points at and below the bed's folder, as mounted (proc(5), mountinfo: the fifth field, blanks as octal escapes)."""
    folder = str((registry.RUN / bed_id).resolve())
    points = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    plain = [point.replace("\\040", " ").replace("\\011", "\t").replace("\\012", "\n").replace("\\134", "\\") for point in points]
    return [Path(point) for point in plain if point == folder or point.startswith(folder + "/")]


def _unmount(bed_id: str) -> None:
    for _ in range(10):  # a mount may stand on another one at the same point
        points = _mounts(bed_id)
        if not points:
            return
        for point in reversed(points):
            _umount(point)


def _umount(point: Path) -> None:
    """Detaches what is mounted there, busy or not; that nothing is mounted there is no error."""
    ctypes.CDLL(None).umount2(os.fsencode(point), _MNT_DETACH)


def _eventually(remove: Callable[[], None]) -> None:
    """A control group stays busy for a moment after its last process."""
    for _ in range(50):
        try:
            remove()
        except FileNotFoundError:
            return
        except OSError:
            time.sleep(_SETTLE_SECONDS)
        else:
            return


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _command(pid: int) -> str:
    return _read(Path(f"/proc/{pid}/cmdline")).replace(b"\0", b" ").decode(errors="replace").strip() or "(no command line)"
