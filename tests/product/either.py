"""For tests that hold for either kind of cluster."""

from typing import Any

from bed.login import LoginNode
from bed.slurm import SlurmCluster
from product.remains import running
from product.scene import Scene, Thing


def cluster_on(node: LoginNode, scene: Scene, **spec: Any) -> Thing:
    """A Cluster `hpc` for this node: of type Slurm if there is one, else of type Process."""
    return scene.cluster(node, **spec) if isinstance(node, SlurmCluster) else scene.bare_host(node, **spec)


def work_on(node: LoginNode) -> list[str]:
    """What waits, runs or is ending there: ids of Slurm's jobs, or a bare host's queue and the processes that see a Run through."""
    if isinstance(node, SlurmCluster):
        return node.jobs_active()
    return [each.name for each in node.home.glob(".fairlead/*/host/queue/*")] + [f"process {pid}" for pid in running(node, "keeper.sh")]
