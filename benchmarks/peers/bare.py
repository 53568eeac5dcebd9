"""No tool at all: a shell script with `ssh host sbatch`, then `ssh host squeue` in a loop."""

import subprocess
from pathlib import Path

from bed import packages
from bed.slurm import SlurmCluster
from bed.state import Bed
from benchmarks.peers.driven import Driven
from benchmarks.peers.home import home_for

POLL_SECONDS = 5
_SCRIPT = Path(__file__).with_name("bare.sh")


def version() -> str:
    """Of OpenSSH's client here."""
    packages.ensure("openssh-client")
    said = subprocess.run(["ssh", "-V"], capture_output=True, text=True, check=False).stderr
    return said.split(",")[0].split()[0].replace("_", " ") if said else "OpenSSH"


class BareSsh(Driven):
    """The script beside this file, a process for each job."""

    def __init__(self, bed: Bed, cluster: SlurmCluster) -> None:
        folder = home_for(bed, cluster, "bare")
        super().__init__(bed, folder, {}, ["/bin/sh", _SCRIPT, folder / ".ssh/config", cluster.host, str(POLL_SECONDS)])
