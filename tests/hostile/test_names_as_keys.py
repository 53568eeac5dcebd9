"""A Job's name is its user's to choose, and so is made to look like what another's Run is found by."""

from bed.slurm import SlurmCluster
from product.scene import Scene
from product.starts import starts

COUNTED = "#!/bin/sh\necho x >>$HOME/starts\nwhile [ ! -e $HOME/enough ]; do sleep 0.2; done\n"


def test_a_job_named_like_anothers_run_is_not_taken_for_it(hpc: SlurmCluster, scene: Scene) -> None:
    """Else the other is never submitted, or the deletion of one ends what the other runs."""
    scene.cluster(hpc)
    meant = scene.job("meant", COUNTED, suspend=True, cancellationGracePeriodSeconds=1)
    meant.wait("Suspended")
    looks_alike = scene.job(f"meant-{meant.uid}-1", "#!/bin/sh\nexec sleep 600\n", cancellationGracePeriodSeconds=1)
    looks_alike.wait("Running")
    meant.change(suspend=False)
    meant.wait("Running")
    assert len(hpc.jobs_active()) == 2
    meant.delete()
    assert looks_alike.condition("Running")["status"] == "True"
    assert len(hpc.jobs_active()) == 1, "the job of the one that was not deleted"
    assert len(starts(hpc)) <= 1
    looks_alike.delete()
    assert hpc.jobs_active() == []
