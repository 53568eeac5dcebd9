"""A state of a Job, a Session or a Cluster as a tool reads it, and what it is to a person.

Which states there are is found by the code itself: see `job_states` and `cluster_states`. What is meant comes from the step that made a
state, never from the conditions that it wrote.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from fairlead.api.v1alpha1 import names
from fairlead.api.v1alpha1.cluster import ClusterStatus
from fairlead.api.v1alpha1.meta import OwnerStatus
from fairlead.domain.cluster.cluster import Cluster
from fairlead.domain.job.job import Job
from fairlead.domain.pacing import Now
from fairlead.domain.session.session import Session

Manifest = dict[str, Any]
LATER = Now(2000.0, 1.7e9 + 1000)


class Meant(StrEnum):
    """What a state is to whoever applied the object."""

    GOES_ON = "on its way, or waiting for something that may come"
    DONE = "as wanted"
    FAILED = "failed for good, or waiting for a person to mend something"
    STUCK = "waiting for a person to change a limit, or to apply another one"
    SET_ASIDE = "waiting until a person, or the scheduler, lets it go on"
    STRANDED = "nothing of it goes on by itself, though it has not failed"
    LAPSED = "was as wanted, is not now, and may be again without anybody's doing"
    GOING = "being deleted"


@dataclass(frozen=True, slots=True)
class State:
    """An object as a tool reads it."""

    body: Manifest
    meant: Meant
    reason: str                      # of its condition Ready, empty if it has none


def unseen(state: State) -> State:
    """The same with a spec that the controller has not seen."""
    metadata = state.body["metadata"] | {"generation": state.body["metadata"]["generation"] + 1}
    return replace(state, body=state.body | {"metadata": metadata})


def body(of: Job | Session | Cluster, status: OwnerStatus | ClusterStatus | None) -> Manifest:
    """The object with this status; None: as the API server has it before the controller has seen it."""
    kind = names.CLUSTER_KIND if isinstance(of, Cluster) else of.kind
    spec = of.spec.model_dump(mode="json", by_alias=True, exclude_none=True)
    metadata: Manifest = {"name": of.ref.name, "namespace": of.ref.namespace, "uid": of.ref.uid, "generation": of.generation}
    if of.deleting:
        metadata["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    written = status.model_dump(mode="json", by_alias=True, exclude_none=True) if status is not None else {"observedGeneration": 0}
    return {"apiVersion": names.API_VERSION, "kind": kind, "metadata": metadata, "spec": spec, "status": written}
