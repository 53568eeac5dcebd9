"""Verdicts on a Run, from one observation. A wrong one would call a Job finished that runs, or run it twice."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from fairlead.domain.run.evidence import Broken, Duplicated, Ended, Live, NeverRan, Unclaimed, Unexplained, end_of, is_accounted_for, judge
from fairlead.domain.run.observation import EndWord, Finished, LastWord, Listed, Observation, Sentinels, Started, Unopened
from fairlead.domain.run.run import RunKey, RunState
from product.objects import KEY


def row(run_id: str, state: RunState) -> Listed:
    return Listed(KEY, run_id, state, state.name, source="squeue")


def seen(*rows: Listed, sentinels: Sentinels | None = None, record: LastWord | None = None) -> Observation:
    found: Mapping[RunKey, Sentinels] = {KEY: sentinels} if sentinels else {}
    records = {KEY: record} if record else {}
    return Observation({KEY: rows} if rows else {}, found, records)


def claimed(run_id: str = "7", *, starts: tuple[int, ...] = (), ends: Mapping[int, int] | None = None, ender: str = "") -> Sentinels:
    """A directory that job `run_id` claimed; `starts`: restart numbers, `ends`: exit codes by restart number."""
    started = tuple(Started(run_id, restart, "n1", 100) for restart in starts)
    finished = tuple(Finished(ender or run_id, restart, code, 200) for restart, code in (ends or {}).items())
    return Sentinels(True, claim=run_id, started=started, finished=finished)


def word(state: RunState, source: str = "scontrol", run_id: str = "7", exit_code: int = 0) -> LastWord:
    return LastWord(run_id, state, state.name, exit_code, source=source)


RUNNING, PENDING, DONE, GONE = RunState.RUNNING, RunState.PENDING, RunState.COMPLETED, RunState.CANCELLED
CLEARING = RunState.FINISHING
NOTHING, REVOKED = Sentinels(True), Sentinels(True, revoked=True)

CASES = {
    "its script has ended, and the scheduler clears up behind it": (
        seen(row("7", CLEARING), sentinels=claimed(starts=(0,), ends={0: 0})), "7", Live),
    "cleared up behind, and no end was written": (seen(row("7", CLEARING), sentinels=claimed(starts=(0,))), "7", Live),
    "cleared up behind, and never claimed": (seen(row("7", CLEARING), sentinels=NOTHING), "", Live),
    "pending in the listing": (seen(row("7", PENDING)), "", Live),
    "a word of a later release is live": (seen(row("7", RunState.UNKNOWN)), "", Live),
    "preempted for good": (seen(row("7", RunState.PREEMPTED), sentinels=claimed(starts=(0,), ends={0: 143})), "", Ended),
    "preempted for good, killed before its end": (seen(row("7", RunState.PREEMPTED), sentinels=claimed(starts=(0,))), "7", Broken),
    "not listed and no look into its directory": (seen(), "", Unexplained),
    "its directory has vanished": (seen(sentinels=Sentinels(False)), "", Unexplained),
    "vanished, but still listed": (seen(row("7", RUNNING), sentinels=Sentinels(False)), "", Live),
    "listed twice, none has claimed": (seen(row("8", PENDING), row("7", PENDING), sentinels=NOTHING), "", Live),
    "listed twice, one has claimed": (seen(row("8", PENDING), row("7", RUNNING), sentinels=claimed()), "7", Duplicated),
    "the claimed one is over and its double waits": (
        seen(row("8", PENDING), row("7", DONE), sentinels=claimed(starts=(0,), ends={0: 0})), "7", Duplicated),
    "ended with 0, listed as completed": (seen(row("7", DONE), sentinels=claimed(starts=(0,), ends={0: 0})), "", Ended),
    "ended, and no scheduler knows it": (seen(sentinels=claimed(starts=(0,), ends={0: 3})), "", Ended),
    "an end of the start before the last says nothing": (seen(sentinels=claimed(starts=(0, 1), ends={0: 0})), "7", Broken),
    "an end that another job wrote says nothing": (seen(sentinels=claimed(starts=(0,), ends={0: 0}, ender="9")), "7", Broken),
    "ended by its file, yet listed as running again": (seen(row("7", RUNNING), sentinels=claimed(starts=(0,), ends={0: 0})), "", Live),
    "a claim newer than the listing": (seen(sentinels=claimed(starts=(0,))), "", Unexplained),
    "another claim than was read before": (seen(sentinels=claimed(starts=(0,))), "6", Unexplained),
    "claimed before, not listed, no end": (seen(sentinels=claimed(starts=(0,))), "7", Broken),
    "COMPLETED without an end is no success": (seen(row("7", DONE), sentinels=claimed(starts=(0,))), "7", Broken),
    "never claimed, left the queue": (seen(sentinels=NOTHING), "", Unclaimed),
    "never claimed, COMPLETED: its script never ran": (seen(row("7", DONE), sentinels=NOTHING), "", Unclaimed),
    "revoked": (seen(sentinels=REVOKED), "", NeverRan),
    "revoked, cancelled by somebody": (seen(row("7", GONE), sentinels=REVOKED), "", NeverRan),
    "revoked, and its job still waits": (seen(row("7", PENDING), sentinels=REVOKED), "", Live),
    "an empty listing, while scontrol shows it running": (seen(sentinels=claimed(starts=(0,)), record=word(RUNNING)), "7", Unexplained),
    "an empty listing, while scontrol shows it waiting": (seen(sentinels=NOTHING, record=word(PENDING)), "", Unexplained),
    "sacct's RUNNING is no proof of life": (seen(sentinels=claimed(starts=(0,)), record=word(RUNNING, "sacct")), "7", Broken),
}


@pytest.mark.parametrize(("observation", "before", "verdict"), CASES.values(), ids=CASES)
def test_a_verdict(observation: Observation, before: str, verdict: type) -> None:
    assert type(judge(KEY, observation, before)) is verdict


def test_of_two_doubles_the_one_that_did_not_claim_is_named() -> None:
    """Else a running Job would be cancelled as its own double."""
    verdict = judge(KEY, seen(row("8", PENDING), row("7", RUNNING), sentinels=claimed()), "7")
    assert isinstance(verdict, Duplicated)
    assert verdict.others == ("8",)


def test_the_claim_and_not_the_listing_says_which_id_counts() -> None:
    """A user would be shown another job's end as theirs."""
    verdict = judge(KEY, seen(row("8", RunState.FAILED), row("7", DONE), sentinels=claimed(starts=(0,), ends={0: 0})), "7")
    assert isinstance(verdict, Ended)
    assert (verdict.finished.id, verdict.state) == ("7", DONE)


