"""All metrics of the controller, in one place. Their names are verbs: what happened.

No label ever holds the name of an object or a host: with 10,000 Jobs such labels cost more than the Jobs. What one object does is in its
status.

Importers count with `.inc()` and `.observe()`; only this package knows which library keeps the numbers.
"""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, PlatformCollector, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)    # from one exec on a LAN to a time-out
REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)
PlatformCollector(registry=REGISTRY)


def _counter(name: str, says: str, *labels: str) -> Counter:
    return Counter(name, says, labels, namespace="fairlead", registry=REGISTRY)


def _histogram(name: str, says: str, *labels: str) -> Histogram:
    return Histogram(name, says, labels, namespace="fairlead", registry=REGISTRY, buckets=_SECONDS)


def _gauge(name: str, says: str, *labels: str) -> Gauge:
    return Gauge(name, says, labels, namespace="fairlead", registry=REGISTRY)


job_submitted = _counter("job_submitted", "Runs that a scheduler accepted.")
job_ended = _counter("job_ended", "Jobs that ended, by condition reason.", "reason")
run_swept = _counter("run_swept", "Runs found without their object and removed.")
debt_recorded = _counter("debt_recorded", "Runs written into the ledger.")
debt_paid = _counter("debt_paid", "Runs struck from the ledger.")
debts_owed = _gauge("debts_owed", "Runs in the ledger now.")

exchange_finished = _histogram("exchange_finished_seconds", "Exchanges with login nodes, by purpose and outcome.", "kind", "outcome")
exec_ended = _histogram("exec_ended_seconds", "Commands on login nodes, from their start there to their end, by purpose and outcome.",
                        "kind", "outcome")
connections_held = _gauge("connections_held", "SSH connections that stand, are being made or are being closed; bounded by ssh.connections.")
connections_awaited = _gauge("connections_awaited", "SSH connections that wait until one of the others is closed.")
breaker_opened = _counter("breaker_opened", "Times that a site was given a rest.")

status_written = _counter("status_written", "Status writes, by kind and outcome (ok, conflict, unavailable).", "kind", "outcome")
event_recorded = _counter("event_recorded", "Kubernetes Events written, by type.", "type")

leading = _gauge("leading", "1 while this process holds the Lease.")
sites_watched = _gauge("sites_watched", "Sites with a loop, by whether they were reached at the last try.", "reachable")
jobs_watched = _gauge("jobs_watched", "Jobs that have not ended.")


def exposition() -> tuple[bytes, str]:
    """All metrics as Prometheus reads them, and the content type."""
    return generate_latest(REGISTRY), CONTENT_TYPE_LATEST
