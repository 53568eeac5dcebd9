"""A deleted Job ends on the cluster, at whatever point of its life; the scene proves that nothing of it is left."""

import time
from collections.abc import Callable

from bed.slurm import SlurmCluster
from product.scene import Scene
from product.waiting import until


def test_deleted_while_it_waits_in_the_queue_it_never_runs(scene: Scene, hpc: SlurmCluster) -> None:
    """Else a Job that nobody wants any more would start an hour later."""
    scene.cluster(hpc)
    job = scene.job("waiting", "#!/bin/sh\ntouch ~/ran-anyway\n", extraOptions={"begin": "now+1hour"})
    job.wait("Submitted")
    number = job.status["run"]["id"]
    job.delete()
    assert [row.state for row in hpc.squeue_all() if row.job_id == number] in (["CANCELLED"], [])
    assert not (hpc.home / "ran-anyway").exists()


def test_deleted_before_its_cluster_is_there_it_goes_at_once(scene: Scene, hpc: SlurmCluster) -> None:
    """Else a mistyped clusterRef could not be taken back."""
    job = scene.job("lost", cluster="nowhere")
    job.wait("Submitted", "False", reason="ClusterNotFound")
    job.delete()


def test_deleted_while_it_is_submitted_or_starts_it_leaves_nothing(scene: Scene, hpc: SlurmCluster) -> None:
    """Else a Job deleted in the moment of its submission would run without an owner."""
    scene.cluster(hpc)
    jobs = [scene.job(f"early-{n}", f"#!/bin/sh\necho $SLURM_JOB_ID >> ~/early-{n}; exec sleep 600\n", cancellationGracePeriodSeconds=0)
            for n in range(8)]
    for n, job in enumerate(jobs):
        time.sleep(0.05 * n)             # each a little later in its life
        job.delete(wait=False)
    for job in jobs:
        job.wait_gone()
    assert hpc.jobs_active() == []


def test_deleted_while_it_runs_the_script_may_put_its_things_in_order(scene: Scene, hpc: SlurmCluster) -> None:
    """Else a deletion would cost a checkpoint."""
    scene.cluster(hpc)
    script = "#!/bin/bash\ntrap 'sleep 1; echo saved >> ~/checkpoint; exit 0' TERM\ntouch ~/on; sleep 600 & wait\n"
    job = scene.job("polite", script, cancellationGracePeriodSeconds=120)
    until((hpc.home / "on").exists, "the script to have started")
    job.delete()                         # long before the grace is over, since the script has ended
    assert (hpc.home / "checkpoint").read_text() == "saved\n"


def test_a_script_that_does_not_end_is_ended_after_the_grace(scene: Scene, hpc: SlurmCluster) -> None:
    """Else a script that ignores TERM could not be deleted."""
    scene.cluster(hpc)
    job = scene.job("deaf", "#!/bin/bash\ntrap '' TERM\ntouch ~/deaf-on\nwhile :; do sleep 1; done\n", cancellationGracePeriodSeconds=1)
    until((hpc.home / "deaf-on").exists, "the script to have started")
    job.delete()
    assert hpc.jobs_active() == []


def test_deleted_while_it_ends_it_is_gone_like_any_other(scene: Scene, hpc: SlurmCluster) -> None:
    """Else the moment of a Job's end would be the one in which it could not be deleted."""
    scene.cluster(hpc)
    jobs = [scene.job(f"short-{n}", "#!/bin/sh\ntrue\n") for n in range(6)]
    for job in jobs:
        until(lambda job=job: job.condition("Running").get("status") == "True" or job.condition("Complete"), "the Job to start")
        job.delete(wait=False)
    for job in jobs:
        job.wait_gone()


def test_a_finished_job_is_deleted_without_the_cluster(scene: Scene, hpc: SlurmCluster) -> None:
    """Else a namespace could not be deleted while a cluster is away, though nothing of it runs there."""
    scene.cluster(hpc)
    job = scene.job("done", "#!/bin/sh\necho kept\n")
    job.wait("Complete")
    until(lambda: not (job.read() or {"metadata": {}})["metadata"].get("finalizers"), "the finalizer to be off")
    assert (job.read() or {})["metadata"]["labels"]["fairlead.dev/finished"] == "true"
    output = hpc.home / f"done-{job.status['run']['id']}.out"
    job.delete()
    until(lambda: scene_is_clear(hpc), "the directory to be a tombstone")
    assert output.read_text() == "kept\n"


def scene_is_clear(cluster: SlurmCluster) -> bool:
    runs = list((cluster.home / ".fairlead").glob("*/runs/*"))
    return all([each.name for each in run.iterdir()] == ["claim"] for run in runs)


def test_an_epilog_that_takes_long_hides_neither_the_scripts_end_nor_what_a_deletion_waits_for(
        slurm: Callable[..., SlurmCluster], scene: Scene) -> None:
    """Else a Job would be said to run for minutes after its end, and its deletion to wait for nobody knows what."""
    own = slurm(hooks=True)
    own.write("hooks/epilog", "#!/bin/sh\nwhile [ -e /srv/c/hooks/hold ]; do sleep 0.2; done\n", mode=0o755)
    own.write("hooks/hold", "")
    scene.cluster(own)
    job = scene.job("slow", "#!/bin/sh\nexit 3\n", backoffLimit=0)
    job.wait("Running", reason="Completing", says="the script has ended with exit code 3")
    assert (job.status["run"]["exitCode"], job.status["phase"]) == (3, "Running")
    job.delete(wait=False)
    job.wait("Ready", "False", reason="Cancelling", says="ended with exit code 3, and job")
    (own.folder / "hooks/hold").unlink()
    job.wait_gone()
