"""What a script puts into the work folder, where it may write as its user does, neither speaks for Fairlead nor holds anybody up."""

import shutil
from pathlib import Path
from uuid import uuid4

from bed.slurm import SlurmCluster
from product.controller import Controller
from product.scene import Scene
from product.waiting import until

TOUCHES = '#!/bin/sh\ntouch "${0%/*}/orphaned"\nexec sleep 600\n'
PLANTS = """#!/bin/sh
runs=${0%/*/*} me=${0%/*} uid=${me##*/} uid=${uid%-*}
mkdir "$runs/$uid-999999" "$runs/$uid-9999" "$runs/STRAY-999999" "$runs/name of nothing"
for number in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do mkdir "$runs/STRAY-$number"; done
ln -s 1.abc "$runs/STRAY-1/claim"
mkfifo "$runs/STRAY-2/owner" "$runs/STRAY-3/orphaned" "$me/refused" "$me/stop"
truncate -s 1T "$runs/STRAY-4/owner" "$me/id"
exec sleep 600
"""


def runs(own: SlurmCluster) -> Path:
    """The folder of Runs."""
    [tree] = (own.home / ".fairlead").iterdir()
    return tree / "runs"


def test_a_script_that_says_it_was_left_alone_goes_with_its_job(own: SlurmCluster, scene: Scene, controller: Controller) -> None:
    """It outlived its Job's deletion, and every sweep, at its own word."""
    scene.cluster(own)
    deleted, forced = (scene.job(name, TOUCHES, cancellationGracePeriodSeconds=1) for name in ("deleted", "forced"))
    for job in (deleted, forced):
        job.wait("Running")
    until(lambda: len(list(runs(own).glob("*/orphaned"))) == 2, "both to have said so")
    deleted.delete()
    assert len(own.jobs_active()) == 1
    controller.daemon.kill()
    scene.api.merge(forced.path, {"metadata": {"finalizers": None}})
    forced.delete()
    controller.ensure()                              # and sweeps
    until(lambda: own.jobs_active() == [], "the one whose object was taken away to be ended", 30)


def test_made_up_directories_neither_stop_the_controller_nor_others_jobs(own: SlurmCluster, scene: Scene, controller: Controller) -> None:
    """One `mkdir` kept it from working for anybody, after each start again."""
    cluster = scene.cluster(own)
    stray = str(uuid4())
    job = scene.job("plants", PLANTS.replace("STRAY", stray), cancellationGracePeriodSeconds=1)
    job.wait("Running")
    uid = job.uid
    until((runs(own) / f"{stray}-4").exists, "it to have done so")
    until((runs(own) / f"{uid}-1" / "stop").exists, "it to have done so")
    controller.stop()
    controller.ensure()
    cluster.wait_event("StrangeEntries", says="3 entries that are no Run's")
    until(lambda: all(claim_of(each) == "revoked" for each in runs(own).glob(f"{stray}-?")), "what nobody handed in to be taken down", 30)
    scene.job("other").wait("Complete")
    job.delete()
    assert own.jobs_active() == []
    for name in (f"{uid}-999999", f"{stray}-999999", "name of nothing"):
        shutil.rmtree(runs(own) / name, ignore_errors=True)
    controller.stop()
    controller.ensure()                              # what bore the name of a Job goes with the first sweep after it
    until(lambda: claim_of(runs(own) / f"{uid}-9999") == "revoked", "the attempt that never was to be taken down", 30)


def claim_of(run: Path) -> str:
    """What its claim says, empty if there is none."""
    claim = run / "claim"
    return str(claim.readlink()) if claim.is_symlink() else ""
