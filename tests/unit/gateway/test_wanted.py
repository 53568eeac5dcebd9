"""Which Sessions a gateway serves, where their processes are, and on which address it can be reached itself."""

from typing import Any

import pytest

from fairlead.app.gateway_program import checked_address
from fairlead.domain.errors import UserFault
from fairlead.domain.session.session_reading import read_session
from fairlead.gateway.wanted import first_node, wanted

UID = "11111111-2222-4333-8444-555555555555"


def body(**changes: Any) -> dict[str, Any]:
    """A Session that runs, with some of it changed."""
    metadata = {"name": "lab", "namespace": "team", "uid": UID, "resourceVersion": "7", "generation": 1}
    spec = {"clusterRef": {"name": "hpc"}, "application": {"command": ["serve"], "port": 8888}}
    run = {"key": f"{UID}-1", "attempt": 1, "node": "n3"}
    return {"metadata": metadata | changes.get("metadata", {}), "spec": spec | changes.get("spec", {}),
            "status": {"phase": "Running", "run": run | changes.get("run", {})} | changes.get("status", {})}


def test_one_that_runs_is_served_on_the_schedulers_node():
    """Else what a file says could send clients to another user's process."""
    found = wanted(read_session(body()))
    assert found is not None
    assert (found.node, found.port, found.run_key, found.cluster) == ("n3", 8888, f"{UID}-1", ("team", "hpc"))


def test_without_a_node_it_is_the_bare_host_itself():
    """Else nobody would reach a process on a host without a scheduler."""
    found = wanted(read_session(body(run={"node": None})))
    assert found is not None
    assert found.node == "127.0.0.1"


@pytest.mark.parametrize("changes", [
    {"status": {"phase": "Queued"}}, {"status": {"phase": "Ended"}}, {"spec": {"suspend": True}},
    {"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z", "deletionGracePeriodSeconds": 0}},
    {"run": {"key": "99999999-2222-4333-8444-555555555555-1"}},
], ids=["not started", "ended", "to be suspended", "to be deleted", "a status of another's"])
def test_what_is_not_served(changes: dict[str, Any]):
    """Else a port would lead to a process that is about to end, or to another's that listens there next."""
    assert wanted(read_session(body(**changes))) is None


@pytest.mark.parametrize(("nodes", "first"), [
    ("n3", "n3"), ("n[3-5,7]", "n3"), ("n[03-05]", "n03"), ("a1,b[2-3]", "a1"), ("rack1n[2,4]x", "rack1n2x"), ("", ""),
])
def test_the_first_of_several_nodes_has_the_process(nodes: str, first: str):
    """Else a Session on several nodes would not be reached."""
    assert first_node(nodes) == first


@pytest.mark.parametrize("address", [None, "", "gateway", "127.0.0.1", "::1", "0.0.0.0", "169.254.1.1", "224.0.0.1"])
def test_an_address_that_others_cannot_reach_is_refused_at_the_start(address: str | None):
    """Else each slice would be refused by the API server, or lead each node to itself."""
    with pytest.raises(UserFault, match="--address"):
        checked_address(address)


def test_an_address_that_others_reach_is_taken():
    """Else no gateway would start."""
    assert [checked_address(each) for each in ("10.1.2.3", "fd00::1")] == ["10.1.2.3", "fd00::1"]
