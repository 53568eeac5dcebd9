"""On a bare host, too: the controller dies, or a call fails, at each step of a Job's life; the next goes on."""

from collections.abc import Callable

import pytest

from bed.sshd import SshHost
from once.test_crashes import DELETION, FAILURES, STEPS
from product.controller import Controller
from product.scene import Scene
from product.starts import starts
from product.waiting import until


def script(name: str, seconds: float) -> str:
    """A script that writes down each of its starts."""
    return f"#!/bin/sh\necho $FAIRLEAD_RUN >> ~/{name}\nsleep {seconds}\n"


@pytest.mark.parametrize("fault", STEPS)
def test_a_crash_at_any_step_of_a_run_costs_time_and_never_a_second_one(
    bare: SshHost, scene: Scene, controller: Controller, faulty: Callable[[str], Controller], fault: str,
) -> None:
    """Else a restart of the controller would run users' Jobs twice, or lose them."""
    broken = faulty(fault)
    scene.bare_host(bare, ready=False)
    job = scene.job("once", script(scene.namespace, 0.2))
    until(lambda: not broken.daemon.alive, f"the controller to die at {fault}", 20)
    controller.ensure()
    job.wait("Complete")
    assert len(starts(bare, scene.namespace)) == 1


@pytest.mark.parametrize("faults", FAILURES.values(), ids=FAILURES)
def test_a_failed_call_at_any_step_of_a_run_costs_time_and_never_a_second_one(
    bare: SshHost, scene: Scene, faulty: Callable[[str], Controller], faults: list[str],
) -> None:
    """Else one lost answer would run a user's Job twice, or lose it."""
    faulty(",".join(f"{fault}:fail" for fault in faults))
    scene.bare_host(bare, ready=False)
    job = scene.job("once", script(scene.namespace, 0.2))
    job.wait("Complete")
    assert len(starts(bare, scene.namespace)) == 1


@pytest.mark.parametrize("fault", DELETION)
def test_a_crash_at_any_step_of_a_runs_deletion_leaves_nothing(
    bare: SshHost, scene: Scene, controller: Controller, faulty: Callable[[str], Controller], fault: str,
) -> None:
    """Else a deleted Job would go on using the host, or stay in Terminating."""
    broken = faulty(fault)
    scene.bare_host(bare, ready=False)
    job = scene.job("gone", script(scene.namespace, 300), cancellationGracePeriodSeconds=1)
    until(lambda: starts(bare, scene.namespace), "the script to start")
    job.delete(wait=False)
    if fault.endswith("kill"):
        until(lambda: not broken.daemon.alive, f"the controller to die at {fault}", 20)
        controller.ensure()
    job.wait_gone()
    assert len(starts(bare, scene.namespace)) == 1
