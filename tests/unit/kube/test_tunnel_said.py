"""Which EndpointSlices count as a gateway's word of the way to a Run: whoever may write slices in a namespace writes what he likes."""

from typing import Any, cast

import pytest

from fairlead.domain.objects import ObjectRef
from fairlead.domain.run.run import RunKey
from fairlead.domain.run.service import ProcessState, TunnelState
from fairlead.kube.client import KubeClient
from fairlead.kube.services import KubeServices
from product.objects import OTHER_UID, UID

OWNER = ObjectRef("sessions", "team", "lab", UID)
KEY = RunKey(UID, 2)


def a_slice(
    name: str = "lab-1", *, uid: str = UID, controller: bool = True, service: str = "lab", key: str = str(KEY), state: str = "Open",
) -> dict[str, Any]:
    """An EndpointSlice as a gateway writes it, unless something is said."""
    owner = {"apiVersion": "fairlead.dev/v1alpha1", "kind": "Session", "name": "lab", "uid": uid, "controller": controller}
    return {"metadata": {
        "namespace": "team", "name": name, "ownerReferences": [owner] if uid else [], "labels": {"kubernetes.io/service-name": service},
        "annotations": {"fairlead.dev/run-key": key, "fairlead.dev/tunnel-state": state},
    }}


def said(*slices: dict[str, Any]) -> TunnelState | None:
    services = KubeServices(cast("KubeClient", None))
    for each in slices:
        services.take("endpointslices", "ADDED", each)
    return services.tunnel(OWNER, "lab", KEY)


@pytest.mark.parametrize("body", [
    pytest.param(a_slice(uid=OTHER_UID), id="another object's, as of a Session of this name before"),
    pytest.param(a_slice(uid=""), id="nobody's"),
    pytest.param(a_slice(controller=False), id="one that it only refers to"),
    pytest.param(a_slice(service="other"), id="of another Service"),
    pytest.param(a_slice(key=str(RunKey(UID, 1))), id="of an attempt that is over"),
    pytest.param(a_slice(key=""), id="of no Run"),
    pytest.param(a_slice(state="open"), id="a word that is none"),
    pytest.param({"metadata": {"namespace": "team", "name": "x", "ownerReferences": [{"uid": UID, "controller": True}]}}, id="bare"),
])
def test_what_is_not_of_this_run_does_not_count(body: dict[str, Any]) -> None:
    """Else a Session would look ready by the tunnel of an attempt that is over, or of another object."""
    assert said(body) is None
    assert said(body, a_slice("right", state="Broken")) is TunnelState.BROKEN


@pytest.mark.parametrize(("word", "counts"), [
    ("Ready", ProcessState.READY), ("NotReady", ProcessState.NOT_READY), ("ready", None), ("x" * 10_000, None),
])
def test_of_the_process_only_its_words_count(word: str, counts: ProcessState | None) -> None:
    """Else what somebody writes on a slice would come into a status."""
    body = a_slice()
    body["metadata"]["annotations"]["fairlead.dev/process-state"] = word
    services = KubeServices(cast("KubeClient", None))
    services.take("endpointslices", "ADDED", body)
    assert services.process(OWNER, "lab", KEY) is counts
    assert services.process(OWNER, "lab", RunKey(UID, 1)) is None


def test_of_several_the_best_counts() -> None:
    """Else a Session would not be ready while one of two gateways opens its own way."""
    assert said(a_slice("a", state="Broken"), a_slice("b"), a_slice("c", state="Opening")) is TunnelState.OPEN


def test_one_that_is_gone_or_has_changed_hands_counts_no_more() -> None:
    """Else a Session would stay ready for ever once it was."""
    services = KubeServices(cast("KubeClient", None))
    assert services.take("endpointslices", "ADDED", a_slice()) == UID
    services.take("endpointslices", "MODIFIED", a_slice(uid=OTHER_UID))
    assert services.tunnel(OWNER, "lab", KEY) is None
    services.take("endpointslices", "MODIFIED", a_slice())
    assert services.tunnel(OWNER, "lab", KEY) is TunnelState.OPEN
    services.take("endpointslices", "DELETED", a_slice())
    assert services.tunnel(OWNER, "lab", KEY) is None
