"""Directories without an object are buried, and only those: what the API server did not say for sure decides nothing."""

from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from fairlead.app.kinds import KINDS
from fairlead.domain.errors import Forbidden, Unavailable
from fairlead.domain.gone.debt import UNACCOUNTED, UNREACHABLE, Debt
from fairlead.domain.gone.remains import Remains
from fairlead.domain.gone.sweep import SUSPICIOUS_COUNT, Found
from fairlead.domain.job.job_kind import JOB
from fairlead.domain.kinds import Kinds
from fairlead.domain.objects import Location, ObjectRef
from fairlead.domain.run.answers import Remnant
from fairlead.domain.run.run import Owner, RunKey
from fairlead.domain.scope import EVERYWHERE, Scope
from fairlead.engine.cluster.clearing import to_clear
from fairlead.engine.gone.leftovers import STRAYS_AT_ONCE, STRAYS_OF_ONE, Leftover, Leftovers
from fairlead.engine.owed.debts import Debts
from fairlead.engine.registry import Registry
from fairlead.schedulers.seam import Removed
from product.objects import a_job
from unit.engine.virtual import Virtual

HPC = ("lab", "hpc")


def uid(number: int) -> str:
    """A uid."""
    return f"00000000-0000-4000-8000-{number:012d}"


def remnant(number: int, *, owned: bool = True, attempt: int = 1, tombstone: bool = False) -> Remnant:
    """A directory as a sweep lists it."""
    return Remnant(RunKey(uid(number), attempt), Owner("lab", f"job{number}", uid(number)) if owned else None, tombstone)


def found(*remnants: Remnant, complete: bool = True) -> Removed:
    """A sweep's answer."""
    return Removed(frozenset(), remnants, complete)


class Yard:
    """Leftovers on fakes; `buried` are the keys that were cleaned up."""

    location = Location(HPC)

    def __init__(self, *watched: str, kinds: Kinds = KINDS) -> None:
        self.virtual = Virtual(scope=Scope(watched), kinds=kinds)
        self.registry = Registry()
        self.buried: list[str] = []
        self.policies: list[str] = []
        self.keys: list[str] = []
        self.taken_down: list[str] = []
        self.told: list[tuple[int, int]] = []
        self.under_way: set[str] = set()
        self.asked: list[Found] = []
        self.debts = Debts(self.virtual.world)
        self.debts.known = True
        self.reached = True
        self.leftovers = Leftovers(self.virtual.world, self.registry, self.debts, self.clean_up, lambda _leftover: self.reached)

    async def swept(self, removed: Removed) -> None:
        """A sweep of the Cluster's tree has found this."""
        self.taken_down += map(str, await self.leftovers.swept(removed, self))

    async def tell_of_strays(self, strays: int, strange: int) -> None:
        """Remember it."""
        self.told.append((strays, strange))

    def is_under_way(self, uid: str) -> bool:
        """Whether it is in `under_way`."""
        return uid in self.under_way

    async def rule(self, found: Found) -> bool:
        """As without an agreement."""
        self.asked.append(found)
        return not found.is_suspicious

    def clean_up(self, remains: Remains) -> None:
        """Remember whose directories are buried."""
        assert remains.cluster == HPC
        self.buried.append(str(remains.key))
        self.policies.append(remains.deletion_policy)
        self.keys += map(str, remains.keys)


async def test_a_finished_job_is_buried_once_it_is_gone() -> None:
    """Else each deleted Job would leave a directory on the cluster."""
    yard = Yard()
    ref = ObjectRef("jobs", "lab", "job1", uid(1))
    yard.leftovers.keep(Leftover(Location(HPC), ref, (1, 2)))
    yard.virtual.data.finished = [ref]
    await yard.leftovers.look()
    assert yard.buried == []
    yard.virtual.data.finished = []
    await yard.leftovers.look()
    await yard.leftovers.look()
    assert yard.buried == [f"{uid(1)}-2"]


async def test_directories_alone_wait_for_their_cluster_and_a_job_that_may_run_does_not() -> None:
    """Else a suspended Cluster could not be deleted for the sake of a few files, or a running job would be forgotten with it."""
    yard = Yard()
    yard.leftovers.keep(Leftover(Location(HPC), ObjectRef("jobs", "lab", "job1", uid(1)), (1,), ended=True))
    yard.leftovers.keep(Leftover(Location(HPC), ObjectRef("jobs", "lab", "job2", uid(2)), (1,)))
    yard.reached = False
    await yard.leftovers.look()
    assert yard.buried == [f"{uid(2)}-1"]
    yard.reached = True
    await yard.leftovers.look()
    assert yard.buried == [f"{uid(2)}-1", f"{uid(1)}-1"]


