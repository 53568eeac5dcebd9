"""Several controllers, one of which leads: whatever happens to it, each Job runs once and one of them watches it."""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar

import pytest

from bed.controlplane import ControlPlane
from bed.existing import ExistingControlPlane
from bed.login import LoginNode
from bed.slurm import SlurmCluster
from bed.state import Bed
from product.account import account
from product.controller import Controller
from product.either import cluster_on, work_on
from product.scene import Scene, Thing
from product.settings import SETTINGS
from product.starts import starts
from product.waiting import until, until_equal

COUNTED = "#!/bin/sh\necho x >>$HOME/starts\nwhile [ ! -e $HOME/enough ]; do sleep 0.2; done\n"


@pytest.fixture
def second(bed: Bed, plane: ControlPlane | ExistingControlPlane, scene: Scene) -> Iterator[Controller]:
    """A second controller, which waits while the first leads. It ends before the scene is closed: the first leads again then."""
    second = Controller(bed, account(plane), "second").start(wait=False)
    until(lambda: second.page("readyz")[0] == 200, "the second controller to be up")
    yield second
    second.daemon.cont()
    second.stop()


class WithLongLease(Controller):
    """A controller whose Lease would run out only after a minute."""

    settings: ClassVar[Mapping[str, Any]] = {**SETTINGS, "lease": {"duration_seconds": 60}}


class WithProductionLease(Controller):
    """A controller with the Lease of production."""

    settings: ClassVar[Mapping[str, Any]] = {**SETTINGS, "lease": {}}


class KeepsItsConnection(Controller):
    """A controller that makes no connection anew since it is old, so that each port at the login node is one controller's."""

    settings: ClassVar[Mapping[str, Any]] = {**SETTINGS, "ssh": {"age_seconds": 3600}}


Pair = Callable[[type[Controller]], tuple[Controller, Controller]]


@pytest.fixture
def pair(bed: Bed, plane: ControlPlane | ExistingControlPlane, scene: Scene, controller: Controller) -> Iterator[Pair]:
    """Two controllers of a kind in the place of the usual one, which leads again afterwards."""
    started: list[Controller] = []

    def start(kind: type[Controller]) -> tuple[Controller, Controller]:
        assert scene, "is closed after them"
        controller.stop()
        started.append(kind(bed, account(plane), f"{kind.__name__}-1").start())
        started.append(kind(bed, account(plane), f"{kind.__name__}-2").start(wait=False))
        until(lambda: started[1].page("readyz")[0] == 200, "the second to be up")
        return started[0], started[1]

    yield start
    for each in reversed(started):
        each.stop()


def running(scene: Scene, node: LoginNode) -> Thing:
    """A Job that runs the counted script until it is enough."""
    cluster_on(node, scene)
    return started(scene, node)


def started(scene: Scene, node: LoginNode, **spec: Any) -> Thing:
    """A Job whose script has counted itself."""
    job = scene.job("through", COUNTED, **spec)
    job.wait("Running")
    until(lambda: starts(node), "the script to start")
    return job


def assert_it_went_on(scene: Scene, node: LoginNode, job: Thing) -> None:
    """The Job, of one start, comes to its end, and so does another after it."""
    (node.home / "enough").touch()
    job.wait("Complete")
    assert scene.job("next").wait_ended()["phase"] == "Complete"
    assert len(starts(node)) == 1


def sessions_by_port(node: LoginNode) -> dict[str, int]:
    """Sessions that sshd opened, by the client's port: a connection, and so a controller."""
    found: dict[str, int] = {}
    for line in node.sshd_log().splitlines():
        if line.startswith("Starting session"):
            port = line.partition(" port ")[2].split()[0]
            found[port] = found.get(port, 0) + 1
    return found


def is_quiet(node: SlurmCluster, seconds: float = 3.0) -> bool:
    """Whether nothing is asked of the login node for so long: polls come more than once a second otherwise."""
    before = node.sessions()
    time.sleep(seconds)
    return node.sessions() == before


