"""What real Slurm does that a controller would not expect, and what comes of it here."""

from collections.abc import Callable
from datetime import datetime

from bed.slurm import SlurmCluster
from product.scene import Scene
from product.waiting import until

PLUGIN = """
function slurm_job_submit(d, p, u)
  slurm.log_user("[PROJ-07] you must charge a project: add --account=<project>")
  return slurm.ERROR
end
function slurm_job_modify(d, r, p, u) return slurm.SUCCESS end
return slurm.SUCCESS
"""


def test_a_dependency_that_can_never_be_met_fails_the_job(scene: Scene, hpc: SlurmCluster) -> None:
    """Else a Job behind one that failed would wait in the queue for ever."""
    scene.cluster(hpc)
    first = scene.job("first", "#!/bin/sh\nuntil [ -e ~/fails ]; do sleep 0.1; done\nexit 1\n")
    second = scene.job("second", "#!/bin/sh\ntouch ~/second-ran\n", extraOptions={"dependency": f"afterok:{first.run_id}"})
    second.wait("Submitted")
    (hpc.home / "fails").touch()
    second.wait("Failed", reason="DependencyNeverSatisfied", seconds=60)
    assert hpc.jobs_active() == []
    assert not (hpc.home / "second-ran").exists()


def test_jobs_that_are_singletons_run_one_after_the_other(scene: Scene, hpc: SlurmCluster) -> None:
    """Else a chain of scripts that go by one name would write into the same files at once."""
    scene.cluster(hpc)
    script = ("#!/bin/bash\n#SBATCH --job-name=chain --dependency=singleton\n"
              "echo begin >>~/chain; while [ ! -e ~/links ]; do sleep 0.1; done; echo end >>~/chain\n")
    first = scene.job("chain-1", script)
    first.wait("Running")
    second = scene.job("chain-2", script)
    until(lambda: second.condition("Running").get("message") == "PENDING: Dependency", "why the second one waits")
    (hpc.home / "links").touch()
    for job in (first, second):
        job.wait("Complete")
    assert (hpc.home / "chain").read_text().split() == ["begin", "end"] * 2
    others = [scene.job(f"link-{n}", f"{script}sleep 600\n", cancellationGracePeriodSeconds=0) for n in range(2)]
    for job in others:
        job.wait("Submitted")
    until(lambda: sorted(row.state for row in hpc.squeue("--name=chain")) == ["PENDING", "RUNNING"], "one of two more to run")
    max(others, key=lambda job: int(job.status["run"]["id"])).delete()
    assert len(hpc.squeue("--name=chain", "--states=running")) == 1, "the other one of that name is left alone"


def test_a_job_that_asks_for_more_time_than_its_partition_gives_is_stalled_until_that_is_changed(scene: Scene, hpc: SlurmCluster) -> None:
    """Slurm takes it, and would let it wait for ever."""
    scene.cluster(hpc)
    job = scene.job("long", timeLimit="2-00:00:00")
    job.wait("Stalled", reason="Unschedulable", says="PartitionTimeLimit")
    assert job.wait_event("Unschedulable")["type"] == "Warning"
    hpc.run("scontrol", "update", f"jobid={job.status['run']['id']}", "timelimit=10")
    job.wait("Complete")
    assert job.condition("Stalled")["status"] == "False"


def test_a_refusal_in_a_plugins_own_words_fails_the_job_with_them(scene: Scene, slurm: Callable[..., SlurmCluster]) -> None:
    """Nobody knows whether such words mean `never`; whoever waits for a failure would wait for ever."""
    scene.cluster(slurm(submit_plugin=PLUGIN))
    job = scene.job("free")
    job.wait("Submitted", "False", reason="SubmissionDeferred", says="[PROJ-07]")
    failed = job.wait("Failed", reason="SubmissionRejected", seconds=40)
    assert "[PROJ-07] you must charge a project: add --account=<project>" in failed["message"]


def test_an_impossible_request_is_refused_in_slurms_words_and_leaves_no_job(scene: Scene, hpc: SlurmCluster) -> None:
    """Slurm keeps a record FAILED/BadConstraints of what it refused: taken for the job, nobody would learn why."""
    scene.cluster(hpc)
    job = scene.job("huge", nodes=900)
    failed = job.wait("Failed", reason="SubmissionRejected")
    assert "Requested node configuration is not available" in failed["message"], failed
    assert hpc.jobs_active() == []


def test_the_end_of_a_job_is_when_it_ended_and_not_when_slurm_noticed(scene: Scene, slurm: Callable[..., SlurmCluster]) -> None:
    """slurmctld that was killed just after a start comes back without knowing of it, starts the job again, in vain, and calls it cancelled.

    Otherwise it gives the time of its restart for the job's end; a bill would be counted by that.
    """
    cluster = slurm()
    scene.cluster(cluster)
    job = scene.job("early", "#!/bin/sh\n: >on; while [ ! -e go ]; do sleep 0.1; done; date +%s >ended\n")
    job.wait("Running")
    until((cluster.home / "on").exists, "the script to have started: a node that was not told of it yet would never be")
    cluster.slurmctld.kill()
    cluster.run("touch", "go")
    until((cluster.home / "ended").exists, "the script to end")
    ended = int(until((cluster.home / "ended").read_text, "the time of its end"))
    until(lambda: int(cluster.run("date", "+%s").stdout) > ended + 4, "the clock to go on")
    cluster.slurmctld.start()
    job.wait("Complete", seconds=60)
    assert abs(datetime.fromisoformat(job.status["endTime"]).timestamp() - ended) <= 3
