"""How long a Job waited for its id, and by which steps, is known of each; and nothing is kept of those that left."""

import asyncio

import pytest

from fairlead.telemetry.journeys import MOST_STEPS, Journey, Journeys


class Hand:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def hand() -> Hand:
    return Hand()


def test_the_time_from_apply_to_id_is_counted_once(hand) -> None:
    """People would be told of a wait that nobody had, or of none."""
    journeys = Journeys(monotonic=hand)
    journeys.begin("a", age_seconds=2.0)
    hand.seconds += 1.5
    journeys.begin("a")
    assert journeys.arrived("a", "a-1", "Slurm") == 3.5
    assert journeys.arrived("a", "a-1", "Slurm") is None


def test_who_left_or_ended_without_an_id_is_not_counted_and_not_kept(hand) -> None:
    """A namespace that makes and deletes Jobs would fill the memory, and its time would count as a wait."""
    journeys = Journeys(monotonic=hand)
    for number in range(1000):
        journeys.begin(str(number))
        journeys.forget(str(number))
    journeys.begin("b")
    journeys.ended("b", "b-1", "Slurm", "InvalidScript")
    assert len(journeys) == 0
    assert journeys.arrived("b", "b-1", "Slurm") is None


def test_without_anybody_who_wants_the_steps_none_is_kept(hand) -> None:
    """Traces that nobody has asked for would cost memory for each Job."""
    journeys = Journeys(monotonic=hand)
    journeys.begin("a")
    with journeys.step("take up", "a"):
        journeys.passed("exec", "ok", 1.0)
    assert journeys._journeys["a"].steps == []


async def test_steps_know_in_which_step_they_were_made(hand) -> None:
    """A trace would show an exec beside the exchange that it belongs to, or in another Job's."""
    over: list[Journey] = []
    journeys = Journeys(over.append, hand, lambda: hand.seconds + 1_700_000_000)
    journeys.begin("a")
    journeys.begin("b")

    async def exec_in_a_task() -> None:
        hand.seconds += 1.0
        journeys.passed("exec", "ok", 0.75)

    with journeys.step("take up", "a"), journeys.step("write status", "a"):
        hand.seconds += 0.5
    with journeys.step("hand in", "a", "b", "nobody"):
        await asyncio.create_task(exec_in_a_task())
    journeys.passed("exec", "ok", 9.0)
    with pytest.raises(ZeroDivisionError), journeys.step("write status", "a"):
        raise ZeroDivisionError
    journeys.arrived("a", "a-1", "Slurm")
    journeys.ended("b", "b-1", "Process", "InvalidScript")
    a, b = over
    names = [(each.name, each.parent.name if each.parent else None, each.outcome, each.jobs) for each in a.steps]
    assert names == [
        ("take up", None, "ok", 1), ("write status", "take up", "ok", 1), ("hand in", None, "ok", 3), ("exec", "hand in", "ok", 3),
        ("write status", None, "failed", 1),
    ]
    assert [(each.began, each.ended) for each in a.steps][:4] == [(100.0, 100.5), (100.0, 100.5), (100.5, 101.5), (100.75, 101.5)]
    assert [each.name for each in b.steps] == ["hand in", "exec"]
    assert (a.key, a.scheduler, a.outcome, a.offset) == ("a-1", "Slurm", "ok", 1_700_000_000)
    assert (b.outcome, b.began, b.ended) == ("InvalidScript", 100.0, 101.5)


def test_the_steps_of_a_job_are_bounded(hand) -> None:
    """A Job that is refused for days would fill the memory with its steps."""
    over: list[Journey] = []
    journeys = Journeys(over.append, hand)
    journeys.begin("a")
    for _ in range(MOST_STEPS + 7):
        with journeys.step("hand in", "a"):
            pass
    journeys.arrived("a", "a-1", "Slurm")
    assert (len(over[0].steps), over[0].left_out) == (MOST_STEPS, 7)
