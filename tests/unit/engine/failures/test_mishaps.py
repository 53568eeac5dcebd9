"""A poisoned Job beside a healthy one, through every stage: what goes wrong with it is its own. In virtual time, on faulty ports."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from structlog.testing import capture_logs

from fairlead.api.v1alpha1.reasons import JobReason
from fairlead.domain.cluster.cluster import Cluster
from fairlead.domain.errors import ApiFault, Conflict, Forbidden, Unavailable, UserFault
from fairlead.domain.job.job import Job
from fairlead.domain.objects import ObjectRef
from fairlead.domain.run.answers import CancelAnswer, Probe, SubmitAnswer, SubmitWord
from fairlead.domain.run.memory import Closing, Memory
from fairlead.domain.run.news import Failed
from fairlead.domain.run.observation import Observation
from fairlead.domain.run.request import RunRequest, Submission
from fairlead.domain.run.retry import Over
from fairlead.domain.run.run import RunKey, Tree
from fairlead.domain.run.settle import Outcome
from fairlead.engine.cluster.cluster_record import ClusterRecord
from fairlead.engine.context import SiteContext
from fairlead.engine.far_end.link import Link
from fairlead.engine.owed.debts import Debts
from fairlead.engine.registry import Registry
from fairlead.engine.site.site import Site
from fairlead.engine.trees import Trees
from fairlead.engine.writer import Writer
from fairlead.schedulers.seam import Cancellation, Driver, Exchange, Place, Query, Removal, Removed, TreeRemoval, TreeRemoved, TreeState
from fairlead.schedulers.slurm.preparer import SlurmPreparer
from product.objects import OTHER_UID, UID, a_cluster, a_job, submitted
from unit.engine.virtual import GOOD_PROBE, NOTHING, ONE, SETTINGS, Virtual, turning

ILL, WELL = UID, "22222222-2222-4333-8444-555555555555"
Fault = Callable[[], None]


class Broken(Exception):
    """What nobody has foreseen."""


class Faulty:
    """A scheduler, its preparer and a store that do all that is asked, but for one Job at one stage."""

    def __init__(self, stage: str, slurm: SlurmPreparer, virtual: Virtual) -> None:
        self.stage, self.tries, self._slurm = stage, 0, slurm
        store = virtual.store
        self._write, self._add, self._release = store.write_status, store.add_finalizer, store.release
        store.write_status, store.add_finalizer, store.release = (   # type: ignore[method-assign]
            self.write_status, self.add_finalizer, self.release)

    def fail(self, stage: str, *uids: str, error: Exception | None = None) -> None:
        """Where the Job is at its stage."""
        if stage == self.stage and ILL in uids:
            self.tries += 1
            raise error or Broken("nobody knows why")

    def prepare(self, request: RunRequest) -> Submission:
        self.fail("prepare", request.key.uid)
        return self._slurm.prepare(request)

    def probe(self, fence: str, place: Place) -> Exchange[Probe]:
        return _said("probe", lambda: GOOD_PROBE)

    def submit(self, fence: str, tree: Tree, submissions: Sequence[Submission]) -> Exchange[Mapping[RunKey, SubmitAnswer]]:
        keys = [each.key for each in submissions]
        self.fail("submit", *(key.uid for key in keys))
        self.fail("compose", *(key.uid for key in keys), error=UserFault("an option holds a NUL character"))

        def answer() -> Mapping[RunKey, SubmitAnswer]:
            self.fail("answer", *(key.uid for key in keys))
            ids: dict[str, Any] = {ILL: ["no id"]} if self.stage == "settle" else {}
            return {key: SubmitAnswer(SubmitWord.SUBMITTED, ids.get(key.uid, "7")) for key in keys}

        return _said("submit", answer)

    def observe(self, fence: str, tree: Tree, query: Query) -> Exchange[Observation]:
        def answer() -> Observation:
            self.fail("observe", *(key.uid for key in query.keys))
            return NOTHING

        return _said("observe", answer)

    def cancel(self, fence: str, tree: Tree, cancellations: Sequence[Cancellation]) -> Exchange[Mapping[RunKey, CancelAnswer]]:
        keys = [each.key for each in cancellations]
        self.fail("cancel", *(key.uid for key in keys))
        return _said("cancel", lambda: {key: CancelAnswer(True, revoked=True) for key in keys})

    def remove(self, fence: str, tree: Tree, removal: Removal) -> Exchange[Removed]:
        self.fail("bury", *(key.uid for key in removal.keys))
        return _said("remove", lambda: Removed(frozenset(removal.keys), (), complete=True))

    def remove_tree(self, fence: str, removal: TreeRemoval) -> Exchange[TreeRemoved]:
        return _said("remove-tree", lambda: TreeRemoved(TreeState.GONE))

    async def write_status(self, ref: ObjectRef, status: Mapping[str, Any], *, expected_attempt: int | None = None) -> str:
        if status.get("run", {}).get("id"):
            self.fail("write", ref.uid)
            self.fail("refuse", ref.uid, error=ApiFault("PATCH: 422: status.run.id: Too long"))
        return await self._write(ref, status, expected_attempt=expected_attempt)

    async def add_finalizer(self, ref: ObjectRef, *, host: str = "") -> str:
        self.fail("take up", ref.uid)
        return await self._add(ref, host=host)

    async def release(self, ref: ObjectRef, *, finished: bool) -> str:
        self.fail("release", ref.uid)
        return await self._release(ref, finished=finished)


def _said(verb: str, answer: Callable[[], Any]) -> Exchange[Any]:
    return Exchange(verb, "", b"", 10.0, 1000, lambda _output: answer())


class Ward:
    """One site with a poisoned Job and a healthy one."""

    def __init__(self, stage: str) -> None:
        self.virtual = Virtual()
        self.registry = Registry()
        cluster = a_cluster(uid=OTHER_UID)
        self.registry.put_cluster(cluster)
        world = self.virtual.world
        self.faulty = faulty = Faulty(stage, SlurmPreparer(cluster.spec.slurm), self.virtual)
        self.virtual.remote.exchange = self._exchange   # type: ignore[method-assign,assignment]
        self.debts = Debts(world)

        def driver_of(_cluster: Cluster) -> Driver:
            return Driver(faulty, faulty)

        trees = Trees(self.registry)
        context = SiteContext(world, self.registry, ONE, self.debts, trees, driver_of, lambda _name, _seconds: None,
                              lambda _cluster, _site: False, lambda _uid: None, lambda: (), lambda _job: None, self._swept)
        self.site = Site(ClusterRecord(cluster, world, self.registry), "", context, Link(world, ONE, driver_of))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """While the loop turns."""
        await self.debts.refresh()
        async with turning(self.site):
            yield

    async def pass_time(self, seconds: int, step: int = 5) -> None:
        """Let so much time pass, and everything happen that can."""
        for _ in range(0, seconds, step):
            for _ in range(12):
                self.site.wake()
                await asyncio.sleep(0)
            self.virtual.clock.seconds += step

    def said_of(self, uid: str) -> tuple[str, str]:
        """Reason and message of a Job's condition Ready."""
        job = self.registry.job(uid)
        ready = job.status.condition("Ready") if job else None
        return (ready.reason, ready.message) if ready else ("", "")

    async def _exchange(self, _address: object, exchange: Exchange[Any]) -> Any:
        return exchange.parse(b"")

    async def _swept(self, _site: object, _removed: Removed) -> Sequence[RunKey]:
        """Nothing was found."""
        return ()


