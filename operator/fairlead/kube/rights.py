"""What each of our accounts may do at the API server: one table each, from which `rbac/` and their page of the documentation are made.

Both work in all namespaces, by a ClusterRole, or only in those that are named, by a Role in each. What is not used is not in a table: the
tests run under exactly these rights, and compare the API server's audit log with them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import yaml

from fairlead.api.v1alpha1 import names

ACCOUNT: Final = "fairlead-controller"
"""Name of the controller's ServiceAccount, of its roles and of their bindings."""
UNINSTALL_ACCOUNT: Final = "fairlead-uninstall"
"""The same for `fairlead uninstall`."""
GATEWAY_ACCOUNT: Final = "fairlead-gateway"
"""The same for `fairlead gateway`."""
NAMESPACE: Final = "fairlead"
"""Where the manifest puts it; an installation elsewhere has another."""

_RBAC: Final = "rbac.authorization.k8s.io"
_EXAMPLE: Final = ("team-a", "team-b")     # the watched namespaces of the manifest that shows how it is done
_HEADER: Final = "# Made by `make crds` from operator/fairlead/kube/rights.py; change it there.\n"
_LABELS: Final = {"app.kubernetes.io/name": "fairlead"}

Manifest = dict[str, Any]


class Reach(StrEnum):
    """Where a right holds."""

    ALL = "all namespaces"           # or all that are watched
    OWN = "its own namespace"        # where its Lease is
    CLUSTER = "the cluster"          # what is in no namespace


@dataclass(frozen=True, slots=True)
class Right:
    """One resource of one API group, with what is done to it there and why."""

    reach: Reach
    group: str                       # empty: the core group
    resource: str                    # a subresource as in `jobs/status`
    verbs: tuple[str, ...]
    why: str
    names: tuple[str, ...] = ()      # only these objects; `create` cannot be limited so

    def rule(self) -> Manifest:
        """As RBAC has it."""
        only = {"resourceNames": list(self.names)} if self.names else {}
        return {"apiGroups": [self.group], "resources": [self.resource], "verbs": list(self.verbs), **only}


RIGHTS: Final = (
    Right(Reach.ALL, names.GROUP, names.CLUSTER_PLURAL, ("get", "list", "watch", "patch"),
          "See Clusters come, change and go. The patch is for the finalizer, while Jobs or debts need the Cluster."),
    Right(Reach.ALL, names.GROUP, f"{names.CLUSTER_PLURAL}/status", ("patch",), "Say what was found."),
    Right(Reach.ALL, names.GROUP, names.JOB_PLURAL, ("get", "list", "watch", "patch", "delete"),
          "See Jobs come, change and go. The patch is for the finalizer, the chosen host and the label of a finished Job; "
          "the deletion for `ttlSecondsAfterFinished`."),
    Right(Reach.ALL, names.GROUP, f"{names.JOB_PLURAL}/status", ("patch",), "Say what became of it, and remember the attempt."),
    Right(Reach.ALL, names.GROUP, names.SESSION_PLURAL, ("get", "list", "watch", "patch"),
          "See Sessions come, change and go. The patch is for the finalizer, the chosen host and the label of a finished Session."),
    Right(Reach.ALL, names.GROUP, f"{names.SESSION_PLURAL}/status", ("patch",), "Say what became of it, and remember the attempt."),
    Right(Reach.ALL, "", "services", ("get", "list", "watch", "create", "patch"),
          "Keep the Service of each Session, and see when one of that name is somebody else's."),
    Right(Reach.ALL, "discovery.k8s.io", "endpointslices", ("list", "watch"), "See what gateways say of the way to a Session."),
    Right(Reach.ALL, "", "secrets", ("get",),
          "Read the keys that Clusters name, and those of namespaces that bring a login of their own, and the tokens of Sessions. "
          "Never listed or watched."),
    Right(Reach.ALL, "", "secrets", ("create",),
          "Make the Secret of a Session that asks for a token of its own. None is ever changed or removed."),
    Right(Reach.ALL, "", "configmaps", ("get",), "Read the script of a Job's `scriptRef`."),
    Right(Reach.ALL, "", "namespaces", ("get",),
          "Compare labels with a Cluster's `allowedNamespaces`; see whether one that has lost a Cluster's Secret is being deleted."),
    Right(Reach.ALL, "events.k8s.io", "events", ("create",), "Tell of what happened to a Cluster, a Job or a Session."),
    Right(Reach.OWN, "coordination.k8s.io", "leases", ("create",), "Lead, the first time."),
    Right(Reach.OWN, "coordination.k8s.io", "leases", ("get", "patch"), "Lead, and see who does.", (names.LEASE_NAME,)),
    Right(Reach.OWN, "", "configmaps", ("create", "get", "list", "patch", "delete"),
          f"Keep the installation's name (`{names.INSTALLATION_CONFIG_MAP}`), and what is owed on clusters, a ConfigMap for each namespace "
          f"that owes something (`{names.LEDGER_CONFIG_MAP}-NAMESPACE`). RBAC cannot limit rights to a beginning of names."),
    Right(Reach.OWN, "", "secrets", ("get",), f"Read `{names.INSTALLATION_SECRET}`.", (names.INSTALLATION_SECRET,)),
    Right(Reach.OWN, "", "secrets", ("create",), f"Make `{names.INSTALLATION_SECRET}`, the first time: by it the controller knows its "
          "own words again in the work folders."),
    Right(Reach.CLUSTER, "", "namespaces", ("get",), "Read the uid of `kube-system`, which tells one cluster from another.",
          ("kube-system",)),
)

