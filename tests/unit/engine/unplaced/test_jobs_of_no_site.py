"""Looks at all Jobs for those that no site has: what they cost the others, and what a tenant can do to them."""

import asyncio
from contextlib import suppress
from dataclasses import replace
from typing import Any

from fairlead.domain.errors import Unavailable
from fairlead.domain.job.job import Job
from fairlead.engine.controller import Controller
from fairlead.engine.owed.debts import Debts
from fairlead.engine.owed.overdue import Overdue
from fairlead.engine.registry import Registry
from fairlead.engine.unplaced import unplaced
from fairlead.engine.unplaced.nowhere import Nowhere
from fairlead.engine.unplaced.unplaced import Unplaced
from fairlead.engine.writer import Writer
from fairlead.web.health import Heartbeats
from product.objects import a_cluster, a_job
from unit.engine.virtual import ONE, SETTINGS, Virtual, driver_of


class Hall:
    """All Jobs of an installation, and who looks at them, on fakes."""

    def __init__(self, **spec: Any) -> None:
        self.virtual, self.registry = Virtual(), Registry()
        self.registry.put_cluster(a_cluster(**spec))
        world = self.virtual.world
        self.writer = Writer(world, self.registry)
        nowhere = Nowhere(world, self.writer, Overdue(world, Debts(world), self.writer))
        self.unplaced = Unplaced(world, self.registry, self.writer, nowhere)

    def put(self, namespace: str, number: int, **fields: Any) -> Job:
        """One more Job, or a change of it."""
        job = a_job(uid=f"{namespace}-{number}", has_finalizer=False, clusterRef={"name": "hpc", "namespace": "lab"})
        known = self.registry.job(job.ref.uid)
        job = replace(known or replace(job, ref=replace(job.ref, namespace=namespace, name=job.ref.uid)), **fields)
        job = replace(job, resource_version=job.resource_version + 1)
        self.registry.put_job(job)
        return job


async def test_a_look_at_many_jobs_lets_others_have_their_turn() -> None:
    """Else each look at thousands of Jobs would hold up every connection and every write of all the others."""
    hall, turns = Hall(), 0
    for number in range(2000):
        hall.put("lab", number)

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    beside = asyncio.create_task(others())
    await hall.unplaced.look()
    await hall.unplaced.tell_misled()
    beside.cancel()
    assert turns >= 2000 // unplaced.JOBS_AT_ONCE
    assert hall.virtual.store.statuses == []


async def test_who_is_refused_or_names_no_cluster_is_told() -> None:
    """Else it would wait without a word."""
    hall = Hall()
    hall.put("lab", 1)
    hall.put("mean", 1)
    gone = a_job(has_finalizer=False, clusterRef={"name": "none"})
    hall.registry.put_job(gone)
    await hall.unplaced.look()
    told = {job.ref.uid: ready.reason for job in hall.registry.jobs if (ready := job.status.condition("Ready"))}
    assert told == {"mean-1": "NamespaceNotAllowed", gone.ref.uid: "ClusterNotFound"}


async def test_thousands_of_changed_annotations_cost_a_few_events_a_look_and_nobody_elses() -> None:
    """Else one tenant could have the controller write Events without end while others wait for a host."""
    hall = Hall()
    for number in range(1000):
        hall.put("mean", number, host="a:22", wished_host="b:22")
    hall.put("lab", 1, host="a:22", wished_host="b:22")
    told: list[str] = []

    async def record(ref: Any, _: Any) -> None:
        told.append(ref.namespace)

    hall.virtual.store.record_event = record  # type: ignore[method-assign]
    await hall.unplaced.look()
    assert told == [], "first they are told what they wait for who wait"
    await hall.unplaced.tell_misled()
    assert len(told) == unplaced.EVENTS_IN_ONE_LOOK
    assert "lab" in told


async def test_an_annotation_that_is_set_back_and_changed_again_is_told_once() -> None:
    """Else a tenant could have Events written as often as he likes."""
    hall = Hall()
    for wished in ("b:22", "", "c:22", "a:22", "b:22"):
        hall.put("lab", 1, host="a:22", wished_host=wished)
        await hall.unplaced.tell_misled()
    assert hall.virtual.store.told == ["HostKept"]


async def test_labels_without_an_answer_are_as_they_were_for_a_minute() -> None:
    """Else one read that the API server did not answer would keep Jobs that run out of their Cluster."""
    hall = Hall(allowedNamespaces={"from": "Selector", "selector": {"matchLabels": {"team": "a"}}})
    job, cluster = hall.put("guest", 1), hall.registry.clusters
    [hpc] = cluster
    hall.virtual.data.labels = {"guest": {"team": "a"}}

    async def admitted(after_seconds: float) -> bool:
        hall.virtual.clock.seconds += after_seconds
        await hall.unplaced.look()
        return hall.registry.refusal(job, hpc) is None

    assert await admitted(0)
    hall.virtual.data.fault = Unavailable("no answer")
    assert await admitted(10)
    assert await admitted(SETTINGS.labels_kept_seconds - 11)
    assert not await admitted(2), "rights that were taken from us are no admission for ever"
    hall.virtual.data.fault = None
    assert await admitted(10)
    hall.virtual.data.labels = {}
    assert not await admitted(10), "a namespace that is gone is known to be gone"


async def test_who_changes_jobs_without_end_has_nobody_look_without_end() -> None:
    """Else any tenant could keep the controller busy with looks at all Jobs of all others."""
    virtual, registry, looks = Virtual(), Registry(), 0
    controller = Controller(virtual.world, registry, ONE, driver_of, Heartbeats(virtual.clock.monotonic))
    real = virtual.leadership.leads

    def leads() -> bool:
        nonlocal looks
        looks += 1
        return real()

    working = asyncio.create_task(controller.run())
    for _ in range(100):
        await asyncio.sleep(0)
    virtual.leadership.leads = leads  # type: ignore[method-assign]
    for version in range(100):
        registry.put_job(a_job(version=1000 + version, has_finalizer=False))
        for _ in range(10):
            await asyncio.sleep(0)
    working.cancel()
    with suppress(asyncio.CancelledError):
        await working
    assert looks < 10
