"""What is left of an owner whose object is gone goes the way of one that is being deleted, and is written down as what it was."""

from fairlead.domain.gone.debt import NOT_LEFT_ALONE, UNACCOUNTED, UNREACHABLE, Debt, deadline_of, debt_of, debtor, will_not_go
from fairlead.domain.gone.remains import Remains
from fairlead.domain.objects import Location, ObjectRef
from fairlead.domain.pacing import Now, Pacing
from fairlead.domain.run.memory import Asked, Buried, Cleared, Ending, Memory
from fairlead.domain.run.owner import RunOwner
from fairlead.domain.run.run import RunKey, StopWord
from fairlead.domain.run.steps import Bury, Release, Rest, decide, wakes_at
from product.objects import UID, a_job

NOW, PACING = Now(1000.0, 1_700_000_000.0), Pacing()
OF_LATER = Remains(ObjectRef("laters", "lab", "one", UID), Location(("lab", "hpc"), "n1:22"), (1, 2), grace_seconds=7, kind="Later")


def test_it_is_written_down_under_its_own_kind_and_place_and_read_again() -> None:
    """A debt of another kind would be asked for among the Jobs: its object would count as gone."""
    debt = debt_of(OF_LATER, RunKey(UID, 2), UNACCOUNTED, NOW.wall)
    assert (debt.kind, debt.ref, debt.location, debt.grace_seconds) == ("Later", OF_LATER.ref, OF_LATER.location, 7)
    assert debtor(debt) == OF_LATER


def test_a_debt_says_whether_what_is_left_is_left_alone() -> None:
    """What a person wanted to keep would be ended when its cluster comes back."""
    reasons = (NOT_LEFT_ALONE, UNREACHABLE)
    owed = [Debt(f"{UID}-3", "lab", "hpc", "Job", "lab", "one", "2026-01-01T00:00:00Z", reason, 5) for reason in reasons]
    left: list[RunOwner] = [debtor(each) for each in owed]
    assert [each.deletion_policy for each in left] == ["Orphan", "Cancel"]
    assert {each.grace_seconds for each in left} == {5}
    assert [key.attempt for key in left[0].keys] == [1, 2, 3, 4]


def test_it_has_no_deadline_and_goes_when_it_is_buried() -> None:
    """It would be written into the ledger again and again, or nothing would be done about it."""
    asked = Memory(2, ending=Ending(StopWord.DELETE, Asked(NOW.monotonic)))
    assert (deadline_of(OF_LATER), will_not_go(OF_LATER, asked, NOW, PACING)) == (None, False)
    assert wakes_at(OF_LATER, asked, NOW, PACING) == NOW.monotonic + 7, "its grace"
    assert decide(OF_LATER, Memory(2, ending=Ending(StopWord.DELETE, Cleared())), NOW, PACING) == Bury(OF_LATER.keys)
    assert decide(OF_LATER, Memory(2, ending=Ending(StopWord.DELETE, Buried())), NOW, PACING) == Release(finished=False)
    assert decide(OF_LATER, Memory(2, ending=Ending(StopWord.DELETE), retry_at=2000.0), NOW, PACING) == Rest(2000.0)


def test_a_job_answers_as_its_object_says() -> None:
    """A wish of its user would be read from another field, and not be kept."""
    job = a_job(suspend=True, priority=3, deletionPolicy="Orphan", deletionDeadlineSeconds=9, cancellationGracePeriodSeconds=8,
                backoffLimit=4, infrastructureRetries=2)
    owner: RunOwner = job
    assert (owner.kind, owner.suspend, owner.priority, owner.deletion_policy) == ("Job", True, 3, "Orphan")
    assert (owner.deletion_deadline_seconds, owner.grace_seconds, owner.backoff_limit, owner.infrastructure_retries) == (9, 8, 4, 2)
    assert (owner.failures, owner.infrastructure_failures, owner.next_retry_at) == (0, 0, None)
