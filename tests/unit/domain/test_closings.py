"""From a Run's end to the reason that a person acts on."""

import pytest

from fairlead.api.v1alpha1.reasons import JobReason
from fairlead.domain.run.endings import of_broken, of_ended, of_never_ran
from fairlead.domain.run.evidence import Broken, Ended, NeverRan
from fairlead.domain.run.observation import Finished, LogTail, Started, Unopened
from fairlead.domain.run.run import RunState

STARTED = Started("7", 0, "n1", 100)
UNREADABLE = LogTail("/no/such.out", "/no/such.out", None, b"")
READ = LogTail("/home/a.out", "/home/a.out", 0, b"")


def ended(code: int, state: RunState = RunState.FAILED, log: LogTail | None = READ, *, signalled: bool = True) -> Ended:
    return Ended(Finished("7", 0, code, 200, frozenset({"TERM"}) if signalled else frozenset()), STARTED, state, state.name, log, "squeue")


def unbegun(code: int, word: str = "unbegun", state: RunState = RunState.FAILED, *, began: bool = False) -> Ended:
    return Ended(Finished("7", 0, code, 200, frozenset({"TERM", word})), STARTED, state, state.name, READ, "squeue", began=began)


@pytest.mark.parametrize(("end", "reason", "code", "signal"), [
    pytest.param(ended(7), JobReason.NON_ZERO_EXIT_CODE, 7, None, id="an exit code"),
    pytest.param(ended(128), JobReason.NON_ZERO_EXIT_CODE, 128, None, id="128 is no signal"),
    pytest.param(ended(137), JobReason.SIGNALED, 137, 9, id="killed"),
    pytest.param(ended(143, RunState.UNKNOWN), JobReason.SIGNALED, 143, 15, id="terminated, and the scheduler has forgotten it"),
    pytest.param(ended(192), JobReason.SIGNALED, 192, 64, id="the last real-time signal"),
    pytest.param(ended(255), JobReason.NON_ZERO_EXIT_CODE, 255, None, id="255 is no signal"),
    pytest.param(ended(0, RunState.TIMED_OUT), JobReason.TIME_LIMIT_EXCEEDED, 0, None, id="at its time limit, with code 0"),
    pytest.param(ended(3, RunState.CANCELLED), JobReason.CANCELLED_EXTERNALLY, 3, None, id="cancelled by somebody, with a code of its own"),
    pytest.param(ended(143, RunState.CANCELLED, signalled=False), JobReason.CANCELLED_EXTERNALLY, 143, 15, id="cancelled, died at once"),
    pytest.param(ended(3, RunState.CANCELLED, signalled=False), JobReason.NON_ZERO_EXIT_CODE, 3, None, id="called cancelled, never told"),
    pytest.param(ended(137, RunState.OUT_OF_MEMORY), JobReason.OOM_KILLED, 137, 9, id="out of memory"),
    pytest.param(ended(143, RunState.NODE_FAILED), JobReason.NODE_FAILURE, 143, 15, id="its node failed"),
    pytest.param(ended(143, RunState.PREEMPTED), JobReason.PREEMPTED, 143, 15, id="preempted"),
    pytest.param(ended(1, RunState.BOOT_FAILED), JobReason.BOOT_FAILURE, 1, None, id="its node did not boot"),
    pytest.param(unbegun(124), JobReason.OUTPUT_NOT_WRITABLE, 124, None, id="the output could not be opened"),
    pytest.param(ended(124, log=UNREADABLE), JobReason.NON_ZERO_EXIT_CODE, 124, None, id="a script's own 124, which removed its output"),
    pytest.param(unbegun(123, began=True), JobReason.ENVIRONMENT_FAILURE, 123, None, id="a requeued start that came to nothing"),
    pytest.param(unbegun(123, "unsure", began=True), JobReason.ENVIRONMENT_FAILURE, 123, None, id="the mark of its begin is gone"),
    pytest.param(ended(124), JobReason.NON_ZERO_EXIT_CODE, 124, None, id="a script's own 124, as of timeout"),
    pytest.param(ended(124, log=None), JobReason.NON_ZERO_EXIT_CODE, 124, None, id="124, and nothing known of the output"),
    pytest.param(ended(123), JobReason.NON_ZERO_EXIT_CODE, 123, None, id="a script's own 123, as of xargs"),
])
def test_an_end_with_its_code(end: Ended, reason: JobReason, code: int, signal: int | None) -> None:
    closing = of_ended(end)
    assert closing is not None
    assert (closing.reason, closing.exit_code, closing.signal, closing.word) == (reason, code, signal, end.word)
    assert not closing.never_ran, "what wrote its end has run"
    assert closing.message


