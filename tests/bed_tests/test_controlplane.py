"""The control plane behaves as a cluster of its version does, and its faults can be made."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from bed.controlplane import ControlPlane, ports, versions
from bed.errors import BedError
from bed.existing import ExistingControlPlane
from bed.state import Bed
from bed_tests.waiting import until

CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, namespace: {namespace}{owner}}}\n"


@pytest.fixture(scope="module")
def bed() -> Iterator[Bed]:
    with Bed.create("tests of the control plane") as made:
        yield made


@pytest.fixture(scope="module")
def plane(bed: Bed) -> Iterator[ControlPlane]:
    started = ControlPlane.start(bed)
    yield started
    started.stop()


@pytest.fixture
def namespace(plane: ControlPlane, request: pytest.FixtureRequest) -> Iterator[str]:
    name = request.node.originalname.replace("_", "-").lower()[:60].strip("-")
    plane.kubectl("create", "namespace", name)
    yield name
    plane.kubectl("delete", "namespace", name, "--ignore-not-found", "--wait=false")


def test_server_and_client_are_the_pinned_version(plane: ControlPlane) -> None:
    """A server that calls itself v0.0.0 is misjudged by every client."""
    said = json.loads(plane.kubectl("version", "-o", "json").stdout)
    assert {said["serverVersion"]["gitVersion"], said["clientVersion"]["gitVersion"]} == {versions.kubernetes()}


def test_a_deleted_namespace_takes_its_content_along(plane: ControlPlane, namespace: str) -> None:
    """Tests could not see what a namespace's deletion does to a Job."""
    plane.kubectl("create", "configmap", "inside", "-n", namespace)
    plane.kubectl("delete", "namespace", namespace, "--wait")
    assert "NotFound" in plane.kubectl("get", "namespace", namespace, check=False).stderr


def test_an_object_goes_with_its_owner(plane: ControlPlane, namespace: str) -> None:
    """Owner references would be mere decoration."""
    plane.kubectl("apply", "-f", "-", input=CONFIG_MAP.format(name="owner", namespace=namespace, owner=""))
    uid = plane.kubectl("get", "configmap", "owner", "-n", namespace, "-o", "jsonpath={.metadata.uid}").stdout
    reference = f", ownerReferences: [{{apiVersion: v1, kind: ConfigMap, name: owner, uid: {uid}}}]"
    plane.kubectl("apply", "-f", "-", input=CONFIG_MAP.format(name="owned", namespace=namespace, owner=reference))
    plane.kubectl("delete", "configmap", "owner", "-n", namespace)
    plane.kubectl("wait", "--for=delete", "configmap/owned", "-n", namespace, "--timeout=90s")


def test_an_ordinary_user_may_do_what_rbac_grants_and_no_more(plane: ControlPlane, namespace: str) -> None:
    """Fairlead's own RBAC rules could not be tested."""
    mine = plane.kubeconfig_for("jane", "people")
    plane.kubectl("create", "rolebinding", "jane", "--clusterrole=view", "--user=jane", "-n", namespace)

    def may(verb: str) -> str:
        return plane.kubectl(f"--kubeconfig={mine}", "auth", "can-i", verb, "configmaps", "-n", namespace, check=False).stdout.strip()

    until(lambda: may("list") == "yes", "the server to have learned of the binding")
    assert may("create") == "no"


def test_a_service_account_token_is_accepted(plane: ControlPlane, namespace: str) -> None:
    """A controller that runs with its service account could not be tested."""
    until(lambda: not plane.kubectl("get", "serviceaccount", "default", "-n", namespace, check=False).returncode, "the service account")
    token = plane.kubectl("create", "token", "default", "-n", namespace).stdout.strip()
    as_account = ("--kubeconfig=/dev/null", f"--server={plane.url}", "--insecure-skip-tls-verify", f"--token={token}")
    assert f"system:serviceaccount:{namespace}:default" in plane.kubectl(*as_account, "auth", "whoami").stdout