async def test_a_job_that_was_made_again_under_its_name_does_not_keep_the_old_ones_directory() -> None:
    """Else `kubectl replace --force` would leave one directory each time."""
    yard = Yard()
    yard.leftovers.keep(Leftover(Location(HPC), ObjectRef("jobs", "lab", "job1", uid(1)), (1,)))
    yard.virtual.store.uids = {"lab/job1": uid(2)}
    await yard.leftovers.look()
    assert yard.buried == [f"{uid(1)}-1"]


@pytest.mark.parametrize("fault", [Unavailable("no answer"), Forbidden("403")], ids=["time-out", "forbidden"])
async def test_no_answer_is_no_proof(fault: Unavailable) -> None:
    """Else an API server that restarts would cost the directories of all finished Jobs."""
    yard = Yard()
    yard.leftovers.keep(Leftover(Location(HPC), ObjectRef("jobs", "lab", "job1", uid(1)), (1,)))
    yard.virtual.store.fault = fault
    await yard.leftovers.look()
    await yard.swept(found(remnant(3)))
    assert yard.buried == []
    yard.virtual.store.fault = None
    await yard.leftovers.look()
    assert yard.buried == [f"{uid(1)}-1", f"{uid(3)}-1"]


async def test_a_sweep_buries_what_has_no_object_and_keeps_watch_over_the_rest() -> None:
    """Else a controller that was away would never clear up behind the Jobs that were deleted meanwhile."""
    yard = Yard()
    yard.registry.put_job(a_job(uid=uid(1)))
    yard.virtual.store.uids = {"lab/job2": uid(2)}
    await yard.swept(found(remnant(1), remnant(2), remnant(3), remnant(4, tombstone=True)))
    assert yard.buried == [f"{uid(3)}-1"]
    yard.virtual.store.uids = {}
    await yard.leftovers.look()
    assert yard.buried == [f"{uid(3)}-1", f"{uid(2)}-1"]


async def test_of_several_attempts_the_last_one_counts() -> None:
    """Else the directory of a retried attempt would stay."""
    yard = Yard()
    await yard.swept(found(remnant(1, attempt=1), remnant(1, attempt=2, owned=False)))
    assert yard.buried == [f"{uid(1)}-2"]


@pytest.mark.parametrize(("complete", "taken_down"), [(True, [f"{uid(1)}-1"]), (False, [])])
async def test_a_directory_without_an_owner_is_taken_down_only_by_a_whole_list(complete: bool, taken_down: list[str]) -> None:
    """Else a directory whose owner is about to be written would go under the submission that makes it."""
    yard = Yard()
    await yard.swept(found(remnant(1, owned=False), complete=complete))
    assert (yard.taken_down, yard.buried) == (taken_down, [])


@pytest.mark.parametrize("complete", [True, False])
async def test_a_listed_job_without_an_owner_is_ended_only_by_a_whole_list(complete: bool) -> None:
    """Else a job whose directory was purged would run on, with nobody who knows of it; or a living one would be ended."""
    yard = Yard()
    await yard.swept(found(replace(remnant(1, owned=False), listed=True), complete=complete))
    assert (yard.buried, yard.taken_down) == ([f"{uid(1)}-1"] if complete else [], [])


async def test_directories_that_a_script_has_made_cost_nobody_anything() -> None:
    """Else a thousand `mkdir` would hold up each sweep, or have the API server asked a thousand times."""
    yard = Yard()
    yard.registry.put_job(a_job(uid=uid(0)))
    made = [remnant(number, owned=False, attempt=9999) for number in range(1000)]
    await yard.swept(found(*made, remnant(2000)))
    assert yard.asked == [Found(1, 1)], "they arouse no suspicion"
    assert (yard.buried, yard.keys) == ([f"{uid(2000)}-1"], [f"{uid(2000)}-1", f"{uid(2000)}-2"])
    assert len(yard.taken_down) == STRAYS_AT_ONCE
    assert f"{uid(0)}-9999" not in yard.taken_down, "its Job is there"
    assert yard.told == [(999, 0)]


async def test_a_made_up_attempt_of_an_object_makes_no_range() -> None:
    """Else one `mkdir` would have ten thousand keys cancelled, and the site's Jobs wait for it."""
    yard = Yard()
    await yard.swept(found(remnant(1), *(remnant(1, owned=False, attempt=9000 + number) for number in range(500))))
    [ours, following, *others] = yard.keys
    assert [ours, following] == [f"{uid(1)}-1", f"{uid(1)}-2"]
    assert len(others) == STRAYS_OF_ONE + 1


