"""What is left of an owner of Runs whose object is gone."""

from dataclasses import dataclass

from fairlead.api.v1alpha1 import names
from fairlead.domain.objects import ClusterName, Location, ObjectRef
from fairlead.domain.run.owner import DeletionPolicy
from fairlead.domain.run.run import MOST_ATTEMPTS, RunKey

GRACE_SECONDS = 30
"""Between TERM and the end by force, where nobody has written down what the object wanted."""


@dataclass(frozen=True, slots=True)
class Remains:
    """A `RunOwner` as if it were still there and being deleted: the same steps cancel what its attempts have left, and bury it."""

    ref: ObjectRef
    location: Location
    attempts: tuple[int, ...]            # those that were found, or are known
    deletion_policy: DeletionPolicy = "Cancel"
    grace_seconds: int = GRACE_SECONDS
    kind: str = names.JOB_KIND

    generation = 0
    is_begun = has_finalizer = deleting = True
    is_active = False                    # it takes nobody's place
    ended = suspend = is_parked = is_being_parked = is_kept_out = previous_is_lost = False
    run_id = ""
    deleted_at = None                    # there is no deadline to it
    deletion_deadline_seconds = 0
    priority = backoff_limit = infrastructure_retries = failures = infrastructure_failures = 0
    next_retry_at = active_deadline_seconds = None

    @property
    def cluster(self) -> ClusterName:
        """The Cluster that it is on."""
        return self.location.cluster

    @property
    def key(self) -> RunKey:
        """The last attempt."""
        return RunKey(self.ref.uid, max(self.attempts))

    @property
    def keys(self) -> tuple[RunKey, ...]:
        """The attempts that were found and the one after each: a made-up one makes no range."""
        numbers = sorted({*self.attempts, *(number + 1 for number in self.attempts)})
        return tuple(RunKey(self.ref.uid, number) for number in numbers if number <= MOST_ATTEMPTS)

    def deadline(self) -> float | None:
        """None: it is being ended already."""
        return None
