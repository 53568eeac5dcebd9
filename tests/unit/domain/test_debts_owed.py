"""When a deleted Job is let go, what it owes then, and how a Cluster shows it."""

from dataclasses import replace
from typing import Any

import pytest

from fairlead.api.v1alpha1.cluster import SweepAgreement
from fairlead.api.v1alpha1.reasons import ClusterReason
from fairlead.domain.cluster.cluster import Health, report
from fairlead.domain.cluster.residue import KEYS_TOLD, RESIDUE_SHOWN, Sweep, Use, in_use, keys_told
from fairlead.domain.gone.debt import (
    NOT_ENDED,
    NOT_LEFT_ALONE,
    UNACCOUNTED,
    UNREACHABLE,
    Debt,
    debt_of,
    debtor,
    is_overdue,
    what_is_owed,
    will_not_go,
)
from fairlead.domain.gone.sweep import Found, Ruling
from fairlead.domain.job.job import Job
from fairlead.domain.pacing import Now, Pacing
from fairlead.domain.run.memory import Asked, Cleared, Ending, Forced, Memory
from fairlead.domain.run.run import RunKey, StopWord
from product.objects import UID, a_cluster, a_job, submitted

DELETED_AT = 1_767_225_600.0        # 2026-01-01T00:00:00Z, when deleted Jobs of `product.objects` were deleted
DEADLINE = DELETED_AT + 600
ASKED = Memory(ending=Ending(StopWord.DELETE, Asked(100.0)))
PACING = Pacing(cancel_again_seconds=10)


def debt(number: int = 1, reason: str = UNREACHABLE) -> Debt:
    """One of many."""
    return Debt(f"00000000-0000-4000-8000-{number:012d}-1", "lab", "hpc", "Job", "lab", f"job-{number}", "2026-01-01T00:00:00Z", reason)


@pytest.mark.parametrize(("job", "wall", "overdue"), [
    pytest.param(a_job(), DEADLINE + 1e6, False, id="nobody-deletes-it"),
    pytest.param(a_job(deleting=True), DEADLINE - 1, False, id="there-is-time"),
    pytest.param(a_job(deleting=True), DEADLINE, True, id="over"),
    pytest.param(a_job(deleting=True, deletionDeadlineSeconds=0), DELETED_AT, True, id="no-time-at-all"),
    pytest.param(a_job(deleting=True, has_finalizer=False), DEADLINE, False, id="without-finalizer-it-goes-by-itself"),
    pytest.param(a_job(deleting=True, status={"conditions": [
        {"type": "Complete", "status": "True", "reason": "Completed", "lastTransitionTime": "2026-01-01T00:00:00Z"},
    ]}), DEADLINE, False, id="ended-it-owes-nothing"),
])
def test_a_deleted_job_waits_for_its_cluster_no_longer_than_its_deadline(job: Job, wall: float, overdue: bool) -> None:
    """Else a namespace would wait for ever, or a Job would go without need."""
    assert is_overdue(job, wall) is overdue


@pytest.mark.parametrize(("memory", "monotonic", "goes"), [
    pytest.param(Memory(), 100.0, False, id="not-tried-yet-a-new-controller-tries-first"),
    pytest.param(Memory(retry_at=90.0), 100.0, False, id="tried-for-another-reason"),
    pytest.param(Memory(ending=Ending(StopWord.DELETE), retry_at=90.0), 100.0, True, id="the-cluster-gives-no-answer-that-decides"),
    pytest.param(Memory(ending=Ending(StopWord.DELETE), retry_at=101.0), 100.0, False, id="it-is-asked-again-first"),
    pytest.param(ASKED, 129.0, False, id="in-its-grace"),
    pytest.param(ASKED, 1000.0, False, id="grace-over-the-end-by-force-comes-first"),
    pytest.param(ASKED.at(Forced(100.0, 130.0, outlived=True)), 139.0, False, id="ended-by-force-a-moment-ago"),
    pytest.param(ASKED.at(Forced(100.0, 130.0)), 140.0, False, id="ended-by-force-and-not-looked-at-since"),
    pytest.param(ASKED.at(Forced(100.0, 130.0, outlived=True)), 140.0, True, id="ended-by-force-in-vain"),
    pytest.param(ASKED.at(Cleared()), 140.0, False, id="not-listed-any-more"),
    pytest.param(replace(ASKED.at(Cleared()), retry_at=139.0), 140.0, True, id="its-directory-cannot-be-cleared"),
])
def test_a_reachable_cluster_is_given_every_try_first(memory: Memory, monotonic: float, goes: bool) -> None:
    """Else a short deadline would cost a script its grace, or a job that cannot be killed would hold a namespace."""
    job = a_job(deleting=True, status=submitted())
    assert will_not_go(job, memory, Now(monotonic, DEADLINE), PACING) is goes