def test_the_three_pages_answer(scene: Scene, hpc: SlurmCluster, controller: Controller) -> None:
    """Else Kubernetes would restart a healthy controller, and an operator would see nothing of it."""
    scene.cluster(hpc)
    assert controller.page("livez") == (200, "ok\n")
    assert controller.page("readyz") == (200, "ok\n")
    status, text = controller.page("metrics")
    assert status == 200
    for name in ("fairlead_exchange_finished_seconds_bucket", "fairlead_leading 1.0", "fairlead_sites_watched", "process_cpu_seconds"):
        assert name in text
    assert scene.namespace not in text, "metrics carry no names of objects"


def test_one_controller_works_and_the_other_takes_over_when_it_dies(
        node: LoginNode, scene: Scene, controller: Controller, second: Controller) -> None:
    """Else a node that dies would leave every Job unwatched, or start them twice."""
    job = running(scene, node)
    assert (controller.leads(), second.leads()) == (True, False)
    until_equal(node.connections, 1, "the one that waits to be connected nowhere")
    controller.daemon.kill()
    until(second.leads, "the second to lead")
    assert_it_went_on(scene, node, job)


def test_a_leader_that_slept_beyond_its_lease_touches_nothing_and_ends(node: LoginNode, scene: Scene, pair: Pair) -> None:
    """Else a laptop that wakes up, or a paused virtual machine, would cancel and submit beside the new leader."""
    first, second = pair(KeepsItsConnection)
    job = running(scene, node)
    first.daemon.stop()
    until(second.leads, "the second to lead")
    until(lambda: node.connections() == 2, "the second to connect")
    asleep = scene.job("asleep", COUNTED)
    asleep.wait("Running")
    before = sessions_by_port(node)
    *of_the_first, of_the_second = before
    first.daemon.cont()
    until(lambda: not first.daemon.alive, "the first to end")
    assert first.daemon.exit_code == 1
    after = sessions_by_port(node)
    assert {port: after[port] for port in of_the_first} == {port: before[port] for port in of_the_first}, "no session over its connection"
    assert list(after) == [*of_the_first, of_the_second], "and no connection beside it"
    (node.home / "enough").touch()
    job.wait("Complete")
    asleep.wait("Complete")
    assert len(starts(node)) == 2


IN_A_CALL = {
    "submits to Slurm": ("own", "submit", "sbatch"),
    "cancels on Slurm": ("own", "cancel", "scancel"),
    "submits to a bare host": ("host", "submit", "flock"),
    "cancels on a bare host": ("host", "cancel", "grep"),
}
"""The node, what is done there, and the first command that does it."""


@pytest.mark.long(of=2)
@pytest.mark.parametrize(("node", "verb", "command"), IN_A_CALL.values(), ids=IN_A_CALL, indirect=["node"])
def test_a_leader_that_sleeps_in_the_middle_of_a_call_leaves_it_to_the_next(
        verb: str, command: str, node: LoginNode, scene: Scene, controller: Controller, second: Controller) -> None:
    """Else a Job whose submission or cancellation was cut in two by a paused machine would run twice, or on and on."""
    cluster_on(node, scene)
    job = started(scene, node, cancellationGracePeriodSeconds=0) if verb == "cancel" else None
    node.shim(command, "[ -e $HOME/go ] || touch $HOME/hanging; until [ -e $HOME/go ]; do sleep 0.1; done; exec $REAL \"$@\"")
    if job:
        job.delete(wait=False)
    else:
        job = scene.job("through", COUNTED)
    until(lambda: (node.home / "hanging").exists(), f"{command} to be called")
    of_the_first = set(sessions_by_port(node))
    controller.daemon.stop()
    until(second.leads, "the second to lead")
    until(lambda: set(sessions_by_port(node)) - of_the_first, "the second to be at work")
    (node.home / "go").touch()
    before = sessions_by_port(node)
    controller.daemon.cont()
    until(lambda: not controller.daemon.alive, "the first to end")
    after = sessions_by_port(node)
    assert {port: after[port] for port in of_the_first} == {port: before[port] for port in of_the_first}, "nothing more of the first"
    if verb == "cancel":
        job.wait_gone()
    else:
        job.wait("Running", seconds=60)
        (node.home / "enough").touch()
        job.wait("Complete")
    assert len(starts(node)) == 1
    until(lambda: not work_on(node), "nothing to be left there")
    node.unshim(command)