async def test_too_many_at_once_are_left_alone() -> None:
    """Else an API server that was restored from an old backup would have every directory removed."""
    yard = Yard()
    await yard.swept(found(*(remnant(number) for number in range(SUSPICIOUS_COUNT + 1))))
    assert yard.buried == []
    await yard.swept(found(*(remnant(number) for number in range(SUSPICIOUS_COUNT))))
    assert len(yard.buried) == SUSPICIOUS_COUNT


async def test_what_the_ledger_knows_is_not_suspicious_and_is_left_to_it() -> None:
    """Else 200 debts, paid after a restart, would look like an accident; and what cannot be paid again would be by the sweep."""
    yard = Yard()
    for number in range(SUSPICIOUS_COUNT + 5):
        reason = UNACCOUNTED if number == 0 else UNREACHABLE
        owed = Debt(f"{uid(number)}-1", "lab", "hpc", "Job", "lab", f"job{number}", "2023-11-14T00:00:00Z", reason)
        yard.virtual.ledger.debts[owed.key] = owed
    await yard.debts.refresh()
    await yard.swept(found(*(remnant(number) for number in range(SUSPICIOUS_COUNT + 6))))
    assert yard.asked == [Found(SUSPICIOUS_COUNT + 6, 1)]
    assert yard.buried == [f"{uid(0)}-1", f"{uid(SUSPICIOUS_COUNT + 5)}-1"], "the unaccounted one is looked at again"


async def test_before_the_ledger_is_read_nothing_is_swept() -> None:
    """Else what it names would count as an accident."""
    yard = Yard()
    yard.debts.known = False
    await yard.swept(found(remnant(1)))
    assert yard.buried == []
    assert yard.asked == []


async def test_what_was_left_alone_stays_with_all_its_attempts() -> None:
    """Else a Job with deletionPolicy Orphan would be ended by the next sweep."""
    yard = Yard()
    orphan = replace(remnant(1, attempt=2), orphaned=True)
    await yard.swept(found(remnant(1, attempt=1), orphan, remnant(1, attempt=3, owned=False), remnant(2)))
    assert yard.buried == [f"{uid(2)}-1"]
    assert yard.asked == [Found(1, 1)]


async def test_what_is_being_cleaned_up_is_not_found_again() -> None:
    """Else a sweep that comes while a namespace goes would find too many gone."""
    yard = Yard()
    yard.under_way = {uid(1)}
    await yard.swept(found(remnant(1)))
    assert yard.asked == [Found(1, 0)]
    assert yard.buried == []


async def test_a_cluster_that_is_gone_takes_its_leftovers_along() -> None:
    """Else each look would try to bury where nobody can go any more."""
    yard = Yard()
    yard.leftovers.keep(Leftover(Location(HPC), ObjectRef("jobs", "lab", "job1", uid(1)), (1,)))
    yard.leftovers.leave(HPC)
    await yard.leftovers.look()
    assert yard.buried == []


async def test_a_job_whose_finalizer_was_taken_off_by_hand_is_still_left_alone_if_it_wanted_that() -> None:
    """Else a Job that somebody removed by force would be ended on the cluster against its own deletionPolicy."""
    yard = Yard()
    yard.leftovers.keep(Leftover(Location(HPC), ObjectRef("jobs", "lab", "job1", uid(1)), (1,), policy="Orphan"))
    await yard.leftovers.look()
    assert yard.policies == ["Orphan"]


async def test_a_directory_without_an_owner_is_compared_with_a_list_of_its_own() -> None:
    """Else a Job that no watch has told of yet would be cancelled in the moment of its submission."""
    yard = Yard()
    yard.virtual.data.unfinished = [ObjectRef("jobs", "lab", "job1", uid(1))]
    await yard.swept(found(remnant(1, owned=False), remnant(2, owned=False)))
    assert yard.taken_down == [f"{uid(2)}-1"]


async def test_what_belongs_to_a_namespace_that_is_not_watched_is_never_gone() -> None:
    """Else whoever takes a namespace out of the list would end all that runs for it: a list without it lacks its Jobs."""
    yard = Yard("physics")
    await yard.swept(found(remnant(1), remnant(2)))
    assert yard.buried == []
    assert yard.asked == [Found(2, 0)]
    yard.leftovers.keep(Leftover(Location(HPC), ObjectRef("jobs", "lab", "job1", uid(1)), (1,)))
    await yard.leftovers.look()
    assert yard.buried == []