def jobs(stage: str) -> list[Job]:
    """The poisoned one and the healthy one, as they are before the stage."""
    if stage in {"cancel", "bury", "release"}:
        fields: dict[str, Any] = {"deleting": True, "deletionDeadlineSeconds": 10**6}
    elif stage == "observe":
        fields = {}
    else:
        fields = {"has_finalizer": stage != "take up"}
    found = []
    for uid, name in ((ILL, "ill"), (WELL, "well")):
        status = {"run": {"key": f"{uid}-1", "attempt": 1, "id": "7", "state": "PENDING"}} if stage == "observe" else None
        job = a_job(uid=uid, status=status, **fields)
        found.append(replace(job, ref=replace(job.ref, name=name), deleted_at=1.7e9 if job.deleting else None))
    if stage == "decide":    # an earlier release took what this one cannot count with
        ill = found[0]
        spec = ill.spec.model_copy(update={"active_deadline_seconds": "soon"})
        found[0] = replace(ill, spec=spec, status=a_job(status=submitted("", activeSince="2026-01-01T00:00:00Z")).status)
    return found


BEGIN = ("decide", "take up", "prepare", "submit", "compose", "answer", "settle", "write", "refuse")
END = ("cancel", "bury", "release")


@pytest.mark.parametrize("stage", [*BEGIN, "observe", *END])
async def test_a_poisoned_job_keeps_no_other_from_its_way_and_is_told_so(stage: str) -> None:
    """Else one Job that meets a fault of ours would stop all others of its Cluster, for ever, and nobody would know which."""
    ward = Ward(stage)
    for job in jobs(stage):
        ward.registry.put_job(job)
    with capture_logs() as logs:
        async with ward.running():
            await ward.pass_time(120)
            well = ward.registry.job(WELL)
            if stage in END:
                assert [ref.name for ref in ward.virtual.store.released] == ["well"]
            else:
                assert well is not None
                assert well.run_id == "7"
            reason, message = ward.said_of(ILL)
    assert reason == ("WriteRefused" if stage == "refuse" else "InternalError")
    assert "could not be" in message
    mishaps = [each for each in logs if each["event"] == "mishap"]
    assert mishaps
    assert {each["job"] for each in mishaps} == {"jobs/lab/ill"}
    assert all(each["log_level"] == "error" and each["exc_info"] for each in mishaps)
    assert not any(each["event"] in {"turn_failed", "lane_failed"} for each in logs)


