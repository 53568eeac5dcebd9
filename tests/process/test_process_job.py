"""A Job on a bare host, as a user walks it."""

import pytest

from bed.controlplane import ControlPlane
from bed.sshd import SshHost
from product.command import fairlead
from product.remains import running
from product.scene import Scene
from product.waiting import until


def test_a_job_runs_once_and_shows_its_output(host: SshHost, scene: Scene, plane: ControlPlane) -> None:
    """Else somebody with no more than an SSH host would not get their result, or would not see it."""
    scene.bare_host(host)
    job = scene.job("hello", "#!/bin/bash\necho hello from $FAIRLEAD_RUN >> ~/started\nprintf '\\r%d%%' 1 50 100\necho; echo done\n")
    status = job.wait_ended()
    assert job.condition("Complete")["status"] == "True", status
    assert (host.home / "started").read_text() == f"hello from {job.uid}-1\n"
    assert (status["logs"]["tail"], status["run"]["exitCode"], status["run"]["id"]) == ("100%\ndone\n", 0, "1")
    assert status["observationSource"] in {"host", "sentinel"}, "nothing else was ever asked"
    shown, raw = (fairlead("logs", *how, f"{scene.namespace}/hello", kubeconfig=plane.kubeconfig).stdout for how in ((), ("--raw",)))
    assert (shown, raw) == (b"100%\ndone\n", b"\r1%\r50%\r100%\ndone\n"), "of a progress bar the last state; with --raw each"
    job.wait_event("Completed")
    assert [event["reason"] for event in job.events()] == ["Submitted", "Completed"]


def test_a_failing_script_shows_its_exit_code(host: SshHost, scene: Scene) -> None:
    """Else a user would take a failure for a success."""
    scene.bare_host(host)
    job = scene.job("bad", "#!/bin/sh\nexit 7\n")
    job.wait("Failed", reason="NonZeroExitCode")
    assert job.status["run"]["exitCode"] == 7


def test_a_deleted_job_ends_on_the_host(host: SshHost, scene: Scene) -> None:
    """Else deleted Jobs would go on using GPUs."""
    scene.bare_host(host)
    job = scene.job("long", "#!/bin/bash\nsleep 600\n", cancellationGracePeriodSeconds=2)
    job.wait("Running")
    job.delete()
    assert not running(host, "600")


def test_what_does_not_fit_waits_in_its_order(host: SshHost, scene: Scene) -> None:
    """Else Jobs would share a slot, or a later one would overtake."""
    scene.bare_host(host, slots=2)
    script = "#!/bin/sh\necho start %s >> ~/order; sleep 1; echo end %s >> ~/order\n"
    first = scene.job("a", script % ("a", "a"), cpusPerTask=2)
    first.wait("Submitted")
    second = scene.job("b", script % ("b", "b"), cpusPerTask=2)
    second.wait("Submitted")
    third = scene.job("c", script % ("c", "c"))
    for job in (first, second, third):
        job.wait("Complete")
    assert (host.home / "order").read_text().split("\n")[:4] == ["start a", "end a", "start b", "end b"]


def test_the_higher_priority_goes_first_and_of_equals_the_older(host: SshHost, scene: Scene) -> None:
    """Else an urgent Job would wait behind a hundred others, or a late one overtake."""
    scene.bare_host(host, slots=1)
    names = {"a": 0, "b": -3, "c": 0, "d": 1_000_000}
    first = scene.job("first", "#!/bin/sh\nuntil [ -e ~/go ]; do sleep 0.2; done\n")
    first.wait("Running")
    jobs = []
    for name, priority in names.items():
        jobs.append(scene.job(name, f"#!/bin/sh\necho {name} >> ~/order\n", priority=priority))
        jobs[-1].wait("Submitted")
    (host.home / "go").touch()
    for job in jobs:
        job.wait("Complete")
    assert (host.home / "order").read_text().split() == ["d", "a", "c", "b"]


def test_what_is_too_large_since_the_host_was_made_smaller_holds_nobody_back(host: SshHost, scene: Scene) -> None:
    """Else one Job in the queue would keep all others from a host of which a slot was taken, and nobody would know why."""
    cluster = scene.bare_host(host, slots=2)
    gated = "#!/bin/sh\nuntil [ -e ~/go ]; do sleep 0.2; done\n"
    full, large, small = (scene.job(name, gated, cpusPerTask=count) for name, count in (("full", 2), ("large", 2), ("small", 1)))
    for job in (full, large, small):
        job.wait("Submitted")
    whole = (cluster.read() or {})["spec"]["process"]["hosts"]
    cluster.change(process={"hosts": [{**each, "slots": 1} for each in whole]})
    [known] = host.home.glob(".fairlead/*/host/capacity")
    until(lambda: known.read_text().startswith("1 "), "the smaller size to be known there")
    (host.home / "go").touch()
    small.wait("Complete")
    assert large.status["phase"] == "Queued"
    cluster.change(process={"hosts": whole})
    large.wait("Complete")


def test_gpus_are_given_to_one_job_each(host: SshHost, scene: Scene) -> None:
    """Else two Jobs would share a GPU's memory."""
    scene.bare_host(host, slots=4, gpus=2)
    script = '#!/bin/sh\necho "gpus=$CUDA_VISIBLE_DEVICES"\nuntil [ -e ~/go ]; do sleep 0.1; done\n'
    jobs = [scene.job(f"g{number}", script, gpus=1) for number in range(2)]
    both = scene.job("both", script, gpus=2)
    none = scene.job("none", script)
    for job in jobs:
        job.wait("Running")
    (host.home / "go").touch()
    seen = sorted(job.wait_ended()["logs"]["tail"] for job in jobs)
    assert seen == ["gpus=0\n", "gpus=1\n"]
    assert both.wait_ended()["logs"]["tail"] == "gpus=0,1\n"
    assert none.wait_ended()["logs"]["tail"] == "gpus=\n"


@pytest.mark.parametrize("shell", ["bash --posix", "busybox sh"])
def test_the_scripts_run_under_any_shell(host: SshHost, scene: Scene, shell: str) -> None:
    """Else a host whose sh is not Debian's would lose Jobs, or leave processes behind."""
    host.shim("sh", f'exec {shell} "$@"')
    scene.bare_host(host, slots=2, gpus=1)
    done = scene.job("done", "#!/bin/bash\n( setsid env -i sleep 4242 & )\necho on $CUDA_VISIBLE_DEVICES\n", gpus=1, cpusPerTask=2)
    long = scene.job("long", "#!/bin/bash\ntrap '' TERM\nsetsid sleep 4242 &\nsleep 600\n", cancellationGracePeriodSeconds=0)
    assert done.wait_ended()["logs"]["tail"] == "on 0\n"
    long.wait("Running")
    long.delete()
    slow = scene.job("slow", "#!/bin/bash\nsleep 4242\n", timeLimit="1s")
    slow.wait("Failed", reason="TimeLimitExceeded")
    assert not running(host, "4242"), "processes are left"
