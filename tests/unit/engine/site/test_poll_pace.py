"""The pace of polls, in virtual time."""

import pytest

from fairlead.engine.site.polls import PollPace


def test_the_interval_grows_while_nothing_changes_and_is_short_again_at_once() -> None:
    """Else an idle cluster would be asked all the time, or a busy one too late."""
    pace, intervals = PollPace.of(2, 30), []
    for _ in range(10):
        intervals.append(pace.interval)
        pace = pace.after(changed=False)
    assert intervals == sorted(intervals)
    assert (intervals[0], intervals[-1]) == (2, 30)
    assert pace.after(changed=True).interval == 2


@pytest.mark.parametrize(("jitter", "due"), [(0.0, 109.0), (0.5, 110.0), (1.0, 111.0)])
def test_jitter_moves_a_poll_by_a_tenth_either_way(jitter: float, due: float) -> None:
    """Else a hundred sites that started together would poll together for ever."""
    assert PollPace(10, 10, 10).started(100).due(jitter) == pytest.approx(due)


def test_the_first_poll_is_due_at_once() -> None:
    """Else a controller that starts would know nothing for an interval."""
    assert PollPace.of(2, 30).due(0.5) < 0
