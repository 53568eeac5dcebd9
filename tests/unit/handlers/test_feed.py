"""What the watch and the lists say, read one by one."""

from collections.abc import AsyncIterator
from typing import Any, cast

from structlog.testing import capture_logs

from fairlead.api.v1alpha1 import names
from fairlead.app.kinds import KINDS
from fairlead.domain.job.job_kind import JOB
from fairlead.domain.run.watched import WatchedOwner
from fairlead.engine.registry import Registry
from fairlead.handlers.feed import relist, take_owner
from fairlead.kube.lists import Lists
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
        take_owner(registry, JOB, "ADDED", body(UID, "not a number"))
        take_owner(registry, JOB, "ADDED", body(OTHER, "5"))
    assert [job.ref.uid for job in registry.jobs] == [OTHER]
    assert [(each["event"], each["name"]) for each in logs] == [("object_unreadable", "job-1111")]


def test_an_object_whose_news_goes_wrong_keeps_no_other_from_being_known() -> None:
    """Else one Job whose site cannot be opened would end the list that all depend on."""
    registry = Registry()

    def news(job: WatchedOwner) -> None:
        if job.ref.uid == UID:
            raise ZeroDivisionError

    registry.on_job = news
    with capture_logs() as logs:
        take_owner(registry, JOB, "ADDED", body(UID, "4"))
        take_owner(registry, JOB, "ADDED", body(OTHER, "5"))
        registry.replace([], tuple(registry.jobs), {UID, OTHER}, set())
    assert {job.ref.uid for job in registry.jobs} == {UID, OTHER}
    assert [each["event"] for each in logs] == ["look_failed"]


class Dark:
    """Lists that are empty, and of which one namespace cannot be had."""

    dark = frozenset({"lab"})

    async def objects(self, _plural: str, _selector: str, _page_size: int) -> AsyncIterator[dict[str, Any]]:
        """Nothing."""
        for each in ():
            yield each


async def test_what_is_known_of_a_namespace_that_cannot_be_listed_stays_known() -> None:
    """Else all that runs for a namespace would count as gone when its Role is taken away."""
    registry = Registry()
    take_owner(registry, JOB, "ADDED", body(UID, "4"))
    elsewhere = body(OTHER, "5")
    elsewhere["metadata"]["namespace"] = "physics"
    take_owner(registry, JOB, "ADDED", elsewhere)
    await relist(cast("Lists", Dark()), registry, KINDS, grace_seconds=0)
    assert [job.ref.uid for job in registry.jobs] == [UID]