@pytest.mark.parametrize("stage", [each for each in (*BEGIN, "observe", *END) if each not in {"decide", "settle"}])
async def test_a_poisoned_job_is_tried_again_but_less_and_less(stage: str) -> None:
    """Else its faults would fill the log, and keep the login node busy; or a fault that passes would cost a Job for good."""
    ward = Ward(stage)
    for job in jobs(stage):
        ward.registry.put_job(job)
    with capture_logs():
        async with ward.running():
            await ward.pass_time(3000, step=20)
            assert 8 <= ward.faulty.tries <= 2 * 17      # twice where it is first met in a batch
            ward.faulty.stage = ""
            await ward.pass_time(int(SETTINGS.pauses.mishap_limit_seconds) + 200, step=20)
            ill = ward.registry.job(ILL)
    assert "ill" in [ref.name for ref in ward.virtual.store.released] or (ill is not None and ill.run_id == "7")


async def test_a_poisoned_job_that_is_changed_is_tried_at_once() -> None:
    """Else whoever mends his manifest would wait for minutes for what he did before."""
    ward = Ward("prepare")
    ill, _ = jobs("prepare")
    ward.registry.put_job(ill)
    with capture_logs():
        async with ward.running():
            await ward.pass_time(1000, step=20)
            before = ward.faulty.tries
            known = ward.registry.job(ILL)
            assert known is not None
            ward.registry.put_job(replace(known, generation=2, resource_version=known.resource_version + 1))
            await ward.pass_time(5)
    assert ward.faulty.tries == before + 1


async def test_a_poisoned_job_past_its_deadline_goes_with_its_debt_written() -> None:
    """Else a namespace would stay in Terminating for a fault of ours."""
    ward = Ward("cancel")
    ill, _ = jobs("cancel")
    ward.registry.put_job(replace(ill, spec=ill.spec.model_copy(update={"deletion_deadline_seconds": 60})))
    ward.virtual.clock.seconds = 1100.0
    with capture_logs():
        async with ward.running():
            await ward.pass_time(60)
    assert [ref.name for ref in ward.virtual.store.released] == ["ill"]
    assert list(ward.virtual.ledger.debts) == [f"{ILL}-1"]


