"""Each rule is needed: without it the search finds what breaks. A search that misses that would be blind."""

import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from model import properties
from model.rules import RULES
from model.scenario import SCENARIOS
from model.search import Found, search

NEEDED = {
    "NONCE": ("rollback", properties.TWICE),
    "PREV": ("ahead", properties.BESIDE),
    "RELIST": ("reuse", properties.AFTER_END),
    "CLOSE": ("refused", properties.AFTER_END),
    "REFUSED": ("refused", properties.NO_END),
    "RENAME": ("refused", properties.RUNS_ON),
    "TOMB": ("refused", properties.AFTER_DELETION),
    "ALL": ("wipe", properties.AFTER_DELETION),
    "DUP": ("refused", properties.DUPLICATE),
    "NAME": ("foreign", properties.STRANGER),
    "BEGUN": ("retry-begun", properties.RAN),
    "FINRC": ("requeue", properties.OLDER),
    "WORD": ("hollow", properties.NOT_ENDED),
    "CD": ("delete-swap", properties.AFTER_DELETION),
    "ASK": ("sweep", properties.SWEPT),
    "ORPHAN": ("orphan", properties.ORPHANED),
    "MARK": ("orphan", properties.ORPHANED),
    "RELOOK": ("orphan-two", properties.ORPHANED),
    "KIND": ("older", properties.SWEPT),
    "SUSPEND": ("suspend", properties.CLOSED),
    "INTENT": ("suspend", properties.OUR_OWN),
    "ADMIT": ("outsider", properties.OUTSIDER),
    "TREE": ("cluster", properties.AFTER_DELETION),
    "ONESHOT": ("array", properties.TWICE),
}
"""A scenario that shows what is lost without each rule, and what that is."""


@cache
def without(rule: str) -> Found:
    """The search of that scenario, as far as its violation."""
    scenario, broken = NEEDED[rule]
    return search(SCENARIOS[scenario], frozenset({rule}), until=broken)


def test_every_rule_is_taken_away_once() -> None:
    """A rule that nobody takes away may have no effect at all."""
    assert set(NEEDED) == set(RULES)


@pytest.mark.parametrize("rule", NEEDED)
def test_what_breaks_without_a_rule_is_found(rule: str) -> None:
    """The search would say that all is well when it is not."""
    assert NEEDED[rule][1] in without(rule).broken


def ask(*arguments: str) -> tuple[int, str]:
    """Exit code and words of the command."""
    done = subprocess.run(
        [sys.executable, "-m", "model", *arguments], cwd=Path(__file__).parents[1], capture_output=True, text=True, check=False,
    )
    return done.returncode, done.stdout


def test_the_command_shows_what_breaks_and_how() -> None:
    """Who changes the protocol could not see what it costs."""
    code, said = ask("--only", "foreign", "--without", "NAME", "--trace")
    assert code == 1
    assert properties.STRANGER in said
    assert "scheduler: gives id 1 to another Job's run   [foreign]" in said


def test_a_limit_alone_is_no_failure() -> None:
    """What no protocol can close would hide what one can."""
    code, said = ask("--only", "foreign")
    assert code == 0
    assert properties.FORGOTTEN in said


def test_a_stranger_of_the_same_name_is_hit_only_between_the_look_and_scancel() -> None:
    """What is left of NAME since names are the user's own: no more than that, and never when the look came behind."""
    found = search(SCENARIOS["namesake"])
    assert properties.BETWEEN + properties.STRANGER in found.broken
    assert properties.STRANGER not in found.broken
    trace = [step.does for step in found.broken[properties.BETWEEN + properties.STRANGER]]
    [gives] = [place for place, does in enumerate(trace) if does.startswith("gives id")]
    assert "squeue" in trace[:gives]
    assert not [does for does in trace[gives:] if does == "squeue"], "it was looked at before, and not again"
