"""The sweep finds what nobody knows of any more, and stops where a person would. Scene.close() proves in the end that nothing is left."""

from collections.abc import Iterator

import pytest

from bed.controlplane import ControlPlane
from bed.slurm import SlurmCluster
from bed.state import Bed
from product.account import account
from product.api import Api
from product.controller import Controller
from product.ownerkind import of_either_kind
from product.remains import remains_on
from product.resources import install
from product.scene import Scene, Thing
from product.waiting import until

LONG = "#!/bin/sh\nsleep 600\n"
MANY = 11
"""One more than may be gone at once."""


def vanish(scene: Scene, controller: Controller, own: SlurmCluster, prefix: str) -> None:
    """Jobs on the cluster whose objects are gone, as after the restore of an old backup, and a controller that has seen nothing of it."""
    jobs = [scene.job(f"{prefix}-{n}", LONG, cancellationGracePeriodSeconds=1) for n in range(MANY)]
    for job in jobs:
        job.wait("Submitted")
    controller.daemon.kill()
    for job in jobs:
        scene.api.merge(job.path, {"metadata": {"finalizers": None}})
        job.delete()
    controller.ensure()


def agree(scene: Scene, cluster: Thing, number: int | None) -> None:
    """Write the annotation, or take it away."""
    value = None if number is None else str(number)
    scene.api.merge(cluster.path, {"metadata": {"annotations": {"fairlead.dev/agree-to-sweep": value}}})


@pytest.mark.timeout(300)
@of_either_kind(trials=0)
def test_many_that_are_gone_at_once_are_left_alone_until_a_person_agrees_each_time(
        own: SlurmCluster, scene: Scene, controller: Controller) -> None:
    """Else an API server that comes back from an old backup would cost every running job, or a stale agreement would the second time."""
    cluster = scene.cluster(own)
    vanish(scene, controller, own, "first")
    held = cluster.wait("SweepHeld", reason="TooManyGone")
    assert held["message"].startswith(f"{MANY} of {MANY} Runs")
    assert f'fairlead.dev/agree-to-sweep: "{MANY}"' in held["message"]
    assert len(own.jobs_active()) == MANY
    agree(scene, cluster, MANY - 1)
    until(lambda: cluster.status.get("sweepAgreement", {}).get("number") == MANY - 1, "the agreement to too few to be seen")
    assert len(own.jobs_active()) == MANY, "fewer were agreed to than are gone"
    agree(scene, cluster, MANY)
    cluster.wait("SweepHeld", "False", reason="SweepPassed")
    until(lambda: own.jobs_active() == [], "the jobs to be ended", 30)
    until(lambda: not remains_on(own, connected=True), "nothing of them to be left", 30)
    event = cluster.wait_event("SweepAgreed")
    assert event["type"] == "Warning"
    until(lambda: cluster.status["sweepAgreement"] == {"number": MANY, "left": 0}, "the agreement to be spent")
    vanish(scene, controller, own, "second")
    held = cluster.wait("SweepHeld", reason="TooManyGone")
    assert len(own.jobs_active()) == MANY, "the agreement was spent on the first"
    assert f'fairlead.dev/agree-to-sweep: "{MANY + 1}"' in held["message"], "a number that is not there already"
    agree(scene, cluster, None)
    until(lambda: "sweepAgreement" not in cluster.status, "the spent agreement to be forgotten")
    agree(scene, cluster, MANY)
    until(lambda: own.jobs_active() == [], "the jobs to be ended", 30)


@pytest.fixture
def other_plane(bed: Bed) -> Iterator[ControlPlane]:
    """Another Kubernetes cluster."""
    plane = ControlPlane.start(bed)
    install(plane)
    yield plane
    plane.stop()


@pytest.fixture
def other(bed: Bed, other_plane: ControlPlane) -> Iterator[Controller]:
    """Fairlead there: another installation."""
    controller = Controller(bed, account(other_plane), "other").start()
    yield controller
    controller.stop()


@pytest.fixture
def elsewhere(other_plane: ControlPlane, other: Controller) -> Iterator[Scene]:
    """A namespace there."""
    api = Api(other_plane.kubeconfig)
    yield Scene(api).open()
    api.close()


def test_two_installations_share_an_account_and_leave_each_other_alone(
        own: SlurmCluster, scene: Scene, controller: Controller, elsewhere: Scene) -> None:
    """Else a second Fairlead of the same user would end the Jobs of the first: to it they have no objects."""
    cluster, other_cluster = scene.cluster(own), elsewhere.cluster(own)
    ours = scene.job("same-name", "#!/bin/sh\nwhile [ ! -e ~/enough ]; do sleep 0.2; done\n")
    theirs = elsewhere.job("same-name", "#!/bin/sh\nwhile [ ! -e ~/enough ]; do sleep 0.2; done\n")
    ours.wait("Running")
    theirs.wait("Running")
    trees = sorted((own.home / ".fairlead").iterdir())
    assert len(trees) == 2, "each has a tree of its own"
    controller.stop()
    controller.ensure()                              # sweeps anew
    gone = scene.job("gone", LONG, cancellationGracePeriodSeconds=1)
    gone.wait("Running")
    scene.api.merge(gone.path, {"metadata": {"finalizers": None}})
    gone.delete()
    until(lambda: len(own.jobs_active()) == 2, "what really has no object to be ended")
    assert theirs.condition("Running")["status"] == "True"
    (own.home / "enough").touch()
    ours.wait("Complete")
    theirs.wait("Complete")
    ours.delete()
    cluster.delete()                                 # clears the whole of our tree
    [directory] = [each for tree in trees for each in tree.glob("runs/*") if each.name == f"{theirs.uid}-1"]
    assert (directory / "owner").read_text().split()[1] == "same-name"
    theirs.delete()
    other_cluster.delete()
    assert not (own.home / ".fairlead").exists(), "each has taken its own along"