@pytest.mark.parametrize("change", ["given to somebody else", "deleted"])
def test_a_leader_whose_lease_is_taken_by_hand_ends_and_another_goes_on(
        change: str, own: SlurmCluster, scene: Scene, controller: Controller, second: Controller) -> None:
    """Else two would lead, each sure of itself, or none would any more."""
    job = running(scene, own)
    path = "/apis/coordination.k8s.io/v1/namespaces/default/leases/fairlead-controller"
    if change == "deleted":
        scene.api.delete(path)
    else:
        scene.api.merge(path, {"spec": {"holderIdentity": "somebody-else"}})
    until(lambda: not controller.daemon.alive, "the first to see it and end")
    until(second.leads, "the second to lead")
    assert_it_went_on(scene, own, job)


def test_an_api_server_that_is_away_longer_than_the_lease_stops_the_work_and_not_the_jobs(
        own: SlurmCluster, scene: Scene, controller: Controller, plane: ControlPlane) -> None:
    """Else an upgrade of the control plane would cost Jobs, or a controller would act without knowing whether it leads."""
    job = running(scene, own)
    plane.apiserver.stop()
    try:
        until(lambda: own.connections() == 1 and is_quiet(own), "the controller to leave the cluster alone")
        (own.home / "enough").touch()
        until(lambda: not own.jobs_active(), "the job to end by itself")
    finally:
        plane.apiserver.cont()
    assert_it_went_on(scene, own, job)
    assert controller.daemon.alive


def test_a_controller_that_is_told_to_end_does_so_while_a_call_hangs(own: SlurmCluster, scene: Scene, controller: Controller) -> None:
    """Else every update would wait for the slowest login node, and then kill the controller."""
    job = running(scene, own)
    own.shim("sbatch", "touch $HOME/hanging; sleep 30")
    late = scene.job("late")
    until(lambda: (own.home / "hanging").exists(), "a submission to hang")
    controller.daemon.term(10)
    assert controller.daemon.exit_code == 0, "it ended by itself, inside ten seconds"
    assert job.condition("Running")["status"] == "True"
    (own.home / "enough").touch()
    own.unshim("sbatch")
    controller.start()
    job.wait("Complete")
    late.wait("Complete", seconds=60)
    assert len(starts(own)) == 1
    (own.home / "hanging").unlink()


def test_a_killed_leader_is_replaced_within_twenty_seconds_as_in_production(own: SlurmCluster, scene: Scene, pair: Pair) -> None:
    """Else each crash would leave all Jobs unwatched for longer than promised."""
    first, second = pair(WithProductionLease)
    scene.cluster(own)
    scene.job("before").wait("Complete")
    first.daemon.kill()
    job = scene.job("after", COUNTED)
    until(second.leads, "the second to lead", 20)
    until(lambda: starts(own), "the second to be at work")
    (own.home / "enough").touch()
    job.wait("Complete")
    assert len(starts(own)) == 1


def test_a_leader_that_is_told_to_end_hands_over_at_once(own: SlurmCluster, scene: Scene, pair: Pair) -> None:
    """Else each update would leave a gap as long as the Lease."""
    first, second = pair(WithLongLease)
    scene.cluster(own)
    first.stop()
    until(second.leads, "the second to lead", 20)
    assert scene.job("after").wait_ended()["phase"] == "Complete"
