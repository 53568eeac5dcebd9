"""How tests wait."""

import pytest

from product.waiting import LONGEST_PAUSE_SECONDS, pause, until, until_equal


@pytest.mark.parametrize(("waited", "look", "wanted"), [
    pytest.param(0.1, 0.001, 0.05, id="at once: what is there soon is seen soon"),
    pytest.param(3.0, 0.001, 0.12, id="for long: a little late, by a share of what it took"),
    pytest.param(0.1, 0.04, 0.16, id="looking costs much"),
    pytest.param(60.0, 2.0, LONGEST_PAUSE_SECONDS, id="never longer than that"),
])
def test_the_pause_between_two_looks(waited: float, look: float, wanted: float) -> None:
    """Else tests would keep the cores busy that what they wait for needs, or see it late."""
    assert pause(waited, look, 0.05) == pytest.approx(wanted)


def test_what_does_not_come_is_told_with_what_was_seen_last() -> None:
    """Else a failure would not say what happened instead."""
    with pytest.raises(AssertionError, match="the end: not within 0 s; seen last: ''"):
        until(lambda: "", "the end", 0)


def test_what_does_not_come_to_be_is_told_beside_what_was_wanted() -> None:
    """Else a failure would say no more than that something was not so."""
    until_equal(iter([1, 2, 3]).__next__, 3, "three", 5, 0)
    with pytest.raises(AssertionError, match="the end: not 'x' within 0 s; seen last: 'y'"):
        until_equal(lambda: "y", "x", "the end", 0)
