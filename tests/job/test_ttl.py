"""ttlSecondsAfterFinished: a finished Job goes by itself, with what it left on the cluster; its files stay."""

from bed.slurm import SlurmCluster
from product.controller import Controller
from product.remains import remains_on
from product.scene import Scene
from product.waiting import until


def test_finished_jobs_go_when_their_time_is_up(hpc: SlurmCluster, scene: Scene) -> None:
    """Else a pipeline that makes a thousand Jobs a day would fill the API server, or lose a Job that still runs."""
    at = scene.namespace
    scene.cluster(hpc)
    quick = scene.job("quick", f"#!/bin/sh\necho kept >$HOME/{at}-kept\n", ttlSecondsAfterFinished=0)
    failed = scene.job("failed", "#!/bin/sh\nexit 3\n", ttlSecondsAfterFinished=5)
    stays = scene.job("stays", "#!/bin/sh\ntrue\n")
    runs = scene.job("runs", f"#!/bin/sh\nuntil [ -e $HOME/{at}-enough ]; do sleep 0.1; done\n", ttlSecondsAfterFinished=0)
    failed.wait_ended()
    for job in (quick, failed):
        job.wait_gone()
    stays.wait_ended()
    runs.wait("Running")
    (hpc.home / f"{at}-enough").touch()
    runs.wait_gone()
    assert stays.read() is not None
    assert (hpc.home / f"{at}-kept").read_text() == "kept\n"
    stays.delete()
    until(lambda: not remains_on(hpc, connected=True), "no directory of theirs to be left")


def test_a_ttl_counts_also_when_it_is_given_or_taken_after_the_end(hpc: SlurmCluster, scene: Scene, controller: Controller) -> None:
    """Else a person could neither keep a result that was to go nor clear up what was to stay, least of all after a restart."""
    scene.cluster(hpc)
    given, taken = scene.job("given"), scene.job("taken", ttlSecondsAfterFinished=6)
    taken.wait_ended()
    scene.api.merge(taken.path, {"spec": {"ttlSecondsAfterFinished": None}})
    given.wait_ended()
    controller.daemon.kill()
    controller.start()
    scene.api.merge(given.path, {"spec": {"ttlSecondsAfterFinished": 6}})
    given.wait_gone()
    late = scene.job("late", ttlSecondsAfterFinished=1)
    late.wait_gone()
    assert taken.read() is not None
