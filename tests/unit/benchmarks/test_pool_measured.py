"""Else `make bench` would be found broken by whoever needs a figure: the cheapest of it, with tiny numbers."""

from benchmarks.run import Run
from benchmarks.ssh_pool import SMALL, over_transport


def test_the_pool_is_measured_beside_one_with_a_lock():
    told: list[str] = []
    figures = over_transport(Run(2, True, told.append), SMALL)
    assert all(len(figure.ours) == len(figure.peer) == 2 for figure in figures)
    assert all(value > 0 for figure in figures for value in (*figure.ours, *figure.peer))
    assert len(told) == 2 * len(figures)
