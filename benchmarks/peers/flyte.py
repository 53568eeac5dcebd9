"""Flyte's Slurm plugin: a SlurmScriptTask in a local run, which drives the plugin's own connector."""

from bed.slurm import SlurmCluster
from bed.state import Bed
from benchmarks.peers.driven import DRIVERS, Driven
from benchmarks.peers.environments import Environment
from benchmarks.peers.home import home_for

ENVIRONMENT = Environment("flyte", "2.12.1", "flyteplugins-slurm")


class Flyte(Driven):
    """A local run for each job: the process that runs it is all there is of it."""

    def __init__(self, bed: Bed, cluster: SlurmCluster) -> None:
        folder = home_for(bed, cluster, "flyte")
        env = {"PEER_KEY": cluster.private_key, "FLYTE_DISABLE_TELEMETRY": "true"}
        super().__init__(bed, folder, env, [ENVIRONMENT.python, DRIVERS / "flyte_driver.py", cluster.host, cluster.user,
                                            folder / ".ssh/known_hosts"])
