"""The breaker leaves a dead login node in peace, and never for longer than is allowed."""

import pytest

from fairlead.engine.failures.breaker import CLOSED, Breaker


def failed(times: int, *, limit_seconds: float = 60, jitter: float = 0.0) -> Breaker:
    """A breaker after so many failures at time 0."""
    breaker = CLOSED
    for _ in range(times):
        breaker = breaker.failed(0, 1.0, limit_seconds, jitter)
    return breaker


@pytest.mark.parametrize(("times", "pause_seconds"), [(1, 1), (2, 2), (3, 4), (6, 32), (7, 60), (10_000, 60)])
def test_each_failure_doubles_the_pause_up_to_the_limit(times: int, pause_seconds: float) -> None:
    """Else a dead login node would be asked without end, or forgotten."""
    breaker = failed(times)
    assert breaker.retry_at == pause_seconds
    assert not breaker.allows(pause_seconds - 0.01)
    assert breaker.allows(pause_seconds)


@pytest.mark.parametrize("jitter", [0.0, 0.25, 1.0])
def test_jitter_takes_away_at_most_half(jitter: float) -> None:
    """Else all sites of a network that comes back would log in at once, or one would hardly wait."""
    assert failed(3, jitter=jitter).retry_at == 4 * (1 - jitter / 2)


def test_a_closed_breaker_allows_everything() -> None:
    """Else the first try would wait."""
    assert CLOSED.allows(0)
