"""The page of metrics: every name, its labels and what it counts."""

from prometheus_client import Counter, Gauge, Histogram

from fairlead.telemetry import metrics
from generator.markdown import code, table

INTRODUCTION = """# Metrics

The controller and the gateways serve them at `/metrics` in Prometheus' format, beside `/livez` and `/readyz`, each those that are its own.
Names are verbs: what happened. No label holds the name of an object or a host: what one object does is in its status. Python's process
metrics are there too.
"""


def page() -> str:
    """The whole page."""
    ours = metrics.OURS
    rows = [[code(_name(each)), each._type,  # noqa: SLF001
             ", ".join(code(label) for label in each._labelnames), _whose(each), each._documentation] for each in ours]  # noqa: SLF001
    return f"{INTRODUCTION}\n{table(['Metric', 'Kind', 'Labels', 'Of', 'What it counts'], rows)}"


def _whose(metric: Counter | Gauge | Histogram) -> str:
    """On whose page it is."""
    shown = metrics.SHOWN_BY[metric]
    return "both" if len(shown) == len(metrics.BOTH) else "gateway" if metrics.GATEWAY in shown else "controller"


def _name(metric: Counter | Gauge | Histogram) -> str:
    """The name as it is scraped."""
    return f"{metric._name}_total" if isinstance(metric, Counter) else str(metric._name)  # noqa: SLF001
