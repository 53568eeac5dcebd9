"""What is still owed on a cluster when an object had to be let go, and when that is."""

from dataclasses import dataclass
from datetime import datetime

from fairlead.api.v1alpha1.meta import as_timestamp
from fairlead.domain.conditions import moment
from fairlead.domain.gone.remains import Remains
from fairlead.domain.objects import ClusterName, Location, ObjectRef, plural_of
from fairlead.domain.pacing import Now, Pacing
from fairlead.domain.run.memory import Memory
from fairlead.domain.run.owner import DeletionPolicy, RunOwner
from fairlead.domain.run.run import RunKey, StopWord
from fairlead.domain.run.steps import ends_by_force

UNREACHABLE = "Unreachable"
"""The cluster could not be reached, or not be worked with, until the object's deletionDeadlineSeconds were over."""
NOT_ENDED = "NotEnded"
"""The cluster answered, and what the object had there was not gone when its deletionDeadlineSeconds were over."""
NOT_LEFT_ALONE = "NotLeftAlone"
"""The object's deletionPolicy is Orphan, and its directory could not be marked so in time: unmarked, the sweep would clean it up."""
UNACCOUNTED = "Unaccounted"
"""Cancelled and not listed, yet neither the node nor the scheduler has said that it ended: a start which the scheduler itself has forgotten
may run on until its wrapper finds the claim changed."""
REASONS = frozenset({UNREACHABLE, NOT_ENDED, NOT_LEFT_ALONE, UNACCOUNTED})
"""All of them: what is owed for another reason was written by another release, which alone knows what to do about it."""


@dataclass(frozen=True, slots=True)
class Debt:
    """A Run that may have left something behind on a cluster, and whose object is gone."""

    key: str                         # <object uid>-<attempt>; it stands for all attempts up to the next one
    cluster_namespace: str
    cluster_name: str
    kind: str                        # of the object that is gone
    namespace: str
    name: str
    since: str                       # RFC 3339
    reason: str                      # CamelCase, one of the words above
    grace_seconds: int = 30          # between TERM and the end by force
    host: str = ""                   # on which of the Cluster's bare hosts, if it has any

    @property
    def cluster(self) -> ClusterName:
        """Namespace and name of the Cluster."""
        return self.cluster_namespace, self.cluster_name

    @property
    def location(self) -> Location:
        """Where it is owed."""
        return Location(self.cluster, self.host)

    @property
    def run(self) -> RunKey | None:
        """The key as one; None if somebody has written another text into the ledger."""
        return RunKey.parse(self.key)

    @property
    def written_at(self) -> datetime | None:
        """`since` as a time; None if somebody has written another text into the ledger."""
        try:
            return datetime.fromisoformat(self.since)
        except ValueError:
            return None

    @property
    def is_payable(self) -> bool:
        """Whether something can be done about it: what is unaccounted has been done with, and only waits for its tombstone to go."""
        return self.reason != UNACCOUNTED and self.run is not None

    @property
    def ref(self) -> ObjectRef:
        """The object that is gone."""
        return ObjectRef(plural_of(self.kind), self.namespace, self.name, self.run.uid if self.run else "")


def debt_of(job: RunOwner, key: RunKey, reason: str, wall: float) -> Debt:
    """What an owner leaves behind under `key` on its cluster, from `wall` on (epoch seconds)."""
    since, grace_seconds = as_timestamp(moment(wall)), job.grace_seconds
    return Debt(str(key), *job.cluster, job.kind, job.ref.namespace, job.ref.name, since, reason, grace_seconds, job.location.host)


def debtor(debt: Debt) -> Remains:
    """What is left of the object of a payable debt."""
    if debt.run is None:
        msg = f"{debt.key} is no key"
        raise ValueError(msg)
    policy: DeletionPolicy = "Orphan" if debt.reason == NOT_LEFT_ALONE else "Cancel"
    return Remains(debt.ref, debt.location, tuple(range(1, debt.run.attempt + 1)), policy, debt.grace_seconds, debt.kind)


def deadline_of(job: RunOwner) -> float | None:
    """When one that is being deleted is let go, whatever is left of it (epoch seconds); None if it is not or holds nothing."""
    if not (job.deleting and job.has_finalizer) or job.ended or job.deleted_at is None:
        return None
    return job.deleted_at + job.deletion_deadline_seconds


def is_overdue(job: RunOwner, wall: float) -> bool:
    """Whether one that is being deleted has waited for its cluster for long enough."""
    deadline = deadline_of(job)
    return deadline is not None and wall >= deadline


def will_not_go(job: RunOwner, memory: Memory, now: Now, pacing: Pacing) -> bool:
    """Whether one whose cluster answers is overdue, and all that was tried in vain: its grace is kept, whatever the deadline."""
    if not is_overdue(job, now.wall) or memory.stopping is not StopWord.DELETE or now.monotonic < memory.retry_at:
        return False
    if memory.asked_at is None:          # the cancel script gives no answer, or the directory does not go
        return memory.retry_at > 0
    return memory.killed_at is not None and ends_by_force(job, memory, now, pacing)


def what_is_owed(job: RunOwner, *, reached: bool) -> str:
    """The reason of the debt of one that is overdue; `reached`: its cluster answers."""
    if job.deletion_policy == "Orphan":
        return NOT_LEFT_ALONE
    return NOT_ENDED if reached else UNREACHABLE
