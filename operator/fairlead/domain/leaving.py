"""What stands when an installation is to be taken away: who still needs its controller, and whose finalizers have to come off."""

from dataclasses import dataclass

from fairlead.api.v1alpha1.reasons import JobReason
from fairlead.domain.cluster.cluster import Cluster
from fairlead.domain.gone.debt import NOT_LEFT_ALONE, Debt, debt_of, what_is_owed
from fairlead.domain.objects import EventNote
from fairlead.domain.run.watched import WatchedOwner


@dataclass(frozen=True, slots=True)
class Standing:
    """All Clusters, the Jobs that have not ended or have our finalizer, the ledger; `unreadable` says what could not be read."""

    jobs: tuple[WatchedOwner, ...]
    clusters: tuple[Cluster, ...]
    debts: tuple[Debt, ...]
    unreadable: tuple[str, ...] = ()

    @property
    def busy(self) -> tuple[str, ...]:
        """What a controller is still needed for, a sentence for each: what runs, is being deleted, is owed, or cannot be judged."""
        jobs = [f"{job.kind} {job.ref.namespace}/{job.ref.name}: {_state(job)}" for job in self.jobs if is_under_way(job)]
        clusters = [f"Cluster {each.ref.namespace}/{each.ref.name}: is being deleted, and clears its work folder first"
                    for each in self.clusters if each.deleting and each.has_finalizer]
        debts = [f"Run {each.key} of the deleted {each.kind} {each.namespace}/{each.name}: owed on Cluster {'/'.join(each.cluster)} "
                 f"({each.reason} since {each.since})" for each in self.debts if each.is_payable]
        return (*jobs, *clusters, *debts, *self.unreadable)

    @property
    def with_finalizer(self) -> tuple[WatchedOwner | Cluster, ...]:
        """What has our finalizer, Jobs first: a Cluster has it for their sake."""
        return (*(job for job in self.jobs if job.has_finalizer), *(cluster for cluster in self.clusters if cluster.has_finalizer))

    @property
    def may_begin(self) -> tuple[WatchedOwner, ...]:
        """The Jobs that are on a cluster or may come there, unless somebody suspends them."""
        return tuple(job for job in self.jobs if not (job.ended or job.deleting or job.suspend))

    @property
    def waiting(self) -> int:
        """How many Jobs wait, and have nothing on a cluster."""
        return sum(1 for job in self.jobs if not job.ended and not is_under_way(job))


def is_under_way(job: WatchedOwner) -> bool:
    """Whether a Job has something on a cluster, or may have."""
    return job.is_begun and not job.ended and (job.is_active or (job.deleting and job.has_finalizer))


def handed_over(job: WatchedOwner, wall: float) -> Debt:
    """What is written into the ledger of a Job that is left behind: should its object go, the next controller leaves its Run alone.

    Of one that is being deleted it is what its deletion asked for.
    """
    return debt_of(job, job.key, what_is_owed(job, reached=False) if job.deleting else NOT_LEFT_ALONE, wall)


def farewell(job: WatchedOwner) -> EventNote:
    """What a Job is told that is left behind."""
    said = (f"Fairlead was uninstalled, and what this {job.kind} has on its cluster was left alone there (job {job.run_id or 'unknown'}, "
            f"Run {job.key}): this status stands still until it is installed again")
    return EventNote("Warning", JobReason.ORPHANED, said, "Uninstall")


def _state(job: WatchedOwner) -> str:
    where = f"on Cluster {'/'.join(job.cluster)}" + (f" as job {job.run_id}" if job.run_id else "")
    if job.deleting:
        return f"is being deleted, and may still have something {where}"
    return f"{job.status.phase or 'begun'} {where}"
