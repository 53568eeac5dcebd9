"""A Cluster of several sites, each with a work folder of its own: how it looks to one of them, and how that one stands in its status.

With credentials of its own for each namespace, a site is the login of another namespace, beside the Cluster's own; of a Cluster of bare
hosts, each host is one, and there is no other.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from fairlead.api.v1alpha1.cluster import ClusterStatus, HostStatus, LoginStatus
from fairlead.api.v1alpha1.meta import Condition
from fairlead.api.v1alpha1.reasons import ClusterCondition
from fairlead.domain.cluster.cluster import Cluster
from fairlead.domain.cluster.residue import residue
from fairlead.domain.conditions import Says, is_true, told
from fairlead.domain.gone.debt import Debt

SiteKey = tuple[str, str]
"""A Cluster's uid, and which of its sites: empty for its own."""
TOLD = frozenset({ClusterCondition.READY, ClusterCondition.SWEEP_HELD})
"""What the status says of each site: Ready has the reason of whatever is wrong. With all conditions of hundreds it would be too large."""
OF_ANY = frozenset({ClusterCondition.IN_USE, ClusterCondition.SWEEP_HELD})
"""What holds for a Cluster of bare hosts as soon as it does for one of them."""


def seen_by(cluster: Cluster, site: str) -> Cluster:
    """The Cluster with the status of one site in the place of its own: what is known there of work folder, checks and agreement."""
    if not site:
        return cluster
    known = status_of(cluster, site)
    status = ClusterStatus() if known is None else ClusterStatus(
        work_dir=known.work_dir, conditions=known.conditions, sweep_agreement=known.sweep_agreement)
    if cluster.spec.process:             # a heartbeat is written for all hosts together
        status = status.model_copy(update={"last_heartbeat_time": cluster.status.last_heartbeat_time, "circuit": cluster.status.circuit})
    return replace(cluster, site=site, status=status)


def status_of(cluster: Cluster, site: str) -> LoginStatus | HostStatus | None:
    """What the status says of a site, None if nothing."""
    if cluster.spec.process:
        return next((each for each in cluster.status.hosts if each.name == site), None)
    return next((each for each in cluster.status.logins if each.namespace == site), None)


def known_sites(cluster: Cluster) -> frozenset[str]:
    """The sites that the Cluster has by its spec, and bare hosts that it had.

    Not the logins of which its status speaks: whoever may write that could have any namespace's Secret used.
    """
    return frozenset(_in_order(cluster)) if cluster.spec.process else frozenset({""})


def with_login(cluster: Cluster, namespace: str, user: str, status: ClusterStatus) -> ClusterStatus:
    """The Cluster's whole status with what is told of the login of a namespace in it."""
    known = status_of(cluster, namespace)
    entry = (known or LoginStatus(namespace=namespace)).having(
        user=user or (known.user if isinstance(known, LoginStatus) else None), work_dir=status.work_dir, conditions=_told(status),
        sweep_agreement=status.sweep_agreement,
    )
    if entry == known:
        return cluster.status
    return cluster.status.having(logins=(*without(cluster, namespace).logins, entry))


def without(cluster: Cluster, site: str) -> ClusterStatus:
    """The whole status without a site."""
    status = cluster.status
    return status.model_copy(update={
        "logins": tuple(each for each in status.logins if each.namespace != site),
        "hosts": tuple(each for each in status.hosts if each.name != site),
    })


@dataclass(frozen=True, slots=True)
class Account:
    """What goes into the status of a Cluster of bare hosts beside what each host says: all that is owed there, and when it is written."""

    debts: Sequence[Debt]
    wall: float                      # epoch seconds


def with_hosts(cluster: Cluster, said: Mapping[str, ClusterStatus], account: Account) -> ClusterStatus:
    """The whole status, from what each host has `said` of itself.

    The Cluster's conditions are those of its first host that is ready, or else of the first: it can be worked with as long as one is. The
    message of Ready names the others.
    """
    names = [each for each in _in_order(cluster) if each in said]
    if not names:
        return cluster.status
    first = next((each for each in names if is_true(said[each].conditions, ClusterCondition.READY)), names[0])
    entries = tuple((status_of(cluster, each) or HostStatus(name=each)).having(
        work_dir=said[each].work_dir, conditions=_told(said[each]), sweep_agreement=said[each].sweep_agreement,
        active_runs=said[each].active_runs,
    ) for each in names)
    silent = tuple(each for each in cluster.status.hosts if each.name not in said)
    spoken_of = {each.type: each for name in (*names, first) for each in said[name].conditions}   # of a kind, what the first says
    says = [_says(each, said, names) for each in spoken_of.values()]
    beats = [each.last_heartbeat_time for each in said.values() if each.last_heartbeat_time]
    return said[first].having(
        **cluster.status.of_others, conditions=told(cluster.status.conditions, says, account.wall, cluster.generation), logins=(),
        active_runs=sum(said[each].active_runs or 0 for each in names), residue=residue(account.debts),
        hosts=entries + silent, last_heartbeat_time=max(beats, default=cluster.status.last_heartbeat_time),
    )


def _in_order(cluster: Cluster) -> Iterable[str]:
    """The hosts as the spec has them, and behind them those that were taken out of it."""
    return dict.fromkeys([*(each.name for each in cluster.hosts), *(each.name for each in cluster.status.hosts)])


def _told(status: ClusterStatus) -> tuple[Condition, ...]:
    return tuple(each for each in status.conditions if each.type in TOLD)


def _says(condition: Condition, said: Mapping[str, ClusterStatus], names: Sequence[str]) -> Says:
    """One condition of the Cluster, which is that of one host, in the light of the others."""
    kind, message = condition.type, condition.message
    if kind in OF_ANY and condition.status != "True":
        of_all = (each for name in names for each in said[name].conditions if each.type == kind)
        condition = next((each for each in of_all if each.status == "True"), condition)
        message = condition.message
    elif kind == ClusterCondition.READY and len(names) > 1:
        readiness = {name: said[name].condition(kind) for name in names}
        message = "; ".join(f"{name}: {each.message or each.reason}" for name, each in readiness.items() if each and each.status != "True")
    return Says(kind, {"True": True, "False": False}.get(condition.status), condition.reason, message)
