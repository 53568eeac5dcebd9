"""A Job's way from apply to its id as a collector of OpenTelemetry sees it: whole, in order, and without names or secrets."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from collector import Collector, collecting

from bed.controlplane import ControlPlane
from bed.existing import ExistingControlPlane
from bed.slurm import SlurmCluster
from bed.state import Bed
from product.account import account
from product.controller import Controller
from product.scene import Scene
from product.waiting import until

LIBRARY = "google/_upb"              # what OpenTelemetry brings along
ATTRIBUTES = {"fairlead.run.key", "fairlead.scheduler", "fairlead.outcome", "fairlead.steps_left_out", "fairlead.jobs"}
STEPS = {
    "apply to id": {""}, "take up": {"apply to id"}, "prepare": {"apply to id"}, "hand in": {"apply to id"},
    "connect": {"hand in"}, "exec": {"hand in"}, "write status": {"apply to id", "take up"},
}
"""Each step, and within which it may be."""
ERROR = 2


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as collector:
        yield collector


@pytest.fixture
def tracing(bed: Bed, plane: ControlPlane | ExistingControlPlane, controller: Controller, collector: Collector) -> Iterator[Controller]:
    """A controller that was told of the collector, in the place of the session's."""
    controller.stop()
    one = Controller(bed, account(plane), "tracing", env={"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_BSP_SCHEDULE_DELAY": "100",
                                                          "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=bed"})
    yield one.start()
    one.stop()
    controller.ensure()


def test_a_job_is_one_trace_from_apply_to_its_id(own: SlurmCluster, scene: Scene, tracing: Controller, collector: Collector) -> None:
    """Who looks for what makes Jobs slow would see steps that belong to nothing, or to another Job; or read names that are not his."""
    scene.cluster(own)
    applied = time.time()
    job = scene.job("secretive", "#!/bin/sh\n# planted-in-script\ntrue\n", env=[{"name": "TOKEN", "value": "planted-in-env"}])
    job.wait("Complete")
    refused = scene.job("refused", partition="planted-partition")
    refused.wait("Failed", reason="SubmissionRejected")
    assert LIBRARY in Path(f"/proc/{tracing.daemon.pid}/maps").read_text(encoding="utf-8"), "which the last test looks for"
    keys = {"job": f"{job.uid}-1", "refused": f"{refused.uid}-1"}
    until(lambda: collector.trace_of(keys["job"]) and collector.trace_of(keys["refused"]), "both traces")
    for name, key in keys.items():
        spans = collector.trace_of(key)
        by_id = {span.span_id: span for span in spans}
        [root] = [span for span in spans if not span.parent_span_id]
        values = {each.key: each.value.string_value for each in root.attributes}
        assert (values["fairlead.run.key"], values["fairlead.scheduler"]) == (key, "Slurm")
        assert values["fairlead.outcome"] == ("ok" if name == "job" else "SubmissionRejected")
        assert (root.status.code == ERROR) is (name == "refused")
        assert {span.name for span in spans} >= STEPS.keys() - {"connect"}, "every step is there"
        for span in spans:
            parent = by_id.get(span.parent_span_id)
            assert (parent.name if parent else "") in STEPS[span.name]
            assert {each.key for each in span.attributes} <= ATTRIBUTES
            assert span.start_time_unix_nano <= span.end_time_unix_nano
            if parent:
                assert parent.start_time_unix_nano <= span.start_time_unix_nano
                assert span.end_time_unix_nano <= parent.end_time_unix_nano
        assert applied - 1 <= root.start_time_unix_nano / 1e9 <= root.end_time_unix_nano / 1e9 <= time.time()
    assert {each["service.name"] for each in collector.resources()} == {"fairlead"}
    assert {each["deployment.environment.name"] for each in collector.resources()} == {"bed"}
    sent = b"".join(collector.bodies)
    planted = ["secretive", "planted", scene.namespace, "hpc", own.host, own.user, *own.private_key.splitlines()[1:-1]]
    assert [word for word in planted if word.encode() in sent] == []


def test_a_collector_that_hangs_holds_up_neither_jobs_nor_the_end(
        own: SlurmCluster, scene: Scene, tracing: Controller, collector: Collector) -> None:
    """A collector that is away would stop the work, or have Kubernetes kill the controller at each update."""
    collector.hangs.set()
    scene.cluster(own)
    scene.job("first").wait("Complete")
    scene.job("second").wait("Complete")
    tracing.daemon.term(10)
    assert tracing.daemon.exit_code == 0


def test_who_asks_for_no_traces_does_not_even_load_them(controller: Controller) -> None:
    """Everybody would pay for what few use, in memory and in what may go wrong."""
    assert LIBRARY not in Path(f"/proc/{controller.daemon.pid}/maps").read_text(encoding="utf-8")
