"""Several controllers, one of which leads: whatever happens to it, each Job runs once and one of them watches it."""

from collections.abc import Iterator
from http.client import HTTPResponse
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from bed.controlplane import ControlPlane
from bed.existing import ExistingControlPlane
from bed.slurm import SlurmCluster
from bed.state import Bed
from product.controller import Controller
from product.scene import Scene
from product.waiting import until

COUNTED = "#!/bin/sh\necho x >>$HOME/starts\nwhile [ ! -e $HOME/enough ]; do sleep 0.2; done\n"


@pytest.fixture
def second(bed: Bed, plane: ControlPlane | ExistingControlPlane, scene: Scene) -> Iterator[Controller]:
    """A second controller, which waits while the first leads. It ends before the scene is closed: the first leads again then."""
    second = Controller(bed, plane.kubeconfig, "second").start(wait=False)
    until(lambda: page(second, "readyz")[0] == 200, "the second controller to be up")
    yield second
    second.daemon.cont()
    second.stop()


def page(controller: Controller, name: str) -> tuple[int, str]:
    """Status and text of one page, 0 while nobody answers."""
    try:
        answer: HTTPResponse = urlopen(f"http://127.0.0.1:{controller.port}/{name}", timeout=5)
        with answer:
            return answer.status, answer.read().decode()
    except HTTPError as error:
        return error.code, error.read().decode()
    except OSError:
        return 0, ""


def leads(controller: Controller) -> bool:
    """Whether it says so."""
    return "fairlead_leading 1.0" in page(controller, "metrics")[1]


def starts(node: SlurmCluster) -> int:
    """How often the counted script has started."""
    log = node.home / "starts"
    return len(log.read_text().splitlines()) if log.exists() else 0


def sessions_by_port(node: SlurmCluster) -> dict[str, int]:
    """Sessions that sshd opened, by the client's port: a connection, and so a controller."""
    found: dict[str, int] = {}
    for line in node.sshd_log().splitlines():
        if line.startswith("Starting session"):
            port = line.partition(" port ")[2].split()[0]
            found[port] = found.get(port, 0) + 1
    return found


def test_the_three_pages_answer(scene: Scene, hpc: SlurmCluster, controller: Controller) -> None:
    """Else Kubernetes would restart a healthy controller, and an operator would see nothing of it."""
    scene.cluster(hpc)
    assert page(controller, "livez") == (200, "ok\n")
    assert page(controller, "readyz") == (200, "ok\n")
    status, text = page(controller, "metrics")
    assert status == 200
    for name in ("fairlead_exchange_finished_seconds_bucket", "fairlead_leading 1.0", "fairlead_sites_watched", "process_cpu_seconds"):
        assert name in text
    assert scene.namespace not in text, "metrics carry no names of objects"


def test_one_controller_works_and_the_other_takes_over_when_it_dies(
        own: SlurmCluster, scene: Scene, controller: Controller, second: Controller) -> None:
    """Else a node that dies would leave every Job unwatched, or start them twice."""
    scene.cluster(own)
    job = scene.job("through", COUNTED)
    job.wait("Running")
    assert (leads(controller), leads(second)) == (True, False)
    assert own.connections() == 1, "the one that waits connects nowhere"
    controller.daemon.kill()
    until(lambda: leads(second), "the second to lead")
    (own.home / "enough").touch()
    job.wait("Complete")
    assert starts(own) == 1
    assert scene.job("next").wait_ended()["phase"] == "Complete"


def test_a_leader_that_slept_beyond_its_lease_touches_nothing_and_ends(
        own: SlurmCluster, scene: Scene, controller: Controller, second: Controller) -> None:
    """Else a laptop that wakes up, or a paused virtual machine, would cancel and submit beside the new leader."""
    scene.cluster(own)
    job = scene.job("through", COUNTED)
    job.wait("Running")
    controller.daemon.stop()
    until(lambda: leads(second), "the second to lead")
    until(lambda: own.connections() == 2, "the second to connect")
    asleep = scene.job("asleep", COUNTED)
    asleep.wait("Running")
    before = sessions_by_port(own)
    *of_the_first, of_the_second = before
    controller.daemon.cont()
    until(lambda: not controller.daemon.alive, "the first to end", 20)
    assert controller.daemon.exit_code == 1
    after = sessions_by_port(own)
    assert {port: after[port] for port in of_the_first} == {port: before[port] for port in of_the_first}, "no session over its connection"
    assert list(after) == [*of_the_first, of_the_second], "and no connection beside it"
    (own.home / "enough").touch()
    job.wait("Complete")
    asleep.wait("Complete")
    assert starts(own) == 2


def test_a_controller_that_is_told_to_end_does_so_while_a_call_hangs(own: SlurmCluster, scene: Scene, controller: Controller) -> None:
    """Else every update would wait for the slowest login node, and then kill the controller."""
    scene.cluster(own)
    job = scene.job("through", COUNTED)
    job.wait("Running")
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
    assert starts(own) == 1
    (own.home / "hanging").unlink()
