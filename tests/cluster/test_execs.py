"""What a hundred Jobs cost a login node in commands, counted by its own sshd; in `make test` forty."""

import math
import re
import time
from collections.abc import Callable

import pytest

from bed.slurm import SlurmCluster
from product.api import GROUP
from product.controller import Controller
from product.scene import Scene
from product.waiting import until

JOBS, JOBS_HERE = 100, 40            # here too, more than one batch
CANCELLED = 10
SUBMIT_BATCH = 25                    # engine.submit_batch
LANES = 3
INTERVAL_SECONDS = 1.0


def execs(controller: Controller) -> dict[str, int]:
    """How many commands were run so far, by purpose, as the metric counts them."""
    found = re.findall(r'^fairlead_exec_ended_seconds_count\{kind="(\w+)",outcome="\w+"\} ([0-9.]+)$', controller.metrics(), re.MULTILINE)
    return {kind: sum(int(float(number)) for each, number in found if each == kind) for kind, _ in found}


def since(before: dict[str, int], after: dict[str, int]) -> dict[str, int]:
    """What came on top."""
    return {kind: number - before.get(kind, 0) for kind, number in after.items() if number != before.get(kind, 0)}


def phases(scene: Scene) -> list[str]:
    """The phases of all Jobs."""
    return [job.get("status", {}).get("phase", "") for job in scene.jobs()]


@pytest.mark.long
@pytest.mark.timeout(300)
def test_a_hundred_jobs_cost_one_exec_a_poll_and_one_a_batch(
    own: SlurmCluster, scene: Scene, controller: Controller, rounds: Callable[[int], int],
) -> None:
    """Else a hundred Jobs would put a hundred times the load on a login node, and its administrators would lock us out."""
    jobs = max(rounds(JOBS), JOBS_HERE)
    polling = {"intervalSeconds": INTERVAL_SECONDS, "maxIntervalSeconds": INTERVAL_SECONDS, "timeoutSeconds": 10}
    cluster = scene.cluster(own, polling=polling, suspend=True, ready=False)
    cluster.wait("Ready", "False", reason="Suspended")
    for number in range(jobs):
        scene.job(f"j{number}", f"#!/bin/sh\nsleep {1 if number < jobs - CANCELLED else 600}\n", cancellationGracePeriodSeconds=1)
    until(lambda: phases(scene) == ["Pending"] * jobs, "all Jobs to be known", 60)
    sessions, before, began = own.sshd_log().count("Starting session"), execs(controller), time.monotonic()
    cluster.change(suspend=False)
    until(lambda: phases(scene).count("Complete") == jobs - CANCELLED, "the short Jobs to end", 120)
    submitted = since(before, execs(controller))

    cluster.change(suspend=True)         # so that all deletions are there at once
    cluster.wait("Ready", "False", reason="Suspended")
    for job in scene.jobs():
        scene.api.delete(f"{GROUP}/namespaces/{scene.namespace}/jobs/{job['metadata']['name']}")
    cluster.change(suspend=False)
    until(lambda: not scene.jobs(), "all Jobs to be gone", 100)
    seconds, counted = time.monotonic() - began, since(before, execs(controller))
    seen = own.sshd_log().count("Starting session") - sessions
    print(f"{jobs} Jobs, {CANCELLED} of them cancelled, {seconds:.0f} s: {counted}")
    assert submitted["submit"] == math.ceil(jobs / SUBMIT_BATCH), "one a batch"
    assert counted["observe"] <= seconds / (0.9 * INTERVAL_SECONDS) + 2, "one a poll"
    assert counted["cancel"] < CANCELLED, "one a batch, and again while jobs are ending"
    assert abs(sum(counted.values()) - seen) <= 3 * LANES, "the metric has every one but those given up while they were being opened"
