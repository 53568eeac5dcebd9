"""What the reference names is what the program says: nothing in it that never comes."""

from pathlib import Path

import pytest

import fairlead
from fairlead.api.v1alpha1 import reasons
from fairlead.telemetry import metrics

[PACKAGE] = fairlead.__path__
SOURCE = "\n".join(path.read_text() for path in Path(PACKAGE).rglob("*.py"))
WORDS = [word for kind in (reasons.ClusterCondition, reasons.ClusterReason, reasons.JobCondition, reasons.JobReason,
                          reasons.SessionCondition, reasons.SessionReason) for word in kind]
METRICS = [name for name, value in vars(metrics).items() if hasattr(value, "collect") and name.islower()]


@pytest.mark.parametrize("word", WORDS, ids=lambda word: f"{type(word).__name__}-{word.name}")
def test_every_condition_and_reason_is_given(word):
    """A person would wait for, or alert on, a word that never comes."""
    aliases = (type(word).__name__, "_R")    # a table of reasons may shorten the class's name
    assert any(f"{alias}.{word.name}" in SOURCE for alias in aliases)


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_is_counted(name):
    """A dashboard would show 0 for ever."""
    assert f"metrics.{name}." in SOURCE
