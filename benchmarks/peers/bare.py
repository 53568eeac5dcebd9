"""No tool at all: a shell script with `ssh host sbatch`, then `ssh host squeue` in a loop."""

import subprocess
from pathlib import Path

from bed import packages
from bed.slurm import SlurmCluster
from bed.state import Bed
from benchmarks.peers.driven import Drivers
from benchmarks.peers.home import home_for
from benchmarks.peers.peer import Seen

POLL_SECONDS = 5
_SCRIPT = Path(__file__).with_name("bare.sh")


def version() -> str:
    """Of OpenSSH's client here."""
    packages.ensure("openssh-client")
    said = subprocess.run(["ssh", "-V"], capture_output=True, text=True, check=False).stderr
    return said.split(",")[0].split()[0].replace("_", " ") if said else "OpenSSH"


class BareSsh:
    """The script beside this file, a process for each job."""

    def __init__(self, bed: Bed, cluster: SlurmCluster) -> None:
        folder = home_for(bed, cluster, "bare")
        self._drivers = Drivers(bed, folder, {})
        self._argv: list[str | Path] = ["/bin/sh", _SCRIPT, folder / ".ssh/config", cluster.host, str(POLL_SECONDS)]

    def begin(self, tag: str, script: str) -> None:
        self._drivers.begin(tag, script, self._argv)

    def seen(self, tag: str) -> Seen:
        return self._drivers.seen(tag)

    def kill(self) -> None:
        self._drivers.kill()

    def again(self, tag: str) -> None:
        """Whoever ran the script runs it once more."""
        self._drivers.again(tag)

    def close(self) -> None:
        self._drivers.kill()
