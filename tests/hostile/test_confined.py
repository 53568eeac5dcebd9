"""The controller as a strict cluster runs it: a random uid, no home, nothing that it may write, few descriptors. It works all the same."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bed.controlplane import ControlPlane
from bed.existing import ExistingControlPlane
from bed.sshd import SshHost
from bed.standin import StandIn
from bed.state import Bed
from product.account import account
from product.confined import CLOSED, UID, Confined
from product.controller import Controller
from product.scene import Scene
from product.waiting import until

FEW = 64                             # descriptors
HOSTS = 45                           # with what the process has open by itself more than these

Start = Callable[..., Confined]


@pytest.fixture
def confined(bed: Bed, plane: ControlPlane | ExistingControlPlane, scene: Scene, controller: Controller) -> Iterator[Start]:
    """Puts a confined controller in the place of the usual one, which leads again before the scene is closed."""
    started: list[Confined] = []

    def start(home: str, descriptors: int = 128) -> Confined:
        assert scene, "is closed after it"
        controller.stop()
        started.append(Confined(bed, account(plane), f"confined-{scene.namespace}"))
        started[-1].home, started[-1].descriptors = home, descriptors
        started[-1].start()
        return started[-1]

    yield start
    for one in started:
        one.stop()
    controller.ensure()


def lines(controller: Controller) -> list[dict[str, object]]:
    """What it has logged."""
    whole = controller.log.read_text(encoding="utf-8").rpartition("\n")[0]      # a line may be being written
    return [json.loads(line) for line in whole.splitlines() if line.startswith("{")]


@pytest.mark.parametrize("home", [CLOSED, ""], ids=["a home that it may not enter", "no home"])
def test_a_random_uid_without_a_home_runs_jobs(home: str, bare: SshHost, scene: Scene, confined: Start) -> None:
    """Else a cluster that runs pods under rules, as many do, could not have Fairlead: no Job would ever get its id."""
    controller = confined(home)
    status = Path(f"/proc/{controller.daemon.pid}/status").read_text(encoding="utf-8")
    assert f"Uid:\t{UID}\t{UID}\t{UID}\t{UID}\n" in status
    assert "CapEff:\t0000000000000000\n" in status
    scene.bare_host(bare)
    job = scene.job()
    job.wait("Complete")
    assert job.status["run"]["id"]
    assert [line for line in lines(controller) if line["level"] == "error"] == []


@pytest.mark.timeout(300)
def test_few_descriptors_bound_the_connections_and_are_told(bed: Bed, bare: SshHost, scene: Scene, confined: Start) -> None:
    """Else a process with a low limit would fail in a loop at whatever needs the next file, its Lease too, and nobody would know why."""
    controller = confined("", FEW)
    [told] = [line for line in lines(controller) if line["message"] == "few_open_files"]
    assert (told["may_open"], told["wanted"]) == (FEW, 256)
    standin = StandIn.start(bed, HOSTS, program="cat >/dev/null; exit 7")
    scene.secret("hpc-key", ssh_privatekey=standin.hosts[0].private_key)
    clusters = [scene.cluster(host, f"c{number}", ready=False, key=False, authSecretRef={"name": "hpc-key"},
                              connection={"connectTimeoutSeconds": 30})      # all are logged in to at once
                for number, host in enumerate(standin.hosts)]
    scene.nodes.clear()              # nothing runs there that could be left
    for cluster in clusters:
        cluster.wait("Reachable", "False", reason="LoginShellFailed", seconds=60)     # it was logged in to, and answered nothing
    scene.bare_host(bare)
    scene.job().wait("Complete")
    assert "Too many open files" not in controller.log.read_text(encoding="utf-8")
    for cluster in clusters:
        cluster.delete(wait=False)
    until(lambda: all(cluster.read() is None for cluster in clusters), "the Clusters to be gone")
