"""The alerting rules of the chart, and which metrics the text of a query names."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from fairlead.telemetry import metrics

ROOT = Path(__file__).parents[2]
FILES = ROOT / "charts/fairlead/files"
ALERTS = FILES / "alerts.yaml"
_FOREIGN = {"up"}                    # Prometheus' own


@dataclass(frozen=True, slots=True)
class Alert:
    """One rule."""

    name: str
    expr: str
    waits: str                       # how long it must hold before it fires
    severity: str
    annotations: dict[str, str]


@cache
def alerts() -> dict[str, Alert]:
    """All rules by name."""
    content: dict[str, Any] = yaml.safe_load(ALERTS.read_text(encoding="utf-8"))
    rules = [rule for group in content["groups"] for rule in group["rules"]]
    found = [Alert(rule["alert"], rule["expr"], rule["for"], rule["labels"]["severity"], rule["annotations"]) for rule in rules]
    return {each.name: each for each in found}


def named_in(query: str) -> set[str]:
    """The metrics that a query names: words that end in no `(`, outside of braces, brackets and the lists of `by`, `on` and `without`."""
    plain = re.sub(r'"[^"]*"', '""', query)
    plain = re.sub(r"\{[^{}]*\}|\[[^\[\]]*\]|\b(?:by|on|without|ignoring|group_left|group_right)\s*\([^()]*\)", " ", plain)
    words = re.findall(r"[A-Za-z_:][A-Za-z0-9_:]*(?!\s*\()\b", plain)
    return {word for word in words if "_" in word or word in _FOREIGN} - {"group_left", "group_right"}


@cache
def families() -> dict[str, set[str]]:
    """What is scraped by name, with the names of its labels."""
    found: dict[str, set[str]] = {}
    for family in metrics.REGISTRY.collect():
        ours = getattr(metrics.REGISTRY._names_to_collectors.get(family.name), "_labelnames", ())
        names = {
            "counter": [f"{family.name}_total"], "histogram": [f"{family.name}_{each}" for each in ("bucket", "sum", "count")],
        }.get(family.type, [family.name])
        for name in names:
            found[name] = {*ours, *(["le"] if name.endswith("_bucket") else [])}
    return found


def selectors(query: str) -> list[tuple[str, set[str]]]:
    """The metrics of a query that have a selector in braces, each with the labels that it asks for."""
    found = re.findall(r"([A-Za-z_:][A-Za-z0-9_:]*)\{([^{}]*)\}", query)
    return [(name, set(re.findall(r"([A-Za-z_][A-Za-z0-9_]*)\s*(?:=~|!~|!=|=)", re.sub(r'"[^"]*"', '""', inner)))) for name, inner in found]
