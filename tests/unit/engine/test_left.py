"""Jobs that leave the watch without an end: a label did it, or somebody took our finalizer off."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from structlog.testing import capture_logs

from fairlead.domain.job.job import Job
from fairlead.domain.run.answers import CancelAnswer
from fairlead.engine.controller import Controller
from fairlead.engine.registry import Registry
from fairlead.schedulers.seam import Removed
from fairlead.web.health import Heartbeats
from product.objects import a_cluster, a_job, submitted
from unit.engine.virtual import ONE, Virtual, driver_of

RUNS = a_job(status=submitted())


def told(kind: str, status: str, reason: str) -> dict[str, str]:
    """A condition."""
    return {"type": kind, "status": status, "reason": reason, "lastTransitionTime": "2026-01-01T00:00:00Z"}


class House:
    """A controller with one Cluster, whose loops for leftovers are the test's to turn."""

    def __init__(self) -> None:
        self.virtual, self.registry = Virtual(), Registry()
        answers = self.virtual.remote.answers
        answers |= dict.fromkeys(("remove", "sweep"), Removed(frozenset(), (), complete=True))
        answers["cancel"] = {key: CancelAnswer(True, claim="7") for key in RUNS.keys}
        self.registry.put_cluster(a_cluster())
        hearts = Heartbeats(self.virtual.clock.monotonic)
        self.controller = Controller(self.virtual.world, self.registry, ONE, driver_of, hearts)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """While it runs, and has reached its Cluster."""
        with capture_logs():
            task = asyncio.create_task(self.controller.run())
            await self.turns()
            yield
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def turns(self, seconds: float = 0) -> None:
        """Let everything that can happen now happen."""
        self.virtual.clock.seconds += seconds
        for _ in range(200):
            for site in self.controller._sites.values():
                site.wake()
            await asyncio.sleep(0)

    def left(self) -> list[str]:
        """The uids of those who keep their places."""
        return [job.ref.uid for job in self.controller._context.left()]


async def test_a_job_that_was_labelled_as_finished_keeps_its_place_until_it_is_back() -> None:
    """Else one label on each Job that runs lets as many again past maxActiveJobs."""
    house = House()
    async with house.running():
        house.registry.put_job(RUNS)
        house.registry.drop_job(RUNS.ref.uid)
        house.virtual.data.finished = [RUNS.ref]
        await house.controller._leftovers.look()
        assert house.left() == [RUNS.ref.uid]
        house.registry.put_job(RUNS)
        assert house.left() == []


async def test_a_job_that_went_without_our_finalizer_keeps_its_place_until_nothing_of_it_runs() -> None:
    """Else the same by taking our finalizer off; or the place is lost for good."""
    house = House()
    house.virtual.remote.answers["remove"] = Removed(frozenset(RUNS.keys), (), complete=True)
    async with house.running():
        house.registry.put_job(RUNS)
        house.registry.drop_job(RUNS.ref.uid)
        await house.controller._leftovers.look()
        assert house.left() == [RUNS.ref.uid], "its object is gone, and what it runs is about to be told to end"
        for _ in range(20):
            await house.turns(60)
        assert house.left() == []


@pytest.mark.parametrize("job", [
    pytest.param(a_job(has_finalizer=False), id="it was never begun"),
    pytest.param(a_job(status=submitted(conditions=[told("Complete", "True", "Completed")])), id="it has ended"),
    pytest.param(a_job(status=submitted(conditions=[told("Submitted", "False", "NamespaceNotAllowed")])), id="it was kept out"),
])
async def test_who_had_no_place_keeps_none(job: Job) -> None:
    """Else places would be taken by those who need none."""
    house = House()
    async with house.running():
        house.registry.put_job(job)
        house.registry.drop_job(job.ref.uid)
        assert house.left() == []


async def test_a_cluster_that_is_gone_takes_its_jobs_along() -> None:
    """Else a Cluster that is made anew would have places taken for ever."""
    house = House()
    async with house.running():
        house.registry.put_job(RUNS)
        house.registry.drop_job(RUNS.ref.uid)
        known = house.registry.cluster_named(RUNS.cluster)
        assert known is not None
        house.registry.drop_cluster(known.ref.uid)
        assert house.left() == []
