"""Slurm that is missing, down, hung or lying: the Cluster says so, and no Job changes its state by it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from bed.slurm import SlurmCluster
from bed.sshd import SshHost
from product.controller import Controller
from product.scene import Scene, Thing
from product.waiting import until

ESCAPES = "\\033]0;owned\\007\\033[31mred\\033[0m\\342\\200\\256\\201\\377\\000bell\\a"
"""Printed by `printf`: title, colour, a turned reading direction, bytes that are no UTF-8, NUL and bell."""


def running(scene: Scene) -> Thing:
    """A Job that runs until it is deleted."""
    job = scene.job("through", "#!/bin/sh\nsleep 600\n", cancellationGracePeriodSeconds=1)
    job.wait("Running")
    return job


@contextmanager
def unmoved(*jobs: Thing) -> Iterator[None]:
    """No status of these Jobs changes meanwhile: their versions are the same after it."""
    before = [job.status for job in jobs]
    yield
    assert [job.status for job in jobs] == before


def polls(node: SlurmCluster, count: int) -> None:
    """Until squeue was called so many times more (a shim counts in `calls`)."""
    log = node.home / "calls"
    seen = len(log.read_text()) if log.exists() else 0
    until(lambda: log.exists() and len(log.read_text()) >= seen + count, f"{count} polls")


COUNT = "printf x >>$HOME/calls\n"


def test_a_host_with_slurms_commands_and_no_slurm_is_told_apart(host: SshHost, scene: Scene) -> None:
    """Else a host that is only a file server would look like a cluster whose controller is down for a moment."""
    cluster = scene.cluster(host, ready=False)
    ready = cluster.wait("Ready", "False", reason="SchedulerDown")
    assert "configuration source" in ready["message"], "Slurm's own words"


def test_slurm_outside_the_path_is_found_by_bin_path(own: SlurmCluster, scene: Scene) -> None:
    """Else sites that load Slurm by a module could not be used."""
    (own.home / ".bashrc").write_text("PATH=/nowhere:/tmp/core\n")
    own.run("sh", "-c", "mkdir -p /tmp/core /tmp/slurm; for each in /usr/bin/* /bin/*; do case ${each##*/} in "
            "sbatch | squeue | scancel | scontrol | sacct) ln -sf $each /tmp/slurm ;; *) ln -sf $each /tmp/core ;; esac; done", user=False)
    cluster = scene.cluster(own, ready=False)
    ready = cluster.wait("Ready", "False", reason="NoSbatch")
    assert "binPath" in ready["message"], ready
    scene.cluster(own, slurm={"binPath": "/tmp/slurm"})
    scene.job("outside").wait("Complete")


def test_a_controller_that_dies_and_comes_back_changes_no_job(own: SlurmCluster, scene: Scene) -> None:
    """Else a restart of slurmctld would end Jobs, or start them twice."""
    cluster = scene.cluster(own)
    job = running(scene)
    done = scene.job("done", "#!/bin/sh\nexit 0\n")
    done.wait("Complete")
    with unmoved(job, done):
        own.slurmctld.term()
        ready = cluster.wait("Ready", "False", reason="SchedulerDown")
        assert cluster.condition("SchedulerAvailable")["status"] == "False"
        assert cluster.condition("WorkDirReady")["status"] == "True"
        assert ready["message"].isprintable()
        since, sessions = cluster.condition("Ready")["lastTransitionTime"], own.sessions()
        until(lambda: own.sessions() > sessions + 2, "further tries")
        assert cluster.condition("Ready")["lastTransitionTime"] == since, "it was not called ready in between"
        own.slurmctld.start()
        cluster.wait("Ready")
    job.delete()


def test_a_controller_that_hangs_changes_no_job(own: SlurmCluster, scene: Scene) -> None:
    """Else a slurmctld under load would end Jobs."""
    cluster = scene.cluster(own)
    job = running(scene)
    with unmoved(job):
        own.slurmctld.stop()
        cluster.wait("Ready", "False", seconds=40)
        assert cluster.condition("Ready")["reason"] in {"SchedulerDown", "PollTimedOut"}
        own.slurmctld.cont()
        cluster.wait("Ready", seconds=40)


LIES = {
    "nothing, and says that all is well": ("exit 0", "PollFailed"),
    "half of each row": ("$REAL \"$@\" | cut -c 1-60; exit 0", "PollFailed"),
    "escape codes and bytes that are no UTF-8": (f"printf '{ESCAPES}'; exit 1", "SchedulerDown"),
    "a made-up fence": ("printf '0123456789abcdef0123456789abcdef\\037end\\n'", "PollFailed"),
    "an end behind the very fence": ("fence=${*##* -o }; printf '%.32s\\037end\\n' \"$fence\"; exit 0", "PollFailed"),
    "fifty megabytes": ("head -c 52428800 /dev/zero | tr '\\0' 'x'; exit 0", "PollFailed"),
    "its error, and exit code 1": ("echo 'squeue: error: slurm_load_jobs: Unable to contact' >&2; exit 1", "SchedulerDown"),
    "nothing for longer than a poll may take": ("sleep 60", "SchedulerDown"),
}


@pytest.mark.long(of=2)
@pytest.mark.parametrize(("script", "reason"), [pytest.param(*each, id=name) for name, each in LIES.items()])
def test_a_squeue_that_prints(own: SlurmCluster, scene: Scene, script: str, reason: str) -> None:
    """Else a broken squeue would end Jobs that run, and nobody would be told."""
    cluster = scene.cluster(own)
    job = running(scene)
    with unmoved(job):
        own.shim("squeue", COUNT + script)
        ready = cluster.wait("Ready", "False", reason=reason)
        polls(own, 1)
        assert cluster.condition("Ready")["status"] == "False", "a probe that works does not make up for a poll that fails"
        printable(cluster.read())
        own.unshim("squeue")
        cluster.wait("Ready")
        assert len(ready["message"]) <= 1024
    assert [row.state for row in own.squeue()] == ["RUNNING"]
    (own.home / "calls").unlink()


def test_nothing_that_a_host_prints_moves_a_terminals_cursor(own: SlurmCluster, scene: Scene, controller: Controller) -> None:
    """Else `kubectl describe` or the controller's log would run what a broken or hostile login node wrote into it."""
    own.shim("scontrol", f"case $1 in --version) printf '{ESCAPES}24.11' ;; *) printf '{ESCAPES} is UP' ;; esac")
    own.shim("sbatch", f"printf 'error: {ESCAPES}Invalid partition name specified\\n'\nhead -c 1000000 /dev/zero | tr '\\0' x; exit 1")
    cluster = scene.cluster(own)
    job = scene.job("refused", "#!/bin/sh\n")
    until(lambda: job.condition("Submitted").get("reason") in {"SubmissionRejected", "SubmissionDeferred"}, "sbatch's words in the status")
    printable([cluster.read(), job.read(), *job.events()])
    assert len(str(job.status)) < 10_000
    log = controller.log.read_text()
    printable(log.splitlines())
    assert "\\u001b" not in log
    own.unshim("sbatch")
    own.unshim("scontrol")


def printable(value: Any) -> None:
    """No text in it can move a terminal's cursor."""
    if isinstance(value, dict):
        for each in value.values():
            printable(each)
    elif isinstance(value, list):
        for each in value:
            printable(each)
    elif isinstance(value, str):
        assert all(letter.isprintable() or letter in "\n\t" for letter in value), repr(value)
