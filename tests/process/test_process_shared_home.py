"""Bare hosts whose user has one home on all of them, as on NFS."""

import shutil
from collections.abc import Iterator

import pytest

from bed.sshd import SshHost
from bed.state import Bed
from product.controller import Controller
from product.remains import running
from product.scene import Scene

LONG = "#!/bin/bash\necho on >> ~/started\nsleep 424242\n"
GATED = "#!/bin/sh\necho on >> ~/started\nuntil [ -e ~/go ]; do sleep 0.2; done\n"


@pytest.fixture
def shared(bed: Bed) -> Iterator[tuple[SshHost, SshHost]]:
    """Two hosts of the test's own. A test names them before `scene`."""
    home = bed.folder / "home-of-two"
    home.mkdir()
    both = SshHost.start(bed, home=home), SshHost.start(bed, home=home)
    yield both
    for host in both:
        host.stop()
    shutil.rmtree(home)


def show(host: SshHost, path: str, text: str) -> None:
    """Has the host show `text` as the content of a file of its system."""
    host.write(path.replace("/", "-"), text)
    host.run("mount", "--bind", f"/srv/c/{path.replace('/', '-')}", path, user=False)


def test_each_has_its_own_runs_and_slots(shared: tuple[SshHost, SshHost], scene: Scene, controller: Controller) -> None:
    """Else one host would call the other's Runs dead after a restart, hand out its slots, or sweep their folders away."""
    for host in shared:
        show(host, "/etc/machine-id", f"{host.number:032x}\n")
        show(host, "/proc/sys/kernel/random/boot_id", f"11111111-2222-3333-4444-{host.number:012x}\n")
    scene.bare_hosts(*shared)
    first, second = scene.job("first", LONG, cancellationGracePeriodSeconds=0), scene.job("second", GATED)
    for job in (first, second):
        job.wait("Running")
    assert {first.status["host"], second.status["host"]} == {f"{host.host}:{host.port}" for host in shared}, "both have one slot"
    assert sorted(len(list((tree / "runs").iterdir())) for tree in shared[0].home.glob(".fairlead/*")) == [1, 1], "a folder for each"
    controller.stop()
    controller.start()       # each host is looked through for what nobody wants any more
    third = scene.job("third", GATED)
    third.wait("Submitted", "False", reason="NoFreeHost")
    first.delete()
    third.wait("Running")
    assert not [pid for host in shared for pid in running(host, "424242")]
    (shared[0].home / "go").touch()
    for job in (second, third):
        job.wait("Complete")
    assert (shared[0].home / "started").read_text().split() == ["on"] * 3


@pytest.mark.parametrize("machine_id", ["0123456789abcdef0123456789abcdef\n", ""], ids=["clones", "containers"])
def test_of_two_that_are_called_alike_one_takes_jobs_and_the_other_says_why_not(
    shared: tuple[SshHost, SshHost], scene: Scene, machine_id: str,
) -> None:
    """Else two kernels would share one queue and its locks: to each the Runs of the other are dead."""
    for host in shared:
        show(host, "/etc/machine-id", machine_id)
    cluster = scene.bare_hosts(*shared, ready=1)
    said = cluster.wait("Ready", says="the same /etc/machine-id")["message"]
    taken, refused = shared if f"of the host {shared[0].name}," in said else shared[::-1]
    assert f"is of the host {taken.name}, which has the same /etc/machine-id as this one, {refused.name}, or none" in said
    jobs = [scene.job(f"j{number}", "#!/bin/sh\necho on >> ~/started\nhostname >> ~/hosts\n") for number in range(3)]
    for job in jobs:
        job.wait("Complete")
    assert (taken.home / "hosts").read_text().split() == [taken.name] * 3
    [where] = {each["reason"] for told in cluster.status["hosts"] for each in told["conditions"] if each["status"] == "False"}
    assert where == "WorkDirNotOurs"
