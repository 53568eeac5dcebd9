"""A Job as Fairlead sees it: its object, and the keys of its attempts. It is a `RunOwner`."""

from dataclasses import dataclass

from fairlead.api.v1alpha1 import names
from fairlead.api.v1alpha1.job import JobSpec, JobStatus
from fairlead.api.v1alpha1.reasons import JobCondition, JobReason
from fairlead.domain.conditions import is_true
from fairlead.domain.objects import ClusterName, Location, ObjectRef
from fairlead.domain.run.owner import DeletionPolicy
from fairlead.domain.run.run import MOST_ATTEMPTS, Owner, RunKey

ENDS = (JobCondition.COMPLETE, JobCondition.FAILED)
"""The conditions by which a Job has ended for good."""


@dataclass(frozen=True, slots=True)
class Job:
    """One Job as it was last read. `has_finalizer`: ours is on it."""

    ref: ObjectRef
    resource_version: int
    generation: int
    deleting: bool
    has_finalizer: bool
    spec: JobSpec
    status: JobStatus
    deleted_at: float | None = None      # when its deletion was asked for, epoch seconds
    host: str = ""                       # on which of its Cluster's bare hosts it runs, once that was decided
    wished_host: str = ""                # the only one that it may be given before that, if it is one of them: an annotation
    created_at: float | None = None      # epoch seconds, whole ones

    @property
    def cluster(self) -> ClusterName:
        """The Cluster that it refers to."""
        return self.spec.cluster_ref.namespace or self.ref.namespace, self.spec.cluster_ref.name

    @property
    def location(self) -> Location:
        """Where it runs, or will."""
        return Location(self.cluster, self.host)

    @property
    def is_begun(self) -> bool:
        """Whether the intent of an attempt is written, so that something of it may be on a cluster.

        The intent is in the status, which who edits Jobs cannot write. Our finalizer alone says nothing: anybody may make a Job with it.
        """
        return self._written_key is not None

    @property
    def key(self) -> RunKey:
        """The current attempt. A status whose key is not made from our uid is another object's: it counts as none."""
        return self._written_key or RunKey(self.ref.uid, 1)

    @property
    def _written_key(self) -> RunKey | None:
        run = self.status.run
        found = RunKey.parse(run.key) if run else None
        return found if found and found.uid == self.ref.uid else None

    @property
    def run_id(self) -> str:
        """The scheduler's id for the current attempt, empty while there is none."""
        run = self.status.run
        return run.id or "" if run and run.key == str(self.key) else ""

    @property
    def keys(self) -> tuple[RunKey, ...]:
        """Every attempt that may have left something, and one more: a wiped status may hide the last intent (rule ALL)."""
        return tuple(RunKey(self.ref.uid, n) for n in range(1, min(self.key.attempt + 1, MOST_ATTEMPTS) + 1))

    @property
    def ended(self) -> bool:
        """Whether it has come to its end for good."""
        return any(is_true(self.status.conditions, kind) for kind in ENDS)

    @property
    def previous_is_lost(self) -> bool:
        """Whether the attempt before this one was claimed, and closed without an end that the node wrote (rule PREV)."""
        before = self.key.previous
        return before is not None and any(each.key == str(before) and each.without_end for each in self.status.attempts)

    @property
    def is_parked(self) -> bool:
        """Whether it was set aside by spec.suspend, so that nothing is begun under its current key."""
        said = self.status.condition(JobCondition.SUSPENDED)
        return said is not None and said.reason == JobReason.JOB_SUSPENDED and said.status == "True"

    @property
    def is_being_parked(self) -> bool:
        """Whether it is on its way there: what runs is told to end."""
        said = self.status.condition(JobCondition.SUSPENDED)
        return said is not None and said.reason == JobReason.JOB_SUSPENDED and said.status == "False"

    @property
    def is_kept_out(self) -> bool:
        """Whether its Cluster does not admit it, by its status, and nothing of its current attempt is there."""
        said = self.status.condition(JobCondition.SUBMITTED)
        return said is not None and said.reason == JobReason.NAMESPACE_NOT_ALLOWED and said.status == "False"

    @property
    def is_active(self) -> bool:
        """Whether it is on the cluster or on its way there: begun, not ended, not set aside and not kept out.

        A retry keeps its place while it waits, and a Job that is being deleted has one until nothing is left of it.
        """
        return self.is_begun and not (self.ended or self.is_parked or self.is_kept_out)

    @property
    def active_deadline_seconds(self) -> int | None:
        """So long it may be on its cluster; None: as long as it likes."""
        return self.spec.active_deadline_seconds

    def deadline(self) -> float | None:
        """When activeDeadlineSeconds are over (epoch seconds); None without one, and while the time does not count."""
        seconds, since = self.active_deadline_seconds, self.status.active_since
        return None if seconds is None or since is None else since.timestamp() + seconds - (self.status.active_seconds or 0)

    @property
    def owner(self) -> Owner:
        """Whose name goes into the run directory."""
        return Owner(self.ref.namespace, self.ref.name, self.ref.uid, self.kind)

    @property
    def kind(self) -> str:
        """Job."""
        return names.JOB_KIND

    @property
    def suspend(self) -> bool:
        """Whether it is to be set aside."""
        return self.spec.suspend

    @property
    def priority(self) -> int:
        """The higher, the sooner it has a place."""
        return self.spec.priority

    @property
    def deletion_policy(self) -> DeletionPolicy:
        """Whether what runs ends with its deletion, or is left alone."""
        return self.spec.deletion_policy

    @property
    def deletion_deadline_seconds(self) -> int:
        """So long after its deletion was asked for it goes, whatever is left."""
        return self.spec.deletion_deadline_seconds

    @property
    def grace_seconds(self) -> int:
        """Between TERM and the end by force."""
        return self.spec.cancellation_grace_period_seconds

    @property
    def backoff_limit(self) -> int:
        """So many further attempts may follow such as may have run."""
        return self.spec.backoff_limit

    @property
    def infrastructure_retries(self) -> int:
        """So many may follow such as never ran."""
        return self.spec.infrastructure_retries

    @property
    def failures(self) -> int:
        """How many attempts have failed, or may have run."""
        return self.status.failures or 0

    @property
    def infrastructure_failures(self) -> int:
        """How many never ran."""
        return self.status.infrastructure_failures or 0

    @property
    def next_retry_at(self) -> float | None:
        """Before this nothing is handed in (epoch seconds); None if it need not wait."""
        due = self.status.next_retry_time
        return None if due is None else due.timestamp()
