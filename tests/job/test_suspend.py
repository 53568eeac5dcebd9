"""A suspended Job has nothing on the cluster, and goes on when it is resumed."""

from bed.slurm import SlurmCluster
from product.controller import Controller
from product.scene import Scene, Thing
from product.starts import starts
from product.waiting import until


def begun(scene: Scene, hpc: SlurmCluster, name: str, script: str) -> Thing:
    """A Job whose script has written its start into a file of the Job's name."""
    job = scene.job(name, script)
    until(lambda: starts(hpc, name), "the script to have started")
    return job


def parked(job: Thing) -> None:
    job.wait("Suspended", reason="JobSuspended", seconds=40)
    assert job.status["phase"] == "Suspended"


def test_made_suspended_it_is_not_submitted_until_it_is_resumed(scene: Scene, hpc: SlurmCluster) -> None:
    """Else a queue controller that admits Jobs by spec.suspend would find them running already."""
    scene.cluster(hpc)
    job = scene.job("gated", "#!/bin/sh\necho $SLURM_JOB_ID >>~/gated\n", suspend=True)
    parked(job)
    later = scene.job("witness")
    later.wait("Complete")
    assert "finalizers" not in (job.read() or {})["metadata"], "there is nothing to be cleaned up"
    assert "run" not in job.status
    job.change(suspend=False)
    job.wait("Complete")
    assert (starts(hpc, "gated"), job.status["run"]["attempt"]) == ([job.status["run"]["id"]], 1)
    assert job.condition("Suspended")["status"] == "False"


def test_suspended_in_the_queue_it_is_withdrawn_and_comes_back(scene: Scene, hpc: SlurmCluster) -> None:
    """Else a Job that is set aside would start in the night."""
    scene.cluster(hpc)
    job = scene.job("queued", "#!/bin/sh\necho $SLURM_JOB_ID >>~/queued\n", extraOptions={"begin": "now+1hour"})
    job.wait("Submitted")
    first = job.status["run"]["id"]
    job.change(suspend=True)
    parked(job)
    assert first not in hpc.jobs_active()
    assert "id" not in job.status["run"]
    job.change(suspend=False)
    job.wait("Submitted")
    second = job.status["run"]["id"]
    assert (job.status["run"]["attempt"], job.status.get("failures"), job.status.get("infrastructureFailures")) == (2, None, None)
    hpc.run("scontrol", "update", f"jobid={second}", "starttime=now", user=False)
    job.wait("Complete")
    assert starts(hpc, "queued") == [second]


def test_suspended_while_it_runs_it_may_save_and_runs_again(scene: Scene, hpc: SlurmCluster) -> None:
    """Else a Job that makes room for another would lose its work, or be called failed."""
    scene.cluster(hpc)
    job = begun(scene, hpc, "polite", "#!/bin/bash\ntrap 'echo saved >>~/polite-saved; exit 0' TERM\necho $SLURM_JOB_ID >>~/polite\n"
                "[ -e ~/polite-saved ] && exit 0\nsleep 600 & wait\n")
    job.change(suspend=True)
    parked(job)
    attempt = job.status["attempts"][0]
    assert (attempt["outcome"], attempt["exitCode"], starts(hpc, "polite-saved")) == ("JobSuspended", 0, ["saved"])
    assert not job.condition("Complete"), "what was told to end has not completed"
    assert hpc.jobs_active() == []
    job.change(suspend=False)
    job.wait("Complete")
    assert (len(starts(hpc, "polite")), job.status["run"]["attempt"], job.status.get("failures")) == (2, 2, None)
    job.wait_event("JobSuspended")
    job.wait_event("JobResumed")


def test_a_script_that_makes_no_room_is_ended_after_the_grace(scene: Scene, hpc: SlurmCluster) -> None:
    """Else a script that ignores TERM could not be set aside."""
    scene.cluster(hpc)
    job = scene.job("deaf", "#!/bin/bash\ntrap '' TERM\ntouch ~/deaf-parked\nwhile :; do sleep 1; done\n", cancellationGracePeriodSeconds=1)
    until((hpc.home / "deaf-parked").exists, "the script to have started")
    job.change(suspend=True)
    parked(job)
    assert hpc.jobs_active() == []
    job.delete()


def test_what_has_ended_when_it_is_suspended_has_ended(scene: Scene, hpc: SlurmCluster) -> None:
    """Else a Job that is complete would run once more, since somebody suspended it a moment too late."""
    cluster = scene.cluster(hpc, polling={"intervalSeconds": 3, "maxIntervalSeconds": 3, "timeoutSeconds": 10})
    cluster.wait("Ready")
    job = scene.job("quick", "#!/bin/sh\necho $SLURM_JOB_ID >>~/quick\n")
    job.wait("Submitted")
    until(lambda: starts(hpc, "quick") and not hpc.jobs_active(), "the end on the cluster")
    job.change(suspend=True)
    job.wait("Complete")
    assert len(starts(hpc, "quick")) == 1


def test_resumed_at_once_it_ends_in_order_and_runs_again(scene: Scene, hpc: SlurmCluster) -> None:
    """Else two starts of one Job would run side by side."""
    scene.cluster(hpc)
    job = begun(scene, hpc, "wavering", "#!/bin/bash\necho begin >>~/wavering\n"
                "trap 'until [ -e ~/wavering-on ]; do sleep 0.1; done; echo end >>~/wavering; exit 1' TERM\n"
                "[ $(grep -c begin ~/wavering) = 2 ] && exit 0\nsleep 600 & wait\n")
    job.change(suspend=True)
    job.wait("Suspended", "False", reason="JobSuspended")
    job.change(suspend=False)
    (hpc.home / "wavering-on").touch()
    job.wait("Complete")
    assert starts(hpc, "wavering") == ["begin", "end", "begin"]


def test_a_suspension_that_is_taken_back_outlives_a_killed_controller(scene: Scene, hpc: SlurmCluster, controller: Controller) -> None:
    """Else a Job would be called failed for the signal that we ourselves had sent."""
    scene.cluster(hpc)
    job = begun(scene, hpc, "asked",
                "#!/bin/bash\necho on >>~/asked\ntrap 'sleep 2; exit 9' TERM\n[ $(wc -l <~/asked) = 2 ] && exit 0\nsleep 600 & wait\n")
    job.change(suspend=True)
    until(lambda: list(hpc.home.glob(f".fairlead/*/runs/{job.uid}-1/stop")), "the Job to be told to end")
    controller.daemon.kill()
    job.change(suspend=False)
    controller.ensure()
    job.wait("Complete")
    assert (len(starts(hpc, "asked")), job.status.get("failures")) == (2, None)


def test_a_suspended_job_can_be_deleted(scene: Scene, hpc: SlurmCluster) -> None:
    """Else what is set aside would stay for ever."""
    scene.cluster(hpc)
    jobs = [scene.job("never", suspend=True), scene.job("begun", "#!/bin/sh\nexec sleep 600\n", cancellationGracePeriodSeconds=1)]
    jobs[1].wait("Running")
    jobs[1].change(suspend=True)
    for job in jobs:
        parked(job)
        job.delete()
