"""Else the comparison would call a job that ran twice right, or hide where another is better."""

import threading

import pytest

from benchmarks.machine import Machine
from benchmarks.peers.comparison import FAIRLEAD, Comparison, Contender, Measure
from benchmarks.peers.driven import read_events
from benchmarks.peers.measure import side_by_side
from benchmarks.peers.page import better, page, verdicts
from benchmarks.peers.peer import Seen
from benchmarks.peers.verdicts import Kind, Outcome, Verdict, judge

MACHINE = Machine(2, "Model T", "6.1", "Fairlead 1", "", "2030-01-02")
RIGHT, WRONG, UNKNOWN = Verdict(True, "ran once"), Verdict(False, "**ran 2 times**"), Verdict(None, "could not be played")


def outcome(kind: Kind = Kind.HANGS, *, starts=1, ended=True, said=True, good=True, early=False, while_changed=0) -> Outcome:
    return Outcome(kind, starts, ended, said, good, 26.4, early, while_changed)


@pytest.mark.parametrize(("found", "right", "words"), [
    (outcome(), True, "ran once, told as finished after 26 s"),
    (outcome(starts=2), False, "**ran 2 times**, told as finished after 26 s"),
    (outcome(good=False), False, "ran once, **told as failed**, though it ended well, after 26 s"),
    (outcome(said=False), False, "ran once, **no end told after 26 s**"),
    (outcome(starts=0, ended=False, good=False), False, "did not run, told as failed after 26 s"),
    (outcome(Kind.EMPTY, early=True), False, "ran once, **told as finished while it ran**"),
    (outcome(Kind.EMPTY, early=True, good=False), False, "ran once, **told as failed while it ran**"),
    (outcome(Kind.HOST_KEY), True, "refused the new key, ran once, told as finished"),
    (outcome(Kind.HOST_KEY, starts=0, ended=False, good=False), True, "refused the new key, did not run, told as failed"),
    (outcome(Kind.HOST_KEY, starts=0, ended=False, said=False), False, "refused the new key, did not run, **no end told after 26 s**"),
    (outcome(Kind.HOST_KEY, starts=0, ended=False), False, "refused the new key, did not run, told as finished"),
    (outcome(Kind.HOST_KEY, while_changed=1), False, "**took the new key**, ran once, told as finished"),
], ids=["once and told", "twice", "told as failed", "not told", "not run", "told too early", "failed too early", "waits for the key",
        "gives up", "says nothing", "claims success", "trusts any key"])
def test_a_verdict_is_what_the_script_has_written_and_what_was_told(found, right, words):
    assert judge(found) == Verdict(right, words)


def test_a_start_is_never_right_twice():
    for kind in Kind:
        assert judge(outcome(kind, starts=2)).right is False


def comparison(**more: object) -> Comparison:
    measures = [Measure("Wait", "s", {FAIRLEAD: [2.0, 3.0, 9.0], "A": [1.0, 4.0, 8.0], "B": [1.0, 2.0, 2.5]}),
                Measure("Processes", "", {FAIRLEAD: [60.0], "A": [8.0]}), Measure("Removal", "", {FAIRLEAD: [4.0]})]
    rows = {Kind.HANGS: {FAIRLEAD: [RIGHT], "A": [WRONG], "B": [UNKNOWN]},
            Kind.EMPTY: {FAIRLEAD: [WRONG, RIGHT], "A": [RIGHT, RIGHT], "B": []}}
    contenders = [Contender(name, "1", f"as {name} comes") for name in (FAIRLEAD, "A", "B")]
    return Comparison(**{"contenders": contenders, "absent": ["C 3 could not be installed."], "slurm": "Slurm 1", "rounds": 3,
                         "measures": measures, "verdicts": rows} | more)


def test_each_row_in_which_another_is_better_is_told_and_no_other():
    assert better(comparison()) == [
        "Wait: B 2 s; Fairlead 3 s.", "Processes: A 8; Fairlead 60.",
        f"{Kind.EMPTY}: A did right each time, and Fairlead did not.",
    ]


def test_the_page_has_versions_machine_figures_verdicts_and_who_is_absent():
    text = page(comparison(), MACHINE, 20)
    for words in ("| A | 1 | as A comes |", "2 cores of Model T, Linux 6.1; Fairlead 1. Slurm 1.", "- C 3 could not be installed.",
                  "| Wait | 3 s (2 to 9) | 4 s (1 to 8) | 2 s (1 to 2.50) |", "| Removal | 4 | - | - |",
                  "| right: ran once | **wrong**: **ran 2 times** | not known: could not be played |", "- Processes: A 8; Fairlead 60."):
        assert words in text
    assert "None" not in text


def test_where_no_other_is_better_the_page_says_so():
    assert "In none of the rows above." in page(comparison(measures=[], verdicts={}), MACHINE, 20)


def test_what_came_out_differently_is_told_apart():
    assert verdicts([RIGHT, WRONG, RIGHT]) == "2 of 3 right: ran once; 1 of 3 **wrong**: **ran 2 times**"
    assert verdicts([]) == "-"


@pytest.mark.parametrize(("text", "seen"), [
    ("", Seen()),
    ("noise\nEVENT {\"what\": \"asked\", \"at\": 1}\nnoise\nEVENT {\"what\": \"id\", \"at\": 2.5, \"says\": \"7\"}", Seen(1, 2.5)),
    ('EVENT {"what": "asked", "at": 1}\nEVENT {"what": "end", "at": 3, "says": "done", "good": true}', Seen(1, None, 3, True, "done")),
    ('EVENT {"what": "asked", "at": 1}\nEVENT {"what": "end", "at": 3, "good": true}\nEVENT {"what": "end", "at": 4}',
     Seen(1, None, 3, True)),
    ('EVENT {"what": "asked", "at": 1}\nEVENT {"what": "id", "at": 2}\nEVENT {"what": "asked", "at": 5}', Seen(5)),
], ids=["nothing yet", "among noise", "ended without an id", "the first end", "asked again"])
def test_a_driver_is_read_by_its_events(text, seen):
    assert read_events(text) == seen


def test_what_runs_side_by_side_is_answered_by_name_and_a_failure_is_raised():
    both = threading.Barrier(2, timeout=60)
    assert list(side_by_side({"a": both.wait, "b": both.wait})) == ["a", "b"]

    def fail() -> int:
        raise OSError("no")

    with pytest.raises(OSError, match="no"):
        side_by_side({"a": lambda: 1, "b": fail})
