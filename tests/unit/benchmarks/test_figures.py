"""Else the page would call a figure better than it was, or an aim met that is missed."""

import pytest

from benchmarks.figures import Aim, Figure, Good, number
from benchmarks.spread import Spread, percentile


@pytest.mark.parametrize(("values", "least", "middle", "most"), [
    ([3.0], 3, 3, 3), ([5.0, 1.0, 3.0], 1, 3, 5), ([4.0, 1.0, 2.0, 3.0], 1, 2.5, 4),
], ids=["one round", "odd", "even"])
def test_rounds_are_told_by_least_median_and_most(values, least, middle, most):
    assert Spread.of(values) == Spread(least, middle, most)


@pytest.mark.parametrize(("share", "value"), [(0.5, 50), (0.95, 95), (1.0, 100), (0.0, 1)])
def test_a_percentile_is_one_of_the_values(share, value):
    assert percentile(range(100, 0, -1), share) == value


def test_nothing_measured_is_no_figure():
    with pytest.raises(ValueError, match="no round"):
        Spread.of([])
    with pytest.raises(ValueError, match="no value"):
        percentile([], 0.5)


@pytest.mark.parametrize(("good", "ours", "peer", "ratio"), [
    (Good.LOW, [1.0, 2.0], [2.0, 6.0], Spread(2, 2.5, 3)), (Good.HIGH, [10.0, 30.0], [5.0, 10.0], Spread(2, 2.5, 3)),
    (Good.LOW, [4.0], [2.0], Spread(0.5, 0.5, 0.5)),
], ids=["less is better", "more is better", "worse than the peer"])
def test_a_ratio_says_how_many_times_better_round_by_round(good, ours, peer, ratio):
    assert Figure("x", "ms", good, ours, peer).ratio == ratio


def test_nothing_is_no_times_better_than_anything():
    assert Figure("x", "MiB", Good.LOW, [0.0, 1.0], [2.0, 2.0]).ratio is None
    assert Figure("x", "MiB", Good.LOW, [1.0]).ratio is None


@pytest.mark.parametrize(("figure", "met"), [
    (Figure("x", "ms", Good.LOW, [9.0, 10.0, 99.0], (), [Aim(10)]), True),
    (Figure("x", "ms", Good.LOW, [9.0, 10.1, 10.2], (), [Aim(10)]), False),
    (Figure("x", "/s", Good.HIGH, [9.9], (), [Aim(10)]), False),
    (Figure("x", "ms", Good.LOW, [1.0], [2.0], [Aim(2, ratio=True)]), True),
    (Figure("x", "ms", Good.LOW, [1.0], [1.9], [Aim(2, ratio=True)]), False),
    (Figure("x", "ms", Good.LOW, [1.0], [1.9], [Aim(1), Aim(2, ratio=True)]), False),
    (Figure("x", "ms", Good.LOW, [1.0], (), [Aim(2, ratio=True)]), False),
], ids=["by the median", "above", "below", "ratio", "ratio below", "one of two", "ratio of nothing"])
def test_an_aim_is_held_against_the_median(figure, met):
    assert figure.missed is not met
    assert figure.cells()[-1].count("no") == (0 if met else 1)


@pytest.mark.parametrize(("value", "text"), [(12345.6, "12,346"), (99.9, "99.9"), (1.234, "1.23"), (0.05678, "0.057"), (0, "0")])
def test_a_number_shows_the_digits_that_count(value, text):
    assert number(value) == text
