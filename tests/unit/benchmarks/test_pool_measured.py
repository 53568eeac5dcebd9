"""Else `make bench` would be found broken by whoever needs a figure: the cheapest of it, with tiny numbers."""

import pytest

from benchmarks.load import offered
from benchmarks.run import Run
from benchmarks.ssh_pool import SMALL, over_transport


def test_the_pool_is_measured_beside_one_with_a_lock():
    told: list[str] = []
    figures = over_transport(Run(2, True, told.append), SMALL)
    assert all(len(figure.ours) == len(figure.peer) == 2 for figure in figures)
    assert all(value > 0 for figure in figures for value in (*figure.ours, *figure.peer))
    assert len(told) == 2 * sum("CPU" not in figure.what for figure in figures)


async def test_requests_come_at_their_rate_and_a_failed_one_ends_the_measure():
    asked: list[int] = []

    async def answer(number: int) -> None:
        asked.append(number)

    assert len(await offered(answer, 10_000, 50)) == 50
    assert asked == list(range(50))

    async def fail(number: int) -> None:
        msg = f"request {number}"
        raise OSError(msg)

    with pytest.raises(ExceptionGroup) as failed:
        await offered(fail, 10_000, 50)
    assert failed.group_contains(OSError, match="request 0")