def test_every_write_is_in_the_audit_log_once(plane: ControlPlane, namespace: str) -> None:
    """API writes could not be counted."""
    for name in ("first", "second"):
        plane.kubectl("create", "configmap", name, "-n", namespace)
    until(lambda: created(plane, namespace) == ["first", "second"], "each write, once; an answer is sent before it is logged")


def created(plane: ControlPlane, namespace: str) -> list[str]:
    """The ConfigMaps that were made there, by the audit log."""
    return [event["objectRef"]["name"] for event in plane.audit() if event["verb"] == "create" and event["user"]["username"] == "admin"
            and event["objectRef"].get("namespace") == namespace and event["objectRef"]["resource"] == "configmaps"]


def test_a_killed_api_server_comes_back_where_it_was(plane: ControlPlane, namespace: str) -> None:
    """A restart of the API server could not be tested against a controller that knows its address."""
    before = plane.apiserver.pid
    plane.restart_apiserver()
    assert plane.apiserver.pid != before
    assert namespace in plane.kubectl("get", "namespace", namespace).stdout


def test_what_etcd_held_survives_its_kill(plane: ControlPlane, namespace: str) -> None:
    """A fault of etcd would wipe the cluster, which is another fault."""
    plane.etcd.kill()
    plane.etcd.start()
    plane.restart_apiserver()
    assert namespace in plane.kubectl("get", "namespace", namespace).stdout


def test_a_failed_call_of_kubectl_tells_its_own_words(plane: ControlPlane) -> None:
    """A test's failure would say "exit code 1"."""
    with pytest.raises(BedError, match=r"kubectl get nonsense.*doesn't have a resource type"):
        plane.kubectl("get", "nonsense")


def test_a_port_that_somebody_took_meanwhile_is_replaced(plane: ControlPlane, bed: Bed) -> None:
    """One start in a hundred would fail on a busy machine, or wait without an end."""
    first_choice = iter([[*ports.free(2), int(plane.url.rpartition(":")[2])]])
    second = ControlPlane.start(bed, audit=False, choose_ports=lambda count: next(first_choice, None) or ports.free(count))
    assert second.url != plane.url
    assert second.kubectl("get", "namespace", "default").returncode == 0
    assert second.audit() == []
    second.stop()
    assert not second.folder.exists()


def test_a_server_that_cannot_start_ends_the_wait_with_its_words(bed: Bed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The start would wait for its whole time and then not say why."""
    broken = tmp_path / "etcd"
    broken.write_text("#!/bin/sh\necho the disk is on fire\nexit 3\n")
    broken.chmod(0o755)
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path))
    with pytest.raises(BedError, match=r"ended with 3:\nthe disk is on fire"):
        ControlPlane.start(bed)


def test_an_existing_cluster_is_used_through_kubeconfig(plane: ControlPlane, bed: Bed, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--use-existing` would start a cluster of its own all the same."""
    monkeypatch.setenv("KUBECONFIG", str(plane.kubeconfig))
    existing = ExistingControlPlane.from_environment(bed)
    assert existing.url == plane.url
    assert "default" in existing.kubectl("get", "namespaces").stdout
    with pytest.raises(BedError, match="run without --use-existing"):
        existing.audit()


@pytest.mark.parametrize("named", ["", "/nowhere/kubeconfig"])
def test_an_existing_cluster_needs_a_kubeconfig(bed: Bed, monkeypatch: pytest.MonkeyPatch, named: str) -> None:
    """The person would see a traceback about an empty path."""
    monkeypatch.setenv("KUBECONFIG", named)
    with pytest.raises(BedError, match="needs KUBECONFIG"):
        ExistingControlPlane.from_environment(bed)


def test_free_ports_are_free_distinct_and_not_those_of_outgoing_connections() -> None:
    """A restarted server would find its port taken by somebody's connection."""
    found = ports.free(20)
    lowest_outgoing = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    assert len(set(found)) == 20
    assert max(found) < max(lowest_outgoing, 20000)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", found[0]))