UNINSTALL_RIGHTS: Final = (
    Right(Reach.ALL, names.GROUP, names.CLUSTER_PLURAL, ("get", "list", "patch"), "See what is there, and take our finalizer off."),
    Right(Reach.ALL, names.GROUP, names.JOB_PLURAL, ("get", "list", "patch"),
          "See what runs, take our finalizer off, and with the policy `Cancel` suspend it."),
    Right(Reach.ALL, names.GROUP, names.SESSION_PLURAL, ("get", "list", "patch"), "The same for Sessions."),
    Right(Reach.ALL, "events.k8s.io", "events", ("create",), "Tell each Job that is left alone, with the policy `Orphan`."),
    Right(Reach.OWN, "coordination.k8s.io", "leases", ("create",), "Take the Lease where no controller has ever led."),
    Right(Reach.OWN, "coordination.k8s.io", "leases", ("get", "patch"), "Take the Lease, so that no controller acts meanwhile.",
          (names.LEASE_NAME,)),
    Right(Reach.OWN, "", "configmaps", ("create", "get", "list", "patch"),
          f"Read what is owed, and write down what is left alone (`{names.LEDGER_CONFIG_MAP}-NAMESPACE`)."),
)

GATEWAY_RIGHTS: Final = (
    Right(Reach.ALL, names.GROUP, names.CLUSTER_PLURAL, ("list", "watch"), "See how the login nodes are reached."),
    Right(Reach.ALL, names.GROUP, names.SESSION_PLURAL, ("list", "watch"), "See which Sessions run, and where."),
    Right(Reach.ALL, "discovery.k8s.io", "endpointslices", ("get", "list", "watch", "create", "patch", "delete"),
          "Say of each Session where it is reached, and see what other gateways say."),
    Right(Reach.ALL, "", "secrets", ("get",),
          "Read the keys that Clusters name, as the controller does, and the tokens of Sessions with a preset, to show them to their "
          "processes. Never listed or watched."),
    Right(Reach.ALL, "", "namespaces", ("get",), "Compare labels with a Cluster's `allowedNamespaces`."),
    Right(Reach.OWN, "coordination.k8s.io", "leases", ("create", "get", "list", "patch", "delete"),
          f"Say that it lives, in `{names.GATEWAY_LEASE}NAME`, see which others do, and remove what those that are gone have left. "
          "RBAC cannot limit rights to a beginning of names."),
)

TABLES: Final = {ACCOUNT: RIGHTS, UNINSTALL_ACCOUNT: UNINSTALL_RIGHTS, GATEWAY_ACCOUNT: GATEWAY_RIGHTS}
"""What each account has."""


def rules(account: str, *reaches: Reach) -> list[Manifest]:
    """The rules of a role of everything that an account has with one of these reaches."""
    return [right.rule() for right in TABLES[account] if right.reach in reaches]


def manifests(namespace: str = NAMESPACE, watched: Sequence[str] = (), account: str = ACCOUNT) -> Iterator[Manifest]:
    """The account and what gives it its rights, for an installation in `namespace` that works in the `watched` ones; none: in all.

    With `watched` a Role in each of them takes the place of the ClusterRole, of which there is left what is in no namespace. That one bears
    the installation's namespace in its name, since there may be several of them.
    """
    yield {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": _metadata(account, namespace)}
    small = rules(account, Reach.CLUSTER)
    if not watched:
        yield from _granted("ClusterRole", (account, namespace), _metadata(account), rules(account, Reach.ALL, Reach.CLUSTER))
    elif small:
        yield from _granted("ClusterRole", (account, namespace), _metadata(f"{account}-{namespace}"), small)
    for each in watched:
        yield from _granted("Role", (account, namespace), _metadata(f"{account}-watched", each), rules(account, Reach.ALL))
    yield from _granted("Role", (account, namespace), _metadata(account, namespace), rules(account, Reach.OWN))


def _granted(kind: str, account: tuple[str, str], metadata: Manifest, granted: list[Manifest]) -> Iterator[Manifest]:
    """A role, and its binding to the account, which is given by its name and namespace."""
    name, namespace = account
    yield {"apiVersion": f"{_RBAC}/v1", "kind": kind, "metadata": metadata, "rules": granted}
    yield {
        "apiVersion": f"{_RBAC}/v1", "kind": f"{kind}Binding", "metadata": deepcopy(metadata),   # else YAML would refer to it
        "roleRef": {"apiGroup": _RBAC, "kind": kind, "name": metadata["name"]},
        "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": namespace}],
    }


def _metadata(name: str, namespace: str | None = None) -> Manifest:
    return {"name": name, **({"namespace": namespace} if namespace else {}), "labels": dict(_LABELS)}


def render(namespace: str = NAMESPACE, watched: Sequence[str] = (), account: str = ACCOUNT) -> str:
    """The manifests as the text of a file in `rbac/`."""
    return _HEADER + yaml.safe_dump_all(manifests(namespace, watched, account), sort_keys=False, width=120)


FILES: Final = {
    "controller.yaml": (ACCOUNT, ()), "controller-watched.yaml": (ACCOUNT, _EXAMPLE),
    "gateway.yaml": (GATEWAY_ACCOUNT, ()), "gateway-watched.yaml": (GATEWAY_ACCOUNT, _EXAMPLE),
    "uninstall.yaml": (UNINSTALL_ACCOUNT, ()), "uninstall-watched.yaml": (UNINSTALL_ACCOUNT, _EXAMPLE),
}
"""The files of `rbac/`: whose, and in which namespaces."""


if __name__ == "__main__":
    for file, (whose, where) in FILES.items():
        written = Path(sys.argv[1] if len(sys.argv) > 1 else "rbac") / file
        written.write_text(render(NAMESPACE, where, whose), encoding="utf-8")
        print(written)
