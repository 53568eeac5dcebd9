"""A Cluster of several bare hosts."""

import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from bed.controlplane import ControlPlane
from bed.sshd import SshHost
from bed.state import Bed
from product.command import argv, environment, fairlead
from product.controller import Controller
from product.ledger import debts_of
from product.remains import running
from product.scene import Scene, Thing
from product.waiting import until, until_equal

LONG = "#!/bin/bash\necho here >> ~/started\nsleep 600\n"
GATED = "#!/bin/sh\necho {name} >> ~/started\nuntil [ -e ~/go ]; do sleep 0.1; done\n"
SHORT = "#!/bin/sh\necho {name} >> ~/started\nsleep 1\necho {name} >> ~/ended\n"


@pytest.fixture
def hosts(bed: Bed) -> Iterator[tuple[SshHost, SshHost]]:
    """Two hosts of the test's own. A test names them before `scene`: they have to outlive what is deleted in that."""
    both = SshHost.start(bed), SshHost.start(bed)
    yield both
    for host in both:
        host.stop()


@contextmanager
def cut_off(host: SshHost) -> Iterator[None]:
    """While nobody reaches it."""
    host.link_down()
    try:
        yield
    finally:
        host.link_up()


def name_of(host: SshHost) -> str:
    """As the Cluster's status names it."""
    return f"{host.host}:{host.port}"


def lines(host: SshHost, name: str) -> list[str]:
    """What Jobs have written there."""
    file = host.home / name
    return file.read_text().split() if file.exists() else []


def annotations_of(job: Thing) -> dict[str, str]:
    """The Job's annotations."""
    found: dict[str, Any] = job.read() or {}
    return dict(found["metadata"].get("annotations") or {})


def test_jobs_run_once_each_wherever_there_is_room(hosts: tuple[SshHost, SshHost], scene: Scene) -> None:
    """Else Jobs would wait for one box while another is idle, share a slot, or run on both."""
    scene.bare_hosts(*hosts)
    jobs = [scene.job(f"j{number}", GATED.format(name=f"j{number}")) for number in range(6)]
    until(lambda: all(lines(host, "started") for host in hosts), "both boxes to be at work at once")
    assert [len(lines(host, "started")) for host in hosts] == [1, 1], "a slot was shared"
    for host in hosts:
        (host.home / "go").touch()
    seen = [job.wait_ended()["host"] for job in jobs]
    assert all(job.condition("Complete") for job in jobs)
    assert Counter(seen) == {name_of(host): len(lines(host, "started")) for host in hosts}
    assert sorted(lines(hosts[0], "started") + lines(hosts[1], "started")) == [f"j{number}" for number in range(6)]
    assert [annotations_of(job)["fairlead.dev/host"] for job in jobs] == seen


def test_what_fits_nowhere_now_waits_and_says_so_and_the_higher_priority_goes_first(hosts: tuple[SshHost, SshHost], scene: Scene) -> None:
    """Else nobody would know why nothing happens, or an urgent Job would wait behind a hundred others."""
    scene.bare_hosts(*hosts, gpus=(0, 1))
    full = [scene.job(f"full{number}", LONG, gpus=1, cancellationGracePeriodSeconds=0) if number else scene.job("full0", LONG)
            for number in range(2)]
    for job in full:
        job.wait("Running")
    assert full[1].status["host"] == name_of(hosts[1]), "a Job without its GPU"
    until(lambda: lines(hosts[1], "started"), "its script to have started")
    low, high = scene.job("low", SHORT.format(name="low"), gpus=1), scene.job("high", SHORT.format(name="high"), gpus=1, priority=7)
    for job in (low, high):
        job.wait("Submitted", "False", reason="NoFreeHost", says="1 slot and 1 GPU free")
    full[1].delete()
    assert high.wait_ended()["endTime"] <= low.wait_ended()["startTime"]
    assert lines(hosts[1], "started") == ["here", "high", "low"]


def test_the_output_of_a_job_is_followed_from_before_it_has_a_host(
    hosts: tuple[SshHost, SshHost], scene: Scene, plane: ControlPlane,
) -> None:
    """Else who waits for a Job would see nothing of it, or another host's files."""
    scene.bare_hosts(*hosts)
    gated = "#!/bin/sh\necho begun\nuntil [ -e ~/go ]; do sleep 0.2; done\necho {name}\n"
    first = [scene.job(f"first{number}", gated.format(name=f"first{number}")) for number in range(2)]
    for job in first:
        job.wait("Running")
    last = scene.job("last", gated.format(name="last"))
    last.wait("Submitted", "False", reason="NoFreeHost")
    early = fairlead("logs", f"{scene.namespace}/last", kubeconfig=plane.kubeconfig)
    assert b"has not been submitted yet" in early.stderr
    follow, env = argv("logs", "--follow", f"{scene.namespace}/last"), environment(plane.kubeconfig)
    with subprocess.Popen(follow, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env) as reader:
        for host in hosts:
            (host.home / "go").touch()
        seen, said = reader.communicate(timeout=120)
    assert (reader.returncode, seen) == (0, b"begun\nlast\n"), said
    for job in first:
        job.wait("Complete")
        shown = fairlead("logs", f"{scene.namespace}/{job.name}", kubeconfig=plane.kubeconfig)
        assert shown.stdout == f"begun\n{job.name}\n".encode(), shown.stderr


