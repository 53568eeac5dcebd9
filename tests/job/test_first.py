"""The main path, as a user walks it."""

from bed.slurm import SlurmCluster
from product.scene import Scene


def test_a_job_runs_once_and_shows_its_output(scene: Scene, hpc: SlurmCluster) -> None:
    """Else a user would not get their result, or would not see it."""
    scene.cluster(hpc)
    job = scene.job("hello", "#!/bin/bash\necho hello from $SLURM_JOB_ID\n")
    status = job.wait_ended()
    assert job.condition("Complete")["status"] == "True", status
    assert status["logs"]["tail"] == f"hello from {status['run']['id']}\n"
    assert status["run"]["exitCode"] == 0
    job.wait_event("Completed")
    assert [event["reason"] for event in job.events()] == ["Submitted", "Completed"]


def test_a_running_job_that_is_deleted_ends_on_the_cluster(scene: Scene, hpc: SlurmCluster) -> None:
    """Else deleted Jobs would go on using GPUs."""
    scene.cluster(hpc)
    job = scene.job("long", "#!/bin/bash\nsleep 600\n", cancellationGracePeriodSeconds=2)
    job.wait("Running")
    job.delete()
    assert hpc.jobs_active() == []


def test_a_failing_script_shows_its_exit_code(scene: Scene, hpc: SlurmCluster) -> None:
    """Else a user would take a failure for a success."""
    scene.cluster(hpc)
    job = scene.job("bad", "#!/bin/sh\nexit 7\n")
    job.wait("Failed", reason="NonZeroExitCode")
    assert job.status["run"]["exitCode"] == 7
