"""A site's loop, as far as it can be seen without a cluster: that its death is noticed, and that it writes no more than it must."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from fairlead.api.v1alpha1.job import ClusterReference
from fairlead.api.v1alpha1.meta import as_timestamp
from fairlead.api.v1alpha1.reasons import ClusterReason
from fairlead.domain.cluster.address import Address
from fairlead.domain.conditions import moment
from fairlead.domain.errors import Unavailable, Unreachable
from fairlead.domain.gone.debt import UNREACHABLE, Debt
from fairlead.domain.gone.remains import Remains
from fairlead.domain.job import report
from fairlead.domain.job.job import Job
from fairlead.domain.objects import ClusterName, ObjectRef
from fairlead.domain.run.answers import CancelAnswer, Remnant, SubmitAnswer, SubmitWord
from fairlead.domain.run.memory import Memory
from fairlead.domain.run.observation import Sentinels
from fairlead.domain.run.run import RunKey
from fairlead.engine.cluster.cluster_record import ClusterRecord
from fairlead.engine.context import Overseer, SiteContext
from fairlead.engine.far_end.link import Link
from fairlead.engine.owed.debts import Debts
from fairlead.engine.registry import Registry
from fairlead.engine.site.site import Site
from fairlead.engine.trees import Trees
from fairlead.schedulers.seam import Exchange, Removed, TreeRemoved, TreeState
from fairlead.web.health import Heartbeats
from product.objects import NOW, a_cluster, a_job, submitted
from unit.engine.virtual import NOTHING, ONE, SETTINGS, Virtual, driver_of, turning

OTHER = "22222222-2222-4333-8444-555555555555"


class Stage:
    """One site on fakes, with a heart that is listened to on the same clock."""

    def __init__(self, **spec: Any) -> None:
        self.virtual = Virtual()
        self.virtual.remote.answers |= dict.fromkeys(("remove", "sweep"), Removed(frozenset(), (), complete=True))
        self.virtual.remote.answers |= {"remove-tree": TreeRemoved(TreeState.GONE)}
        self.registry = Registry()
        self.hearts = Heartbeats(self.virtual.clock.monotonic)
        self.cluster = a_cluster(has_finalizer=False, **spec)
        self.registry.put_cluster(self.cluster)
        self.left: list[Job] = []
        world = self.virtual.world
        self.debts = Debts(world)
        context = SiteContext(world, self.registry, ONE, self.debts, Trees(self.registry), driver_of, self.hearts.beat,
                              lambda _cluster, _site: False, self._cluster_of, lambda: self.left, self._ended, self._swept)
        self.record = ClusterRecord(self.cluster, world, self.registry)
        self.site = Site(self.record, "", context, Link(world, ONE, driver_of))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """While the loop turns."""
        async with turning(self.site):
            yield

    async def turns(self, count: int = 20) -> None:
        """Let everything that can happen now happen."""
        for _ in range(count):
            self.site.wake()
            await asyncio.sleep(0)

    def change(self, **fields: Any) -> None:
        """The Cluster was changed by somebody."""
        self.record.cluster = replace(self.record.cluster, **fields)
        self.site.changed()

    def _cluster_of(self, uid: str) -> ClusterName | None:
        job = self.registry.job(uid)
        return job.cluster if job else None

    def _ended(self, job: Job) -> None:
        raise AssertionError("there is no Job here")

    async def _swept(self, site: Overseer, removed: Removed) -> Sequence[RunKey]:
        """Nothing was found."""
        return ()


async def test_a_loop_that_is_stuck_is_named_and_one_that_turns_is_not() -> None:
    """Else a controller that watches nothing any more would be taken for healthy for ever."""
    stage = Stage()
    async with stage.running():
        await stage.turns()
        assert stage.hearts.stale() == []
        never = asyncio.Event()

        async def stuck(*_: object, **__: object) -> None:
            await never.wait()

        stage.virtual.data.read_secret = stuck  # type: ignore[method-assign]  # the API server's answer never comes
        stage.virtual.clock.seconds += SETTINGS.secret_refresh_seconds
        await stage.turns()
        stage.virtual.clock.seconds += 3600
        await stage.turns()
        [complaint] = stage.hearts.stale()
        assert complaint.startswith("site clusters/lab/hpc: silent for")


async def test_an_idle_site_beats_on_however_seldom_it_is_polled() -> None:
    """Else a quiet Cluster would have the controller restarted."""
    stage = Stage(polling={"intervalSeconds": 3600, "maxIntervalSeconds": 86400})
    async with stage.running():
        for _ in range(50):
            await stage.turns()
            assert stage.hearts.stale() == []
            stage.virtual.clock.seconds += 59


async def test_an_idle_site_writes_its_status_once_and_then_only_its_heartbeat() -> None:
    """Else a thousand idle Clusters would keep an API server busy."""
    stage = Stage(polling={"intervalSeconds": 5, "maxIntervalSeconds": 30})
    async with stage.running():
        await stage.turns()
        first = len(stage.virtual.store.statuses)
        for _ in range(29):
            stage.virtual.clock.seconds += 10
            await stage.turns()
        assert stage.virtual.remote.count("observe") > 5
        assert len(stage.virtual.store.statuses) == first
        stage.virtual.clock.seconds += 20
        await stage.turns()
        assert len(stage.virtual.store.statuses) == first + 1


async def test_a_cluster_that_takes_its_time_lets_deleted_jobs_go_all_the_same() -> None:
    """Else many Jobs deleted at once would be cancelled again and again, and no poll in between would count: they would stay for ever."""
    stage, job = Stage(), a_job(deleting=True, status=submitted(), cancellationGracePeriodSeconds=1)
    remote, clock = stage.virtual.remote, stage.virtual.clock
    answer_at_once = remote.exchange

    async def slowly(address: Address, exchange: Exchange[Any]) -> Any:
        done_at = clock.seconds + (1.5 * SETTINGS.pacing.cancel_again_seconds if exchange.verb in {"cancel", "observe"} else 0)
        while clock.seconds < done_at:   # noqa: ASYNC110  # the test moves the clock, and there is no event of it
            await asyncio.sleep(0)
        return await answer_at_once(address, exchange)

    remote.exchange = slowly  # type: ignore[method-assign]
    remote.answers |= {"cancel": {key: CancelAnswer(True, claim="7") for key in job.keys}, "remove": Removed(frozenset(job.keys))}
    stage.registry.put_job(job)
    async with stage.running():
        for _ in range(200):
            clock.seconds += 1
            await stage.turns(5)
    assert [ref.uid for ref in stage.virtual.store.released] == [job.ref.uid], f"{remote.count('cancel')} cancels"


async def test_a_controller_that_does_not_lead_does_nothing() -> None:
    """Else two controllers would work beside each other."""
    stage = Stage()
    stage.virtual.leadership.says = False
    async with stage.running():
        await stage.turns()
    assert stage.virtual.remote.asked == []
    assert stage.virtual.store.statuses == []


async def test_a_suspended_site_connects_nowhere() -> None:
    """Else maintenance would be answered by logins."""
    stage = Stage(suspend=True)
    async with stage.running():
        await stage.turns()
    assert stage.virtual.remote.asked == []
    [status] = stage.virtual.store.statuses
    assert status["phase"] == "Suspended"


async def test_the_first_sweep_waits_for_the_ledger_and_an_agreement_for_no_hour() -> None:
    """Else what the ledger names would look like an accident after each start, or a person who agreed would wait for nothing."""
    stage = Stage()
    async with stage.running():
        await stage.turns()
        assert stage.virtual.remote.count("sweep") == 0
        await stage.debts.refresh()
        stage.virtual.clock.seconds += 1
        await stage.turns()
        assert stage.virtual.remote.count("sweep") == 1
        stage.change(agreed_sweep=40)
        await stage.turns()
        assert stage.virtual.remote.count("sweep") == 2
        stage.virtual.clock.seconds += SETTINGS.sweep_seconds - 1
        await stage.turns()
        assert stage.virtual.remote.count("sweep") == 2


async def test_a_deleted_cluster_goes_when_nothing_is_owed_and_that_is_known() -> None:
    """Else in the moment of a start a Cluster would go, and with it the last word of what is owed there."""
    stage = Stage(suspend=True)
    owed = Debt("00000000-0000-4000-8000-000000000001-1", "lab", "hpc", "Job", "lab", "sim", "2023-11-14T00:00:00Z", UNREACHABLE)
    stage.virtual.ledger.debts = {owed.key: owed}
    async with stage.running():
        stage.change(deleting=True, has_finalizer=True)
        await stage.turns()
        await stage.debts.refresh()
        await stage.turns()
        assert stage.virtual.store.released == []
        stage.change(forgives_debts=True)
        await stage.turns()
        assert [ref.name for ref in stage.virtual.store.released] == ["hpc"]
        assert stage.virtual.ledger.debts == {}


async def test_a_cluster_that_is_deleted_in_the_middle_of_a_turn_is_cleared_first() -> None:
    """Else the folders of its finished Jobs would stay on the cluster for ever: with the object, the way to them goes."""
    stage, job = Stage(), a_job()
    remote, write = stage.virtual.remote, stage.virtual.store.write_status
    there = Removed(frozenset(), (Remnant(job.key, job.owner, tombstone=False),), complete=True)
    remote.answers |= {"sweep": there, "remove": Removed(frozenset({job.key}))}

    async def meanwhile(ref: ObjectRef, status: Mapping[str, Any], *, expected_attempt: int | None = None) -> str:
        if not stage.record.cluster.deleting:
            stage.change(deleting=True, has_finalizer=True, generation=2)
        return await write(ref, status, expected_attempt=expected_attempt)

    stage.virtual.store.write_status = meanwhile  # type: ignore[method-assign]
    await stage.debts.refresh()
    async with stage.running():
        await stage.turns()
    assert [ref.name for ref in stage.virtual.store.released] == ["hpc"]
    assert remote.count("remove") == 1


@pytest.mark.parametrize("suspend", [True, False], ids=["suspended", "unreachable"])
async def test_a_deleted_cluster_that_cannot_be_reached_goes_without_being_cleared(suspend: bool) -> None:
    """Else it would stay in Terminating until somebody repairs a cluster that nobody wants any more."""
    stage = Stage(suspend=suspend)
    stage.virtual.remote.answers["probe"] = Unreachable("no answer", ClusterReason.CONNECT_TIMEOUT)
    await stage.debts.refresh()
    async with stage.running():
        stage.change(deleting=True, has_finalizer=True, generation=2)
        await stage.turns()
    assert [ref.name for ref in stage.virtual.store.released] == ["hpc"]


@pytest.mark.parametrize("how", ["its key was never read", "its key is known", "suspended"])
async def test_a_cluster_whose_namespace_takes_its_secret_along_goes_and_what_is_owed_stays_written_down(how: str) -> None:
    """Else the namespace would be in Terminating for ever: where it goes, nobody can make the Secret that its Cluster waits for."""
    stage = Stage(suspend=how == "suspended")
    data, clock, released = stage.virtual.data, stage.virtual.clock, stage.virtual.store.released
    since = as_timestamp(moment(clock.wall()))
    owed = Debt("00000000-0000-4000-8000-000000000001-1", "lab", "hpc", "Job", "lab", "sim", since, UNREACHABLE)
    stage.virtual.ledger.debts = {owed.key: owed}
    await stage.debts.refresh()
    stage.virtual.remote.answers["probe"] = Unreachable("no answer", ClusterReason.CONNECT_TIMEOUT)
    async with stage.running():
        if how == "its key is known":
            await stage.turns()
        data.secrets = {}
        stage.change(deleting=True, has_finalizer=True, generation=2)
        await stage.turns()
        assert released == [], "somebody may make the Secret again"
        data.fault, data.going = Unavailable("no answer"), frozenset({"lab"})
        clock.seconds += SETTINGS.secret_refresh_seconds
        await stage.turns()
        assert released == [], "nobody has said that the namespace goes"
        data.fault = None
        clock.seconds += SETTINGS.secret_refresh_seconds
        await stage.turns()
        if how == "its key is known":
            assert released == [], "the cluster may answer again"
            clock.seconds += SETTINGS.pacing.forsaken_seconds
            await stage.turns()
    assert [ref.name for ref in released] == ["hpc"]
    assert list(stage.virtual.ledger.debts) == [owed.key]


async def test_a_cluster_whose_namespace_goes_is_kept_for_another_namespaces_jobs_while_it_may_answer_again() -> None:
    """Else a link that is cut for a moment would leave Jobs without their Cluster that are not deleted at all."""
    stage, job = Stage(), a_job(status=submitted())
    stage.registry.put_job(job)
    await stage.debts.refresh()
    data, clock, released = stage.virtual.data, stage.virtual.clock, stage.virtual.store.released
    async with stage.running():
        await stage.turns()
        data.secrets, data.going = {}, frozenset({"lab"})
        stage.change(deleting=True, has_finalizer=True, generation=2)
        await stage.turns()
        stage.virtual.remote.answers["probe"] = Unreachable("no answer", ClusterReason.CONNECT_TIMEOUT)
        clock.seconds += SETTINGS.secret_refresh_seconds
        await stage.turns()
        assert released == []
        clock.seconds += SETTINGS.pacing.forsaken_seconds
        await stage.turns()
    assert [ref.name for ref in released] == ["hpc"]


async def test_a_turn_that_had_to_wait_goes_on_from_what_is_known_then() -> None:
    """Else a Job that was submitted while the turn waited for the API server would be handed in, and told of, once more."""
    stage = Stage()
    job = a_job()
    taken, secret = asyncio.Event(), asyncio.Event()
    real_exchange, real_read = stage.virtual.remote.exchange, stage.virtual.data.read_secret

    async def exchange(address: Address, exchange: Exchange[Any]) -> Any:
        if exchange.verb == "submit":
            await taken.wait()
        return await real_exchange(address, exchange)

    async def read_secret(namespace: str, name: str) -> Mapping[str, bytes] | None:
        if stage.virtual.remote.count("observe"):
            await secret.wait()
        return await real_read(namespace, name)

    stage.virtual.remote.answers["sweep"] = Removed(frozenset(), (), complete=True)
    stage.virtual.remote.answers["submit"] = {job.key: SubmitAnswer(SubmitWord.SUBMITTED, "7")}
    stage.virtual.remote.exchange = exchange  # type: ignore[method-assign,assignment]
    stage.virtual.data.read_secret = read_secret  # type: ignore[method-assign]
    async with stage.running():
        await stage.turns()
        stage.registry.put_job(job)
        await stage.turns()
        stage.virtual.clock.seconds += SETTINGS.secret_refresh_seconds
        await stage.turns()              # a turn waits for the Secret, and the submission is under way
        taken.set()
        await stage.turns()
        known = stage.registry.job(job.ref.uid)
        assert known is not None
        assert known.run_id == "7"
        secret.set()
        await stage.turns()
    assert stage.virtual.remote.count("submit") == 1


async def test_a_far_end_that_keeps_us_waiting_keeps_no_deleted_job_past_its_deadline() -> None:
    """Else a namespace would stay in Terminating for as long as a half-dead login node takes not to answer."""
    stage = Stage()
    never = asyncio.Event()

    async def silence(*_: object, **__: object) -> Any:
        await never.wait()

    stage.virtual.remote.exchange = silence  # type: ignore[method-assign]
    job = a_job(deleting=True, deletionDeadlineSeconds=0)
    stage.registry.put_job(job)
    stage.virtual.clock.seconds += 1e8       # long after it was deleted
    async with stage.running():
        await stage.turns(100)
    assert [each.name for each in stage.virtual.store.released] == [job.ref.name]
    assert list(stage.virtual.ledger.debts) == [str(job.key)]


async def test_a_namespace_with_many_jobs_leaves_the_loop_to_the_others() -> None:
    """Else one namespace with a thousand Jobs would keep each step of all others waiting, as often as anything of it changes."""
    stage = Stage()
    stage.virtual.remote.answers["probe"] = Unreachable("no answer", ClusterReason.CONNECT_TIMEOUT)
    for number in range(1000):
        stage.registry.put_job(a_job(uid=f"{number:08d}-2222-4333-8444-555555555555", has_finalizer=False))
    turns = 0
    real = stage.virtual.leadership.leads

    def leads() -> bool:
        nonlocal turns
        turns += 1
        return real()

    stage.virtual.leadership.leads = leads  # type: ignore[method-assign]
    async with stage.running():
        await stage.turns(2000)          # 40 were enough for each to be told
    assert turns == 1, "all that woke it meanwhile is seen by the next"


def many(count: int, namespace: str = "mean", *, here: int = 0) -> list[Job]:
    """So many Jobs of a namespace, of which the first ones name the stage's Cluster, and the others another."""
    jobs = []
    for number in range(count):
        uid, where = f"{number:08d}-{namespace}", {"name": "hpc" if number < here else "other", "namespace": "lab"}
        job = a_job(uid=uid, has_finalizer=False, clusterRef=where)
        jobs.append(replace(job, ref=replace(job.ref, namespace=namespace)))
    return jobs


