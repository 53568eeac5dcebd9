"""What the controller may do at the API server: one table, from which `rbac/` and its page of the documentation are made.

What is not used is not in it: the tests run under exactly these rights, and compare the API server's audit log with them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import yaml

from fairlead.api.v1alpha1 import names

ACCOUNT: Final = "fairlead-controller"
"""Name of the ServiceAccount, of its roles and of their bindings."""
NAMESPACE: Final = "fairlead"
"""Where the manifest puts it; an installation elsewhere has another."""

_RBAC: Final = "rbac.authorization.k8s.io"
_HEADER: Final = "# Made by `make crds` from operator/fairlead/kube/rights.py; change it there.\n"
_LABELS: Final = {"app.kubernetes.io/name": "fairlead"}

Manifest = dict[str, Any]


class Reach(StrEnum):
    """Where a right holds."""

    ALL = "all namespaces"
    OWN = "its own namespace"        # where its Lease is


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
    Right(Reach.ALL, "", "secrets", ("get",),
          "Read the keys that Clusters name, and those of namespaces that bring a login of their own. Never listed or watched."),
    Right(Reach.ALL, "", "configmaps", ("get",), "Read the script of a Job's `scriptRef`."),
    Right(Reach.ALL, "", "namespaces", ("get",),
          "Compare labels with a Cluster's `allowedNamespaces`; and the uid of `kube-system`, which tells one cluster from another."),
    Right(Reach.ALL, "events.k8s.io", "events", ("create",), "Tell of what happened to a Cluster or a Job."),
    Right(Reach.OWN, "coordination.k8s.io", "leases", ("create",), "Lead, the first time."),
    Right(Reach.OWN, "coordination.k8s.io", "leases", ("get", "patch"), "Lead, and see who does.", (names.LEASE_NAME,)),
    Right(Reach.OWN, "", "configmaps", ("create", "get", "list", "patch", "delete"),
          f"Keep the installation's name (`{names.INSTALLATION_CONFIG_MAP}`), and what is owed on clusters, a ConfigMap for each namespace "
          f"that owes something (`{names.LEDGER_CONFIG_MAP}-NAMESPACE`). RBAC cannot limit rights to a beginning of names."),
    Right(Reach.OWN, "", "secrets", ("create",), f"Make `{names.INSTALLATION_SECRET}`, the first time: by it the controller knows its "
          "own words again in the work folders."),
)


def manifests(namespace: str = NAMESPACE) -> Iterator[Manifest]:
    """The account and what gives it these rights, for an installation in `namespace`."""
    yield {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": _metadata(namespace)}
    yield from _granted("ClusterRole", Reach.ALL, None, namespace)
    yield from _granted("Role", Reach.OWN, namespace, namespace)


def _granted(kind: str, reach: Reach, where: str | None, namespace: str) -> Iterator[Manifest]:
    """A role of everything that has this reach, and its binding to the account."""
    rules = [right.rule() for right in RIGHTS if right.reach is reach]
    yield {"apiVersion": f"{_RBAC}/v1", "kind": kind, "metadata": _metadata(where), "rules": rules}
    yield {
        "apiVersion": f"{_RBAC}/v1", "kind": f"{kind}Binding", "metadata": _metadata(where),
        "roleRef": {"apiGroup": _RBAC, "kind": kind, "name": ACCOUNT},
        "subjects": [{"kind": "ServiceAccount", "name": ACCOUNT, "namespace": namespace}],
    }


def _metadata(namespace: str | None) -> Manifest:
    return {"name": ACCOUNT, **({"namespace": namespace} if namespace else {}), "labels": dict(_LABELS)}


def render(namespace: str = NAMESPACE) -> str:
    """The manifests as the text of `rbac/controller.yaml`."""
    return _HEADER + yaml.safe_dump_all(manifests(namespace), sort_keys=False, width=120)


if __name__ == "__main__":
    written = Path(sys.argv[1] if len(sys.argv) > 1 else "rbac") / "controller.yaml"
    written.write_text(render(), encoding="utf-8")
    print(written)
