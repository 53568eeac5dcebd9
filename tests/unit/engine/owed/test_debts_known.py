"""The ledger in the process: what is known of it, who pays, and who is let go. On fakes."""

import asyncio
from collections.abc import Sequence

import pytest

from fairlead.domain.errors import ApiFault, Forbidden, Unavailable
from fairlead.domain.gone.debt import NOT_LEFT_ALONE, UNACCOUNTED, UNREACHABLE, Debt
from fairlead.domain.gone.remains import Remains
from fairlead.domain.job.job import Job
from fairlead.domain.objects import ObjectRef
from fairlead.domain.run.run import RunKey
from fairlead.domain.scope import Scope
from fairlead.engine.owed.debts import Debts
from fairlead.engine.owed.overdue import LETTING_GO, Overdue
from fairlead.engine.owed.payments import Payments
from fairlead.engine.registry import Registry
from fairlead.engine.unplaced.nowhere import Nowhere
from fairlead.engine.unplaced.unplaced import Unplaced
from fairlead.engine.writer import Writer
from product.objects import UID, a_job, submitted
from unit.engine.virtual import SETTINGS, Virtual

HPC = ("lab", "hpc")
OLD = "2020-01-01T00:00:00Z"
FULL = ApiFault("ConfigMap default/fairlead-ledger: Too long")


def debt(attempt: int = 1, reason: str = UNREACHABLE, *, cluster: str = "hpc", since: str = OLD, uid: str = UID) -> Debt:
    """What the Job `sim` has left there."""
    return Debt(f"{uid}-{attempt}", "lab", cluster, "Job", "lab", "sim", since, reason)


class Bureau:
    """Debts, payments and the unplaced on fakes; `paying` are the keys that are cleaned up."""

    def __init__(self, *owed: Debt, watched: tuple[str, ...] = ()) -> None:
        self.virtual = Virtual(scope=Scope(watched))
        self.virtual.ledger.debts = {each.key: each for each in owed}
        self.registry = Registry()
        self.debts = Debts(self.virtual.world)
        self.paying: list[Remains] = []
        self.ended: set[str] = set()
        self.payments = Payments(self.virtual.world, self.registry, self.debts, self._clean_up, self.ended.__contains__)
        writer = self.writer = Writer(self.virtual.world, self.registry)
        self.overdue = Overdue(self.virtual.world, self.debts, writer)
        self.unplaced = Unplaced(self.virtual.world, self.registry, writer, Nowhere(self.virtual.world, writer, self.overdue))

    async def collect(self, *under_way: str) -> list[str]:
        """Begin to pay; the keys that are being cleaned up."""
        await self.debts.refresh()
        await self.payments.collect(HPC, lambda debt: debt.ref.uid not in under_way)
        return [str(job.key) for job in self.paying]

    def _clean_up(self, remains: Remains) -> None:
        assert remains.cluster == HPC
        self.paying.append(remains)


async def test_what_was_never_read_is_not_known_to_be_nothing() -> None:
    """Else a Cluster could be released in the moment of a start, with its debts."""
    bureau = Bureau(debt())
    bureau.virtual.ledger.fault = Unavailable("no answer")
    with pytest.raises(Unavailable):
        await bureau.debts.refresh()
    assert not bureau.debts.known
    bureau.virtual.ledger.fault = None
    await bureau.debts.refresh()
    assert bureau.debts.known
    assert bureau.debts.of(HPC) == (debt(),)
    assert bureau.debts.of(("lab", "other")) == ()


async def test_a_list_that_was_under_way_does_not_undo_a_write() -> None:
    """Else what was just owed would be forgotten until the next minute, and its Cluster could go."""
    bureau = Bureau()
    listed = asyncio.Event()
    real = bureau.virtual.ledger.list

    async def slow() -> list[Debt]:
        seen = list(await real())
        bureau.virtual.ledger.list = real  # type: ignore[method-assign]
        await listed.wait()
        return seen

    bureau.virtual.ledger.list = slow  # type: ignore[method-assign, assignment]
    reading = asyncio.create_task(bureau.debts.refresh())
    await asyncio.sleep(0)
    await bureau.debts.owe([debt()])
    listed.set()
    await reading
    assert bureau.debts.of(HPC) == (debt(),)


