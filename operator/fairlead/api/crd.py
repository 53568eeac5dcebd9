"""Writes ``crds/*.yaml`` from the models: ``python -m fairlead.api.crd [FOLDER]``."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import yaml
from pydantic import JsonValue

from fairlead.api.structural import Schema, structural_schema
from fairlead.api.v1alpha1 import names
from fairlead.api.v1alpha1.cluster import ClusterSpec, ClusterStatus
from fairlead.api.v1alpha1.job import JobSpec, JobStatus
from fairlead.api.v1alpha1.meta import ApiModel
from fairlead.api.v1alpha1.schema import VALIDATIONS, Rule
from fairlead.api.v1alpha1.session import NAME_RULE, SessionSpec, SessionStatus

_HEADER: Final = "# Made by `make crds` from operator/fairlead/api; change it there.\n"
_UNSEEN: Final[Schema] = {"observedGeneration": 0}
"""The status of an object that the controller has not seen: without one, tools that wait would take it for done (kstatus)."""
_READY: Final = '.status.conditions[?(@.type=="Ready")]'


@dataclass(frozen=True, slots=True)
class Column:
    """A column of `kubectl get`; a wide one is shown by `-o wide` only."""

    name: str
    path: str
    meaning: str
    type: str = "string"
    wide: bool = False

    def as_json(self) -> Schema:
        """Give the entry of additionalPrinterColumns."""
        return {
            "name": self.name, "type": self.type, "jsonPath": self.path, "description": self.meaning, "priority": int(self.wide),
        }


@dataclass(frozen=True, slots=True)
class Resource:
    """What a CustomResourceDefinition says beside the schema."""

    kind: str
    plural: str
    singular: str
    short: str
    meaning: str
    spec: type[ApiModel]
    status: type[ApiModel]
    columns: tuple[Column, ...]
    selectable: tuple[str, ...] = field(default=())
    rules: tuple[Rule, ...] = ()         # on the whole object


_AGE: Final = Column("Age", ".metadata.creationTimestamp", "Time since the object was created.", "date")
_MESSAGE: Final = Column("Message", f"{_READY}.message", "What was seen and what to do.", wide=True)

RESOURCES: Final = (
    Resource(
        names.CLUSTER_KIND, names.CLUSTER_PLURAL, names.CLUSTER_SINGULAR, names.CLUSTER_SHORT,
        "Cluster is a remote cluster reached over SSH.", ClusterSpec, ClusterStatus,
        (
            Column("Host", ".status.address", "Where it is reached."),
            Column("Phase", ".status.phase", "The conditions in one word."),
            Column("Reason", f"{_READY}.reason", "Why the Cluster is ready or not."),
            Column("Active", ".status.activeRuns", "Runs that have not ended.", "integer"),
            _AGE,
            Column("User", ".spec.user", "Login name on the cluster.", wide=True),
            Column("Version", ".status.schedulerVersion", "The scheduler's version.", wide=True),
            _MESSAGE,
        ),
    ),
    Resource(
        names.JOB_KIND, names.JOB_PLURAL, names.JOB_SINGULAR, names.JOB_SHORT,
        "Job is a batch job on a Cluster: it runs once, and nothing of it is left when it is deleted, but the files that it wrote.",
        JobSpec, JobStatus,
        (
            Column("Cluster", ".spec.clusterRef.name", "The Cluster on which the Job runs."),
            Column("Phase", ".status.phase", "The conditions in one word."),
            Column("Reason", f"{_READY}.reason", "Why the Job is in this phase."),
            Column("Job-ID", ".status.run.id", "The scheduler's id of the latest attempt."),
            _AGE,
            Column("State", ".status.run.state", "The scheduler's own word.", wide=True),
            Column("Exit", ".status.run.exitCode", "Exit code of the script.", "integer", wide=True),
            Column("Node", ".status.run.node", "The first compute node.", wide=True),
            _MESSAGE,
        ),
        (".spec.clusterRef.name", ".spec.clusterRef.namespace", ".spec.ttlSecondsAfterFinished", ".status.phase"),
    ),
    Resource(
        names.SESSION_KIND, names.SESSION_PLURAL, names.SESSION_SINGULAR, names.SESSION_SHORT,
        "Session is an interactive process on a Cluster, behind a Service whose name and address stay the same for its life.",
        SessionSpec, SessionStatus,
        (
            Column("Cluster", ".spec.clusterRef.name", "The Cluster on which the Session runs."),
            Column("Phase", ".status.phase", "The conditions in one word."),
            Column("Ready", f"{_READY}.status", "Whether it is reached through its Service."),
            Column("Reason", f"{_READY}.reason", "Why it is ready or not."),
            Column("URL", ".status.url", "Where it is reached from inside the Kubernetes cluster."),
            _AGE,
            Column("Job-ID", ".status.run.id", "The scheduler's id of the latest attempt.", wide=True),
            Column("State", ".status.run.state", "The scheduler's own word.", wide=True),
            Column("Node", ".status.run.node", "The first compute node.", wide=True),
            _MESSAGE,
        ),
        (".spec.clusterRef.name", ".spec.clusterRef.namespace", ".status.phase"),
        (NAME_RULE,),
    ),
)


def definition(resource: Resource) -> Schema:
    """Make the CustomResourceDefinition of one resource."""
    scheme: Schema = {
        "name": names.VERSION, "served": True, "storage": True,
        "schema": {"openAPIV3Schema": _object_schema(resource)},
        "subresources": {"status": {}},
        "additionalPrinterColumns": [column.as_json() for column in resource.columns],
    }
    if resource.selectable:
        scheme["selectableFields"] = [{"jsonPath": path} for path in resource.selectable]
    return {
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{resource.plural}.{names.GROUP}"},
        "spec": {
            "group": names.GROUP, "scope": "Namespaced",
            "names": {
                "kind": resource.kind, "listKind": f"{resource.kind}List", "plural": resource.plural, "singular": resource.singular,
                "shortNames": [resource.short], "categories": [names.CATEGORY],
            },
            "versions": [scheme],
        },
    }


def _object_schema(resource: Resource) -> Schema:
    parts: dict[str, JsonValue] = {
        "apiVersion": {"type": "string", "description": f"The version of this schema: {names.API_VERSION}."},
        "kind": {"type": "string", "description": f"The kind of this object: {resource.kind}."},
        "metadata": {"type": "object"},  # the API server knows the rest and forbids to say it again
        "spec": structural_schema(resource.spec),
        "status": structural_schema(resource.status) | {"default": dict(_UNSEEN)},
    }
    rules: Schema = {VALIDATIONS: [rule.as_json() for rule in resource.rules]} if resource.rules else {}
    return {"type": "object", "description": resource.meaning, "required": ["spec"], "properties": parts, **rules}


def render(resource: Resource) -> str:
    """Write a resource's definition as the text of its file in ``crds/``."""
    return _HEADER + yaml.safe_dump(definition(resource), sort_keys=False, width=120, allow_unicode=True)


def file_name(resource: Resource) -> str:
    """Name a resource's file in ``crds/``."""
    return f"{names.GROUP}_{resource.plural}.yaml"


def write(folder: Path) -> tuple[Path, ...]:
    """Write all definitions into a folder and return their paths."""
    paths = tuple(folder / file_name(resource) for resource in RESOURCES)
    for path, resource in zip(paths, RESOURCES, strict=True):
        path.write_text(render(resource))
    return paths


if __name__ == "__main__":
    for written in write(Path(sys.argv[1] if len(sys.argv) > 1 else "crds")):
        print(written)
