"""An owner of Runs: all that submitting, watching, cancelling and cleaning up ask of it, whatever its kind. A Job is one."""

from typing import Literal, Protocol

from fairlead.domain.objects import ClusterName, Location, ObjectRef
from fairlead.domain.run.run import RunKey

DeletionPolicy = Literal["Cancel", "Orphan"]


class RunOwner(Protocol):
    """One object with Runs as it was last read, or what is left of one that is gone. Values alone: reading one changes nothing."""

    # Who it is, and where its Runs are.

    @property
    def ref(self) -> ObjectRef:
        """The object."""
        ...

    @property
    def kind(self) -> str:
        """The word for its kind in manifests, in the ledger and in a run directory."""
        ...

    @property
    def generation(self) -> int:
        """Of its spec, as it was read."""
        ...

    @property
    def cluster(self) -> ClusterName:
        """The Cluster that it refers to."""
        ...

    @property
    def location(self) -> Location:
        """Where its Runs are, or will be."""
        ...

    # Its attempts.

    @property
    def is_begun(self) -> bool:
        """Whether the intent of an attempt is written, so that something of it may be on a cluster."""
        ...

    @property
    def key(self) -> RunKey:
        """The current attempt."""
        ...

    @property
    def keys(self) -> tuple[RunKey, ...]:
        """Every attempt that may have left something, and the one after each (rule ALL)."""
        ...

    @property
    def run_id(self) -> str:
        """The scheduler's id for the current attempt, empty while there is none."""
        ...

    @property
    def previous_is_lost(self) -> bool:
        """Whether the attempt before this one was claimed, and closed without an end that the node wrote (rule PREV)."""
        ...

    # How it stands.

    @property
    def has_finalizer(self) -> bool:
        """Whether our finalizer is on it."""
        ...

    @property
    def deleting(self) -> bool:
        """Whether it is being deleted, or is gone."""
        ...

    @property
    def deleted_at(self) -> float | None:
        """When its deletion was asked for (epoch seconds); None if it was not, or if it is gone."""
        ...

    @property
    def ended(self) -> bool:
        """Whether it has come to its end for good."""
        ...

    @property
    def is_active(self) -> bool:
        """Whether it is on the cluster or on its way there, and so has a place of those that are limited."""
        ...

    @property
    def is_parked(self) -> bool:
        """Whether it was set aside by its `suspend`, so that nothing is begun under its current key."""
        ...

    @property
    def is_being_parked(self) -> bool:
        """Whether it is on its way there: what runs is told to end."""
        ...

    @property
    def is_kept_out(self) -> bool:
        """Whether its Cluster does not admit it, by its status, and nothing of its current attempt is there."""
        ...

    @property
    def active_deadline_seconds(self) -> int | None:
        """So long it may be on its cluster; None: as long as it likes."""
        ...

    def deadline(self) -> float | None:
        """When it is told to end since its time is over (epoch seconds); None without such a time, and while it does not count."""
        ...

    # What its user wishes.

    @property
    def suspend(self) -> bool:
        """Whether it is to be set aside."""
        ...

    @property
    def priority(self) -> int:
        """The higher, the sooner it has a place."""
        ...

    @property
    def deletion_policy(self) -> DeletionPolicy:
        """Whether what runs ends with its deletion, or is left alone."""
        ...

    @property
    def deletion_deadline_seconds(self) -> int:
        """So long after its deletion was asked for it goes, whatever is left."""
        ...

    @property
    def grace_seconds(self) -> int:
        """Between TERM and the end by force."""
        ...

    # Its budget of attempts.

    @property
    def backoff_limit(self) -> int:
        """So many further attempts may follow such as may have run."""
        ...

    @property
    def infrastructure_retries(self) -> int:
        """So many may follow such as never ran."""
        ...

    @property
    def failures(self) -> int:
        """How many attempts have failed, or may have run."""
        ...

    @property
    def infrastructure_failures(self) -> int:
        """How many never ran."""
        ...

    @property
    def next_retry_at(self) -> float | None:
        """Before this nothing is handed in (epoch seconds); None if it need not wait."""
        ...
