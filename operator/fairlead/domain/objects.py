"""How one Kubernetes object of ours is named, and what is said about it in an Event."""

from dataclasses import dataclass
from typing import Final

from fairlead.api.v1alpha1.texts import clean

NOTE_CHARACTERS: Final = 1024
"""Of an Event (events.k8s.io/v1 bounds it in bytes)."""

ClusterName = tuple[str, str]
"""Namespace and name of a Cluster, by which Jobs and debts refer to it."""


def plural_of(kind: str) -> str:
    """What a kind of ours is called in the API's paths: `jobs` for Job."""
    return f"{kind.lower()}s"


@dataclass(frozen=True, slots=True)
class Location:
    """Where something of a Job may be: on which Cluster, and on which of its bare hosts. `host` is empty where there is no choice."""

    cluster: ClusterName
    host: str = ""


@dataclass(frozen=True, slots=True)
class ObjectRef:
    """One Kubernetes object of ours, by name and uid: a namesake with another uid is another object."""

    plural: str                      # clusters | jobs
    namespace: str
    name: str
    uid: str

    def __str__(self) -> str:
        return f"{self.plural}/{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class EventNote:
    """A Kubernetes Event to be: `type` Normal | Warning, `reason` CamelCase, `action` what was done; the message is made one clean line."""

    type: str
    reason: str
    message: str
    action: str = "Reconcile"

    def __post_init__(self) -> None:
        object.__setattr__(self, "message", clean(self.message, NOTE_CHARACTERS))
