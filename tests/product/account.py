"""The controller's own account: what it runs as everywhere in these tests, with the rights of the table and no other."""

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from bed.controlplane import ControlPlane
from bed.controlplane.auditlog import AuditEvent
from bed.controlplane.pki import write_private
from bed.existing import ExistingControlPlane
from fairlead.kube.rights import ACCOUNT, render
from product.waiting import until

NAMESPACE = "default"                # where the tests' controllers have their Lease
USER = f"system:serviceaccount:{NAMESPACE}:{ACCOUNT}"
LIFE = "24h"                         # of its token

Plane = ControlPlane | ExistingControlPlane


def account(plane: Plane) -> Path:
    """The kubeconfig of the controller's ServiceAccount, which is made with its roles when it is first asked for."""
    path = plane.bed.folder / f"{ACCOUNT}-{urlsplit(plane.url).port}.kubeconfig"
    if path.exists():
        return path
    plane.kubectl("apply", "--server-side", "--force-conflicts", "--filename", "-", input=render(NAMESPACE))
    until(lambda: _may(plane, "get", "secrets") and _may(plane, "create", "leases.coordination.k8s.io"), "its rights to hold")
    token = plane.kubectl("create", "token", ACCOUNT, f"--namespace={NAMESPACE}", f"--duration={LIFE}").stdout.strip()
    config = json.loads(plane.kubectl("config", "view", "--raw", "--minify", "--flatten", "--output=json").stdout)
    config["users"] = [{"name": each["context"]["user"], "user": {"token": token}} for each in config["contexts"]]
    write_private(path, json.dumps(config).encode())
    return path


def asked(plane: ControlPlane) -> Iterator[AuditEvent]:
    """What it has asked the API server for so far."""
    return (each for each in plane.audit() if each.get("user", {}).get("username") == USER)


def refused(plane: ControlPlane) -> list[str]:
    """What was refused to it for want of a right, in words. Not what it was granted at another time: an API server that has just begun
    refuses everything until it has read its roles.
    """
    decided: dict[tuple[object, ...], set[str]] = {}
    for each in asked(plane):
        about = each.get("objectRef", {})
        kind = each["verb"], about.get("apiGroup"), about.get("resource"), about.get("subresource"), about.get("namespace") == NAMESPACE
        decided.setdefault(kind, set()).add(each.get("annotations", {}).get("authorization.k8s.io/decision", ""))
    wanting = (kind for kind, decisions in decided.items() if "forbid" in decisions and "allow" not in decisions)
    return sorted(" ".join(str(word) for word in kind[:4] if word) for kind in wanting)


def _may(plane: Plane, verb: str, resource: str) -> bool:
    return plane.kubectl("auth", "can-i", verb, resource, f"--namespace={NAMESPACE}", f"--as={USER}", check=False).returncode == 0
