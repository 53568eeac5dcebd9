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


TIMES = "2023-11-14T22:13:20Z/2023-11-14T22:15:20Z"
SHORT = "2023-11-14T22:13:20Z/2023-11-14T22:13:30Z"


def at_rest(name: str, times: str | None, **said: Any) -> dict[str, Any]:
    body = a_slice(name, **said)
    if times is not None:
        body["metadata"]["annotations"]["fairlead.dev/quiet"] = times
    return body


@pytest.mark.parametrize(("slices", "seconds"), [
    pytest.param([at_rest("a", TIMES)], 120, id="one"),
    pytest.param([], None, id="none"),
    pytest.param([at_rest("a", None)], None, id="it is used"),
    pytest.param([at_rest("a", "for ever")], None, id="no time"),
    pytest.param([at_rest("a", TIMES), at_rest("b", None)], None, id="another way is used, or somebody says so"),
    pytest.param([at_rest("a", TIMES), at_rest("b", SHORT)], 10, id="of several the shortest"),
    pytest.param([at_rest("a", TIMES), at_rest("b", None, state="Broken")], 120, id="one that is broken says nothing of it"),
    pytest.param([at_rest("a", TIMES, state="Broken")], None, id="broken"),
    pytest.param([at_rest("a", TIMES, key=str(RunKey(UID, 1)))], None, id="of an attempt that is over"),
    pytest.param([at_rest("a", TIMES, uid=OTHER_UID)], None, id="another object's"),
])
def test_a_session_is_quiet_only_if_each_way_that_is_open_says_so(slices: list[dict[str, Any]], seconds: int | None) -> None:
    """Else whoever may write slices could end a Session that its gateway sees used."""
    services = KubeServices(cast("KubeClient", None))
    for each in slices:
        services.take("endpointslices", "ADDED", each)
    found = services.quiet(OWNER, "lab", KEY)
    assert (found.seconds if found else None) == seconds


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
