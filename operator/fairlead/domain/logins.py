"""A Cluster with credentials of its own for each namespace: how it looks to one of its logins, and how that login stands in its status."""

from dataclasses import replace

from fairlead.api.v1alpha1.cluster import ClusterStatus, LoginStatus
from fairlead.api.v1alpha1.reasons import ClusterCondition
from fairlead.domain.cluster import Cluster

TOLD = frozenset({ClusterCondition.READY, ClusterCondition.SWEEP_HELD})
"""What the status says of each login: Ready has the reason of whatever is wrong. With all conditions of hundreds it would be too large."""


def seen_by(cluster: Cluster, namespace: str) -> Cluster:
    """The Cluster with the status of one login in the place of its own: what is known there of work folder, checks and agreement."""
    if namespace == cluster.ref.namespace:
        return cluster
    known = login_of(cluster.status, namespace)
    status = ClusterStatus() if known is None else ClusterStatus(
        work_dir=known.work_dir, conditions=known.conditions, sweep_agreement=known.sweep_agreement)
    return replace(cluster, login=namespace, status=status)


def with_login(whole: ClusterStatus, namespace: str, user: str, status: ClusterStatus) -> ClusterStatus:
    """The Cluster's whole status with what is told of one login in it."""
    known = login_of(whole, namespace)
    entry = LoginStatus(
        namespace=namespace, user=user or (known.user if known else None), work_dir=status.work_dir,
        conditions=tuple(each for each in status.conditions if each.type in TOLD), sweep_agreement=status.sweep_agreement,
    )
    return whole.model_copy(update={"logins": (*without_login(whole, namespace).logins, entry)}) if entry != known else whole


def without_login(whole: ClusterStatus, namespace: str) -> ClusterStatus:
    """The same without it."""
    return whole.model_copy(update={"logins": tuple(each for each in whole.logins if each.namespace != namespace)})


def login_of(whole: ClusterStatus, namespace: str) -> LoginStatus | None:
    """What the status says of the login of a namespace, None if nothing."""
    return next((each for each in whole.logins if each.namespace == namespace), None)
