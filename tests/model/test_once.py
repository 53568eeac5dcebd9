"""The whole protocol, searched: how a Job comes to its end, with each fault at each step."""

import pytest

from model.large import parameters
from model.scenario import ONCE
from model.search import search

KNOWN = {
    "submit": (108_000, {"Complete"}),
    "submit-faults": (101_000, {"Complete", "Failed"}),
    "hollow": (32_000, {"Complete", "Failed"}),
    "refused": (16_000, {"Complete", "Failed", "gone"}),
    "reuse": (14_000, {"Complete", "Failed"}),
    "rollback": (12_000, {"Complete", "Failed"}),
    "foreign": (2_400, {"Complete", "Failed", "gone"}),
    "namesake": (2_400, {"Complete", "Failed", "gone"}),
    "site-requeue": (80_000, {"Complete", "Failed"}),
    "requeue": (6_500, {"Complete", "Failed"}),
    "requeue-delete": (59_000, {"Complete", "gone"}),
    "retry": (52_000, {"Complete", "Failed"}),
    "retry-begun": (40_000, {"Complete", "Failed"}),
    "retry-faults": (47_000, {"Complete", "Failed"}),
    "retry-requeue": (14_000, {"Complete", "Failed"}),
    "wipe": (4_700, {"Failed", "gone"}),
    "ahead": (61_000, {"Complete"}),
    "outsider": (1_000, {"Failed", "gone", "live"}),
    "shut": (84_000, {"Complete", "Failed", "live"}),
    "suspend": (2_000, {"Complete", "Failed", "live"}),
    "suspend-two": (80_000, {"Complete", "live"}),
    "suspend-faults": (3_700, {"Failed", "live"}),
    "suspend-crash": (61_000, {"Failed", "live"}),
    "suspend-late": (72_000, {"Complete", "live"}),
    "array": (76_000, {"Complete", "Failed"}),
    "array-requeue": (28_000, {"Complete", "Failed"}),
}
"""About how many states each scenario has, and the ends that it comes to (`live`: it waits, suspended)."""


def test_every_scenario_is_known() -> None:
    """One that is not would be searched for nothing: nobody would see that it comes to no end."""
    assert set(KNOWN) == set(ONCE)


@pytest.mark.parametrize("name", parameters(ONCE, KNOWN))
def test_no_interleaving_runs_a_job_twice_or_loses_it(name: str) -> None:
    """A user's script would run twice, or never, or be called Complete when it is not, on some bad day."""
    found = search(ONCE[name])
    about, endings = KNOWN[name]
    assert found.whole
    assert found.violations == {}
    assert set(found.endings) == endings
    assert about / 1.5 < found.states < about * 1.5, "the search is another than it was: look whether it still sees all"