async def test_a_write_that_meets_others_is_no_mishap() -> None:
    """Else whoever edits a Job while it is begun would read of an error, and wait for it."""
    ward = Ward("take up")
    ward.faulty.fail = Refusing("take up", Conflict("somebody else wrote"), times=3).fail   # type: ignore[method-assign]
    ward.registry.put_job(jobs("take up")[0])
    with capture_logs() as logs:
        async with ward.running():
            await ward.pass_time(60)
    assert not [each for each in logs if each["event"] == "mishap"]
    ill = ward.registry.job(ILL)
    assert ill is not None
    assert ill.run_id == "7"


REFUSALS = {
    "a policy": ApiFault("PATCH: 422: site policy P-12"),
    "a webhook that says 403": Forbidden("PATCH: 403: site policy P-12"),
    "a webhook that says 409": Conflict("PATCH: 409: site policy P-12"),
    "a webhook that is down": Unavailable("PATCH: 500: failed calling webhook P-12"),
}


@pytest.mark.parametrize("who", list(REFUSALS))
async def test_a_write_that_is_refused_for_good_is_told_and_tried_less_and_less(who: str) -> None:
    """Else a Job's status would be empty for ever, while the API server is asked twenty times a second."""
    ward = Ward("take up")
    refusing = Refusing("take up", REFUSALS[who])
    ward.faulty.fail = refusing.fail   # type: ignore[method-assign]
    ward.registry.put_job(jobs("take up")[0])
    with capture_logs():
        async with ward.running():
            await ward.pass_time(600)
            reason, message = ward.said_of(ILL)
    assert reason == "WriteRefused"
    assert "P-12" in message
    assert refusing.tries <= (70 if who == "a webhook that is down" else 20)      # that lets it pass as soon as it is back


async def test_who_cannot_be_told_by_the_status_is_told_by_an_event() -> None:
    """Else a policy on the status would leave nothing for a person to see."""
    ward = Ward("")
    ward.virtual.store.write_status = _refused   # type: ignore[method-assign]
    ward.registry.put_job(jobs("prepare")[0])
    with capture_logs():
        async with ward.running():
            await ward.pass_time(60)
    assert set(ward.virtual.store.told) == {JobReason.WRITE_REFUSED}
    assert 2 <= len(ward.virtual.store.told) <= 12       # of the Cluster too


async def test_an_end_that_is_seen_while_a_mishap_is_told_is_written_after_it() -> None:
    """Else a late word of a mishap would be written over the end of a Job, which would be watched for ever."""
    virtual, registry, arrived = Virtual(), Registry(), asyncio.Event()
    job = a_job(status=submitted())
    registry.put_job(job)
    real = virtual.store.write_status

    async def slowly_at_first(ref: ObjectRef, status: Mapping[str, Any], *, expected_attempt: int | None = None) -> str:
        if not any(each["type"] == "Failed" for each in status["conditions"]):
            await arrived.wait()
        return await real(ref, status, expected_attempt=expected_attempt)

    virtual.store.write_status = slowly_at_first   # type: ignore[method-assign]
    writer = Writer(virtual.world, registry)
    with capture_logs():
        writer.mishaps.note(job, "followed", Broken())
        telling = asyncio.create_task(writer.tell_mishaps())
        await asyncio.sleep(0)
        over = Failed(Closing(JobReason.LOST, "lost"), Over(JobReason.LOST, "lost", 1, 0))
        writing = asyncio.create_task(writer.apply(job, Outcome(Memory(), over)))
        for _ in range(5):
            await asyncio.sleep(0)
        arrived.set()
        await asyncio.gather(telling, writing)
    assert [each["type"] for each in virtual.store.statuses[-1]["conditions"] if each["type"] == "Failed"] == ["Failed"]
    known = registry.job(job.ref.uid)
    assert known is not None
    assert known.ended


class Refusing:
    """What does not take a stage's write, for so many times."""

    def __init__(self, stage: str, error: ApiFault, times: int = 10**9) -> None:
        self.stage, self.error, self.times, self.tries = stage, error, times, 0

    def fail(self, stage: str, *_uids: str, error: Exception | None = None) -> None:
        """As `Faulty.fail`."""
        if stage == self.stage and self.times > self.tries:
            self.tries += 1
            raise self.error


async def _refused(_ref: ObjectRef, _status: Mapping[str, Any], *, expected_attempt: int | None = None) -> str:
    raise ApiFault("PATCH: 422: site policy P-12")
