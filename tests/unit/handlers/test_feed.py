"""What the watch and the lists say, read one by one."""

from typing import Any

from structlog.testing import capture_logs

from fairlead.api.v1alpha1 import names
from fairlead.domain.job import Job
from fairlead.engine.registry import Registry
from fairlead.handlers.feed import take_job
from product.objects import UID

OTHER = "22222222-2222-4333-8444-555555555555"


def body(uid: str, version: str) -> dict[str, Any]:
    """A Job as the API server sends it."""
    meta = {"name": f"job-{uid[:4]}", "namespace": "lab", "uid": uid, "resourceVersion": version, "generation": 1}
    return {"kind": names.JOB_KIND, "metadata": meta, "spec": {"clusterRef": {"name": "hpc"}, "command": ["true"]}}


def test_an_object_that_cannot_be_read_keeps_no_other_from_being_known() -> None:
    """Else one object that nobody foresaw would end the watch of all."""
    registry = Registry()
    with capture_logs() as logs:
        take_job(registry, "ADDED", body(UID, "not a number"))
        take_job(registry, "ADDED", body(OTHER, "5"))
    assert [job.ref.uid for job in registry.jobs] == [OTHER]
    assert [(each["event"], each["name"]) for each in logs] == [("object_unreadable", "job-1111")]


def test_an_object_whose_news_goes_wrong_keeps_no_other_from_being_known() -> None:
    """Else one Job whose site cannot be opened would end the list that all depend on."""
    registry = Registry()

    def news(job: Job) -> None:
        if job.ref.uid == UID:
            raise ZeroDivisionError

    registry.on_job = news
    with capture_logs() as logs:
        take_job(registry, "ADDED", body(UID, "4"))
        take_job(registry, "ADDED", body(OTHER, "5"))
        registry.replace([], tuple(registry.jobs), {UID, OTHER}, set())
    assert {job.ref.uid for job in registry.jobs} == {UID, OTHER}
    assert [each["event"] for each in logs] == ["look_failed"]
