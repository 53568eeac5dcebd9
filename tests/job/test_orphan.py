"""deletionPolicy: Orphan. What is on the cluster stays there, and nothing new comes."""

import shutil

from bed.slurm import SlurmCluster
from product.controller import Controller
from product.scene import Scene
from product.waiting import until


def test_a_job_that_is_left_alone_runs_on_and_no_sweep_ends_it(scene: Scene, hpc: SlurmCluster, controller: Controller) -> None:
    """Else a team that moves its Jobs to another controller would lose what runs."""
    scene.cluster(hpc)
    job = scene.job("left", "#!/bin/sh\ntouch ~/left\nwhile [ ! -e ~/leave ]; do sleep 0.1; done; echo done >~/left\n",
                    deletionPolicy="Orphan")
    until((hpc.home / "left").exists, "the script to have started")
    uid, number = job.uid, job.run_id
    job.delete()
    assert list(hpc.home.glob(f".fairlead/*/runs/{uid}-1/orphaned"))
    job.wait_event("Orphaned")
    controller.daemon.kill()            # the next one sweeps at its start
    controller.ensure()
    scene.job("witness").wait("Complete")
    assert hpc.jobs_active() == [number]
    (hpc.home / "leave").touch()
    until(lambda: hpc.jobs_active() == [], "the job to end by itself")
    assert (hpc.home / "left").read_text() == "done\n"
    for run in hpc.home.glob(f".fairlead/*/runs/{uid}-*"):   # it is the user's now
        shutil.rmtree(run)


def test_an_attempt_that_waits_for_its_turn_is_not_begun_any_more(scene: Scene, hpc: SlurmCluster) -> None:
    """Else a Job whose object is gone would be submitted."""
    scene.cluster(hpc)
    job = scene.job("failing", "#!/bin/sh\necho x >>~/failing; exit 1\n", deletionPolicy="Orphan", backoffLimit=9)
    until(lambda: len(job.status.get("attempts", [])) >= 4, "some attempts to fail", 120)
    uid = job.uid
    job.delete()
    count = (hpc.home / "failing").read_text()
    scene.job("witness").wait("Complete")
    assert (hpc.home / "failing").read_text() == count
    assert hpc.jobs_active() == []
    for run in hpc.home.glob(f".fairlead/*/runs/{uid}-*"):
        shutil.rmtree(run)
