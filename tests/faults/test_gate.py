"""Without these, a cell behind the gate proves nothing: each fault must be what a controller would see of an API server in trouble."""

import http.client
import json
from collections.abc import Iterator
from typing import Self

import pytest

from bed.controlplane import ControlPlane
from bed.existing import ExistingControlPlane
from bed.state import Bed
from faults.gate import Gate
from product.api import GROUP, Api
from product.scene import Scene
from product.waiting import until


@pytest.fixture
def gate(bed: Bed, plane: ControlPlane | ExistingControlPlane, request: pytest.FixtureRequest) -> Iterator[Gate]:
    folder = bed.folder / f"gate-{abs(hash(request.node.name))}"
    folder.mkdir()
    with Gate(plane.kubeconfig, folder) as gate:
        yield gate


@pytest.fixture
def namespace(api: Api) -> Iterator[str]:
    scene = Scene(api).open()
    yield scene.namespace
    api.delete(f"/api/v1/namespaces/{scene.namespace}")


def ask(gate: Gate, method: str, path: str, body: object = None) -> tuple[int, str | None]:
    """Status and Retry-After of one request through the gate."""
    connection = http.client.HTTPConnection("127.0.0.1", gate.port, timeout=20)
    connection.request(method, path, None if body is None else json.dumps(body), {"Content-Type": "application/json"})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status, answer.headers["Retry-After"]


def maps_of(namespace: str) -> str:
    return f"/api/v1/namespaces/{namespace}/configmaps"


class Watch:
    """An open watch on the namespace's ConfigMaps."""

    def __init__(self, gate: Gate, namespace: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", gate.port, timeout=20)
        self._connection.request("GET", f"{maps_of(namespace)}?watch=1&fieldSelector=metadata.name%3Dmine")
        self._answer = self._connection.getresponse()

    def next(self) -> dict[str, object]:
        """The next event; nothing when the watch has ended."""
        try:
            line = self._answer.readline()
        except (http.client.HTTPException, OSError):
            line = b""
        self.ended = not line
        return dict(json.loads(line)) if line else {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._answer.close()
        self._connection.close()


def config_map(namespace: str, value: str) -> dict[str, object]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "mine", "namespace": namespace}, "data": {"value": value}}


def test_requests_pass_until_the_gate_refuses_them(gate: Gate) -> None:
    path = f"{GROUP}/jobs"
    until(lambda: ask(gate, "GET", path) == (200, None), "the server to serve fresh definitions")
    gate.refuse(429, "GET PATCH")
    assert ask(gate, "GET", path) == (429, "1")
    assert ask(gate, "GET", "/api/v1/namespaces")[0] == 200, "only our own objects are refused: the Lease is not"
    gate.refuse(500, "PATCH")
    assert ask(gate, "GET", path)[0] == 200
    assert ask(gate, "PATCH", f"{GROUP}/namespaces/default/jobs/none", {})[0] == 500
    assert gate.refused == 1
    gate.pass_through()
    assert ask(gate, "PATCH", f"{GROUP}/namespaces/default/jobs/none", {})[0] in {404, 415}


def test_a_watch_is_cut_in_mid_stream(gate: Gate, namespace: str) -> None:
    with Watch(gate, namespace) as watch:
        assert ask(gate, "POST", maps_of(namespace), config_map(namespace, "1"))[0] == 201
        assert watch.next()["type"] == "ADDED"
        gate.cut_watches()
        assert watch.next() == {}


def test_a_blind_watch_says_nothing_and_ends_with_410(gate: Gate, namespace: str) -> None:
    with Watch(gate, namespace) as watch:
        gate.blind()
        assert ask(gate, "POST", maps_of(namespace), config_map(namespace, "1"))[0] == 201
        gate.pass_through()
        gone = watch.next()
        assert gone["type"] == "ERROR", "what came while it was blind is not told"
        assert gone["object"]["code"] == 410   # type: ignore[index]
        assert watch.next() == {}
