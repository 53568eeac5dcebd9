"""Metrics must stay few however many objects there are, and be readable by Prometheus."""

import pytest
from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.parser import text_string_to_metric_families

from fairlead.telemetry import metrics

OBJECT_LABELS = {"name", "namespace", "cluster", "job", "key", "uid", "host", "user", "node"}


BOUNDED = {
    "reason": "words of JobReason or ClusterReason", "kind": "verbs of the seam, or Cluster and Job", "outcome": "ok, failed and the like",
    "type": "Normal and Warning", "reachable": "yes and no", "scheduler": "types of Clusters", "answer": "words of SubmitWord",
    "place": "kinds of places", "method": "of HTTP", "resource": "kinds of objects", "phase": "words of JobPhase",
    "state": "words of TunnelState or PortState", "direction": "from and to clients",
    "condition": "words of ClusterCondition", "status": "True, False and Unknown",
}
"""Every label that there may be, and whose words its values are."""
UNITS = ("_seconds", "_ratio", "_bytes")
THINGS = {"runs", "debts", "jobs", "sites", "clusters", "connections", "loops", "places", "polls", "tunnels", "ports", "streams"}
"""What a gauge without a unit counts: the first word of its name. `leading` is 0 or 1."""


def collectors() -> list[Counter | Gauge | Histogram]:
    """Each metric of ours."""
    return list(metrics.OURS)


def families() -> dict[str, set[str]]:
    """Each metric of ours with its labels, as declared."""
    return {collector.describe()[0].name: set(collector._labelnames) for collector in collectors()}


@pytest.mark.parametrize("metric", collectors(), ids=lambda metric: metric._name)
def test_a_metric_says_what_it_is_and_in_which_unit(metric) -> None:
    """Who builds a dashboard would have to guess what a number means, and whether it is seconds."""
    name = metric._name.removeprefix("fairlead_")
    assert metric._documentation.endswith(".")
    assert len(metric._documentation) > 20
    if isinstance(metric, Histogram):
        assert name.endswith("_seconds")
    elif isinstance(metric, Gauge) and not name.endswith(UNITS):
        assert name.split("_")[0] in THINGS | {"leading"}


def test_every_label_is_one_whose_values_are_known() -> None:
    """A label of free text is a series for each text that anybody thinks of."""
    assert {label for labels in families().values() for label in labels} == BOUNDED.keys()


def test_no_label_names_an_object() -> None:
    assert {name: labels & OBJECT_LABELS for name, labels in families().items() if labels & OBJECT_LABELS} == {}


def test_all_names_carry_our_prefix() -> None:
    assert [name for name in families() if not name.startswith("fairlead_")] == []


def test_what_was_counted_is_shown() -> None:
    metrics.job_submitted.inc()
    metrics.exchange_finished.labels(kind="observe", outcome="ok").observe(0.3)
    text, content_type = metrics.exposition()
    shown = {family.name for family in text_string_to_metric_families(text.decode())}
    assert content_type.startswith("text/plain")
    assert shown >= {"fairlead_job_submitted", "fairlead_exchange_finished_seconds", "process_resident_memory_bytes"}


def test_a_gateway_shows_nothing_of_the_controller_s_and_the_controller_nothing_of_a_gateway_s() -> None:
    """An alert would say that no controller leads where gateways are scraped, or that a controller has no port free."""
    def shown(page: tuple[bytes, str]) -> set[str]:
        return {family.name for family in text_string_to_metric_families(page[0].decode()) if family.name.startswith("fairlead_")}

    controller, gateway = shown(metrics.exposition()), shown(metrics.exposition(metrics.GATEWAY))
    assert {"fairlead_leading", "fairlead_debts_owed"} <= controller - gateway
    assert {"fairlead_ports_of_range", "fairlead_tunnels_broken_age_seconds"} <= gateway - controller
    assert {"fairlead_loops_stuck", "fairlead_loop_lag_seconds"} <= controller & gateway
    assert controller | gateway == {each.describe()[0].name for each in collectors()}