async def test_a_job_that_was_seen_to_owes_only_what_nobody_saw_end() -> None:
    """Else what is paid would be paid for ever, or a start that nobody saw end would be forgotten."""
    bureau = Bureau(debt(1), debt(2), debt(1, uid="99999999-0000-4000-8000-000000000000"))
    await bureau.debts.refresh()
    await bureau.debts.settle(a_job(), [RunKey(UID, 2)])
    left = {each.key: each.reason for each in bureau.debts.of(HPC)}
    assert left == {f"{UID}-2": UNACCOUNTED, "99999999-0000-4000-8000-000000000000-1": UNREACHABLE}
    assert {each.key: each.reason for each in bureau.virtual.ledger.debts.values()} == left


@pytest.mark.parametrize(("watched", "paid"), [("lab", [f"{UID}-1"]), ("physics", [])])
async def test_what_is_owed_for_a_namespace_that_is_not_watched_is_not_paid(watched: str, paid: list[str]) -> None:
    """Else a Run would be ended whose Job may be there: nobody could look."""
    assert await Bureau(debt(), watched=(watched,)).collect() == paid


async def test_what_was_handed_over_and_has_ended_here_is_owed_no_more() -> None:
    """Else the directory of a Job that ended right behind a new installation, and was deleted, would be left for good."""
    bureau = Bureau(debt(reason=NOT_LEFT_ALONE))
    bureau.ended.add(UID)
    assert await bureau.collect() == []
    assert bureau.virtual.ledger.debts == {}


async def test_only_what_is_unaccounted_is_struck_by_age() -> None:
    """Else a cluster that is away for longer than a week would be forgiven."""
    bureau = Bureau(debt(1), debt(2, UNACCOUNTED), debt(3, UNACCOUNTED, since="2023-11-14T00:00:00Z"), debt(4, UNACCOUNTED, since="?"))
    await bureau.debts.refresh()
    assert bureau.virtual.clock.wall() < 1_700_000_000 + SETTINGS.unaccounted_seconds
    await bureau.debts.strike_old()
    assert {each.key for each in bureau.debts.of(HPC)} == {f"{UID}-1", f"{UID}-3", f"{UID}-4"}


async def test_a_debt_is_paid_when_its_object_is_surely_gone() -> None:
    """Else the work of somebody whose object was brought back would be ended."""
    bureau = Bureau(debt())
    bureau.virtual.store.uids = {"lab/sim": UID}
    assert await bureau.collect() == []
    bureau.virtual.store.uids = {"lab/sim": "99999999-0000-4000-8000-000000000000"}
    assert await bureau.collect() == [f"{UID}-1"]


@pytest.mark.parametrize("fault", [Unavailable("no answer"), Forbidden("403")], ids=["time-out", "forbidden"])
async def test_no_answer_pays_nothing(fault: ApiFault) -> None:
    """Else rights that were taken from us would read as: everything is gone."""
    bureau = Bureau(debt())
    bureau.virtual.store.fault = fault
    assert await bureau.collect() == []


@pytest.mark.parametrize("owed", [
    pytest.param(debt(reason=UNACCOUNTED), id="unaccounted"), pytest.param(debt(cluster="other"), id="another-cluster"),
    pytest.param(Debt("what?", "lab", "hpc", "Job", "lab", "sim", OLD, UNREACHABLE), id="a-key-that-is-none"),
])
async def test_what_cannot_be_paid_here_is_left(owed: Debt) -> None:
    """Else cancels would run on the wrong cluster, or again and again."""
    assert await Bureau(owed).collect() == []


async def test_what_is_being_paid_is_not_begun_again() -> None:
    """Else each look would start a payment over."""
    assert await Bureau(debt()).collect(UID) == []


async def test_who_lives_owes_nothing_and_who_is_being_deleted_pays_himself() -> None:
    """Else a Job that was brought back would be ended, or one that is cleaned up would be so twice."""
    bureau = Bureau(debt())
    bureau.registry.put_job(a_job(deleting=True))
    assert await bureau.collect() == []
    assert bureau.debts.of(HPC) == (debt(),)
    bureau.registry.put_job(a_job(version=2))
    assert await bureau.collect() == []
    assert bureau.debts.of(HPC) == ()


async def test_a_job_without_a_cluster_goes_at_its_deadline_once_it_is_written_down() -> None:
    """Else a Cluster removed by force would hold the Jobs' namespace, or what they left would be forgotten."""
    bureau = Bureau()
    bureau.registry.put_job(a_job(deleting=True, status=submitted(attempt=2), deletionDeadlineSeconds=0))
    bureau.virtual.clock.seconds += 1e9
    bureau.virtual.ledger.fault = FULL
    await bureau.unplaced.look()
    assert bureau.virtual.store.released == [], "nobody goes of whom nothing is written"
    bureau.virtual.ledger.fault = None
    await bureau.unplaced.look()
    assert bureau.virtual.store.released == [], "the ledger is left in peace for a moment"
    bureau.virtual.clock.seconds += 2 * SETTINGS.pauses.debt_seconds    # others of its namespace would be first
    await bureau.unplaced.look()
    assert [ref.uid for ref in bureau.virtual.store.released] == [UID]
    assert set(bureau.virtual.ledger.debts) == {f"{UID}-2"}


