"""The real scripts, driven step by step through what breaks the model when a rule is gone, with pauses at the same points: they hold."""

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from fairlead.domain.run.answers import SubmitWord
from model.scenario import SCENARIOS
from model.search import Step
from model.stage import UNHURRIED, Stage
from model.stand_ins import command
from model.test_rules import NEEDED, without
from unit.sh.far_end import FarEnd
from unit.sh.tools import SHELLS

HELD = {
    "NONCE": (True, 1, 0),
    "PREV": (True, 0, 1),
    "RELIST": (False, 1, 0),
    "CLOSE": (False, 1, 0),
    "REFUSED": (True, 1, 0),
    "RENAME": (True, 0, 0),
    "TOMB": (True, 0, 0),
    "ALL": (True, 1, 0),
    "DUP": (False, 1, 0),
    "NAME": (True, 0, 0),
    "FINRC": (False, 2, 0),
    "WORD": (False, 0, 0),
    "CD": (True, 0, 0),
    "SUSPEND": (True, 0, 0),
}
"""Rules that the scripts have a part in. Whether the controller decides as that of the trace, so that the far end alone holds; and how
often each attempt then runs: once, but for a Job that allows a requeue, one that its node swallowed, and those withdrawn in time."""


@pytest.fixture(params=SHELLS)
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[str], Stage]]:
    """A far end, ready for the scenario of a rule."""
    made: list[Stage] = []

    def prepare(rule: str) -> Stage:
        scenario = SCENARIOS[NEEDED[rule][0]]
        far = FarEnd(tmp_path, str(request.param), timeouts=UNHURRIED)
        assert far.probe().problem is None
        made.append(Stage(far, scenario.attempts, scenario.requeue))
        return made[0]

    yield prepare
    for each in made:
        each.close()


_LATE = ("STARTS THE USER'S SCRIPT", "ln -s revoked claim", "writes release")


def side_by_side(trace: Sequence[Step]) -> list[Step]:
    """The same steps, with every start brought up to the user's script before any goes on to it, and a removal in the middle meanwhile."""
    return sorted(trace, key=lambda step: _LATE.index(step.does) if step.does in _LATE else -1)


@pytest.mark.parametrize("rule", HELD)
def test_the_scripts_hold_where_the_model_breaks(stage: Callable[[str], Stage], rule: str) -> None:
    """What the search proves would be true of the model alone, and the scripts would run a Job twice all the same."""
    on = stage(rule)
    on.play(without(rule).broken[NEEDED[rule][1]])
    on.finish()
    if not on.ids and not on.promised:   # it waits, and nothing of it is anywhere
        assert on.submit_again() is SubmitWord.SUBMITTED
        on.finish()
    assert (on.followed, on.runs(1), on.runs(2)) == HELD[rule]
    for attempt, runs in on.promised.items():
        assert on.runs(attempt) == runs, "it began after the status had said that it never will"
    assert not on.overlaps()
    assert on.state_of_strangers() in ([], ["RUNNING"])


def test_the_scripts_stop_where_the_model_has_its_steps(stage: Callable[[str], Stage]) -> None:
    """A step whose command the scripts call otherwise now is stopped before no more: every trace would be through in one go."""
    on = stage("PREV")
    for kind, attempt, steps in (
        ("submit", 1, ("mkdir", "sbatch", "mv id")),
        ("observe", 1, ("squeue",)),
        ("start", 1, ("ln -s claim", "readlink claim", "mv started", "STARTS THE USER'S SCRIPT", "its script ends", "mv finished")),
        ("submit", 2, ("readlink previous", "mkdir", "sbatch", "mv id")),
        ("cancel", 2, ("ln", "squeue", "scancel")),
        ("cancel", 3, ("mkdir", "ln", "squeue")),
        ("remove", 1, ("mv claim",)),
    ):
        met = on.commands_of(kind, attempt)
        for step in steps:
            assert any(re.match(command(kind, step, attempt), each) for each in met), f"{kind}: no command is the step {step}: {met}"


@pytest.mark.parametrize("rule", ["NONCE", "PREV", "RENAME"])
def test_starts_side_by_side_hold_too(stage: Callable[[str], Stage], rule: str) -> None:
    """Two starts in the same moment would both run: in the trace one is through before the other comes."""
    on = stage(rule)
    on.play(side_by_side(without(rule).broken[NEEDED[rule][1]]))
    on.finish()
    assert (on.followed, on.runs(1), on.runs(2)) == HELD[rule]
    assert not on.overlaps()
