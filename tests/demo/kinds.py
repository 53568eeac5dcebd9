"""What the demo can be shown on: a Slurm cluster, or a bare host where there is no root or no Debian."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from bed.errors import BedError

VARIABLE = "DEMO"
_STATUS = Path("/proc/self/status")
_CAP_NET_ADMIN, _CAP_SYS_ADMIN = 12, 21  # capabilities(7): what network namespaces and mounts take


@dataclass(frozen=True, slots=True)
class Kind:
    """One of them: its name, what it is in words, its folder below examples/, and the Secret that this asks for."""

    name: str
    words: str
    example: str
    secret: str


SLURM = Kind("slurm", "a real Slurm", "01-hello", "hpc-ssh")
PROCESS = Kind("process", "a bare host, which has no scheduler", "03-bare-host", "box-ssh")
_KINDS = {kind.name: kind for kind in (SLURM, PROCESS)}


@dataclass(frozen=True, slots=True)
class Choice:
    """A kind, and a sentence that says why it is this one; nothing where there is nothing to say."""

    kind: Kind
    why: str = ""


def choose() -> Choice:
    """What the environment variable DEMO names, else what this machine allows.

    Raises:
        BedError: DEMO names something else.
    """
    named = os.environ.get(VARIABLE, "")
    if named:
        if named not in _KINDS:
            raise BedError(f"{VARIABLE}={named!r} is none of {', '.join(_KINDS)}")
        return Choice(_KINDS[named])
    if lacks := slurm_lacks():
        return Choice(PROCESS, f"{lacks}, so there is no Slurm here: the Cluster is of type Process")
    return Choice(SLURM)


def slurm_lacks() -> str:
    """What a Slurm cluster on this machine lacks, in words; nothing if it can be had."""
    if os.geteuid() != 0:
        return "You are not root"
    effective = next(int(line.split()[1], 16) for line in _STATUS.read_text().splitlines() if line.startswith("CapEff:"))
    if not (effective >> _CAP_NET_ADMIN & 1 and effective >> _CAP_SYS_ADMIN & 1):
        return "This root may not make network namespaces and mounts"
    if not (shutil.which("apt-get") and shutil.which("dpkg-query")):
        return "This is no Debian"
    return ""