@pytest.mark.parametrize(("admits", "jobs", "seconds"), [
    pytest.param("All", many(2000, here=1) + many(1, "lab", here=1), 0.0, id="Jobs of another on other Clusters"),
    pytest.param("Same", many(2000, here=2000) + many(1, "lab", here=1), 0.0, id="Jobs of another that are refused"),
    pytest.param("Same", many(2000, here=2000) + many(200, "lab", here=200), 0.04, id="and of its own are many"),
    pytest.param("All", many(500, here=500) + many(1, "lab", here=1), 0.1002, id="Jobs that are here are looked at, whosever they are"),
    pytest.param("Same", many(1500, "lab", here=2), 0.3, id="a namespace pays at each of its sites for all of its Jobs"),
    pytest.param("All", many(1500, here=2) + many(1500, "meaner", here=2), 0.3, id="and so do two that share one"),
])
def test_a_site_leaves_the_loop_to_others_for_its_own_jobs_alone(admits: str, jobs: Sequence[Job], seconds: float) -> None:
    """Else a tenant could make each step of somebody else's Cluster a second late, or have the loop for himself with many Clusters."""
    stage = Stage(allowedNamespaces={"from": admits})
    for job in jobs:
        stage.registry.put_job(job)
    assert stage.site._least_pause() == pytest.approx(seconds)


