"""An owner of Runs whose object is there: what all kinds have in common, so that a kind says only what is its own.

Of a status it reads what `OwnerStatus` has, and these conditions, which each kind's report has to write in the same words: `Submitted`
with the reason `NamespaceNotAllowed`, `Suspended` with the reason `JobSuspended`, and those by which it has ended, one of them `Failed`.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar, Protocol, Self

from fairlead.api.v1alpha1.meta import ClusterReference, Condition, OwnerStatus
from fairlead.api.v1alpha1.reasons import JobCondition, JobReason
from fairlead.domain.objects import ClusterName, Location, ObjectRef
from fairlead.domain.run.owner import DeletionPolicy
from fairlead.domain.run.run import MOST_ATTEMPTS, Owner, RunKey


class OwnerSpec(Protocol):
    """What the spec of every owner of Runs has."""

    @property
    def cluster_ref(self) -> ClusterReference: ...  # noqa: D102
    @property
    def suspend(self) -> bool: ...  # noqa: D102
    @property
    def deletion_policy(self) -> DeletionPolicy: ...  # noqa: D102
    @property
    def deletion_deadline_seconds(self) -> int: ...  # noqa: D102
    @property
    def cancellation_grace_period_seconds(self) -> int: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class WatchedOwner(ABC):
    """One object as it was last read, a `RunOwner`. `has_finalizer`: ours is on it. Times are epoch seconds."""

    ref: ObjectRef
    resource_version: int
    generation: int
    deleting: bool
    has_finalizer: bool
    spec: OwnerSpec
    status: OwnerStatus
    deleted_at: float | None = None      # when its deletion was asked for
    host: str = ""                       # on which of its Cluster's bare hosts it runs, once that was decided
    wished_host: str = ""                # the only one that it may be given before that, if it is one of them: an annotation
    created_at: float | None = None      # in whole seconds

    ENDS: ClassVar[tuple[str, ...]] = ()
    """The conditions by which one of this kind has ended for good."""
    RUNS: ClassVar[str] = ""
    """The condition that is not False once what its current attempt runs was started, or may have been."""

    @property
    @abstractmethod
    def kind(self) -> str:
        """The word for its kind in manifests, in the ledger and in a run directory."""

    @property
    def cluster(self) -> ClusterName:
        """The Cluster that it refers to."""
        return self.spec.cluster_ref.namespace or self.ref.namespace, self.spec.cluster_ref.name

    @property
    def location(self) -> Location:
        """Where it runs, or will."""
        return Location(self.cluster, self.host)

    @property
    def owner(self) -> Owner:
        """Whose name goes into the run directory."""
        return Owner(self.ref.namespace, self.ref.name, self.ref.uid, self.kind)

    # Its attempts.

    @property
    def is_begun(self) -> bool:
        """Whether the intent of an attempt is written, so that something of it may be on a cluster.

        The intent is in the status, out of reach of the right to edit objects. Our finalizer alone says nothing: a manifest may have it.
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
    def written_attempt(self) -> int:
        """The attempt that its status names, whoever wrote that; 0: none. A write of the status is for this one only."""
        return self.status.run.attempt if self.status.run else 0

    @property
    def keys(self) -> tuple[RunKey, ...]:
        """Every attempt that may have left something, and one more: a wiped status may hide the last intent (rule ALL)."""
        return tuple(RunKey(self.ref.uid, n) for n in range(1, min(self.key.attempt + 1, MOST_ATTEMPTS) + 1))

    @property
    def run_id(self) -> str:
        """The scheduler's id for the current attempt, empty while there is none."""
        run = self.status.run
        return run.id or "" if run and run.key == str(self.key) else ""

    @property
    def previous_is_lost(self) -> bool:
        """Whether the attempt before this one was claimed, and closed without an end that the node wrote (rule PREV)."""
        before = self.key.previous
        return before is not None and any(each.key == str(before) and each.without_end for each in self.status.attempts)

    # How it stands.

    @property
    def ended(self) -> bool:
        """Whether it has come to its end for good."""
        return any(self._ends)

    @property
    def ended_at(self) -> float | None:
        """When its end was seen, by the clock that saw it (epoch seconds): a cluster's own may be hours off. None if it has not ended."""
        return max((each.last_transition_time.timestamp() for each in self._ends), default=None)

    @property
    def end_reason(self) -> str:
        """Why it has ended, a word of ours; empty if it has not."""
        return next((each.reason for each in self._ends), "")

    @property
    def has_succeeded(self) -> bool:
        """Whether it has come to its end, and did not fail."""
        return self.ended and all(each.type != JobCondition.FAILED for each in self._ends)

    @property
    def has_started(self) -> bool:
        """Whether what its current attempt runs was started, or may have been, by its status."""
        said = self.status.condition(self.RUNS)
        return bool(self.run_id) and (self.started_at is not None or (said is not None and said.status != "False"))

    @property
    def is_parked(self) -> bool:
        """Whether it was set aside by spec.suspend, so that nothing is begun under its current key."""
        return self._says(JobCondition.SUSPENDED, "True", JobReason.JOB_SUSPENDED)

    @property
    def is_being_parked(self) -> bool:
        """Whether it is on its way there: what runs is told to end."""
        return self._says(JobCondition.SUSPENDED, "False", JobReason.JOB_SUSPENDED)

    @property
    def was_set_aside(self) -> bool:
        """Whether it was ever set aside, or stopped on its cluster."""
        return self.status.condition(JobCondition.SUSPENDED) is not None

    @property
    def is_kept_out(self) -> bool:
        """Whether its Cluster does not admit it, by its status, and nothing of its current attempt is there."""
        return self._says(JobCondition.SUBMITTED, "False", JobReason.NAMESPACE_NOT_ALLOWED)

    @property
    def is_active(self) -> bool:
        """Whether it is on the cluster or on its way there: begun, not ended, not set aside and not kept out.

        A retry keeps its place while it waits, and one that is being deleted has a place until nothing is left of it.
        """
        return self.is_begun and not (self.ended or self.is_parked or self.is_kept_out)

    @property
    def waits_for(self) -> str:
        """Why it was not handed in yet, a condition's reason; empty if it was, or nothing is said of it."""
        said = self.status.condition(JobCondition.SUBMITTED)
        return said.reason if said and said.status != "True" and not self.ended else ""

    @property
    def _ends(self) -> Iterator[Condition]:
        return (each for each in self.status.conditions if each.type in self.ENDS and each.status == "True")

    def _says(self, kind: str, status: str, reason: str) -> bool:
        said = self.status.condition(kind)
        return said is not None and (said.status, said.reason) == (status, reason)

    # What its user wishes.

    @property
    def suspend(self) -> bool:
        """Whether it is to be set aside."""
        return self.spec.suspend

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
    def priority(self) -> int:
        """The higher, the sooner it has a place."""
        return 0

    @property
    def active_deadline_seconds(self) -> int | None:
        """So long it may be on its cluster; None: as long as it likes."""
        return None

    def deadline(self) -> float | None:
        """When it is told to end since its time is over (epoch seconds); None without such a time, and while it does not count."""
        return None

    @property
    def ttl_seconds(self) -> int | None:
        """So long after its end it is deleted; None: it stays."""
        return None

    # Its budget of attempts.

    @property
    def backoff_limit(self) -> int:
        """So many further attempts may follow such as may have run."""
        return 0

    @property
    def infrastructure_retries(self) -> int:
        """So many may follow such as never ran."""
        return 0

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

    @property
    def started_at(self) -> float | None:
        """When what its current attempt runs was started (epoch seconds), as far as its status says so."""
        return None

    @property
    def script_ended_at(self) -> float | None:
        """When what it ran ended, by its node's clock (epoch seconds), as far as its status says so: for how late that was seen."""
        return None

    # The same after a write of ours.

    def given(self, host: str) -> Self:
        """The same with our finalizer, and the bare host that was written with it, if there was one."""
        return replace(self, has_finalizer=True, host=host)

    def written(self, resource_version: int, *, status: OwnerStatus | None = None, has_finalizer: bool | None = None) -> Self:
        """The same as this version of it has it. What is begun is where its status says."""
        status = self.status if status is None else status
        has_finalizer = self.has_finalizer if has_finalizer is None else has_finalizer
        known = replace(self, resource_version=resource_version, status=status, has_finalizer=has_finalizer)
        return replace(known, host=status.host or known.host) if known.is_begun else known
