"""/metrics as a test reads it: series by name and labels, and what has changed since."""

from collections.abc import Mapping
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families

from product.controller import Controller

Series = tuple[str, frozenset[tuple[str, str]]]


@dataclass(frozen=True, slots=True)
class Page:
    """One look at /metrics."""

    series: Mapping[Series, float]

    @classmethod
    def of(cls, controller: Controller) -> "Page":
        """What it says now."""
        families = text_string_to_metric_families(controller.metrics())
        return cls({(each.name, frozenset(each.labels.items())): each.value for family in families for each in family.samples})

    def value(self, name: str, **labels: str) -> float:
        """The sum of all series of a name that have these labels, without its prefix."""
        wanted = set(labels.items())
        return sum(value for (found, has), value in self.series.items() if found == f"fairlead_{name}" and wanted <= has)

    def values_of_labels(self) -> set[str]:
        """Every value that any label of ours has, but for the bounds of buckets."""
        return {value for (name, labels) in self.series if name.startswith("fairlead_") for label, value in labels if label != "le"}
