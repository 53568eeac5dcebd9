"""What a Cluster says of what is left there: who still needs it, what is owed, and a sweep that waits for a person."""

from collections.abc import Sequence
from dataclasses import dataclass

from fairlead.api.v1alpha1 import names
from fairlead.api.v1alpha1.cluster import ClusterStatus, Residue, SweepAgreement
from fairlead.api.v1alpha1.reasons import ClusterCondition, ClusterReason
from fairlead.domain.conditions import Says
from fairlead.domain.gone.debt import Debt
from fairlead.domain.gone.sweep import Found, Ruling, number_to_agree

RESIDUE_SHOWN = 100
"""So many debts are in a Cluster's status, the oldest; the ledger has all."""
KEYS_TOLD = 20
"""So many keys are named in an Event, which holds 1,024 bytes."""


@dataclass(frozen=True, slots=True)
class Use:
    """What a Cluster is still needed for: Runs of its Jobs, Runs whose objects are gone and that are being cleaned up, and debts."""

    active_runs: int = 0
    cleaning: int = 0
    debts: tuple[Debt, ...] = ()

    @property
    def owed(self) -> tuple[Debt, ...]:
        """The debts for which a deleted Cluster has to stay. What is unaccounted has been cleaned up: nothing more could be done there."""
        return tuple(each for each in self.debts if each.is_payable)

    def __bool__(self) -> bool:
        return bool(self.active_runs or self.cleaning or self.owed)


NOT_USED = Use()


@dataclass(frozen=True, slots=True)
class Sweep:
    """The last sweep of a Cluster's tree, and what was decided about it. `is_told`: the status has been written since."""

    found: Found
    ruling: Ruling
    is_told: bool = False


def in_use(use: Use) -> Says:
    """InUse: whether a deleted Cluster has to stay, and what would let it go."""
    kind = ClusterCondition.IN_USE
    if use.active_runs:
        return Says(kind, True, ClusterReason.RUNS_ACTIVE, "Jobs of this Cluster have not ended")
    if use.owed:
        count, oldest = len(use.owed), use.owed[0]
        kinds = sorted({each.kind for each in use.owed})
        return Says(kind, True, ClusterReason.DEBTS_OWED, (
            f"{count} {'Run' if count == 1 else 'Runs'} of deleted {' and '.join(f'{each}s' for each in kinds)} may have left something "
            f"there (status.residue), the oldest of {oldest.kind} {oldest.namespace}/{oldest.name} since {oldest.since}: they are "
            f"cleaned up when the cluster answers. A deleted Cluster waits for that; to give it up, annotate it with "
            f"{names.FORGIVE_DEBTS_ANNOTATION}: \"true\""
        ))
    if use.cleaning:
        return Says(kind, True, ClusterReason.CLEANING_UP, (
            "Runs whose objects are gone are being cleaned up; a deleted Cluster waits for that. To give it up, annotate it with "
            f"{names.FORGIVE_DEBTS_ANNOTATION}: \"true\""
        ))
    return Says(kind, False, ClusterReason.NOT_IN_USE)


def residue(debts: Sequence[Debt]) -> tuple[Residue, ...]:
    """The oldest debts as the status shows them."""
    return tuple(
        Residue(key=each.key[:128], kind=each.kind, namespace=each.namespace, name=each.name, host=each.host or None, since=each.written_at,
                reason=each.reason)
        for each in debts[:RESIDUE_SHOWN]
    )


def sweep_held(sweep: Sweep | None, status: ClusterStatus, agreed: int) -> tuple[Says, ...]:
    """SweepHeld, once a sweep was refused. Without a sweep in this process it stays as it is."""
    kind = ClusterCondition.SWEEP_HELD
    if sweep is None:
        return ()
    if sweep.ruling.passes:
        return (Says(kind, False, ClusterReason.SWEEP_PASSED),) if status.condition(kind) else ()
    found = sweep.found
    return (Says(kind, True, ClusterReason.TOO_MANY_GONE, (
        f"{found.gone} of {found.runs} Runs in the work folder have lost their objects, so none of them is touched: is the API server "
        "whole, and may Fairlead read all namespaces? If these objects are meant to be gone, annotate the Cluster with "
        f"{names.AGREE_TO_SWEEP_ANNOTATION}: \"{number_to_agree(found, agreed)}\""
    )),)


def agreement(sweep: Sweep | None, status: ClusterStatus, agreed: int) -> SweepAgreement | None:
    """What the status is to remember of a person's agreement; nothing once the annotation is gone."""
    if not agreed:
        return None
    return sweep.ruling.agreement if sweep is not None and not sweep.is_told else status.sweep_agreement


def keys_told(keys: Sequence[str]) -> str:
    """Keys as an Event names them."""
    told = ", ".join(keys[:KEYS_TOLD])
    return told if len(keys) <= KEYS_TOLD else f"{told} and {len(keys) - KEYS_TOLD} more"
