"""`fairlead uninstall`, as the ServiceAccount that has its rights and no more, beside a controller that works."""

import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from bed.controlplane import ControlPlane
from bed.slurm import SlurmCluster
from bed.state import Bed
from fairlead.kube.rights import UNINSTALL_ACCOUNT, UNINSTALL_RIGHTS
from product.account import account, refused, until_used, user_of
from product.api import GROUP, Api
from product.command import fairlead
from product.controller import Controller
from product.ledger import FOLDER, debts_of
from product.scene import Scene, Thing
from product.sessions import ended_session
from product.waiting import until

LEASE = "/apis/coordination.k8s.io/v1/namespaces/default/leases/fairlead-controller"
UNTIL_TOLD = "#!/bin/sh\nwhile [ ! -e ~/enough ]; do sleep 0.2; done\n"
ANNOTATION = "fairlead.dev/suspended-by-uninstall"

Uninstall = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def _controller(bed: Bed, quiet_plane: ControlPlane) -> Iterator[Controller]:
    controller = Controller(bed, account(quiet_plane), "quiet")
    yield controller
    controller.stop()
    assert refused(quiet_plane, user_of(UNINSTALL_ACCOUNT)) == [], "it asks for what its rights do not give"


@pytest.fixture
def controller(_controller: Controller, quiet_api: Api) -> Controller:
    """The controller, leading, whatever was uninstalled before."""
    return led_again(quiet_api, _controller)


@pytest.fixture
def scene(quiet_api: Api, controller: Controller, own: SlurmCluster) -> Iterator[Scene]:
    """A namespace. In the end everything is taken up again, and nothing may be left."""
    scene = Scene(quiet_api).open()
    yield scene
    own.link_up()
    led_again(quiet_api, controller)
    until(lambda: all(is_held(job) for job in scene.jobs() if job.get("status", {}).get("phase") == "Running"), "Jobs to be taken up")
    until(lambda: not debts_of(scene), "what was handed over to be taken back", 60)
    (own.home / "enough").touch()
    scene.close()


@pytest.fixture
def uninstall(quiet_plane: ControlPlane) -> Uninstall:
    """Runs it: `uninstall("Cancel", "--timeout", "5")`."""
    kubeconfig = account(quiet_plane, name=UNINSTALL_ACCOUNT)

    def call(policy: str, *options: str) -> "subprocess.CompletedProcess[str]":
        done = fairlead("uninstall", "--policy", policy, "--namespace", "default", *options, kubeconfig=kubeconfig)
        return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())

    return call


def is_held(found: dict[str, Any]) -> bool:
    """Whether an object has our finalizer."""
    return "fairlead.dev/remote-run" in found["metadata"].get("finalizers", ())


def held(api: Api) -> list[str]:
    """What has it, in all namespaces."""
    found = [each for plural in ("clusters", "jobs", "sessions") for each in (api.get(f"{GROUP}/{plural}") or {"items": []})["items"]]
    return [each["metadata"]["name"] for each in found if is_held(each)]


def led_again(api: Api, controller: Controller) -> Controller:
    """Installed again, if it was taken away."""
    if not controller.leads():
        api.delete(LEASE)
    return controller.ensure()


def running(scene: Scene, own: SlurmCluster, *names: str) -> list[Thing]:
    """A Cluster, and Jobs that run on it until they are told."""
    scene.cluster(own)
    jobs = [scene.job(name, UNTIL_TOLD) for name in names]
    for job in jobs:
        job.wait("Running")
    return jobs


def test_an_installation_that_does_nothing_goes_without_a_trace(
        own: SlurmCluster, scene: Scene, controller: Controller, uninstall: Uninstall) -> None:
    """Else an idle Cluster, which has a finalizer for as long as it is there, would keep its namespace from being deleted for ever."""
    scene.cluster(own)
    ended = scene.job("ended")
    ended.wait("Complete")
    waiting = scene.job("waiting", cluster="elsewhere")
    waiting.wait("Submitted", "False", reason="ClusterNotFound")
    until(lambda: held(scene.api) == ["hpc"], "the ended Job to be let go")
    done = uninstall("Refuse")
    assert (done.returncode, done.stderr) == (0, "")
    assert "1 Jobs have not ended and have nothing on a cluster" in done.stdout
    assert held(scene.api) == []
    until(lambda: not controller.daemon.alive, "the controller to see that it leads no more")
    for each in (ended, waiting):
        each.delete()
    scene.api.delete(f"{GROUP}/namespaces/{scene.namespace}/clusters/hpc")
    assert scene.api.get(f"{GROUP}/namespaces/{scene.namespace}/clusters/hpc") is None
    led_again(scene.api, controller)
    scene.cluster(own)               # its work folder is put in order by who comes next