def test_a_job_for_which_no_host_is_large_enough_fails_at_once(hosts: tuple[SshHost, SshHost], scene: Scene) -> None:
    """Else it would wait for ever."""
    scene.bare_hosts(*hosts)
    job = scene.job("big", cpusPerTask=2)
    assert "which no host of the Cluster has" in job.wait("Failed", reason="InvalidScript")["message"]


def test_a_dead_host_stops_no_other_and_what_it_has_is_not_begun_anew(hosts: tuple[SshHost, SshHost], scene: Scene) -> None:
    """Else one dead box would stop all work, or its Jobs would run twice."""
    cluster = scene.bare_hosts(*hosts)
    jobs = [scene.job(f"j{number}", "#!/bin/bash\necho here >> ~/started\nuntil [ -e ~/go ]; do sleep 0.2; done\n") for number in range(2)]
    for job in jobs:
        job.wait("Running")
    cut = next(host for host in hosts if jobs[0].status["host"] == name_of(host))
    other = next(host for host in hosts if host is not cut)
    with cut_off(cut):
        until(lambda: scene.ready_hosts(cluster) == 1, "the dead host to be seen")
        cluster.wait("Ready", says=name_of(cut))
        (other.home / "go").touch()
        jobs[1].wait_ended()
        last = scene.job("last", SHORT.format(name="last"))
        assert last.wait_ended()["host"] == name_of(other)
        (cut.home / "go").touch()
    jobs[0].wait("Complete")
    assert (lines(cut, "started"), lines(other, "started")) == (["here"], ["here", "last"])


def test_what_is_owed_on_one_host_is_paid_there(hosts: tuple[SshHost, SshHost], scene: Scene) -> None:
    """Else a process would outlive its Job on a box that was away, since another of the Cluster answers."""
    cluster = scene.bare_hosts(*hosts)
    job = scene.job("long", LONG, deletionDeadlineSeconds=1, cancellationGracePeriodSeconds=0)
    job.wait("Running")
    cut = next(host for host in hosts if job.status["host"] == name_of(host))
    with cut_off(cut):
        until(lambda: scene.ready_hosts(cluster) == 1, "the dead host to be seen")
        job.delete()
        assert [each["host"] for each in debts_of(scene).values()] == [name_of(cut)]
        until_equal(lambda: [each["host"] for each in cluster.status.get("residue", [])], [name_of(cut)], "the debt to be shown")
    until(lambda: not running(cut, "600"), "the process to be ended once its host is back")
    until(lambda: not debts_of(scene), "the debt to be struck")


def test_a_host_that_is_taken_out_keeps_what_it_has_until_it_is_written_back(hosts: tuple[SshHost, SshHost], scene: Scene) -> None:
    """Else its Jobs would be called lost, or begun anew on another host, while they run on."""
    cluster = scene.bare_hosts(*hosts)
    job = scene.job("long", "#!/bin/bash\necho here >> ~/started\nuntil [ -e ~/go ]; do sleep 0.2; done\n")
    job.wait("Running")
    whole = (cluster.read() or {})["spec"]["process"]["hosts"]
    left = [each for each in whole if f"{each['host']}:{each['port']}" != job.status["host"]]
    cluster.change(process={"hosts": left})
    cluster.wait("Ready", says="is no longer in spec.process.hosts")
    assert len(cluster.status["hosts"]) == 2
    elsewhere = scene.job("elsewhere", SHORT.format(name="elsewhere"))
    assert elsewhere.wait_ended()["host"] != job.status["host"]
    cluster.change(process={"hosts": whole})
    for host in hosts:
        (host.home / "go").touch()
    job.wait("Complete")
    assert sorted(lines(hosts[0], "started") + lines(hosts[1], "started")) == ["elsewhere", "here"]


@pytest.mark.long(of=3)
@pytest.mark.parametrize("fault", ["store.add_finalizer:before:2:kill", "store.add_finalizer:after:2:kill", "remote.submit:after:1:kill"])
def test_a_controller_that_dies_between_choice_and_submission_keeps_to_its_choice(
    hosts: tuple[SshHost, SshHost], scene: Scene, faulty: Callable[[str], Controller], controller: Controller, fault: str,
) -> None:
    """Else the next one would choose the other host, and the Job would run on both."""
    scene.bare_hosts(*hosts)
    dying = faulty(fault)
    jobs = [scene.job(f"j{number}", SHORT.format(name=f"j{number}")) for number in range(2)]
    until(lambda: not dying.daemon.alive, f"the controller to die at {fault}", 60)
    controller.ensure()
    for job in jobs:
        job.wait("Complete")
    assert sorted(lines(hosts[0], "started") + lines(hosts[1], "started")) == ["j0", "j1"]


def test_a_deleted_cluster_leaves_nothing_on_any_host(hosts: tuple[SshHost, SshHost], scene: Scene) -> None:
    """Else boxes would keep folders of Jobs that nobody knows any more, or the Cluster would stay in Terminating. (`scene` looks.)"""
    cluster = scene.bare_hosts(*hosts)
    for number in range(2):
        scene.job(f"j{number}", SHORT.format(name="x")).wait("Complete")
    for job in scene.jobs():
        scene.api.delete(Thing(scene, "jobs", job["metadata"]["name"]).path)
    cluster.delete()
