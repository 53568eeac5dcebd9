"""Metrics must stay few however many objects there are, and be readable by Prometheus."""

from prometheus_client.parser import text_string_to_metric_families

from fairlead.telemetry import metrics

OBJECT_LABELS = {"name", "namespace", "cluster", "job", "key", "uid", "host", "user", "node"}


def families() -> dict[str, set[str]]:
    """Each metric of ours with its labels, as declared."""
    collectors = {id(collector): collector for collector in vars(metrics).values() if hasattr(collector, "_labelnames")}
    return {collector.describe()[0].name: set(collector._labelnames) for collector in collectors.values()}


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
