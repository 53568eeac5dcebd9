"""A Job as Fairlead sees it: what it has beside what every owner of Runs has."""

from dataclasses import dataclass
from typing import ClassVar

from fairlead.api.v1alpha1 import names
from fairlead.api.v1alpha1.job import JobSpec, JobStatus
from fairlead.api.v1alpha1.reasons import JobCondition
from fairlead.domain.run.watched import WatchedOwner


@dataclass(frozen=True, slots=True)
class Job(WatchedOwner):
    """One Job as it was last read."""

    spec: JobSpec
    status: JobStatus

    ENDS: ClassVar[tuple[str, ...]] = (JobCondition.COMPLETE, JobCondition.FAILED)
    RUNS: ClassVar[str] = JobCondition.RUNNING

    @property
    def kind(self) -> str:
        """Job."""
        return names.JOB_KIND

    @property
    def priority(self) -> int:
        """The higher, the sooner it has a place."""
        return self.spec.priority

    @property
    def active_deadline_seconds(self) -> int | None:
        """So long it may be on its cluster; None: as long as it likes."""
        return self.spec.active_deadline_seconds

    def deadline(self) -> float | None:
        """When activeDeadlineSeconds are over (epoch seconds); None without one, and while the time does not count."""
        seconds, since = self.active_deadline_seconds, self.status.active_since
        return None if seconds is None or since is None else since.timestamp() + seconds - (self.status.active_seconds or 0)

    @property
    def ttl_seconds(self) -> int | None:
        """So long after its end it is deleted; None: it stays."""
        return self.spec.ttl_seconds_after_finished

    @property
    def backoff_limit(self) -> int:
        """So many further attempts may follow such as may have run."""
        return self.spec.backoff_limit

    @property
    def infrastructure_retries(self) -> int:
        """So many may follow such as never ran."""
        return self.spec.infrastructure_retries

    @property
    def started_at(self) -> float | None:
        """When its script began (epoch seconds); None if it has not."""
        begun = self.status.start_time
        return begun.timestamp() if begun else None

    @property
    def script_ended_at(self) -> float | None:
        """When its script ended, by its node's clock (epoch seconds); None if that is not known, or it never began."""
        begun, ended = self.status.start_time, self.status.end_time
        return ended.timestamp() if begun and ended else None
