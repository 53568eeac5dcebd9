"""A namespace with many running Jobs is deleted: gone within a minute; with its cluster away, gone at the deadline, and paid later."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fairlead.domain.gone.debt import UNACCOUNTED
from product.ledger import debts_of
from product.waiting import until
from scale.grounds import Grounds

SCRIPT = "#!/bin/sh\nexec sleep 3600\n"


@dataclass(frozen=True, slots=True)
class Exodus:
    """How it came out, in seconds: from the deletion until all Jobs were gone, and from the healing until nothing was owed.

    `patience`: how many times as long it may take as on a machine that does nothing else.
    """

    jobs: int
    away: bool
    deadline_seconds: int
    gone_seconds: float
    debts: int
    paid_seconds: float
    left: int
    patience: float

    @property
    def broken(self) -> list[str]:
        """What a user would have lost, in words."""
        limit, paid = (self.patience * seconds for seconds in (self.deadline_seconds + 15 if self.away else 60, 60))
        said = [
            (self.gone_seconds > limit, f"the Jobs were gone after {self.gone_seconds:.0f} s, not within {limit:g} s"),
            (self.away and self.debts != self.jobs, f"{self.debts} debts were written down, not {self.jobs}"),
            (self.paid_seconds > paid, f"the debts were paid after {self.paid_seconds:.0f} s, not within {paid:g} s"),
            (self.left, f"{self.left} jobs are left on the cluster"),
        ]
        return [words for is_so, words in said if is_so]

    @property
    def says(self) -> str:
        """One paragraph."""
        if not self.away:
            return f"Namespace with {self.jobs} Jobs deleted: gone after {self.gone_seconds:.0f} s, {self.left} jobs left on the cluster."
        return (f"Namespace with {self.jobs} Jobs deleted, the cluster's link down, deletion deadline {self.deadline_seconds} s: gone "
                f"after {self.gone_seconds:.0f} s, {self.debts} debts; all paid {self.paid_seconds:.0f} s after the link was up again, "
                f"{self.left} jobs left on the cluster.")


def exodus(
    grounds: Grounds, count: int, deadline_seconds: int | None, tell: Callable[[str], None], patience: float = 1.0,
) -> Exodus:
    """Run so many Jobs, delete their namespace with everything in it, Cluster and Secret too, and see it gone.

    `deadline_seconds`: the link is down meanwhile, and the Jobs are let go after so long.
    """
    scene, cluster, away = grounds.scene, grounds.cluster, deadline_seconds is not None
    spec: dict[str, Any] = {"deletionDeadlineSeconds": deadline_seconds} if away else {}
    for number in range(count):
        scene.job(f"many-{number}", SCRIPT, cancellationGracePeriodSeconds=2, **spec)
    until(lambda: sum(phase == "Running" for phase in grounds.phases().values()) >= min(count, 100), "Jobs to run", 300)
    until(lambda: all(phase in {"Running", "Queued"} for phase in grounds.phases().values()), "all Jobs to be on the cluster", 300)
    tell(f"{count} Jobs on the cluster")
    if away:
        cluster.link_down()
    began = time.monotonic()
    path = f"/api/v1/namespaces/{scene.namespace}"
    scene.api.delete(path)
    until(lambda: not scene.jobs(), "all Jobs to be gone", 600)
    gone_seconds, debts, paid_seconds = time.monotonic() - began, _debts(grounds), 0.0
    tell(f"gone after {gone_seconds:.0f} s, {debts} debts")
    if away:
        healed = time.monotonic()
        cluster.link_up()
        until(lambda: not _debts(grounds), "all debts to be paid", 300)
        paid_seconds = time.monotonic() - healed
    until(lambda: scene.api.get(path) is None, "the namespace to be gone", 120)
    left = len(cluster.jobs_active())
    return Exodus(count, away, deadline_seconds or 0, gone_seconds, debts, paid_seconds, left, patience)


def _debts(grounds: Grounds) -> int:
    """How much is owed for Jobs of this namespace. (What is unaccounted has been cleaned up, and only waits for its tombstone to go.)"""
    return sum(1 for each in debts_of(grounds.scene).values() if each["reason"] != UNACCOUNTED)
