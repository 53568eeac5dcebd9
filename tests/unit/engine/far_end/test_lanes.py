"""The lanes of a site: how much is under way at once, and that nothing of one Job ever is. In virtual time."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from fairlead.api.v1alpha1.reasons import ClusterReason
from fairlead.domain.errors import Unreachable
from fairlead.domain.objects import ObjectRef
from fairlead.domain.run.answers import SubmitAnswer, SubmitWord
from fairlead.domain.run.observation import Observation
from fairlead.domain.run.steps import Submit, Watch
from fairlead.engine.far_end.exchanges import Exchanges, Work
from fairlead.engine.far_end.lanes import Lanes
from fairlead.engine.far_end.link import Link
from fairlead.engine.registry import Registry
from fairlead.engine.writer import Writer
from product.objects import a_cluster, a_job
from unit.engine.virtual import ONE, Virtual, driver_of


class Bench:
    """The lanes over fakes: no write is done before `written` is set, and each submission is answered with an id."""

    def __init__(self) -> None:
        self.virtual = Virtual()
        self.written = asyncio.Event()
        self.free: list[tuple[str, bool]] = []
        self.jobs = [a_job(uid=f"1111111{number}-2222-4333-8444-555555555555") for number in range(4)]
        self.virtual.remote.answers["submit"] = {job.key: SubmitAnswer(SubmitWord.SUBMITTED, "7") for job in self.jobs}
        real_write = self.virtual.store.write_status

        async def write(ref: ObjectRef, status: Mapping[str, Any], *, expected_attempt: int | None = None) -> str:
            await self.written.wait()
            return await real_write(ref, status, expected_attempt=expected_attempt)

        self.virtual.store.write_status = write  # type: ignore[method-assign]
        registry, world, cluster = Registry(), self.virtual.world, a_cluster()
        for job in self.jobs:
            registry.put_job(job)
        self.link = Link(world, ONE, driver_of)
        self.writer = Writer(world, registry)
        work = Work(world, self.link, self.writer, registry.job, lambda: driver_of(cluster))
        self.lanes = Lanes(world.clock, lambda lane, changed: self.free.append((lane, changed)))
        self.exchanges = Exchanges(work, self.lanes)
        self.cluster = cluster

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Connected, and closed at the end."""
        assert await self.link.ensure(self.cluster)
        try:
            yield
        finally:
            await self.lanes.close()

    def submit(self, number: int) -> None:
        """One Job is a batch here."""
        self.exchanges.submit([(self.jobs[number], Submit(resubmit=False, previous_is_lost=False))])

    async def turns(self) -> None:
        """Let everything that can happen now happen."""
        for _ in range(30):
            await asyncio.sleep(0)

    def ids(self) -> int:
        """How many have been written down."""
        return sum(bool(status.get("run", {}).get("id")) for status in self.virtual.store.statuses)


async def test_the_next_batch_is_submitted_while_the_ids_of_the_last_are_written_down() -> None:
    """Else the cluster would stand idle for as long as the API server takes, and the API server while sbatch runs."""
    bench = Bench()
    async with bench.running():
        bench.submit(0)
        await bench.turns()
        assert bench.lanes.is_free("submit")
        bench.submit(1)
        await bench.turns()
        assert bench.virtual.remote.count("submit") == 2
        assert bench.ids() == 0
        bench.written.set()
        await bench.turns()
        assert bench.ids() == 2


async def test_no_more_than_one_batch_waits_to_be_written_down_before_the_next_exec() -> None:
    """Else an API server that hangs would have ids of hundreds of Jobs lost with the controller."""
    bench = Bench()
    async with bench.running():
        for number in range(2):
            bench.submit(number)
            await bench.turns()
        assert not bench.lanes.is_free("submit")
        bench.written.set()
        await bench.turns()
        assert bench.lanes.is_free("submit")
        assert bench.ids() == 2


async def test_what_is_about_to_be_sent_may_be_there_from_then_on() -> None:
    """Else an old empty look would keep out a Job whose submission got no answer, and what it runs would be watched by nobody."""
    bench = Bench()
    job = bench.jobs[0]
    bench.writer.remember(job, replace(bench.writer.memory(job), nowhere_since=0.0, nowhere=True))
    bench.virtual.remote.answers["submit"] = Unreachable("the connection broke", ClusterReason.CONNECT_TIMEOUT)
    async with bench.running():
        bench.submit(0)
        bench.writer.mishaps.note(job, "written down", ValueError())   # it rests when the answer would be settled
        await bench.turns()
        assert bench.virtual.remote.count("submit") == 1
    assert (bench.writer.memory(job).nowhere_since, bench.writer.memory(job).nowhere) == (None, False)


async def test_a_job_is_in_no_other_lane_until_its_id_is_written_down() -> None:
    """Else it could be cancelled by what was known before its submission, which still ran."""
    bench = Bench()
    async with bench.running():
        bench.submit(0)
        await bench.turns()
        bench.submit(1)
        await bench.turns()
        assert [bench.lanes.is_busy(job.ref.uid) for job in bench.jobs] == [True, True, False, False]
        bench.written.set()
        await bench.turns()
        assert not any(bench.lanes.is_busy(job.ref.uid) for job in bench.jobs)


async def test_lanes_that_are_closed_give_up_what_is_being_written_down_too() -> None:
    """Else a controller that stops would wait for an API server that hangs."""
    bench = Bench()
    async with bench.running():
        for number in range(2):
            bench.submit(number)
            await bench.turns()
        await bench.lanes.close()
        assert bench.ids() == 0
        assert not any(bench.lanes.is_busy(job.ref.uid) for job in bench.jobs)


async def test_what_a_poll_had_no_time_for_is_not_judged_and_comes_first_in_the_next() -> None:
    """Of thousands that end at once the same ones would be looked at each time, and the others be called gone or never be seen."""
    bench = Bench()
    keys = [job.key for job in bench.jobs]
    bench.virtual.remote.answers["observe"] = Observation({}, {}, {}, later=frozenset(keys[2:]))
    async with bench.running():
        judged: list[object] = []
        bench.exchanges._observed = lambda job, *_: _noted(judged, job.key)  # type: ignore[method-assign]
        for _ in range(2):
            bench.exchanges.observe([(job, Watch((job.key,))) for job in bench.jobs], touch=False)
            await bench.turns()
    assert judged == [*keys[:2], *keys[:2]]
    assert bench.free == [("observe", True)] * 2, "the next poll would wait as if nothing were left to see"
    codes = [code for verb, code in bench.virtual.remote.codes if verb == "observe"]
    first, second = ([code.index(str(key)) for key in keys] for code in codes)
    assert first == sorted(first)
    assert sorted(second) == [*second[2:], *second[:2]]


async def _noted(judged: list[object], key: object) -> bool:
    judged.append(key)
    return False
