"""From an object as the API server sends it to the domain's own view of it."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from fairlead.api.v1alpha1 import cluster as api_cluster
from fairlead.api.v1alpha1 import job as api_job
from fairlead.api.v1alpha1 import names
from fairlead.api.v1alpha1.meta import ObjectMeta
from fairlead.domain.cluster.cluster import Cluster
from fairlead.domain.errors import UserFault
from fairlead.domain.job.job import Job
from fairlead.domain.objects import ObjectRef

_NUMBER = re.compile(r"[1-9][0-9]{0,8}")


def read_job(body: Mapping[str, Any]) -> Job:
    """A Job's body as the domain sees it. Raises `UserFault` when another release wrote what this one cannot read."""
    try:
        job = api_job.Job.model_validate(body)
    except ValidationError as error:
        raise UserFault(_sentence(body, error)) from error
    meta = job.metadata
    has_finalizer, deleted = names.FINALIZER in meta.finalizers, meta.deletion_timestamp
    wish = meta.annotations.get(names.HOST_ANNOTATION, "") if has_finalizer else ""   # an annotation alone may be a copy of another Job's
    read = Job(
        _ref(names.JOB_PLURAL, meta), int(meta.resource_version), meta.generation, meta.is_deleted, has_finalizer, job.spec, job.status,
        deleted.timestamp() if deleted else None, wished_host=wish,
        created_at=meta.creation_timestamp.timestamp() if meta.creation_timestamp else None,
    )
    return replace(read, host=job.status.host or "") if read.is_begun else read


def read_cluster(body: Mapping[str, Any]) -> Cluster:
    """A Cluster's body as the domain sees it. Raises `UserFault` when another release wrote what this one cannot read."""
    try:
        cluster = api_cluster.Cluster.model_validate(body)
    except ValidationError as error:
        raise UserFault(_sentence(body, error)) from error
    meta = cluster.metadata
    has_finalizer, ref = names.FINALIZER in meta.finalizers, _ref(names.CLUSTER_PLURAL, meta)
    forgives, agreed = meta.annotations.get(names.FORGIVE_DEBTS_ANNOTATION), meta.annotations.get(names.AGREE_TO_SWEEP_ANNOTATION, "")
    return Cluster(
        ref, int(meta.resource_version), meta.generation, meta.is_deleted, has_finalizer, cluster.spec, cluster.status,
        forgives == "true", int(agreed) if _NUMBER.fullmatch(agreed) else 0,
    )


def _ref(plural: str, meta: ObjectMeta) -> ObjectRef:
    return ObjectRef(plural, meta.namespace, meta.name, meta.uid)


def _sentence(body: Mapping[str, Any], error: ValidationError) -> str:
    meta = body.get("metadata") or {}
    first = error.errors(include_input=False, include_url=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    return f"{body.get('kind')} {meta.get('namespace')}/{meta.get('name')} cannot be read, at {place}: {first['msg']}"
