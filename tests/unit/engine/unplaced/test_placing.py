"""Jobs of a Cluster of several bare hosts, until each has one."""

from dataclasses import replace
from typing import Any

import pytest
from structlog.testing import capture_logs

from fairlead.api.v1alpha1.cluster import ClusterSpec
from fairlead.domain.cluster.cluster import Cluster
from fairlead.domain.job.job import Job
from fairlead.domain.run.request import RunRequest, Submission
from fairlead.engine.cluster.cluster_record import ClusterRecord
from fairlead.engine.context import SiteContext
from fairlead.engine.owed.debts import Debts
from fairlead.engine.owed.overdue import Overdue
from fairlead.engine.registry import Registry
from fairlead.engine.trees import Trees
from fairlead.engine.unplaced.nowhere import Nowhere
from fairlead.engine.unplaced.placing import Placing
from fairlead.engine.writer import Writer
from fairlead.schedulers.process.preparer import ProcessPreparer
from fairlead.schedulers.process.scheduler import Process
from fairlead.schedulers.seam import Driver
from product.objects import a_cluster, a_job
from unit.engine.virtual import ONE, Virtual

HOSTS = [{"host": "a", "slots": 2}, {"host": "b", "slots": 4}]
SINCE = "2026-01-01T00:00:00Z"
SUSPENDED = {"conditions": [{"type": "Suspended", "status": "True", "reason": "JobSuspended", "lastTransitionTime": SINCE}]}


def driver_of(cluster: Cluster) -> Driver:
    """The real one: it is pure."""
    return Driver(Process(ONE, cluster.hosts[0]), ProcessPreparer(cluster.hosts))


def a_job_named(name: str, *, host: str = "", **fields: Any) -> Job:
    """A Job of its own, with a host if it was taken up."""
    job = a_job(uid=f"00000000-0000-4000-8000-{sum(name.encode()):012d}", has_finalizer=bool(host), **fields)
    return replace(job, ref=replace(job.ref, name=name), host=host)


class Yard:
    """Two hosts, and whoever waits for one."""

    def __init__(self, reached: str = "ab", *, deleting: bool = False, **spec: Any) -> None:
        self.virtual = Virtual()
        world, self.registry = self.virtual.world, Registry()
        self.left: list[Job] = []
        whole = a_cluster(deleting=deleting, process={"hosts": HOSTS}, **spec)
        fields = whole.spec.model_copy(update={"type": "Process", "endpoints": ()})
        self.cluster = replace(whole, spec=ClusterSpec.model_construct(**dict(fields)))
        self.registry.put_cluster(self.cluster)
        debts, writer = Debts(world), Writer(world, self.registry)
        nowhere = Nowhere(world, writer, Overdue(world, debts, writer))
        context = SiteContext(world, self.registry, ONE, debts, Trees(self.registry), driver_of, lambda _name, _seconds: None,
                              lambda _cluster, _site: False, lambda _uid: None, lambda: self.left, lambda _job: None, None)   # type: ignore[arg-type]
        self.placing = Placing(context, writer, nowhere, lambda _cluster, host: host[0] in reached, {})

    async def look(self, *jobs: Job) -> dict[str, str]:
        """For each Job its host, or the reason that it was told."""
        for job in jobs:
            self.registry.put_job(job)
        await self.placing.look(ClusterRecord(self.cluster, self.virtual.world, self.registry))
        seen = {}
        for job in self.registry.jobs:
            ready = job.status.condition("Ready")
            seen[job.ref.name] = job.host or (str(ready.reason) if ready else "")
        return seen