async def test_a_turn_that_breaks_off_is_told_on_the_cluster_and_not_tried_in_a_loop() -> None:
    """Else what nobody has foreseen would fill the log 240 times a second, and the Cluster would say that all is well."""
    stage, asked = Stage(), 0

    def break_off(*_: object) -> Any:
        nonlocal asked
        asked += 1
        raise PermissionError(13, "a home that it may not enter")

    async with stage.running():
        await stage.turns()
        stage.debts.of = break_off  # type: ignore[method-assign]
        await stage.turns(200)
    assert asked == 1
    ready = next(each for each in stage.virtual.store.statuses[-1]["conditions"] if each["type"] == "Ready")
    assert (ready["status"], ready["reason"]) == ("False", "InternalError")
    assert ready["message"] == "a look at the Cluster met an error of Fairlead's own (PermissionError): the controller's log says more"


def ready_of(stage: Stage, job: Job) -> str:
    """The reason that a Job was told."""
    known = stage.registry.job(job.ref.uid)
    ready = known.status.condition("Ready") if known else None
    return str(ready.reason) if ready else ""


async def test_a_job_that_left_the_watch_while_it_runs_keeps_its_place() -> None:
    """Else whoever labels his Jobs as finished has twice as many of them on the cluster as its owner allows."""
    stage, job = Stage(limits={"maxActiveJobs": 1}), a_job(has_finalizer=False)
    stage.virtual.remote.answers["submit"] = {job.key: SubmitAnswer(SubmitWord.SUBMITTED, "7")}
    stage.left.append(a_job(uid=OTHER, status={"run": {"key": f"{OTHER}-1", "attempt": 1, "id": "6"}}))
    stage.registry.put_job(job)
    async with stage.running():
        await stage.turns(60)
        assert ready_of(stage, job) == "ClusterLimitReached"
        stage.left.clear()
        await stage.turns(60)
        known = stage.registry.job(job.ref.uid)
    assert known is not None
    assert known.run_id == "7"