@pytest.mark.parametrize("record", [word(RunState.FAILED, exit_code=123), word(RunState.FAILED, exit_code=1), None],
                         ids=["the wrapper's own 123", "another code", "no word at all"])
@pytest.mark.parametrize(("sentinels", "began"), [
    pytest.param(claimed(), True, id="nothing says so"),
    pytest.param(replace(claimed(), never=True), False, id="the wrapper says so"),
    pytest.param(replace(claimed(starts=(0,)), never=True), True, id="a start before that one began"),
])
def test_only_the_wrappers_own_word_proves_that_the_script_never_began(sentinels: Sentinels, record: LastWord | None, began: bool) -> None:
    """BEGUN: else a script that ran would be run again as if it had not, for an exit code or for a file that is gone."""
    verdict = judge(KEY, seen(sentinels=sentinels, record=record), "7")
    assert isinstance(verdict, Broken)
    assert verdict.began is began


def unbegun(*starts: int) -> tuple[Finished, ...]:
    return tuple(Finished("7", restart, 123, 200, frozenset({"unbegun"})) for restart in starts)


@pytest.mark.parametrize(("sentinels", "began"), [
    pytest.param(replace(claimed(starts=(0,)), finished=unbegun(0)), False, id="one start, which came to nothing"),
    pytest.param(replace(claimed(starts=(0, 1)), finished=unbegun(1)), True, id="there was one before it"),
    pytest.param(replace(claimed(starts=(1,)), finished=unbegun(1)), True, id="there was one before it, by its number"),
    pytest.param(replace(claimed(starts=(0,), ends={0: 123})), True, id="a script's own 123"),
])
def test_an_end_before_the_script_counts_if_no_other_start_began(sentinels: Sentinels, began: bool) -> None:
    """Else a Job that a site requeued would run its script once more for each start that came to nothing."""
    verdict = judge(KEY, seen(sentinels=sentinels), "7")
    assert isinstance(verdict, Ended)
    assert verdict.began is began


