"""Ends and removes all that a bed left on the machine, found by its id alone. Standard library only: the guardian runs this too."""

import ctypes
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from bed import proc, processes, registry, subnets, traces

_MNT_DETACH = 2
_BUSY_SECONDS = 0.02


def sweep(bed_id: str) -> list[str]:
    """Ends every process of the bed, then removes its mounts, namespaces, links, control groups, subnets and folder.

    Safe to repeat and to run twice at once. The folder goes last and only when nothing else is left, so that the next start finds what
    this one could not end. Returns a sentence for each thing that is still there.
    """
    processes.end_all(bed_id)
    _unmount(bed_id)
    for name in traces.namespaces(bed_id):
        _umount(name)
        name.unlink(missing_ok=True)
    for link in traces.links(bed_id):
        subprocess.run(["ip", "link", "del", link.name], stderr=subprocess.DEVNULL, check=False)
    for group in reversed(traces.cgroups(bed_id)):
        _eventually(group.rmdir)
    subnets.free(bed_id)
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
        *(f"process {pid} is still running: {proc.command(pid)}" for pid in sorted(processes.of_bed(bed_id))),
        *(f"mount {point} is still there" for point in traces.mounts(bed_id)),
        *(f"network namespace {name.name} is still there" for name in traces.namespaces(bed_id)),
        *(f"network link {link.name} is still there" for link in traces.links(bed_id)),
        *(f"control group {group} is still there" for group in traces.cgroups(bed_id)),
        *(f"subnet {entry.name}/30 is still taken" for entry in subnets.of_bed(bed_id)),
        *(f"folder {folder} is still there" for folder in (registry.RUN / bed_id, registry.RUN / f".{bed_id}") if folder.exists()),
    ]


def _unmount(bed_id: str) -> None:
    for _ in range(10):  # a mount may stand on another one at the same point
        points = traces.mounts(bed_id)
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
            time.sleep(_BUSY_SECONDS)
        else:
            return