@pytest.mark.parametrize(("yard", "jobs", "seen"), [
    pytest.param({}, {"x": {}, "y": {"cpusPerTask": 4}}, {"x": "b:22", "y": "NoFreeHost"}, id="the older one first"),
    pytest.param({}, {"x": {}, "y": {"cpusPerTask": 4, "priority": 1}}, {"x": "a:22", "y": "b:22"}, id="the higher priority first"),
    pytest.param({}, {"x": {"host": "b:22", "cpusPerTask": 3}, "y": {"cpusPerTask": 2}}, {"x": "b:22", "y": "a:22"},
                 id="beside who is there"),
    pytest.param({}, {"x": {"host": "b:22", "cpusPerTask": 4, "status": SUSPENDED, "suspend": True}, "y": {"cpusPerTask": 4}},
                 {"x": "b:22", "y": "b:22"}, id="who is set aside takes nothing"),
    pytest.param({"reached": ""}, {"x": {}}, {"x": "ClusterNotReady"}, id="nobody answers"),
    pytest.param({"reached": "a"}, {"x": {"cpusPerTask": 3}}, {"x": "NoFreeHost"}, id="the only host that is large enough does not answer"),
    pytest.param({"deleting": True}, {"x": {}}, {"x": "ClusterTerminating"}, id="the Cluster goes"),
    pytest.param({"suspend": True}, {"x": {}}, {"x": "ClusterSuspended"}, id="the Cluster is suspended"),
    pytest.param({"limits": {"maxActiveJobs": 1}}, {"x": {}, "y": {}}, {"x": "b:22", "y": "ClusterLimitReached"}, id="one at a time"),
    pytest.param({}, {"x": {"scriptRef": {"name": "m", "key": "k"}}}, {"x": "ScriptRefNotFound"}, id="its script is not there yet"),
    pytest.param({}, {"x": {"suspend": True}}, {"x": "JobSuspended"}, id="it is to be set aside"),
    pytest.param({}, {"x": {"partition": "gpu"}}, {"x": "b:22"}, id="it can never run: a host says why"),
])
async def test_each_job_gets_a_host_or_a_reason(yard: dict[str, Any], jobs: dict[str, Any], seen: dict[str, str]) -> None:
    """Else a Job would wait in silence, or run where no room is."""
    assert await Yard(**yard).look(*(a_job_named(name, **fields) for name, fields in jobs.items())) == seen


async def test_a_job_that_was_taken_up_and_does_not_say_where_is_begun_nowhere() -> None:
    """Else it would run a second time, on another host."""
    yard = Yard()
    lost = replace(a_job_named("x", host="a:22"), host="")
    assert await yard.look(lost) == {"x": "HostUnknown"}


@pytest.mark.parametrize(("wish", "room", "seen"), [
    pytest.param("", "b", "b:22", id="none"),
    pytest.param("a:22", "ab", "a:22", id="a host of the Cluster"),
    pytest.param("a:22", "b", "NoFreeHost", id="no way around a host that has no room"),
    pytest.param("evil:22", "ab", "b:22", id="no host of the Cluster"),
])
async def test_a_host_that_a_person_names_is_a_wish_and_no_way_around_placement(wish: str, room: str, seen: str) -> None:
    """Else whoever makes a Job with our marks on it would choose where it runs, past who waits."""
    job = replace(a_job_named("x", status={}), has_finalizer=True, wished_host=wish)
    assert await Yard(room).look(job) == {"x": seen}


async def test_a_job_that_has_ended_is_released_wherever_it_ran() -> None:
    """Else it could not be deleted, for the sake of an annotation."""
    yard = Yard()
    over = {"conditions": [{"type": "Complete", "status": "True", "reason": "Completed", "lastTransitionTime": SINCE}]}
    await yard.look(replace(a_job_named("x", status=over), has_finalizer=True))
    assert [each.name for each in yard.virtual.store.released] == ["x"]


async def test_who_waits_is_told_once() -> None:
    """Else each look would be a write for each Job that waits."""
    yard = Yard("")
    await yard.look(a_job_named("x"))
    await yard.look()
    assert len(yard.virtual.store.statuses) == 1


@pytest.mark.parametrize(("limits", "seen"), [({}, "NoFreeHost"), ({"maxActiveJobs": 1}, "ClusterLimitReached")], ids=["slots", "places"])
async def test_a_job_that_left_the_watch_while_it_runs_keeps_its_place(limits: dict[str, int], seen: str) -> None:
    """Else a label on a Job that runs would give its slots away, and its place of maxActiveJobs."""
    yard = Yard(limits=limits)
    runs = a_job_named("runs", host="b:22", cpusPerTask=4)
    await yard.look(runs)
    yard.registry.drop_job(runs.ref.uid)
    yard.left.append(runs)
    yard.placing.forget_gone()
    assert await yard.look(a_job_named("x", cpusPerTask=3)) == {"x": seen}
    yard.left.clear()
    assert await yard.look() == {"x": "b:22"}


async def test_a_job_that_cannot_be_measured_keeps_no_other_from_its_host() -> None:
    """Else one Job that meets a fault of ours would keep everybody from every host of a Cluster."""
    yard = Yard()
    real = yard.placing.context.driver_of

    class Preparer:
        def prepare(self, request: RunRequest) -> Submission:
            if request.owner.name == "x":
                raise ZeroDivisionError
            return real(yard.cluster).preparer.prepare(request)

    context = replace(yard.placing.context, driver_of=lambda cluster: Driver(real(cluster).scheduler, Preparer()))
    yard.placing = replace(yard.placing, context=context)
    with capture_logs() as logs:
        assert (await yard.look(a_job_named("x"), a_job_named("y")))["y"] == "b:22"
        await yard.placing.writer.tell_mishaps()
    assert [each["job"] for each in logs if each["event"] == "mishap"] == ["jobs/lab/x"]
    assert (await yard.look())["x"] == "InternalError"
