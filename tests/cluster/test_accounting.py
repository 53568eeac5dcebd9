"""Accounting: asked where it is, missed where it is required, never needed otherwise."""

from collections.abc import Callable

import pytest

from bed.slurm import SlurmCluster
from product.scene import Scene


def test_a_cluster_that_requires_accounting_says_that_there_is_none(hpc: SlurmCluster, scene: Scene) -> None:
    """Else a site's policy of keeping records would be broken in silence."""
    cluster = scene.cluster(hpc, ready=False, slurm={"accounting": "Required"})
    ready = cluster.wait("Ready", "False", reason="AccountingDown")
    assert "the site keeps no accounting" in ready["message"]
    assert "write Auto" in ready["message"]
    assert cluster.condition("SchedulerAvailable")["status"] == "True"
    scene.cluster(hpc)
    assert cluster.condition("AccountingAvailable")["reason"] == "AccountingOff"


@pytest.mark.timeout(180)
def test_accounting_is_found_lost_and_found_again(slurm: Callable[..., SlurmCluster], scene: Scene) -> None:
    """Else the end of a Job would be guessed where the site knows it, or the loss of a database would stop a cluster."""
    node = slurm(accounting=True)
    cluster = scene.cluster(node, slurm={"accounting": "Required"})
    assert cluster.condition("AccountingAvailable")["status"] == "True"
    node.slurmdbd.kill()
    cluster.wait("Ready", "False", reason="AccountingDown", says="sacct does not answer")
    scene.cluster(node, slurm={"accounting": "Auto"})
    cluster.wait("AccountingAvailable", "False", reason="AccountingDown")
    assert cluster.condition("Ready")["status"] == "True", "a cluster without its database still runs jobs"
    node.slurmdbd.start()
    cluster.wait("AccountingAvailable")
    scene.job("once").wait("Complete")
