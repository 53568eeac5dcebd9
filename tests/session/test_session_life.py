"""A Session's life as its user walks it, on Slurm and on a bare host: it runs, has its address, ends, and leaves nothing."""

from typing import Any

import pytest

from bed.login import LoginNode
from product.either import cluster_on, work_on
from product.ownerkind import SESSION
from product.remains import running
from product.scene import Scene, Thing
from product.waiting import until

pytestmark = pytest.mark.parametrize("kind", [SESSION], ids=str, indirect=True)
WORD = "600.25"
LONG = f"#!/bin/sh\necho started\nexec sleep {WORD}\n"
SLICES = "/apis/discovery.k8s.io/v1/namespaces/{}/endpointslices/{}"


@pytest.fixture(params=["hpc", "bare"], ids=["Slurm", "bare host"])
def node(request: pytest.FixtureRequest) -> LoginNode:
    """A cluster of either kind."""
    node: LoginNode = request.getfixturevalue(request.param)
    return node


def service_of(session: Thing) -> dict[str, Any] | None:
    """The Service of its name."""
    return session.scene.api.get(f"/api/v1/namespaces/{session.scene.namespace}/services/{session.name}")


def tell(session: Thing, state: str, key: str, *, name: str = "", uid: str = "") -> None:
    """Say of the way to a Run what a gateway says, or, with another's uid, what it never would."""
    owner = {"apiVersion": "fairlead.dev/v1alpha1", "kind": "Session", "name": session.name, "uid": uid or session.uid, "controller": True}
    name = name or f"{session.name}-way"
    session.scene.api.apply(SLICES.format(session.scene.namespace, name), {
        "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
        "metadata": {
            "name": name, "ownerReferences": [owner], "annotations": {"fairlead.dev/tunnel-state": state, "fairlead.dev/run-key": key},
            "labels": {"kubernetes.io/service-name": session.name, "endpointslice.kubernetes.io/managed-by": "gateway.fairlead.dev"},
        },
        "endpoints": [{"addresses": ["10.20.30.40"]}], "ports": [{"port": 20000, "protocol": "TCP"}],
    })


def test_a_session_runs_and_keeps_its_address_until_it_is_deleted(node: LoginNode, scene: Scene) -> None:
    """Else nobody would know where to reach it, a saved address would lead nowhere after a pause, or its GPU would stay taken."""
    cluster_on(node, scene)
    session = scene.job("lab", LONG, cancellationGracePeriodSeconds=1, service={"port": 8080, "labels": {"team": "physics"}})
    session.wait("Allocated")
    session.wait("ServiceReady")
    session.wait("Ready", "False", reason="NoTunnel")
    service = service_of(session)
    assert service is not None
    address = service["spec"]["clusterIP"]
    assert (service["spec"]["ports"][0]["port"], service["spec"].get("selector"), service["metadata"]["labels"]["team"]) == (
        8080, None, "physics")
    assert session.status["serviceRef"] == {"name": "lab", "clusterIP": address, "port": 8080}
    assert session.status["url"] == f"http://lab.{scene.namespace}.svc:8080"
    first = session.status["run"]["key"]
    tell(session, "Open", f"{first}7", name="old")
    tell(session, "Open", first, name="strange", uid="99999999-2222-4333-8444-555555555555")
    tell(session, "Opening", first)
    session.wait("Ready", "False", reason="TunnelOpening")
    tell(session, "Open", first)
    session.wait("Ready")
    tell(session, "Broken", first)
    session.wait("Ready", "False", reason="TunnelBroken")
    tell(session, "Open", first)
    session.wait("Ready")

    session.change(suspend=True)
    session.wait("Suspended", reason="JobSuspended")
    assert not running(node, WORD)
    session.wait("TunnelReady", "False", reason="NotRunning")
    session.change(suspend=False)
    session.wait("Allocated")
    session.wait("Ready", "False", reason="NoTunnel")
    second = session.status["run"]["key"]
    assert second != first
    tell(session, "Open", second)
    session.wait("Ready")
    assert (service_of(session) or {})["spec"]["clusterIP"] == address

    session.delete()
    assert (work_on(node), running(node, WORD)) == ([], [])
    until(lambda: service_of(session) is None, "the Service to go with its Session")


def test_a_process_that_ends_ends_its_session_with_its_last_output(node: LoginNode, scene: Scene) -> None:
    """Else a user would wait for a server that has crashed, or not know why it has."""
    cluster_on(node, scene)
    good = scene.job("good", "echo bye; exit 0")
    bad = scene.job("bad", "echo no licence; exit 3")
    brief = scene.job("brief", LONG, maxLifetimeSeconds=1, cancellationGracePeriodSeconds=1)
    good.wait("Ended", reason="Ended")
    bad.wait("Failed", reason="NonZeroExitCode")
    brief.wait("Ended", reason="LifetimeOver")
    assert [each.status["logs"]["tail"] for each in (good, bad)] == ["bye\n", "no licence\n"]
    assert [each.status["phase"] for each in (good, bad, brief)] == ["Ended", "Failed", "Ended"]
    assert not running(node, WORD)


def test_a_service_of_somebody_else_is_left_alone(bare: LoginNode, scene: Scene) -> None:
    """Else a Session would take over an address by its name, or never get its own once that is free."""
    cluster_on(bare, scene)
    path = f"/api/v1/namespaces/{scene.namespace}/services/taken"
    theirs = scene.api.apply(path, {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "taken"},
                                    "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]}})
    session = scene.job("taken", LONG, cancellationGracePeriodSeconds=1)
    session.wait("ServiceReady", "False", reason="NameTaken")
    session.wait("Ready", "False", reason="NameTaken")
    session.wait_event("NameTaken")
    found = scene.api.get(path)
    assert found is not None
    assert found["spec"]["selector"] == {"app": "web"}
    assert theirs is None or found["metadata"]["resourceVersion"] == theirs["metadata"]["resourceVersion"]
    scene.api.delete(path)
    session.wait("ServiceReady")
    session.wait("Allocated")
