"""A controller for some namespaces: it works in those, under Roles in them alone, and leaves all others as they are."""

from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest

from bed.controlplane import ControlPlane
from bed.slurm import SlurmCluster
from bed.state import Bed
from fairlead.kube.rights import RIGHTS
from product.account import account, asked, refused, until_used, user_of
from product.api import Api
from product.command import fairlead
from product.controller import Controller
from product.ledger import debts_of
from product.resources import take_away
from product.scene import Scene
from product.sessions import use_sessions
from product.waiting import until

UNTIL_TOLD = "#!/bin/sh\nwhile [ ! -e ~/enough ]; do sleep 0.2; done\n"
TO_NIGHT = {"from": "Selector", "selector": {"matchLabels": {"queue": "night"}}}

Installed = Callable[..., Controller]


@pytest.fixture
def make(quiet_api: Api) -> Iterator[Callable[[], Scene]]:
    """Makes a namespace. In the end, without a controller, all of it goes: the next test's would find it."""
    made: list[Scene] = []

    def a_scene() -> Scene:
        made.append(Scene(quiet_api).open())
        return made[-1]

    yield a_scene
    for scene in made:
        take_away(quiet_api, scene.namespace)
        quiet_api.delete(f"/api/v1/namespaces/{scene.namespace}")


@pytest.fixture
def installed(bed: Bed, quiet_plane: ControlPlane, make: Callable[[], Scene]) -> Iterator[Installed]:
    """Makes an installation, in a namespace of its own, that has rights in these namespaces and works in them: `installed(one, other)`."""
    made: list[Controller] = []

    def install(*watched: Scene) -> Controller:
        names = [each.namespace for each in watched]
        own = make().namespace
        controller = Controller(bed, account(quiet_plane, namespace=own, watched=names), own)
        controller.namespace, controller.watched = own, names
        made.append(controller)
        return controller.start()

    yield install
    for each in made:
        each.stop()


@pytest.mark.timeout(300)
def test_it_works_in_its_namespaces_under_roles_in_them_alone(
        own: SlurmCluster, make: Callable[[], Scene], installed: Installed, quiet_plane: ControlPlane) -> None:
    """Else who may not grant anything cluster-wide could not install it, or a team would be served by a controller that it never let in."""
    lab, guest, stranger = make(), make(), make()
    quiet_plane.kubectl("label", "namespace", guest.namespace, "queue=night")
    controller = installed(lab, guest)
    user = user_of(namespace=controller.namespace)
    strange = stranger.cluster(own, ready=False)
    untouched = stranger.job("untouched")
    cluster = lab.cluster(own, allowedNamespaces=TO_NIGHT)
    lab.config_map("scripts", {"run.sh": "#!/bin/sh\ntrue\n"})
    lab.job("expires", scriptRef={"name": "scripts", "key": "run.sh"}, ttlSecondsAfterFinished=0).wait_gone()
    use_sessions(lab)
    let_in = guest.job("let-in", clusterRef={"name": "hpc", "namespace": lab.namespace})
    let_in.wait("Complete")
    beyond = guest.job("beyond", clusterRef={"name": "hpc", "namespace": stranger.namespace})
    beyond.wait("Submitted", "False", reason="ClusterNotFound", says="a namespace that this controller does not watch")
    lost = [scene.job(name, UNTIL_TOLD, clusterRef={"name": "hpc", "namespace": lab.namespace}, deletionDeadlineSeconds=1,
                      cancellationGracePeriodSeconds=1)
            for scene, name in ((lab, "first"), (lab, "second"), (guest, "third"))]
    for job in lost:
        job.wait("Running")
    controller.daemon.kill()
    controller.ensure()
    own.link_down()
    for job in lost:
        job.delete()
    until(lambda: len(debts_of(lab, controller.namespace)) == 2, "the debts of the one")
    assert len(debts_of(guest, controller.namespace)) == 1
    own.link_up()
    for scene in (lab, guest):
        until(lambda: not debts_of(scene, controller.namespace), "the debts to be paid", 60)  # noqa: B023  asked at once
    assert own.jobs_active() == []
    for each in (let_in, beyond):
        each.delete()
    cluster.delete_beside_another()
    controller.stop()
    until_used(quiet_plane, RIGHTS, user, controller.namespace)
    assert refused(quiet_plane, user) == []
    about = [each.get("objectRef", {}) for each in asked(quiet_plane, user)]
    where = {(each["resource"], each.get("namespace")) for each in about if "resource" in each}
    places = {lab.namespace, guest.namespace, controller.namespace}
    assert {(resource, place) for resource, place in where if place not in places} == {("namespaces", "kube-system")}
    for thing in (strange, untouched):
        assert "finalizers" not in (thing.read() or {})["metadata"]
        assert thing.status.get("conditions") is None


