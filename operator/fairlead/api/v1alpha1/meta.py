"""What all resources share: the base model, object metadata, conditions, and a Run's status."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, PlainSerializer
from pydantic.alias_generators import to_camel

from fairlead.api.v1alpha1.schema import marks
from fairlead.api.v1alpha1.texts import ExitCode, NodeNames, SignalNumber, Word


def as_timestamp(moment: datetime) -> str:
    """Write a moment as Kubernetes does: UTC, whole seconds (cut, not rounded), with a Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


Timestamp = Annotated[AwareDatetime, PlainSerializer(as_timestamp, return_type=str, when_used="json")]


class ApiModel(BaseModel):
    """Base of all models: camelCase outside, frozen, and blind to fields that another release may have written."""

    model_config = ConfigDict(
        frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True, use_attribute_docstrings=True
    )

    def having(self, **fields: object) -> Self:
        """Make the same with other fields, each made fit for its type: pydantic's own `model_copy` takes whatever it is given."""
        return self.model_validate({**dict(self), **fields})


class Written(ApiModel):
    """Base of what we write into a status: it keeps the fields that a newer release has written there, since each write is of the whole."""

    model_config = ConfigDict(extra="allow")

    @property
    def of_others(self) -> dict[str, object]:
        """Those fields."""
        return dict(self.model_extra or {})


class ObjectMeta(ApiModel):
    """The part of an object's metadata that Fairlead reads."""

    name: str
    namespace: str = ""
    uid: str = ""
    generation: int = 0
    resource_version: str = ""
    creation_timestamp: Timestamp | None = None
    deletion_timestamp: Timestamp | None = None
    finalizers: tuple[str, ...] = ()
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)

    @property
    def is_deleted(self) -> bool:
        """Whether somebody has asked for the object's deletion."""
        return self.deletion_timestamp is not None


class Condition(Written):
    """One observation of an object's state."""

    type: str = Field(max_length=316)
    """Type of the condition, in CamelCase."""
    status: Literal["True", "False", "Unknown"]
    """True, False or Unknown."""
    reason: str = Field(max_length=1024)
    """Why the condition has this status, as one word in CamelCase."""
    message: str = Field(default="", max_length=32768)
    """What was seen and what to do, for a person."""
    last_transition_time: Timestamp
    """When the status last changed."""
    observed_generation: int | None = Field(default=None, ge=0)
    """The metadata.generation for which the condition was set."""


class ClusterReference(ApiModel):
    """A Cluster, in the Job's namespace or in another that allows it."""

    name: str = Field(min_length=1, max_length=253)
    """Name of the Cluster."""
    namespace: str | None = Field(default=None, min_length=1, max_length=63)
    """Namespace of the Cluster, whose allowedNamespaces must admit that of the Job. Default: the Job's own."""


class RunStatus(Written):
    """One execution on a remote cluster."""

    key: str = Field(max_length=128)
    """Name of the Run on the cluster: the object's uid and the number of the attempt."""
    attempt: int = Field(ge=1)
    """Number of the attempt, counted from 1."""
    id: Word | None = None
    """The id that the remote scheduler gave."""
    state: Word | None = None
    """The remote scheduler's own word, such as PENDING or RUNNING."""
    reason: Word | None = None
    """The remote scheduler's own reason for that state, such as Priority or Resources."""
    exit_code: ExitCode = None
    """Exit code of the user's script."""
    signal: SignalNumber = None
    """Number of the signal that ended the user's script, if one did."""
    node: NodeNames | None = None
    """The first compute node of the Run."""
    process_tracking: Word | None = None
    """How a bare host finds the Run's processes: SystemdScope, Cgroup or LinuxProc. Absent where a scheduler does that."""


class AttemptStatus(RunStatus):
    """An attempt that has come to its end."""

    start_time: Timestamp | None = None
    """When the user's script started, by the cluster's clock."""
    end_time: Timestamp | None = None
    """When the attempt ended, by the cluster's clock."""
    outcome: Word | None = None
    """How the attempt ended: a reason of the Job's conditions."""
    without_end: bool | None = None
    """True when the compute node wrote no end of it, so that the scheduler's word, or its silence, decided."""


class ObjectStatus(Written):
    """What the status of every resource holds."""

    observed_generation: int | None = Field(default=None, ge=0)
    """The metadata.generation that this status is about; 0 until the controller has seen the object. Not there once a Job has ended:
    no change of its spec changes its end."""
    phase: str | None = None
    """The conditions in one word, for people; programs read conditions."""
    conditions: tuple[Condition, ...] = Field(default=(), json_schema_extra=marks(keys=("type",)))
    """What is known of the object's state."""

    def condition(self, kind: str) -> Condition | None:
        """Find the condition of this type; None if it was never set."""
        return next((each for each in self.conditions if each.type == kind), None)


class OwnerStatus(ObjectStatus):
    """What the status of every owner of Runs holds: what the next process needs to go on."""

    run: RunStatus | None = None
    """The latest attempt."""
    host: Word | None = None
    """The host on which it runs, with its port, of a Cluster of bare hosts. It stays the same for all attempts."""
    attempts: tuple[AttemptStatus, ...] = Field(default=(), max_length=5, json_schema_extra=marks(keys=("key",)))
    """The last five attempts that have ended, the latest last."""
    failures: int | None = Field(default=None, ge=0)
    """Attempts that failed and count against backoffLimit."""
    infrastructure_failures: int | None = Field(default=None, ge=0)
    """Attempts that were proved never to have run, and were made again."""
    next_retry_time: Timestamp | None = None
    """When the next attempt or question follows, if one waits."""