async def test_a_status_that_was_written_by_hand_takes_nobodys_place_once_nothing_was_found() -> None:
    """Else who may write the status of Jobs somewhere stops a Cluster that does not admit him."""
    stage, honest = Stage(limits={"maxActiveJobs": 1}), a_job(has_finalizer=False)
    forged = a_job(uid=OTHER, status={"run": {"key": f"{OTHER}-1", "attempt": 1, "id": "6"}})
    forged = replace(forged, ref=replace(forged.ref, namespace="theirs"),
                     spec=forged.spec.model_copy(update={"cluster_ref": ClusterReference(namespace="lab", name="hpc")}))
    stage.virtual.remote.answers["observe"] = replace(NOTHING, sentinels={forged.key: Sentinels(False)})
    for job in (forged, honest):
        stage.registry.put_job(job)
    async with stage.running():
        for _ in range(5):
            await stage.turns(60)
            stage.virtual.clock.seconds += 10
        known = stage.registry.job(honest.ref.uid)
        assert known is not None
        assert known.is_begun, "it has the place"
        assert ready_of(stage, forged) == "RunDirectoryMissing"
        for _ in range(20):
            await stage.turns(60)
            stage.virtual.clock.seconds += 20
    assert ready_of(stage, forged) == "NamespaceNotAllowed"


