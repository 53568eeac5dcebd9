"""From which namespaces a Cluster takes Jobs."""

from typing import Any

import pytest

from fairlead.domain.cluster.admission import asks_for_labels, refusal
from product.objects import a_cluster

PHYSICS = {"matchLabels": {"team": "physics"}}


def asking(key: str, operator: str, *values: str) -> dict[str, Any]:
    return {"matchExpressions": [{"key": key, "operator": operator, "values": list(values)}]}


BY_LABELS = {
    "the label that is asked for": (PHYSICS, {"team": "physics", "stage": "trial"}, True),
    "another value": (PHYSICS, {"team": "biology"}, False),
    "no label": (PHYSICS, {}, False),
    "one label of two": ({"matchLabels": {"team": "physics", "stage": "trial"}}, {"team": "physics"}, False),
    "one of the values": (asking("team", "In", "physics", "biology"), {"team": "biology"}, True),
    "none of the values": (asking("team", "In", "physics"), {"team": "biology"}, False),
    "no label for In": (asking("team", "In", "physics"), {}, False),
    "a value that is kept out": (asking("team", "NotIn", "physics"), {"team": "physics"}, False),
    "a value that is not kept out": (asking("team", "NotIn", "physics"), {"team": "biology"}, True),
    "no label for NotIn": (asking("team", "NotIn", "physics"), {}, True),
    "a label of any value": (asking("team", "Exists"), {"team": ""}, True),
    "no label for Exists": (asking("team", "Exists"), {"stage": "trial"}, False),
    "no label, as asked for": (asking("team", "DoesNotExist"), {}, True),
    "a label that must not be": (asking("team", "DoesNotExist"), {"team": "physics"}, False),
    "labels that match, and an expression that does not": (PHYSICS | asking("stage", "Exists"), {"team": "physics"}, False),
    "a selector that asks for nothing": ({}, {}, True),
    "labels that are not known": ({}, None, False),
}


@pytest.mark.parametrize(("selector", "labels", "admitted"), BY_LABELS.values(), ids=BY_LABELS)
def test_a_selector_means_what_it_means_in_kubernetes(selector: dict[str, Any], labels: dict[str, str] | None, admitted: bool) -> None:
    """Else a team that was not meant would run Jobs as the Cluster's user."""
    cluster = a_cluster(allowedNamespaces={"from": "Selector", "selector": selector})
    assert (refusal(cluster, "team", labels) is None) is admitted


OTHERS = {
    "nothing said: another namespace": ({}, "team", "hpc takes no Jobs of other namespaces"),
    "nothing said: its own": ({}, "lab", None),
    "Same: another namespace": ({"from": "Same"}, "team", "takes no Jobs of other namespaces"),
    "All: another namespace": ({"from": "All"}, "team", None),
    "Selector: its own, whatever its labels": ({"from": "Selector", "selector": PHYSICS}, "lab", None),
    "Selector: labels that are not known": ({"from": "Selector", "selector": PHYSICS}, "team", "the right to get namespaces"),
}


@pytest.mark.parametrize(("allowed", "namespace", "says"), OTHERS.values(), ids=OTHERS)
def test_a_refusal_says_why(allowed: dict[str, Any], namespace: str, says: str | None) -> None:
    """Else a user would wait for ever without knowing whom to ask."""
    why = refusal(a_cluster(allowedNamespaces=allowed), namespace, None)
    assert (says in why) if says and why else why is says


def test_labels_are_asked_for_only_where_they_decide() -> None:
    """Else the controller would need to read namespaces also where nobody selects any."""
    selecting = a_cluster(allowedNamespaces={"from": "Selector", "selector": PHYSICS})
    assert [asks_for_labels(selecting, each) for each in ("team", "lab")] == [True, False]
    assert not asks_for_labels(a_cluster(allowedNamespaces={"from": "All"}), "team")
