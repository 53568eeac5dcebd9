"""The ways in: a pod's service account, a token in a kubeconfig, and an API server that went away and came back."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from fairlead.app.kinds import KINDS
from fairlead.domain.errors import Unavailable
from fairlead.engine.clock import SystemClock
from fairlead.kube.client import KubeClient
from fairlead.kube.kubeconfig import Access, in_cluster
from fairlead.kube.lease import Lease, LeaseSettings
from fairlead.kube.references import KubeReferences

from .conftest import Sandbox


@pytest.fixture
def pod(sandbox: Sandbox, tmp_path: Path) -> Callable[[], Access]:
    """What a pod of the namespace's default account has: its files, and where the kubelet says that the API server is."""
    sandbox.kubectl("wait", "--for=create", "--timeout=30s", "serviceaccount/default")
    (tmp_path / "token").write_text(sandbox.kubectl("create", "token", "default").stdout)
    (tmp_path / "namespace").write_text(sandbox.namespace)
    sandbox.kubectl("wait", "--for=create", "--timeout=30s", "configmap/kube-root-ca.crt")
    trust = sandbox.kubectl("get", "configmap", "kube-root-ca.crt", "-o", "jsonpath={.data.ca\\.crt}").stdout
    (tmp_path / "ca.crt").write_text(trust)
    where = urlsplit(sandbox.plane.url)
    environment = {"KUBERNETES_SERVICE_HOST": str(where.hostname), "KUBERNETES_SERVICE_PORT": str(where.port)}
    return lambda: in_cluster(tmp_path, environment)


async def test_a_pods_service_account_may_do_what_its_role_grants_and_no_more(sandbox: Sandbox, pod: Callable[[], Access]) -> None:
    sandbox.kubectl("create", "role", "reader", "--verb=get", "--resource=configmaps")
    sandbox.kubectl("create", "rolebinding", "reader", "--role=reader", f"--serviceaccount={sandbox.namespace}:default")
    sandbox.kubectl("create", "configmap", "seen")
    async with KubeClient(pod()) as client:
        references = KubeReferences(client, KINDS)
        assert client.namespace == sandbox.namespace
        assert await references.read_config_map(sandbox.namespace, "seen") == {}
        with pytest.raises(Unavailable, match="cannot get resource"):
            await references.read_secret(sandbox.namespace, "seen")


async def test_a_token_that_the_kubelet_has_renewed_is_used_at_once(sandbox: Sandbox, pod: Callable[[], Access], tmp_path: Path) -> None:
    """Else a controller would lead no more an hour after its start, when its first token has expired."""
    good = (tmp_path / "token").read_text()
    (tmp_path / "token").write_text("expired")
    who = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    async with KubeClient(pod()) as client:
        with pytest.raises(Unavailable, match="401"):
            await client.request("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", body=who)
        (tmp_path / "token").write_text(good)
        seen = await client.request("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", body=who)
    assert seen["status"]["userInfo"]["username"] == f"system:serviceaccount:{sandbox.namespace}:default"


def spec(sandbox: Sandbox) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(sandbox.kubectl("get", "lease", "leader", "-o", "json").stdout)["spec"]
    return found


async def test_a_token_that_the_server_does_not_know_is_said(sandbox: Sandbox, tmp_path: Path) -> None:
    config = json.loads(sandbox.kubectl("config", "view", "--raw", "--minify", "-o", "json").stdout)
    config["users"][0]["user"] = {"token": "expired"}
    (tmp_path / "config").write_text(json.dumps(config))
    async with KubeClient.load(str(tmp_path / "config")) as client:
        with pytest.raises(Unavailable, match="401"):
            await client.request("GET", "/api/v1/namespaces")


async def test_a_restart_of_the_api_server_costs_no_leadership(sandbox: Sandbox, client: KubeClient) -> None:
    lease = Lease(client, LeaseSettings(sandbox.namespace, "leader", 60, 0.5, 0.5), SystemClock())
    await lease.acquire()
    await asyncio.to_thread(sandbox.plane.restart_apiserver)
    before = spec(sandbox)["renewTime"]
    while spec(sandbox)["renewTime"] == before:  # noqa: ASYNC110  a Lease wakes nobody
        await asyncio.sleep(0.1)
    assert lease.leads()
    await lease.release()
    assert spec(sandbox).items() >= {"holderIdentity": "", "leaseTransitions": 0}.items()