async def test_a_job_that_is_admitted_again_asks_for_its_place_however_often_it_is_told_to_wait() -> None:
    """Else to be told of the limit would be the way past it."""
    stage, job = Stage(limits={"maxActiveJobs": 1}), a_job()
    told = report.kept_out(job, "closed", NOW)
    assert told is not None
    stage.registry.put_job(replace(job, status=told))
    stage.left.append(a_job(uid=OTHER, status={"run": {"key": f"{OTHER}-1", "attempt": 1, "id": "6"}}))
    async with stage.running():
        for _ in range(10):
            await stage.turns(60)
            stage.virtual.clock.seconds += 10
        assert stage.virtual.remote.count("submit") == 0
        assert ready_of(stage, job) == "ClusterLimitReached"
        stage.left.clear()
        await stage.turns(60)
    assert stage.virtual.remote.count("submit") == 1


async def test_what_is_remembered_of_a_job_goes_with_it() -> None:
    """Else a tenant who makes and deletes Jobs could fill the controller's memory."""
    stage = Stage()
    known, gone = (a_job(uid=f"{number:08d}-2222-4333-8444-555555555555", has_finalizer=False) for number in range(2))
    buried = Remains(gone.ref, gone.location, (1,))
    stage.registry.put_job(known)
    writer = stage.site._writer
    for job in (known, gone):
        writer.remember(job, Memory(1, retry_at=7.0))
        writer.mishaps.note(job, "decided on", RuntimeError())
    stage.site.clean_up(buried)
    stage.site.forget_gone()
    assert writer.memory(gone).retry_at == 7.0, "it is still to be cleaned up"
    stage.site._cleaning.clear()
    stage.site.forget_gone()
    assert (writer.memory(known).retry_at, writer.memory(gone).retry_at) == (7.0, 0.0)
    assert writer.mishaps.uids == {known.ref.uid}
