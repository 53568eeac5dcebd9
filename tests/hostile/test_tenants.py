"""The people of these tests are what they are said to be: else every other test here would prove nothing."""

from collections.abc import Callable

from product.api import GROUP
from product.scene import Scene
from product.tenants import JOBS_AND_STATUS, Tenant


def test_a_tenant_edits_jobs_in_one_namespace_and_nothing_else(scene: Scene, tenant: Callable[..., Tenant]) -> None:
    """Else what a test calls a tenant's attack would be an administrator's mistake."""
    person, careless = tenant(scene), tenant(scene, JOBS_AND_STATUS)
    job = person.creates({"metadata": {"name": "mine"}, "spec": {"clusterRef": {"name": "none"}, "command": ["true"]}})
    here = f"{GROUP}/namespaces/{scene.namespace}"
    for path in (f"{here}/clusters", f"{GROUP}/namespaces/default/jobs", f"/api/v1/namespaces/{scene.namespace}/secrets"):
        assert person.tries("GET", path) == 403, path
    written = {"metadata": {"uid": job.uid}, "status": {"phase": "Complete"}}
    assert person.tries("PATCH", f"{job.path}/status", written, "application/merge-patch+json") == 403
    assert careless.tries("PATCH", f"{job.path}/status", written, "application/merge-patch+json") == 200
    job.delete()
