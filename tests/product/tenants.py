"""People with few rights: real users of the API server, each with a certificate, and with what RBAC gives them in one namespace."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from bed.controlplane import ControlPlane
from product.api import GROUP, Api
from product.scene import Scene, Thing
from product.waiting import until

_RBAC = "/apis/rbac.authorization.k8s.io/v1/namespaces"
_REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"

Rule = dict[str, Any]

EDIT: Final = ("get", "list", "watch", "create", "update", "patch", "delete")


def may(*resources: str, verbs: Sequence[str] = EDIT, group: str = "fairlead.dev") -> Rule:
    """A rule of a Role: `may("jobs")`, `may("clusters/status")`, `may("secrets", group="")`."""
    return {"apiGroups": [group], "resources": list(resources), "verbs": list(verbs)}


JOBS_ONLY: Final = (may("jobs"),)
"""Who runs Jobs and owns nothing else: the rights that docs/security.md gives a namespace's user."""
JOBS_AND_STATUS: Final = (may("jobs", "jobs/status"),)
"""A careless `resources: ["*"]`: the namespace's own administrator."""


@dataclass(frozen=True, slots=True)
class Tenant:
    """One person. `at` is the namespace as they see it: what is made and changed by it is made and changed as that person."""

    user: str
    kubeconfig: Path
    at: Scene

    def tries(self, method: str, path: str, body: Any = None, content_type: str = "application/json") -> int:
        """The HTTP status of whatever they try."""
        status, _ = self.at.api.request(method, path, body, content_type)
        return status

    def creates(self, job: dict[str, Any]) -> Thing:
        """Make a Job of a whole manifest, with metadata of their own choice, as `kubectl create -f` does."""
        path = f"{GROUP}/namespaces/{self.at.namespace}/jobs"
        status, answer = self.at.api.request("POST", path, {"apiVersion": "fairlead.dev/v1alpha1", "kind": "Job", **job})
        assert status == 201, answer
        return Thing(self.at, "jobs", answer["metadata"]["name"])


def tenant_of(plane: ControlPlane, scene: Scene, rules: Sequence[Rule] = JOBS_ONLY) -> Tenant:
    """A person who may do this in the scene's namespace, and nothing anywhere else; returns when the API server knows it."""
    user = f"tenant-{uuid4().hex[:8]}"
    where = f"{_RBAC}/{scene.namespace}"
    for plural, rest in (("roles", {"kind": "Role", "rules": list(rules)}), ("rolebindings", {
            "kind": "RoleBinding", "subjects": [{"kind": "User", "name": user, "apiGroup": "rbac.authorization.k8s.io"}],
            "roleRef": {"kind": "Role", "name": user, "apiGroup": "rbac.authorization.k8s.io"}})):
        manifest = {"apiVersion": "rbac.authorization.k8s.io/v1", "metadata": {"name": user}, **rest}
        status, answer = scene.api.request("POST", f"{where}/{plural}", manifest)
        assert status == 201, answer
    kubeconfig = plane.kubeconfig_for(user)
    tenant = Tenant(user, kubeconfig, Scene(Api(kubeconfig), scene.namespace))
    until(lambda: all(_is_allowed(tenant, rule) for rule in rules), f"the rights of {user}", step_seconds=0.01)
    return tenant


def _is_allowed(tenant: Tenant, rule: Rule) -> bool:
    """Whether the API server grants what a rule says; it learns of new rules by a watch."""
    resource, _, sub = rule["resources"][-1].partition("/")
    asked = {"namespace": tenant.at.namespace, "verb": rule["verbs"][-1], "group": rule["apiGroups"][-1], "resource": resource,
             "subresource": sub}
    status, answer = tenant.at.api.request("POST", _REVIEWS, {
        "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": {"resourceAttributes": asked}})
    assert status == 201, answer
    return bool(answer["status"]["allowed"])