@pytest.mark.parametrize("state", [RunState.COMPLETED, RunState.UNKNOWN, RunState.FAILED])
def test_a_script_that_exits_with_0_is_a_success_unless_the_scheduler_knows_why_not(state: RunState) -> None:
    """FAILED alone is no reason: after a TERM that the script handles Slurm says so."""
    assert of_ended(ended(0, state, signalled=state is not RunState.UNKNOWN)) is None


def test_a_job_that_ended_well_before_the_scheduler_lost_its_memory_is_a_success() -> None:
    """slurmctld, back from an older state, starts it once more, in vain, and calls it cancelled: a day's work would count as lost."""
    assert of_ended(ended(0, RunState.CANCELLED, signalled=False)) is None


def broken(state: RunState, code: int = 0, signal: int = 0, *, began: bool = True, word: str | None = None) -> Broken:
    return Broken("7", state, state.name if word is None else word, "Why", code, signal, began, STARTED if began else None)


@pytest.mark.parametrize(("end", "reason", "code", "signal"), [
    pytest.param(broken(RunState.TIMED_OUT, 0, 9), JobReason.TIME_LIMIT_EXCEEDED, None, 9, id="killed at its time limit"),
    pytest.param(broken(RunState.OUT_OF_MEMORY, 0, 125), JobReason.OOM_KILLED, None, 125, id="out of memory"),
    pytest.param(broken(RunState.NODE_FAILED, 1), JobReason.NODE_FAILURE, 1, None, id="its node failed"),
    pytest.param(broken(RunState.BOOT_FAILED), JobReason.BOOT_FAILURE, None, None, id="its node did not boot"),
    pytest.param(broken(RunState.CANCELLED, 0, 9), JobReason.CANCELLED_EXTERNALLY, None, 9, id="cancelled, and deaf to it"),
    pytest.param(broken(RunState.FAILED, 0, 9), JobReason.SIGNALED, 0, 9, id="killed, by nobody knows whom"),
    pytest.param(broken(RunState.FAILED, 2), JobReason.NON_ZERO_EXIT_CODE, 2, None, id="failed with a code of the wrapper"),
    pytest.param(broken(RunState.FAILED), JobReason.LOST, None, None, id="FAILED without a code explains nothing"),
    pytest.param(broken(RunState.COMPLETED), JobReason.LOST, None, None, id="COMPLETED without an end is no success"),
    pytest.param(broken(RunState.UNKNOWN, word=""), JobReason.LOST, None, None, id="forgotten by all"),
])
def test_an_end_that_the_node_did_not_write_down(end: Broken, reason: JobReason, code: int | None, signal: int | None) -> None:
    closing = of_broken(end)
    assert (closing.reason, closing.exit_code, closing.signal) == (reason, code, signal)
    assert not closing.never_ran, "it may have run: only a person may run it again"


def test_a_lost_run_is_told_with_the_schedulers_words() -> None:
    assert "the scheduler says COMPLETED Why; it may have run" in of_broken(broken(RunState.COMPLETED)).message
    assert "does not know it any more" in of_broken(broken(RunState.UNKNOWN, word="")).message