@pytest.mark.parametrize("revoked", [False, True], ids=["removed", "and revoked since"])
def test_a_claim_that_is_gone_is_no_proof_where_a_start_is_written_down(revoked: bool) -> None:
    """A script that removes dangling links from its home would be run four times."""
    gone = replace(claimed(starts=(0,), ends={0: 0}), claim="", revoked=revoked)
    assert isinstance(judge(KEY, seen(sentinels=gone), ""), Ended)
    assert isinstance(judge(KEY, seen(sentinels=replace(gone, finished=())), "7"), Broken)
    assert not is_accounted_for(KEY, seen(sentinels=replace(gone, finished=())))


ACCOUNTED = {
    "never looked at": (seen(), True),
    "never claimed": (seen(sentinels=NOTHING), True),
    "revoked": (seen(sentinels=REVOKED), True),
    "ended by its file": (seen(sentinels=claimed(starts=(0,), ends={0: 143})), True),
    "cancelled, says the listing": (seen(row("7", GONE), sentinels=claimed(starts=(0,))), True),
    "cancelled, says scontrol": (seen(sentinels=claimed(starts=(0,)), record=word(GONE)), True),
    "its node failed: it may run on there": (seen(row("7", RunState.NODE_FAILED), sentinels=claimed(starts=(0,))), False),
    "nobody knows it any more": (seen(sentinels=claimed(starts=(0,))), False),
    "another job's word": (seen(sentinels=claimed(starts=(0,)), record=word(GONE, run_id="9")), False),
}


@pytest.mark.parametrize(("observation", "known"), ACCOUNTED.values(), ids=ACCOUNTED)
def test_what_counts_as_accounted_for(observation: Observation, known: bool) -> None:
    """Else a run that nobody saw end would be forgotten while it holds a GPU."""
    assert is_accounted_for(KEY, observation) is known


def test_the_end_of_a_script_is_known_while_the_scheduler_clears_up_behind_it() -> None:
    """Else a Job with an epilog of minutes would be said to run for as long; or a start before the last would speak for it."""
    ends = claimed(starts=(0, 1), ends={0: 5, 1: 3})
    found = end_of(KEY, row("7", CLEARING), seen(sentinels=ends))
    assert found is not None
    assert found.exit_code == 3
    assert end_of(KEY, row("7", CLEARING), seen(sentinels=claimed(starts=(0, 1), ends={0: 5}))) is None, "it has begun anew"
    assert end_of(KEY, row("8", CLEARING), seen(sentinels=ends)) is None, "another job of the same key"
    assert end_of(KEY, row("7", RUNNING), seen(sentinels=ends)) is None, "requeued, and it runs again"
    assert end_of(KEY, row("7", CLEARING), seen()) is None
    unbegun = replace(ends, finished=tuple(replace(each, words=frozenset({EndWord.UNBEGUN})) for each in ends.finished))
    assert end_of(KEY, row("7", CLEARING), seen(sentinels=unbegun)) is None, "there was no script to end"


@pytest.mark.parametrize(("path", "left_no_sign"), [("/scratch/x.out", False), (f"/home/u/.fairlead/here/runs/{KEY}/slurm-7.log", True)],
                         ids=["its user's file", "our own log"])
def test_what_a_node_could_not_open_says_whether_it_has_the_work_folder(path: str, left_no_sign: bool) -> None:
    """Else a user would be told to choose another output file where the work folder is not shared."""
    unopened = Unopened(path, "n1")
    record = LastWord("7", RunState.FAILED, "FAILED", 0, 53, source="scontrol", unopened=unopened)
    assert judge(KEY, seen(row("7", RunState.FAILED), sentinels=REVOKED, record=record), "") == NeverRan(
        RunState.FAILED, RunState.FAILED.name, "", left_no_sign, unopened)