async def test_where_only_some_are_watched_nothing_is_gone_of_which_nobody_knows_whose_it_is() -> None:
    """Else a Run whose owner cannot be read would be ended, and a directory that was just made be taken down, since no list has its uid."""
    yard = Yard("physics")
    listed = Remnant(RunKey(uid(1), 1), None, tombstone=False, listed=True)
    await yard.swept(found(listed, remnant(2, owned=False)))
    assert (yard.buried, yard.taken_down) == ([], [])


async def test_what_another_release_has_written_about_is_left_to_it() -> None:
    """Else an older controller would end what a newer one has promised to leave alone, in words that the older one does not know."""
    yard = Yard()
    yard.virtual.ledger.foreign = frozenset({f"{uid(1)}-1", f"{uid(3)}-1", f"{uid(4)}-1", "what?"})
    await yard.debts.refresh()
    yard.leftovers.keep(Leftover(Location(HPC), ObjectRef("jobs", "lab", "job1", uid(1)), (1,), ended=True))
    await yard.leftovers.look()
    await yard.swept(found(remnant(1), remnant(2), remnant(3), remnant(4, owned=False)))
    assert (yard.buried, yard.taken_down) == ([f"{uid(2)}-1"], [])


def of_later(number: int, attempt: int = 1) -> Remnant:
    """A directory of an object of a kind that a later release has."""
    return Remnant(RunKey(uid(number), attempt), Owner("lab", f"later{number}", uid(number), "Later"), tombstone=False)


async def test_what_is_of_a_kind_or_form_of_tomorrow_is_left_alone_and_told_once() -> None:
    """Else an older controller beside a newer one would end all that this one runs: it knows none of its objects."""
    yard = Yard()
    unread = replace(remnant(2, owned=False), foreign=True)
    with capture_logs() as logs:
        for _ in range(2):
            await yard.swept(found(of_later(1, 2), remnant(1, owned=False), replace(unread, listed=True), remnant(3)))
    assert (yard.buried, yard.taken_down) == ([f"{uid(3)}-1"] * 2, [])
    assert yard.asked == [Found(1, 1)] * 2, "they neither are suspicious nor make others less so"
    assert [(each["event"], each["keys"], each["kinds"]) for each in logs] == [
        ("runs_not_understood", f"{uid(1)}-2, {uid(2)}-1", ["Later", "unknown"])]


async def test_beside_what_another_release_has_there_nobody_knows_whose_the_rest_is() -> None:
    """Else a directory that the newer controller is about to mark, or a job of its whose directory is gone, would count as nobody's."""
    yard = Yard()
    listed = replace(remnant(2, owned=False), listed=True)
    await yard.swept(found(of_later(1), listed, remnant(3, owned=False), remnant(4)))
    assert (yard.buried, yard.taken_down) == ([f"{uid(4)}-1"], [])
    await yard.swept(found(listed, remnant(3, owned=False)))
    assert (yard.buried, yard.taken_down) == ([f"{uid(4)}-1", f"{uid(2)}-1"], [f"{uid(3)}-1"])


async def test_of_a_kind_that_is_known_the_api_server_is_asked_under_its_own_path() -> None:
    """Else an object of another kind, or its namesake among the Jobs, would answer for it."""
    yard = Yard(kinds=Kinds(JOB, replace(JOB, name="Later")))
    yard.virtual.store.uids = {"lab/later1": uid(1)}
    await yard.swept(found(of_later(1), of_later(2)))
    assert yard.buried == [f"{uid(2)}-1"]
    assert {ref.plural for ref in yard.virtual.store.asked} == {"laters"}
    yard.virtual.store.uids = {}
    await yard.leftovers.look()
    assert yard.buried == [f"{uid(2)}-1", f"{uid(1)}-1"]
    assert yard.virtual.data.listed == ["laters"]


def test_a_deleted_cluster_is_cleared_but_for_what_another_release_has_there() -> None:
    """Else deleting a Cluster under an older controller would end what a newer one runs there."""
    found_there = found(of_later(1), replace(remnant(2, owned=False), foreign=True), remnant(3, owned=False), remnant(4))
    assert to_clear(found_there, EVERYWHERE, KINDS) == [RunKey(uid(4), 1)]
    assert to_clear(found(remnant(3, owned=False)), EVERYWHERE, KINDS) == [RunKey(uid(3), 1)]


async def test_what_belongs_to_a_namespace_that_is_watched_is_swept_as_ever() -> None:
    """Else an installation for some namespaces would clean up nothing."""
    yard = Yard("lab")
    await yard.swept(found(remnant(1)))
    assert yard.buried == [f"{uid(1)}-1"]
