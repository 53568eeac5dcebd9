"""The dashboard of the chart, and its queries as Prometheus is asked them."""

import json
from dataclasses import dataclass
from typing import Any

from alert_rules import FILES

DASHBOARD = FILES / "dashboard.json"
VARIABLES = {"$__rate_interval": "1m", "$namespace": ".*"}


@dataclass(frozen=True, slots=True)
class Query:
    """One query of a panel, with Grafana's variables filled in."""

    panel: str
    number: int
    expr: str
    legend: str

    def __str__(self) -> str:
        return f"{self.panel} {self.number}"


def content() -> dict[str, Any]:
    """The whole file."""
    found: dict[str, Any] = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    return found


def queries() -> list[Query]:
    """All of them."""
    found = []
    for panel in content()["panels"]:
        for number, target in enumerate(panel.get("targets", ()), 1):
            expr = str(target["expr"])
            for name, value in VARIABLES.items():
                expr = expr.replace(name, value)
            found.append(Query(panel["title"], number, expr, target["legendFormat"]))
    return found
