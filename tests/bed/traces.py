"""What of a bed is on the machine, found by its id in names: namespaces, links, control groups, mounts.

Standard library only: the guardian runs this too.
"""

import os
import re
from pathlib import Path

from bed import registry

NETNS = Path("/run/netns")
LINKS = Path("/sys/class/net")
CGROUPS = Path("/sys/fs/cgroup")


def ids() -> set[str]:
    """The ids in the names of network namespaces: a command that outlived its bed by a moment may have made one after all."""
    found = (re.fullmatch(r"flb([0-9a-f]{8})-.*", name.name) for name in NETNS.glob("flb*"))
    return {match[1] for match in found if match}


def namespaces(bed_id: str) -> list[Path]:
    """The files that stand for its network namespaces."""
    return sorted(NETNS.glob(f"flb{bed_id}*"))


def links(bed_id: str) -> list[Path]:
    """The host's ends of its network cables."""
    return sorted(LINKS.glob(f"flb{bed_id}*"))


def cgroups(bed_id: str) -> list[Path]:
    """The bed's control groups, parents before children: one hierarchy (version 2) or one for each controller (version 1).

    Somebody who is not root has them below his own.
    """
    roots = {*CGROUPS.glob(f"flb{bed_id}*"), *CGROUPS.glob(f"*/flb{bed_id}*"), *own_cgroup().glob(f"flb{bed_id}*")}
    return [Path(folder) for root in sorted(roots) for folder, _, _ in os.walk(root)]


def own_cgroup() -> Path:
    """The control group (version 2) that this process is in, see cgroups(7); a folder that is not there if the machine shows none."""
    root = next((root for root in (CGROUPS, CGROUPS / "unified") if (root / "cgroup.procs").exists()), Path("/nonexistent"))
    paths = [line.removeprefix("0::/") for line in Path("/proc/self/cgroup").read_text().splitlines() if line.startswith("0::/")]
    return root.joinpath(*paths)


def mounts(bed_id: str) -> list[Path]:
    """Mount points at and below the bed's folder, as mounted (proc(5), mountinfo: the fifth field, blanks as octal escapes)."""
    folder = str((registry.RUN / bed_id).resolve())
    points = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    plain = [point.replace("\\040", " ").replace("\\011", "\t").replace("\\012", "\n").replace("\\134", "\\") for point in points]
    return [Path(point) for point in plain if point == folder or point.startswith(folder + "/")]
