"""From a Cluster as the API server sends it to the domain's own view of it."""

import re
from collections.abc import Mapping
from typing import Any

from fairlead.api.v1alpha1 import cluster as api
from fairlead.api.v1alpha1 import names
from fairlead.domain.cluster.cluster import Cluster
from fairlead.domain.run.reading import parsed, ref_of

_NUMBER = re.compile(r"[1-9][0-9]{0,8}")


def read_cluster(body: Mapping[str, Any]) -> Cluster:
    """A Cluster's body as the domain sees it. Raises `UserFault` when another release wrote what this one cannot read."""
    cluster = parsed(api.Cluster, body)
    meta = cluster.metadata
    has_finalizer, ref = names.FINALIZER in meta.finalizers, ref_of(names.CLUSTER_PLURAL, meta)
    forgives, agreed = meta.annotations.get(names.FORGIVE_DEBTS_ANNOTATION), meta.annotations.get(names.AGREE_TO_SWEEP_ANNOTATION, "")
    return Cluster(
        ref, int(meta.resource_version), meta.generation, meta.is_deleted, has_finalizer, cluster.spec, cluster.status,
        forgives == "true", int(agreed) if _NUMBER.fullmatch(agreed) else 0,
    )
