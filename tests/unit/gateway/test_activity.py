"""When a gateway tells that nothing is carried for a Session's clients: seldom, never too early, and at once when that is over."""

import pytest

from fairlead.domain.pacing import Now
from fairlead.domain.run.quiet import Quiet
from fairlead.gateway.activity import Activity, quiet_after

WALL = 1_700_000_000


def told(looks: dict[int, int], *, after_seconds: float = 120, wall: int = WALL) -> dict[int, Quiet | None]:
    """What is told when, of so many bytes that have been carried at these seconds."""
    activity = Activity(0, 0.0)
    return {at: activity.quiet for at, carried in looks.items() if activity.count(carried, Now(at, wall + at), after_seconds)}


def quiet(since: int, until: int, wall: int = WALL) -> Quiet:
    return Quiet(wall + since, wall + until)


@pytest.mark.parametrize(("looks", "writes"), [
    pytest.param({1: 0, 60: 0, 119: 0}, {}, id="it has only begun to look"),
    pytest.param({1: 0, 120: 0, 121: 0, 9999: 0}, {120: quiet(0, 120)}, id="told once, and never again"),
    pytest.param({each: each for each in range(0, 5000, 100)}, {}, id="one that is always used costs no write"),
    pytest.param({10: 5, 129: 5, 130: 5}, {130: quiet(10, 130)}, id="from its last byte on"),
    pytest.param({120: 0, 200: 1, 201: 2, 319: 2, 321: 2}, {120: quiet(0, 120), 200: None, 321: quiet(201, 321)},
                 id="used again: told at once"),
])
def test_it_is_told_when_nothing_was_carried_for_a_while(looks: dict[int, int], writes: dict[int, Quiet | None]) -> None:
    """Else a thousand idle Sessions would cost writes, or one in use be ended."""
    assert told(looks) == writes


@pytest.mark.parametrize(("setting", "time_out", "seconds"), [
    (120.0, None, 120.0), (120.0, 3600, 120.0), (120.0, 240, 120.0), (120.0, 60, 30.0), (1.0, 60, 1.0),
])
def test_a_short_time_out_is_told_of_while_it_runs(setting: float, time_out: int | None, seconds: float) -> None:
    """Else it would be over before anybody has heard of it."""
    assert quiet_after(setting, time_out) == seconds


@pytest.mark.parametrize(("text", "read"), [
    ("2023-11-14T22:13:20Z/2023-11-14T22:15:20Z", Quiet(WALL, WALL + 120)),
    ("2023-11-14T22:13:20Z/2023-11-14T22:13:20Z", Quiet(WALL, WALL)),
    ("2023-11-14T22:15:20Z/2023-11-14T22:13:20Z", None),
    ("2023-11-14T22:13:20Z", None),
    ("2023-13-14T22:13:20Z/2023-11-14T22:13:20Z", None),
    ("0000-11-14T22:13:20Z/2023-11-14T22:13:20Z", None),
    ("٢٠٢٣-11-14T22:13:20Z/2023-11-14T22:13:20Z", None),
    ("2023-11-14T22:13:20Z/2023-11-14T22:15:20Z\n", None),
    ("x" * 100_000, None), ("", None), (None, None), (7, None),
])
def test_what_somebody_else_writes_there_is_read_as_none(text: object, read: Quiet | None) -> None:
    """Else a word on a slice would end a Session, or break the look at it."""
    assert Quiet.parse(text) == read
    assert read is None or str(read) == text
