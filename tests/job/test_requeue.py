"""spec.requeue: whether Slurm may start a Job again under its id."""

from bed.slurm import SlurmCluster
from product.scene import Scene
from product.starts import starts
from product.waiting import until

SCRIPT = "#!/bin/sh\necho $SLURM_JOB_ID >>~/{name}\nwhile [ ! -e ~/{name}-go ]; do sleep 0.1; done\n"


def test_a_job_that_bears_it_runs_again_under_the_same_id(scene: Scene, hpc: SlurmCluster) -> None:
    """Else a preempted Job would have to be applied again by hand; or its first end would be taken for its last."""
    scene.cluster(hpc)
    job = scene.job("again", SCRIPT.format(name="again"), requeue=True)
    until(lambda: starts(hpc, "again"), "the script to start")
    [number] = starts(hpc, "again")
    hpc.run("scontrol", "requeue", number)
    until(lambda: [row.state for row in hpc.squeue() if row.job_id == number] == ["PENDING"], "the job to wait, and no more to be ending")
    hpc.run("scontrol", "update", f"jobid={number}", "starttime=now+2seconds", user=False)   # Slurm lets it wait two minutes
    until(lambda: len(starts(hpc, "again")) == 2, "the second start", 60)
    assert not job.condition("Failed"), "its first life's end says nothing"
    (hpc.home / "again-go").touch()
    job.wait("Complete")
    assert starts(hpc, "again") == [number, number]
    assert (job.status["run"]["id"], job.status["run"]["attempt"], job.status["restarts"]) == (number, 1, 1)


def test_a_job_that_does_not_say_so_is_never_started_twice(scene: Scene, hpc: SlurmCluster) -> None:
    """Else a site that requeues by itself would run a script a second time that must run once."""
    scene.cluster(hpc)
    job = scene.job("once-only", SCRIPT.format(name="once-only"))
    until(lambda: starts(hpc, "once-only"), "the script to start")
    [number] = starts(hpc, "once-only")
    assert "Requeue=0" in hpc.run("scontrol", "-o", "show", "job", number).stdout
    hpc.run("scontrol", "requeue", number, check=False)
    (hpc.home / "once-only-go").touch()
    job.wait_ended()
    assert starts(hpc, "once-only") == [number]
