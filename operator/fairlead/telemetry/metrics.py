"""All metrics of the controller and of the gateways, in one place. Their names are verbs: what happened.

No label ever holds the name of an object or a host: with 10,000 Jobs such labels cost more than the Jobs. What one object does is in its
status.

Importers count with `.inc()` and `.observe()`; only this package knows which library keeps the numbers.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)    # from one exec on a LAN to a time-out
_LONG_SECONDS = (0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200)    # what a person waits for
_SHORT_SECONDS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)    # what nobody should notice
OTHER = "Other"
"""In the place of a word that is in no table of ours: a label has few values, whatever somebody writes into a status."""
disable_created_metrics()  # type: ignore[no-untyped-call]  # a series beside each other one, of which nothing is made
REGISTRY = CollectorRegistry()
"""Every metric."""
CONTROLLER, GATEWAY = CollectorRegistry(), CollectorRegistry()
"""What each program shows: else a gateway would say that it does not lead, and that nothing is owed."""
BOTH = (CONTROLLER, GATEWAY)


def _of_the_process(*registries: CollectorRegistry) -> None:
    for each in registries:
        ProcessCollector(registry=each)
        PlatformCollector(registry=each)


_of_the_process(REGISTRY, *BOTH)


OURS: list[Counter | Histogram | Gauge] = []
"""Each metric of ours, in the order in which they were made."""
SHOWN_BY: dict[Counter | Histogram | Gauge, tuple[CollectorRegistry, ...]] = {}
"""On whose page each is."""


def _counter(name: str, says: str, *labels: str, of: tuple[CollectorRegistry, ...] = (CONTROLLER,)) -> Counter:
    made = Counter(name, says, labels, namespace="fairlead", registry=REGISTRY)
    _show(made, of)
    return made


def _histogram(
    name: str, says: str, *labels: str, buckets: tuple[float, ...] = _SECONDS, of: tuple[CollectorRegistry, ...] = (CONTROLLER,),
) -> Histogram:
    made = Histogram(name, says, labels, namespace="fairlead", registry=REGISTRY, buckets=buckets)
    _show(made, of)
    return made


def _gauge(name: str, says: str, *labels: str, of: tuple[CollectorRegistry, ...] = (CONTROLLER,)) -> Gauge:
    made = Gauge(name, says, labels, namespace="fairlead", registry=REGISTRY)
    _show(made, of)
    return made


def _show(made: Counter | Histogram | Gauge, of: tuple[CollectorRegistry, ...]) -> None:
    OURS.append(made)
    for each in of:
        each.register(made)
    SHOWN_BY[made] = of


@dataclass(frozen=True, slots=True)
class OwnerMetrics:
    """Those of one kind of owners of Runs."""

    handed_in: Histogram
    ended: Counter
    end_seen: Histogram
    watched: Gauge
    in_phase: Gauge
    waiting: Gauge


@cache
def of_kind(plural: str, kind: str) -> OwnerMetrics:
    """The metrics of a kind, made when they are first asked for: `fairlead_jobs_watched` and the like for `jobs`, Job."""
    one = kind.lower()
    return OwnerMetrics(
        _histogram(f"{one}_handed_in_seconds", f"From when a {kind} was applied to its id in its status, all waits included; not while "
                   "it is suspended.", "scheduler", buckets=_LONG_SECONDS),
        _counter(f"{one}_ended", f"{kind}s that ended, by condition reason.", "reason"),
        _histogram(f"{one}_end_seen_seconds", f"From the end of a script, by its node's clock in whole seconds, to the end in the {kind}'s "
                   "status.", buckets=_LONG_SECONDS),
        _gauge(f"{plural}_watched", f"{kind}s that have not ended."),
        _gauge(f"{plural}_in_phase", f"{kind}s that have not ended, by status.phase.", "phase"),
        _gauge(f"{plural}_waiting", f"{kind}s that were not handed in yet, by the reason in their condition Submitted.", "reason"),
    )


job_submitted = _counter("job_submitted", "Runs that a scheduler accepted.")
jobs = of_kind("jobs", "Job")
submission_answered = _counter("submission_answered", "Runs of which a cluster was asked to take them, by what it answered; "
                               "refused and unsure are its scheduler's no.", "answer")
run_swept = _counter("run_swept", "Runs found without their object and removed.")
debt_recorded = _counter("debt_recorded", "Runs written into the ledger.")
debt_paid = _counter("debt_paid", "Runs struck from the ledger.")
debts_owed = _gauge("debts_owed", "Runs in the ledger now.")
debts_oldest_age = _gauge("debts_oldest_age_seconds", "Age of the oldest Run in the ledger that can be cleaned up, 0 without one.")
ledger_filled = _gauge("ledger_filled_ratio", "How full the fullest namespace's share of the ledger is: at 1 what it deletes waits.")

exchange_finished = _histogram("exchange_finished_seconds", "Exchanges with login nodes, by purpose and outcome.", "kind", "outcome")
exec_ended = _histogram("exec_ended_seconds", "Commands on login nodes, from their start there to their end, by purpose and outcome.",
                        "kind", "outcome")
connections_held = _gauge("connections_held", "SSH connections that stand, are being made or are being closed; bounded by ssh.connections.")
connections_awaited = _gauge("connections_awaited", "SSH connections that wait until one of the others is closed.")
connect_ended = _histogram("connect_ended_seconds", "Tries to connect to a login node and to log in, by outcome.", "outcome", of=BOTH)
place_awaited = _histogram("place_awaited_seconds", "Waits for one of a bounded number of places, by which: a connection, a connect (of "
                           "all, or to one host), an exec, a thread (lookup, key, answer), a request to the API server. Who finds one at "
                           "once is not counted.", "place", of=BOTH)
places_awaited = _gauge("places_awaited", "How many wait for such a place now.", "place", of=BOTH)
breaker_opened = _counter("breaker_opened", "Times that a site was given a rest.")
oldest_poll_age = _gauge("oldest_poll_age_seconds", "Since the last poll that was answered, of the site of which that is longest ago.")
polls_late = _gauge("polls_late", "Sites of which no poll was answered for twice their longest interval and one time-out.")

status_written = _counter("status_written", "Status writes, by kind and outcome (ok, conflict, unavailable).", "kind", "outcome")
api_request_ended = _counter("api_request_ended", "Requests to the API server, by method, resource and outcome (ok, missing, conflict, "
                             "forbidden, unavailable, invalid).", "method", "resource", "outcome", of=BOTH)
api_request = _histogram("api_request_seconds", "Requests to the API server, the wait for a place included, by method.", "method",
                         of=BOTH)
watch_missed = _counter("watch_missed", "Objects of which a list told, and no watch before it.")
event_recorded = _counter("event_recorded", "Kubernetes Events written, by type.", "type")

leading = _gauge("leading", "1 while this process holds the Lease.")
sites_watched = _gauge("sites_watched", "Sites with a loop, by whether they were reached at the last try.", "reachable")
clusters_in_condition = _gauge("clusters_in_condition", "Clusters, by their conditions.", "condition", "status")
clusters_not_ready = _gauge("clusters_not_ready", "Clusters whose condition Ready is not True, by its reason.", "reason")
loops_stuck = _gauge("loops_stuck", "Loops that have missed their time; /livez names them.", of=BOTH)
loop_lag = _histogram("loop_lag_seconds", "How much later than it was due a task ran, looked at twice a second: so long everything else in "
                      "the process waits as well.", buckets=_SHORT_SECONDS, of=BOTH)

tunnels_held = _gauge("tunnels_held", "Sessions that this gateway holds, by the state of their tunnel.", "state", of=(GATEWAY,))
tunnels_broken_age = _gauge("tunnels_broken_age_seconds", "Since when the tunnel has been Broken that has been so for longest, 0 without "
                            "one.", of=(GATEWAY,))
ports_of_range = _gauge("ports_of_range", "Ports of this gateway, by what may be done with them: free, in_use, resting after their "
                        "Session, quarantined since somebody else listened there. All together are its range.", "state", of=(GATEWAY,))
streams_held = _gauge("streams_held", "Clients' connections that are carried, or are about to be.", of=(GATEWAY,))
stream_opened = _counter("stream_opened", "Clients' connections, by what became of them: ok, a reason why no stream was opened, or "
                         "turned_away at the door.", "outcome", of=(GATEWAY,))
bytes_carried = _counter("carried_bytes", "Bytes of clients, from them or to them.", "direction", of=(GATEWAY,))


def known(word: str, words: Iterable[str]) -> str:
    """A label's value for a word that somebody else may have written: itself if it is one of ours."""
    return word if word in words else OTHER


def exposition(of: CollectorRegistry = CONTROLLER) -> tuple[bytes, str]:
    """The metrics of one program as Prometheus reads them, and the content type."""
    return generate_latest(of), CONTENT_TYPE_LATEST