def deleted(number: int, *, begun: bool = True) -> Job:
    """A Job without a Cluster whose deadline is over long since."""
    uid = f"{number:08d}-2222-4333-8444-555555555555"
    status = {"run": {"key": f"{uid}-1", "attempt": 1}} if begun else {}
    return a_job(uid=uid, deleting=True, status=status, deletionDeadlineSeconds=0)


async def test_a_full_ledger_holds_nobody_who_owes_nothing_new() -> None:
    """Else Jobs that never began, or whose debt is written down, would stay as long as their namespace owes as much as it may."""
    bureau, jobs = Bureau(), [deleted(1), deleted(2), deleted(3, begun=False), deleted(4)]
    written = debt(uid=jobs[3].ref.uid)
    bureau.virtual.ledger.debts = {written.key: written}
    await bureau.debts.refresh()
    for job in jobs:
        bureau.registry.put_job(job)
    real = bureau.virtual.ledger.add

    async def add(debts: Sequence[Debt]) -> None:
        if any(each.key not in bureau.virtual.ledger.debts for each in debts):
            raise FULL
        await real(debts)

    bureau.virtual.ledger.add = add  # type: ignore[method-assign]
    await bureau.overdue.let_go(jobs[:2], "away", reached=False)
    await bureau.overdue.let_go(jobs, "away", reached=False)
    assert {ref.uid for ref in bureau.virtual.store.released} == {job.ref.uid for job in jobs[2:]}


@pytest.mark.parametrize("at_once", [True, False], ids=["together", "one by one"])
async def test_of_a_namespace_whose_ledger_is_full_each_job_has_its_turn(at_once: bool) -> None:
    """Else one Job whose debt cannot be written would hold all others of its namespace for ever, though there is room for theirs."""
    bureau, jobs, tried = Bureau(), [deleted(number) for number in range(3)], list[str]()

    async def add(debts: Sequence[Debt]) -> None:
        tried.extend(each.key[7] for each in debts)
        raise FULL

    bureau.virtual.ledger.add = add  # type: ignore[method-assign]
    for job in jobs:
        bureau.registry.put_job(job)
    for _ in range(9):
        for some in ([jobs] if at_once else [[job] for job in jobs]):
            await bureau.overdue.let_go(some, "away", reached=False)
        bureau.virtual.clock.seconds += SETTINGS.pauses.debt_seconds
    assert sorted(tried[:3]) == ["0", "1", "2"]
    assert sorted(tried[-3:]) == ["0", "1", "2"]
    assert len(tried) <= 9


async def test_who_rests_takes_nobodys_turn() -> None:
    """Else a Job with which something is wrong would have each turn, and do nothing with it."""
    bureau, ill, well = Bureau(), deleted(1), deleted(2)
    bureau.virtual.ledger.fault = FULL
    for job in (ill, well):
        bureau.registry.put_job(job)
    await bureau.overdue.let_go([ill, well], "away", reached=False)
    bureau.virtual.ledger.fault = None
    bureau.virtual.clock.seconds += 3 * SETTINGS.pauses.debt_seconds
    bureau.writer.mishaps.note(ill, LETTING_GO, RuntimeError("ill"))
    await bureau.overdue.let_go([ill, well], "away", reached=False)
    assert [ref.uid for ref in bureau.virtual.store.released] == [well.ref.uid]


async def test_a_debt_that_meets_a_fault_keeps_no_other_from_being_paid() -> None:
    """Else one entry of the ledger that nobody can pay would hold all Clusters on which something is owed."""
    ill, well = debt(uid="00000000-0000-4000-8000-000000000000"), debt()
    bureau = Bureau(ill, well)
    real = bureau.virtual.store.uid_of

    async def uid_of(ref: ObjectRef) -> str | None:
        if ref.uid == ill.ref.uid:
            raise RuntimeError
        return await real(ref)

    bureau.virtual.store.uid_of = uid_of  # type: ignore[method-assign]
    assert await bureau.collect() == [well.key]
