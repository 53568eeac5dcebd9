"""How much of a cluster's queue the Jobs of one Cluster may take: how many at the same time, and how many submissions a second. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TypeVar

from fairlead.api.v1alpha1.cluster import Limits
from fairlead.domain.cluster.cluster import Cluster
from fairlead.domain.run.owner import RunOwner
from fairlead.domain.run.steps import Resume, Step, TakeUp

AnyOwner = TypeVar("AnyOwner", bound=RunOwner)

_WHOLE = 1 - 1e-9                # what fractions of a second have added up to may miss the whole token by a rounding


def active(jobs: Iterable[RunOwner]) -> int:
    """How many Jobs are on the cluster or on their way there."""
    return sum(1 for job in jobs if job.is_active)


def in_turn(jobs: Iterable[AnyOwner]) -> list[AnyOwner]:
    """Jobs in the order in which they get a place: the higher priority first, and of equals who comes first in `jobs`."""
    return sorted(jobs, key=lambda job: -job.priority)


def asks_for_a_place(job: RunOwner, step: Step) -> bool:
    """Whether this step makes a Job active."""
    return isinstance(step, Resume) or (isinstance(step, TakeUp) and not job.is_begun)


def places(limits: Limits, active: int) -> int | None:
    """How many more may be taken up beside so many that are active; None: as many as there are."""
    return None if limits.max_active_jobs is None else max(0, limits.max_active_jobs - active)


def beyond(cluster: Cluster) -> str:
    """What a Job is told for which there is no place."""
    limit = cluster.spec.limits.max_active_jobs
    return f"Cluster {cluster.ref.name} takes {limit} Jobs at a time (spec.limits.maxActiveJobs): this one waits"


@dataclass(frozen=True, slots=True)
class Bucket:
    """Tokens for submissions: `rate` a second are added, up to a second's worth and at least one. `rate` None: without end."""

    rate: float | None
    tokens: float = 0.0
    at: float = float("-inf")    # monotonic: up to when tokens were added

    @classmethod
    def of(cls, limits: Limits, monotonic: float) -> "Bucket":
        """A full one."""
        rate = limits.submit_per_second
        return cls(rate, _size(rate), monotonic)

    def after(self, limits: Limits, monotonic: float) -> "Bucket":
        """The same under other limits: what is in it stays, as far as it fits."""
        now, rate = self.filled(monotonic), limits.submit_per_second
        return Bucket(rate, _size(rate) if self.rate is None else min(now.tokens, _size(rate)), monotonic)

    def filled(self, monotonic: float) -> "Bucket":
        """The same at this moment."""
        if self.rate is None:
            return self
        return replace(self, tokens=min(self.tokens + max(0.0, monotonic - self.at) * self.rate, _size(self.rate)), at=monotonic)

    def allows(self, monotonic: float) -> int | None:
        """How many submissions may go now; None: any number."""
        if self.rate is None:
            return None
        tokens = self.filled(monotonic).tokens
        return int(tokens) + (tokens - int(tokens) >= _WHOLE)

    def taken(self, count: int, monotonic: float) -> "Bucket":
        """The same after so many submissions have gone."""
        now = self.filled(monotonic)
        return now if now.rate is None else replace(now, tokens=max(0.0, now.tokens - count))

    def next_at(self, monotonic: float) -> float:
        """When one more may go (monotonic)."""
        if self.rate is None or self.allows(monotonic):
            return monotonic
        return monotonic + (1 - self.filled(monotonic).tokens) / self.rate


def _size(rate: float | None) -> float:
    return max(1.0, rate) if rate is not None else 0.0
