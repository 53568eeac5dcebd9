"""The label of finished Jobs, put on by hand or carried along in an exported manifest."""

from collections.abc import Callable
from typing import Any

import pytest

from bed.slurm import SlurmCluster
from product.controller import Controller
from product.scene import Scene, Thing
from product.tenants import Tenant
from product.waiting import until

FINISHED = {"fairlead.dev/finished": "true"}
ENDLESS = "#!/bin/sh\nexec sleep 600\n"
MERGE = "application/merge-patch+json"


def label_of(job: Thing) -> str | None:
    """The label as it stands."""
    found: dict[str, Any] = job.read() or {"metadata": {}}
    return (found["metadata"].get("labels") or {}).get("fairlead.dev/finished")


def test_a_manifest_exported_from_a_finished_job_runs_again(hpc: SlurmCluster, scene: Scene, tenant: Callable[..., Tenant]) -> None:
    """Else a Job that is applied from a backup never runs, and nobody is told."""
    scene.cluster(hpc)
    person = tenant(scene)
    job = person.creates({"metadata": {"name": "again"}, "spec": {"clusterRef": {"name": "hpc"}, "command": ["true"]}})
    job.wait("Complete")
    until(lambda: label_of(job) == "true", "the label of a finished Job")
    saved: dict[str, Any] = job.read() or {}
    job.delete()
    kept = {name: saved["metadata"][name] for name in ("name", "labels")}
    kept["finalizers"] = ["fairlead.dev/remote-run"]
    again = person.creates({"metadata": kept, "spec": saved["spec"], "status": saved["status"]})
    again.wait("Complete")
    assert Thing(scene, "jobs", "again").wait_event("LabelRemoved")["type"] == "Warning"
    until(lambda: label_of(again) == "true", "the label of a Job that has ended")


@pytest.mark.parametrize("meanwhile", ["deleted", "the controller is away"])
def test_a_running_job_with_the_label_is_neither_lost_nor_stuck(
        hpc: SlurmCluster, scene: Scene, tenant: Callable[..., Tenant], controller: Controller, meanwhile: str) -> None:
    """Else its deletion hangs for ever, and what it has on the cluster runs on."""
    scene.cluster(hpc)
    person = tenant(scene)
    job = person.creates({"metadata": {"name": "runs"}, "spec": {
        "clusterRef": {"name": "hpc"}, "script": ENDLESS, "cancellationGracePeriodSeconds": 1}})
    job.wait("Running")
    if meanwhile != "deleted":
        controller.daemon.kill()
    assert person.tries("PATCH", job.path, {"metadata": {"labels": FINISHED}}, MERGE) == 200
    if meanwhile == "deleted":
        job.delete()
    else:
        controller.ensure()
        until(lambda: label_of(job) is None, "the label to be taken off")
        assert job.condition("Running")["status"] == "True"
        job.delete()
    assert hpc.jobs_active() == []
