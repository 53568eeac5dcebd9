"""The product's own accounts: what it runs as everywhere in these tests, with the rights of their tables and no other."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from bed.controlplane import ControlPlane
from bed.controlplane.auditlog import AuditEvent
from bed.controlplane.pki import write_private
from bed.existing import ExistingControlPlane
from fairlead.kube.rights import ACCOUNT, Reach, Right, render
from product.waiting import until, until_equal

NAMESPACE = "default"                # where the tests' controllers have their Lease
LIFE = "24h"                         # of its token

Plane = ControlPlane | ExistingControlPlane


def account(plane: Plane, *, name: str = ACCOUNT, namespace: str = NAMESPACE, watched: Sequence[str] = ()) -> Path:
    """The kubeconfig of a ServiceAccount of ours, by default the controller's, with its roles.

    They are given each time: to work everywhere is bound to one account of a name, in the namespace that asked last.
    """
    path = plane.bed.folder / f"{name}-{urlsplit(plane.url).port}-{'-'.join((namespace, *watched))}.kubeconfig"
    plane.kubectl("apply", "--server-side", "--force-conflicts", "--filename", "-", input=render(namespace, watched, name))
    where = (watched or (namespace,))[-1]
    until(lambda: _may(plane, "list", "clusters.fairlead.dev", where, user_of(name, namespace))
          and _may(plane, "create", "leases.coordination.k8s.io", namespace, user_of(name, namespace)), "its rights to hold")
    if path.exists():
        return path
    token = plane.kubectl("create", "token", name, f"--namespace={namespace}", f"--duration={LIFE}").stdout.strip()
    config = json.loads(plane.kubectl("config", "view", "--raw", "--minify", "--flatten", "--output=json").stdout)
    config["users"] = [{"name": each["context"]["user"], "user": {"token": token}} for each in config["contexts"]]
    write_private(path, json.dumps(config).encode())
    return path


def user_of(name: str = ACCOUNT, namespace: str = NAMESPACE) -> str:
    """What the API server calls it."""
    return f"system:serviceaccount:{namespace}:{name}"


def asked(plane: ControlPlane, user: str = user_of()) -> Iterator[AuditEvent]:
    """What it has asked the API server for so far."""
    return (each for each in plane.audit() if each.get("user", {}).get("username") == user)


def refused(plane: ControlPlane, user: str = user_of()) -> list[str]:
    """What was refused to it for want of a right, in words. Not what it was granted at another time: an API server that has just begun
    refuses everything until it has read its roles.
    """
    decided: dict[tuple[object, ...], set[str]] = {}
    for each in asked(plane, user):
        about = each.get("objectRef", {})
        kind = each["verb"], about.get("apiGroup"), about.get("resource"), about.get("subresource"), about.get("namespace") == NAMESPACE
        decided.setdefault(kind, set()).add(each.get("annotations", {}).get("authorization.k8s.io/decision", ""))
    wanting = (kind for kind, decisions in decided.items() if "forbid" in decisions and "allow" not in decisions)
    return sorted(" ".join(str(word) for word in kind[:4] if word) for kind in wanting)


def unused(events: Sequence[AuditEvent], rights: Sequence[Right], namespace: str = NAMESPACE) -> list[str]:
    """The rights of a table that none of these requests has needed, in words."""
    return [f"{verb} {right.resource} in {right.reach}" for right in rights for verb in right.verbs
            if not any(_is_use(right, verb, event, namespace) for event in events)]


def until_used(plane: ControlPlane, rights: Sequence[Right], user: str = user_of(), namespace: str = NAMESPACE) -> None:
    """Until each right of a table was used by some request: one is in the log a moment after its answer."""
    def left() -> list[str]:
        return unused(list(asked(plane, user)), rights, namespace)

    until_equal(left, [], "each right to be used: take out of the table what nothing uses")


def _is_use(right: Right, verb: str, event: AuditEvent, namespace: str) -> bool:
    about = event.get("objectRef", {})
    resource = "/".join(part for part in (about.get("resource"), about.get("subresource")) if part)
    if (event["verb"], about.get("apiGroup", ""), resource) != (verb, right.group, right.resource):
        return False
    is_there = right.reach is not Reach.OWN or about.get("namespace") == namespace
    return is_there and (not right.names or about.get("name") in right.names)


def _may(plane: Plane, verb: str, resource: str, namespace: str, user: str) -> bool:
    return plane.kubectl("auth", "can-i", verb, resource, f"--namespace={namespace}", f"--as={user}", check=False).returncode == 0
