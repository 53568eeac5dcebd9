"""Flyte's Slurm plugin: a SlurmScriptTask in a local run, which drives the plugin's own connector."""

from pathlib import Path

from bed.slurm import SlurmCluster
from bed.state import Bed
from benchmarks.peers.driven import DRIVERS, Drivers
from benchmarks.peers.environments import Environment
from benchmarks.peers.home import home_for
from benchmarks.peers.peer import Seen

ENVIRONMENT = Environment("flyte", "2.12.1", "flyteplugins-slurm")


class Flyte:
    """A local run for each job: the process that runs it is all there is of it."""

    def __init__(self, bed: Bed, cluster: SlurmCluster) -> None:
        folder = home_for(bed, cluster, "flyte")
        self._drivers = Drivers(bed, folder, {"PEER_KEY": cluster.private_key, "FLYTE_DISABLE_TELEMETRY": "true"})
        self._argv: list[str | Path] = [ENVIRONMENT.python, DRIVERS / "flyte_driver.py", cluster.host, cluster.user,
                                        folder / ".ssh/known_hosts"]

    def begin(self, tag: str, script: str) -> None:
        self._drivers.begin(tag, script, self._argv)

    def seen(self, tag: str) -> Seen:
        return self._drivers.seen(tag)

    def kill(self) -> None:
        self._drivers.kill()

    def again(self, tag: str) -> None:
        """Whoever ran the task runs it once more."""
        self._drivers.again(tag)

    def close(self) -> None:
        self._drivers.kill()
