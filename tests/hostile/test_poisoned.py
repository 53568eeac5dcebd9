"""A Job that meets a fault of ours, on the real parts, beside one that must not notice."""

from collections.abc import Callable

import pytest

from bed.slurm import SlurmCluster
from product.controller import Controller
from product.scene import Scene


@pytest.mark.parametrize("stage", ["remote.submit", "store.add_finalizer"])
def test_a_poisoned_job_is_told_so_and_the_others_run(
    stage: str, hpc: SlurmCluster, scene: Scene, faulty: Callable[..., Controller],
) -> None:
    """Else one Job that nobody foresaw would stop all Jobs of its Cluster."""
    scene.cluster(hpc)
    controller = faulty(f"{stage}/poisoned-one:before:0:break")
    ill, well = scene.job("poisoned-one"), scene.job("healthy-one")
    well.wait("Complete")
    ill.wait("Ready", "False", reason="InternalError", says="ZeroDivisionError")
    assert ill.condition("Complete") == {}
    assert "Traceback" in controller.log.read_text(encoding="utf-8")
    ill.delete()