@pytest.mark.parametrize(("spec", "reached", "reason"), [
    ({}, False, UNREACHABLE), ({}, True, NOT_ENDED), ({"deletionPolicy": "Orphan"}, False, NOT_LEFT_ALONE),
    ({"deletionPolicy": "Orphan"}, True, NOT_LEFT_ALONE),
])
def test_what_is_owed_says_what_is_to_be_done(spec: dict[str, Any], reached: bool, reason: str) -> None:
    """Else who was to be left alone would be cancelled when the cluster is back."""
    assert what_is_owed(a_job(**spec), reached=reached) == reason


def test_a_debt_brings_back_enough_of_its_job_to_clean_up_behind_it() -> None:
    """Else the grace or the policy that a user chose would be lost with the object."""
    job = a_job(status=submitted(attempt=3), cancellationGracePeriodSeconds=300)
    owed = debt_of(job, job.key, UNREACHABLE, DEADLINE)
    assert owed.since == "2026-01-01T00:10:00Z"
    again = debtor(owed)
    assert again.deleting
    assert again.keys == tuple(RunKey(UID, attempt) for attempt in (1, 2, 3, 4))
    assert again.grace_seconds == 300
    assert again.deletion_policy == "Cancel"
    assert debtor(replace(owed, reason=NOT_LEFT_ALONE)).deletion_policy == "Orphan"
    assert not is_overdue(again, DEADLINE + 1e6), "who has no object cannot be let go of once more"


@pytest.mark.parametrize(("use", "status", "reason"), [
    pytest.param(Use(), False, ClusterReason.NOT_IN_USE, id="nothing"),
    pytest.param(Use(1, 1, (debt(),)), True, ClusterReason.RUNS_ACTIVE, id="jobs-first"),
    pytest.param(Use(0, 1, (debt(),)), True, ClusterReason.DEBTS_OWED, id="then-debts"),
    pytest.param(Use(0, 1), True, ClusterReason.CLEANING_UP, id="then-what-is-being-cleaned-up"),
    pytest.param(Use(0, 0, (debt(reason=UNACCOUNTED),)), False, ClusterReason.NOT_IN_USE, id="what-is-unaccounted-was-cleaned-up"),
])
def test_a_cluster_says_why_it_cannot_go(use: Use, status: bool, reason: ClusterReason) -> None:
    """Else people would wait for a deleted Cluster without knowing for what."""
    said = in_use(use)
    assert (said.status, said.reason) == (status, reason)
    assert bool(use) is status


def test_of_many_debts_the_oldest_are_shown() -> None:
    """Else a status would grow until it cannot be written."""
    debts = tuple(debt(number) for number in range(RESIDUE_SHOWN + 1))
    status = report(a_cluster(), Health(use=Use(debts=debts)), Now(0, DEADLINE), 300)
    assert status is not None
    assert [each.key for each in status.residue] == [each.key for each in debts[:RESIDUE_SHOWN]]
    keys = [each.key for each in debts]
    assert keys_told(keys).endswith(f"and {len(keys) - KEYS_TOLD} more")
    assert keys_told(keys[:1]) == keys[0]
    assert len(keys_told(keys).encode()) < 900, "an Event holds 1,024 bytes"


def test_an_agreement_that_was_taken_away_is_forgotten() -> None:
    """Else the same number could never be agreed to again."""
    held = Sweep(Found(40, 40), Ruling(False, None))
    status = report(a_cluster(), Health(sweep=held), Now(0, DEADLINE), 300)
    assert status is not None
    condition = status.condition("SweepHeld")
    assert condition is not None
    assert condition.status == "True"
    agreed = replace(a_cluster(), status=status, agreed_sweep=40)
    ruling = Ruling(True, SweepAgreement(number=40, left=40), by_agreement=True)
    used = report(agreed, Health(sweep=Sweep(Found(40, 40), ruling)), Now(0, DEADLINE), 300)
    assert used is not None
    assert used.sweep_agreement == SweepAgreement(number=40, left=40)
    told = Health(sweep=Sweep(Found(40, 40), ruling, is_told=True))
    after = report(replace(agreed, status=used, agreed_sweep=0), told, Now(0, DEADLINE), 300)
    assert after is not None
    assert after.sweep_agreement is None
    again = report(replace(agreed, status=after), told, Now(0, DEADLINE), 300)
    assert again is None or again.sweep_agreement is None, "what an earlier sweep left is not told twice"