def test_what_is_handed_over_runs_on_and_is_taken_up_by_the_next_installation(
        own: SlurmCluster, scene: Scene, controller: Controller, uninstall: Uninstall) -> None:
    """Else a move to another installation would cost what runs, or run it twice."""
    kept, deleted = running(scene, own, "kept", "deleted")
    done = uninstall("Orphan")
    assert (done.returncode, done.stderr) == (0, "")
    assert "2 Jobs were left alone" in done.stdout
    assert held(scene.api) == []
    assert {debt["reason"] for debt in debts_of(scene).values()} == {"NotLeftAlone"}
    assert "was left alone there" in kept.wait_event("Orphaned")["message"]
    uid = deleted.uid
    deleted.delete()
    assert len(own.jobs_active()) == 2
    led_again(scene.api, controller)
    until(lambda: not debts_of(scene), "what was written down to be settled")
    kept.wait("Running")
    assert len(own.jobs_active()) == 2, "the one whose object is gone was left alone, too"
    (own.home / "enough").touch()
    kept.wait("Complete")
    assert kept.status["run"]["attempt"] == 1
    until(lambda: not own.jobs_active(), "the other to end by itself")
    [run] = own.home.glob(f".fairlead/*/runs/{uid}-1")
    assert (run / "orphaned").exists()
    subprocess.run(["rm", "-rf", run], check=True)   # it is the user's now


def test_it_refuses_while_something_runs_or_suspends_it_to_be_resumed(
        own: SlurmCluster, scene: Scene, controller: Controller, uninstall: Uninstall) -> None:
    """Else `helm uninstall` would leave objects that can never be deleted, and jobs that nobody ends; or a Job would be lost by it."""
    jobs = running(scene, own, "first", "second")
    done = uninstall("Refuse")
    assert done.returncode == 1
    for job in jobs:
        assert f"Job {scene.namespace}/{job.name}: Running on Cluster {scene.namespace}/hpc as job " in done.stderr
    assert "Cancel suspends all Jobs" in done.stderr
    assert sorted(held(scene.api)) == ["first", "hpc", "second"]
    assert controller.leads()
    scene.job("more").wait("Complete")

    done = uninstall("Cancel")
    assert (done.returncode, done.stderr) == (0, "")
    assert own.jobs_active() == []
    assert held(scene.api) == []
    for job in jobs:
        found = job.read() or {}
        assert found["spec"]["suspend"] is True
        assert found["metadata"]["annotations"][ANNOTATION] == "true"
        assert job.condition("Suspended")["status"] == "True"
    (own.home / "enough").touch()
    led_again(scene.api, controller)
    jobs[0].change(suspend=False)
    jobs[0].wait("Complete")


def test_what_does_not_end_in_time_is_told_and_the_controller_goes_on(
        own: SlurmCluster, scene: Scene, controller: Controller, uninstall: Uninstall) -> None:
    """Else an uninstallation would wait for ever for a cluster that is away, or take away what is still needed."""
    [job] = running(scene, own, "far")
    own.link_down()
    done = uninstall("Cancel", "--timeout", "3")
    assert done.returncode == 1
    assert "after 3 s not all is done that Cancel asks for (1 Jobs were suspended" in done.stderr
    assert f"Job {scene.namespace}/far" in done.stderr
    assert controller.leads()
    own.link_up()
    job.wait("Suspended")


@pytest.mark.timeout(300)
def test_without_a_controller_it_hands_over_what_runs_by_every_right_that_it_has(
        own: SlurmCluster, scene: Scene, controller: Controller, uninstall: Uninstall, quiet_plane: ControlPlane) -> None:
    """Else who ended the controller first would wait for nothing, or could never get rid of the finalizers.

    Or whoever got hold of the hook's account could do what it never needed.
    """
    [job] = running(scene, own, "sim")
    session = ended_session(scene, "over")
    controller.stop()
    scene.api.merge(session.path, {"metadata": {"finalizers": ["fairlead.dev/remote-run"]}})
    done = uninstall("Cancel")
    assert done.returncode == 1
    assert "no controller runs that could end this" in done.stderr
    scene.api.delete(LEASE)
    others = (job, session, Thing(scene, "clusters", "hpc"))
    for each in others:
        each.hold_first()
    assert uninstall("Orphan").returncode == 0
    assert held(scene.api) == []
    for each in others:
        each.hold_first(on=False)
    session.delete(seconds=5)
    assert len(own.jobs_active()) == 1
    ledger = f"{FOLDER}/fairlead-ledger-{scene.namespace}"
    scene.api.merge(ledger, {"data": {f"{job.uid}-1": None, "another": "what?"}})
    assert uninstall("Orphan").returncode == 0, "once more, right behind the first"
    assert set((scene.api.get(ledger) or {})["data"]) == {f"{job.uid}-1", "another"}
    scene.api.merge(ledger, {"data": {"another": None}})
    until_used(quiet_plane, UNINSTALL_RIGHTS, user_of(UNINSTALL_ACCOUNT))
