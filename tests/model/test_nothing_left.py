"""The whole protocol, searched: how an object goes, and what then becomes of what it had."""

import pytest

from model.large import parameters
from model.scenario import NOTHING_LEFT
from model.search import search

KNOWN = {
    "delete": (76_000, {"Complete", "Failed", "gone"}),
    "delete-faults": (61_000, {"Complete", "Failed", "gone"}),
    "delete-swap": (21_000, {"Complete", "gone"}),
    "ledger": (128_000, {"Complete", "Failed", "gone"}),
    "ledger-faults": (61_000, {"Complete", "gone"}),
    "sweep": (104_000, {"Complete", "Failed", "gone", "unborn"}),
    "older": (640, {"Complete"}),
    "orphan": (49_000, {"Complete", "gone"}),
    "orphan-two": (62_000, {"Complete", "Failed", "gone"}),
    "cluster": (63_000, {"Complete", "gone"}),
    "array-delete": (11_000, {"Complete", "Failed", "gone"}),
}
"""About how many states each scenario has, and the ends that it comes to (`unborn`: nobody has made the object)."""


def test_every_scenario_is_known() -> None:
    """One that is not would be searched for nothing: nobody would see that it comes to no end."""
    assert set(KNOWN) == set(NOTHING_LEFT)


@pytest.mark.parametrize("name", parameters(NOTHING_LEFT, KNOWN))
def test_no_interleaving_leaves_anything_or_ends_what_is_not_ours(name: str) -> None:
    """A deleted Job would go on using the cluster, or a cancellation hit the Run of an object that is there."""
    found = search(NOTHING_LEFT[name])
    about, endings = KNOWN[name]
    assert found.whole
    assert found.violations == {}
    assert set(found.endings) == endings
    assert about / 1.5 < found.states < about * 1.5, "the search is another than it was: look whether it still sees all"
