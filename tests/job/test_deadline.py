"""activeDeadlineSeconds: counted by us, from when the Job was taken up, whatever it does."""

from datetime import UTC, datetime

from bed.slurm import SlurmCluster
from product.scene import Scene
from product.waiting import until


def test_a_job_out_of_time_is_ended_wherever_it_is(scene: Scene, hpc: SlurmCluster) -> None:
    """Else a Job that nobody wants after noon would start in the evening, or run on."""
    scene.cluster(hpc)
    polite = "#!/bin/bash\ntrap 'echo saved; exit 0' TERM\ntouch ~/deadline-on\nsleep 600 & wait\n"
    running = scene.job("running", polite)
    queued = scene.job("queued", "#!/bin/sh\ntouch ~/queued-ran\n", activeDeadlineSeconds=8, extraOptions={"begin": "now+1hour"})
    retrying = scene.job("retrying", "#!/bin/sh\nexit 1\n", backoffLimit=100)
    until(lambda: (hpc.home / "deadline-on").exists() and retrying.status.get("failures", 0) >= 2, "the one to run, and the other to fail")
    for job in (running, retrying):
        job.change(activeDeadlineSeconds=8)
    for job in (running, queued, retrying):
        assert "8 s" in job.wait("Failed", reason="DeadlineExceeded")["message"], job.status
        assert job.condition("Ready")["reason"] == "DeadlineExceeded"
    assert running.status["logs"]["tail"].splitlines()[-1] == "saved"      # behind what Slurm says of the end, as under plain sbatch
    assert hpc.jobs_active() == []
    assert not (hpc.home / "queued-ran").exists()
    assert retrying.status["failures"] >= 2


def test_time_in_which_it_is_suspended_does_not_count(scene: Scene, hpc: SlurmCluster) -> None:
    """Else a Job that was set aside over night would be out of time when it is resumed."""
    scene.cluster(hpc)
    job = scene.job("patient", "#!/bin/sh\nwhile [ ! -e ~/deadline-go ]; do sleep 0.1; done\n", activeDeadlineSeconds=600)
    job.wait("Running")
    job.change(suspend=True)
    job.wait("Suspended", reason="JobSuspended")
    assert "activeSince" not in job.status
    counted, since = job.status["activeSeconds"], (job.read() or {})["metadata"]["creationTimestamp"]
    left = counted + 12                  # more on a slow machine, where all that follows takes longer, too
    job.change(activeDeadlineSeconds=left)
    other = scene.job("clock", activeDeadlineSeconds=left, command=["sleep", "600"])
    other.wait("Failed", reason="DeadlineExceeded", seconds=left + 30)
    assert (job.status["activeSeconds"], job.condition("Failed")) == (counted, {})
    (hpc.home / "deadline-go").touch()
    passed = int((datetime.now(UTC) - datetime.fromisoformat(since)).total_seconds())
    job.change(suspend=False, activeDeadlineSeconds=passed - 2)      # over at once, did all of the time count
    job.wait("Complete")


def test_a_deadline_that_is_set_later_holds(scene: Scene, hpc: SlurmCluster) -> None:
    """Else a Job that was applied without one could only be deleted."""
    scene.cluster(hpc)
    job = scene.job("endless", command=["sleep", "600"])
    job.wait("Running")
    job.change(activeDeadlineSeconds=1)
    job.wait("Failed", reason="DeadlineExceeded")
    until(lambda: hpc.jobs_active() == [], "the job to have left the cluster")
