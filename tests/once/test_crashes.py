"""The controller dies, or a call fails, at each step of a Job's life; the next goes on. Judged by the ledger that the Job keeps."""

from collections.abc import Callable

import pytest

from bed.login import LoginNode
from bed.slurm import SlurmCluster
from product.controller import Controller
from product.either import cluster_on, work_on
from product.ownerkind import of_either_kind
from product.remains import running
from product.scene import Scene
from product.starts import starts
from product.waiting import until

STEPS = [
    "store.add_finalizer:before:2:kill", "store.add_finalizer:after:2:kill",
    "remote.submit:before:1:kill", "remote.submit:after:1:kill",
    "store.write_jobs_status:before:1:kill", "store.write_jobs_status:after:1:kill",
    "remote.observe:before:2:kill", "remote.observe:after:2:kill",
    "store.write_jobs_status:before:2:kill", "store.write_jobs_status:after:2:kill",
    "store.release:before:1:kill", "store.release:after:1:kill",
]
FAILURES = {
    "before it was sent": ["remote.probe:before:1", "remote.submit:before:1", "remote.observe:before:2", "store.add_finalizer:before:1",
                           "store.add_finalizer:before:3", "store.write_jobs_status:before:1", "store.write_jobs_status:before:3",
                           "store.release:before:1"],
    "and its answer was lost": ["remote.probe:after:1", "remote.submit:after:1", "remote.observe:after:2", "store.add_finalizer:after:1",
                                "store.add_finalizer:after:3", "store.write_jobs_status:after:1", "store.write_jobs_status:after:3",
                                "store.release:after:1"],
}
DELETION = ["remote.cancel:before:1:kill", "remote.cancel:after:1:kill", "remote.remove:before:1:kill", "remote.remove:after:1:kill",
            "store.release:before:1:kill", "store.release:after:1:kill", "remote.cancel:after:1:fail,remote.remove:after:1:fail"]


@pytest.fixture(params=["hpc", "bare"], ids=["Slurm", "bare host"])
def node(request: pytest.FixtureRequest) -> LoginNode:
    """A cluster of either kind, with the ledgers of many tests in its user's home."""
    node: LoginNode = request.getfixturevalue(request.param)
    return node


def script(ledger: str, seconds: float) -> str:
    """A user's script that writes each of its starts into a ledger."""
    return f"#!/bin/sh\necho $$ >> ~/{ledger}\nsleep {seconds}\n"


@of_either_kind(jobs=3, trials=12, sessions=24)
@pytest.mark.parametrize("fault", STEPS)
def test_a_crash_at_any_step_of_a_job_costs_time_and_never_a_second_run(
    node: LoginNode, scene: Scene, controller: Controller, faulty: Callable[[str], Controller], fault: str,
) -> None:
    """Else a restart of the controller would run users' Jobs twice, or lose them."""
    broken = faulty(fault)
    cluster_on(node, scene, ready=False)
    job = scene.job("once", script(scene.namespace, 0.2))
    until(lambda: not broken.daemon.alive, f"the controller to die at {fault}", 60)
    controller.ensure()
    job.wait("Complete", seconds=60)
    assert len(starts(node, scene.namespace)) == 1


@of_either_kind(trials=4)
@pytest.mark.parametrize("faults", FAILURES.values(), ids=FAILURES)
def test_a_failed_call_at_any_step_of_a_job_costs_time_and_never_a_second_run(
    node: LoginNode, scene: Scene, faulty: Callable[[str], Controller], faults: list[str],
) -> None:
    """Else one lost answer would run a user's Job twice, or lose it."""
    faulty(",".join(f"{fault}:fail" for fault in faults))
    cluster_on(node, scene, ready=False)
    job = scene.job("once", script(scene.namespace, 0.2))
    job.wait("Complete", seconds=60)
    assert len(starts(node, scene.namespace)) == 1


@of_either_kind(jobs=2, trials=7, sessions=14)
@pytest.mark.parametrize("fault", DELETION)
def test_a_crash_at_any_step_of_a_deletion_leaves_nothing(
    node: LoginNode, scene: Scene, controller: Controller, faulty: Callable[[str], Controller], fault: str,
) -> None:
    """Else a deleted Job would go on using the cluster, or stay in Terminating."""
    broken = faulty(fault)
    cluster_on(node, scene, ready=False)
    job = scene.job("gone", script(scene.namespace, 300), cancellationGracePeriodSeconds=1)
    until(lambda: starts(node, scene.namespace), "the script to start")
    job.delete(wait=False)
    if fault.endswith("kill"):
        until(lambda: not broken.daemon.alive, f"the controller to die at {fault}", 60)
        controller.ensure()
    job.wait_gone()
    assert (work_on(node), running(node, "sleep 300")) == ([], [])
    assert len(starts(node, scene.namespace)) == 1


@of_either_kind(trials=0)
def test_twenty_running_jobs_survive_a_killed_controller_and_run_once_each(scene: Scene, hpc: SlurmCluster, controller: Controller) -> None:
    """Else every crash of the controller would cost users their running work."""
    scene.cluster(hpc)
    go = f"{scene.namespace}-go"
    wait = f"until [ -e ~/{go} ]; do sleep 0.5; done\n"
    jobs = [scene.job(f"job-{n}", script(f"{scene.namespace}-{n}", 0) + wait, memory="30Mi") for n in range(20)]
    until(lambda: sum(each.condition("Running").get("status") == "True" for each in jobs) >= 8, "Jobs to run", 60)
    controller.daemon.kill()
    controller.ensure()
    (hpc.home / go).touch()
    for job in jobs:
        job.wait("Complete", seconds=60)
    assert [len(starts(hpc, f"{scene.namespace}-{n}")) for n in range(20)] == [1] * 20