def test_what_runs_for_a_namespace_that_is_watched_no_more_goes_on(
        own: SlurmCluster, make: Callable[[], Scene], installed: Installed, quiet_plane: ControlPlane) -> None:
    """Else a change of the list would end all that runs for the namespace that is not on it any more: its Jobs are in no list."""
    lab, guest = make(), make()
    quiet_plane.kubectl("label", "namespace", guest.namespace, "queue=night")
    controller = installed(lab, guest)
    cluster = lab.cluster(own, allowedNamespaces=TO_NIGHT)
    theirs = guest.job("theirs", UNTIL_TOLD, clusterRef={"name": "hpc", "namespace": lab.namespace})
    gone = lab.job("gone", UNTIL_TOLD, cancellationGracePeriodSeconds=1)
    for job in (theirs, gone):
        job.wait("Running")
    controller.daemon.kill()
    lab.api.merge(gone.path, {"metadata": {"finalizers": None}})
    gone.delete()
    controller.watched = [lab.namespace]
    controller.start()
    until(lambda: len(own.jobs_active()) == 1, "the sweep to end what has really no object", 60)
    assert cluster.condition("SweepHeld") == {}
    cluster.delete()                                 # clears its tree
    assert len(own.jobs_active()) == 1
    [run] = own.home.glob(f".fairlead/*/runs/{theirs.uid}-1")
    assert (run / "owner").exists()
    controller.stop()
    controller.watched = [lab.namespace, guest.namespace]
    lab.cluster(own, ready=False, allowedNamespaces=TO_NIGHT)
    controller.start()
    (own.home / "enough").touch()
    theirs.wait("Complete")
    assert theirs.status["run"]["attempt"] == 1
    theirs.delete()
    lab.api.delete(cluster.path)
    cluster.wait_gone()


def test_a_namespace_that_it_may_not_see_keeps_no_other_from_being_served(
        own: SlurmCluster, make: Callable[[], Scene], installed: Installed) -> None:
    """Else one namespace that is deleted, with the Role in it, would stop the work of all teams at the next restart."""
    lab = make()
    controller = installed(lab)
    controller.stop()
    controller.watched = [f"nobodys-{uuid4().hex[:8]}", lab.namespace]
    controller.start()
    cluster = lab.cluster(own)
    job = lab.job()
    job.wait("Complete")
    assert controller.log.read_text().count("namespace_not_listed") in range(1, 8), "told, and not again and again"
    job.delete()
    cluster.delete()


def test_a_namespace_that_was_deleted_with_the_role_in_it_is_freed_by_an_administrator(
        own: SlurmCluster, make: Callable[[], Scene], installed: Installed, quiet_plane: ControlPlane) -> None:
    """Else it would hang for ever: the controller has lost the right to let its Jobs go."""
    lab = make()
    controller = installed(lab)
    lab.cluster(own)
    lab.job("sim", UNTIL_TOLD).wait("Running")
    namespace = f"/api/v1/namespaces/{lab.namespace}"
    lab.api.delete(namespace)
    until(lambda: " 403: " in controller.log.read_text(), "the Role to be gone, and the controller to be refused")
    assert lab.api.get(namespace) is not None
    done = fairlead("uninstall", "--policy", "Orphan", "--namespace", controller.namespace, "--watch-namespace", lab.namespace,
                    kubeconfig=quiet_plane.kubeconfig)
    assert (done.returncode, done.stderr) == (0, b"")
    until(lambda: lab.api.get(namespace) is None, "the namespace to be gone", 60)
    assert len(debts_of(lab, controller.namespace)) == 1, "what its deletion asked for is written down"