def test_a_run_that_never_came_to_its_script_is_made_again() -> None:
    closing = of_broken(broken(RunState.FAILED, 123, began=False))
    assert (closing.reason, closing.never_ran, closing.exit_code) == (JobReason.ENVIRONMENT_FAILURE, True, 123)


@pytest.mark.parametrize(("state", "reason"), [
    pytest.param(RunState.FAILED, JobReason.ENVIRONMENT_FAILURE, id="its profile says exit"),
    pytest.param(RunState.UNKNOWN, JobReason.ENVIRONMENT_FAILURE, id="the same, and nobody looked in time"),
    pytest.param(RunState.CANCELLED, JobReason.CANCELLED_EXTERNALLY, id="cancelled in its profile"),
    pytest.param(RunState.TIMED_OUT, JobReason.TIME_LIMIT_EXCEEDED, id="its profile hung up to the limit"),
])
def test_an_end_before_the_script_is_proved_by_the_wrappers_word(state: RunState, reason: JobReason) -> None:
    """Else a script that ran would be run again, or one that never ran be told as a failure of its own."""
    closing = of_ended(unbegun(123, state=state))
    assert closing is not None
    assert (closing.reason, closing.never_ran) == (reason, True)


def test_what_is_not_proved_never_to_have_run_is_not_run_again_by_itself() -> None:
    for end in (unbegun(123, began=True), unbegun(123, "unsure", began=True)):
        closing = of_ended(end)
        assert closing is not None
        assert not closing.never_ran
    assert not of_broken(Broken("7", RunState.FAILED, "FAILED", "", 123, 0, True, None)).never_ran


@pytest.mark.parametrize(("end", "reason", "again"), [
    pytest.param(NeverRan(RunState.CANCELLED, "CANCELLED"), JobReason.CANCELLED_EXTERNALLY, False, id="cancelled while it waited: a wish"),
    pytest.param(NeverRan(RunState.UNKNOWN), JobReason.NEVER_STARTED, True, id="forgotten by the scheduler"),
    pytest.param(NeverRan(RunState.BOOT_FAILED, "BOOT_FAIL"), JobReason.NEVER_STARTED, True, id="its node did not boot"),
    pytest.param(NeverRan(RunState.COMPLETED, "COMPLETED"), JobReason.NEVER_STARTED, True, id="COMPLETED without having started"),
    pytest.param(NeverRan(RunState.FAILED, "FAILED", "", True), JobReason.NOT_SHARED, True, id="the node did not see the work folder"),
    pytest.param(NeverRan(RunState.FAILED, "FAILED", "", False, Unopened("/scratch/x.out", "n1")), JobReason.OUTPUT_NOT_WRITABLE, True,
                 id="the node could not open its output"),
    pytest.param(NeverRan(RunState.FAILED, "FAILED", "", True, Unopened("/tree/runs/k/slurm-7.log", "n1")), JobReason.NOT_SHARED, True,
                 id="the node could not open our own log"),
])
def test_a_run_that_never_ran(end: NeverRan, reason: JobReason, again: bool) -> None:
    closing = of_never_ran(end)
    assert (closing.reason, closing.never_ran, closing.word) == (reason, again, end.word)


def test_an_output_that_a_node_could_not_open_is_named_with_the_node() -> None:
    """Else nobody would know what to change: Slurm's own word for it is `RaisedSignal:53`."""
    told = of_never_ran(NeverRan(RunState.FAILED, "FAILED", "", False, Unopened("/scratch/x.out", "n1"))).message
    assert "/scratch/x.out on n1" in told
    assert "stdoutPath" in told
    assert "the output file of the Job on its compute node" in of_never_ran(NeverRan(RunState.FAILED, unopened=Unopened())).message


def test_a_signal_without_a_name_is_told_by_its_number() -> None:
    closing = of_ended(ended(128 + 33))
    assert closing is not None
    assert "signal 33" in closing.message
