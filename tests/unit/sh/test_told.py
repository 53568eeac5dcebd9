"""ALIKE, at the node: what a wrapper writes down of an end, since the scheduler will have forgotten it."""

import signal
import time
from pathlib import Path

import pytest
from far_end import FarEnd, end, key, submission, wait_for

from fairlead.domain.run.answers import CancelPhase
from fairlead.domain.run.observation import Sentinels
from fairlead.domain.run.run import RunState, StopWord

KEY = key()
POLITE = "#!/bin/sh\ntrap 'exit 0' TERM\ntrap 'echo warned' USR1\ntouch up\nwhile :; do sleep 0.05; done\n"
DEAF = "#!/bin/sh\ntrap '' TERM\ntouch up\nwhile :; do sleep 0.05; done\n"


def slurm_says(far: FarEnd, state: str, reason: str = "None") -> None:
    """What `scontrol show job` prints from now on."""
    (far.root / "scontrol.job").write_text(f"JobId=100 JobName=hello Reason_in=x JobState={state} Reason={reason} Restarts=0\n")


def told(far: FarEnd, script: str = POLITE, *signals: signal.Signals, code: int = 0, **more: str) -> Sentinels:
    """What stands in the directory of a script that was given these signals."""
    far.submit(submission(script=script))
    far.forget_job("100")
    process = far.popen("100", KEY, **more)
    try:
        wait_for((far.home / "up").exists)
        for each in signals or (signal.SIGTERM,):
            process.send_signal(each)
            time.sleep(0.1)
        assert process.wait(30) == code
    finally:
        end(process)
    return far.observe({KEY: "100"}).sentinels[KEY]


@pytest.mark.parametrize(("state", "reason", "seen"), [
    ("COMPLETING", "TimeLimit", RunState.TIMED_OUT), ("COMPLETING", "None", RunState.CANCELLED),
    ("NODE_FAIL", "NodeDown", RunState.NODE_FAILED), ("RUNNING", "None", RunState.RUNNING),
    ("COMPLETING", "None PreemptTime=2026-01-01T00:00:00", RunState.PREEMPTED),
])
def test_why_a_script_was_told_to_end_is_asked_in_time(far: FarEnd, state: str, reason: str, seen: RunState) -> None:
    """Whether a Job is complete would depend on whether somebody looked before Slurm forgot it."""
    slurm_says(far, state, reason)
    found = told(far)
    assert (found.finished[0].words, found.word and (found.word.id, found.word.state)) == ({"TERM"}, ("100", seen))


def test_nobody_is_asked_for_what_explains_itself(far: FarEnd) -> None:
    """slurmctld would be asked once more for each Job that is deleted, and for each that is warned."""
    slurm_says(far, "RUNNING")
    found = told(far, POLITE, signal.SIGUSR1, signal.SIGUSR1, signal.SIGTERM)
    assert found.finished[0].words == {"USR1", "TERM"}
    calls = len(far.calls("scontrol"))
    (far.home / "up").unlink()
    of = key(number=11)
    far.submit(submission(of, POLITE))
    process = far.popen("101", of)
    try:
        wait_for((far.home / "up").exists)
        far.cancel(of, CancelPhase.ASK, why=StopWord.SUSPEND)
        asked = len(far.calls("scontrol"))
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    finally:
        end(process)
    assert len(far.calls("scontrol")) == asked >= calls


def test_no_answer_is_no_word_and_the_clock_is_one(far: FarEnd) -> None:
    """A script that saved its work at the limit would pass for complete, since slurmctld was away."""
    found = told(far, SLURM_JOB_END_TIME="1000000000")
    assert (found.word, found.finished[0].words) == (None, {"TERM", "limit"})


def test_before_its_limit_a_script_was_told_by_somebody(far: FarEnd) -> None:
    """A cancelled Job would be called late."""
    assert told(far, SLURM_JOB_END_TIME="9000000000").finished[0].words == {"TERM"}


def test_a_word_for_an_end_replaces_one_for_a_signal(far: FarEnd) -> None:
    """A script that was warned by TERM, and is deaf to the next, would be lost: nobody could say that it came to its limit."""
    slurm_says(far, "RUNNING")
    far.submit(submission(script=DEAF))
    far.forget_job("100")
    process = far.popen("100", KEY)
    word = far.run_dir(KEY) / "word-0"
    try:
        wait_for((far.home / "up").exists)
        process.send_signal(signal.SIGTERM)
        wait_for(word.is_symlink)
        slurm_says(far, "COMPLETING", "TimeLimit")
        while str(word.readlink()) != "100.TIMEOUT":
            process.send_signal(signal.SIGTERM)
            time.sleep(0.1)
    finally:
        end(process)
    found = far.observe({KEY: "100"}).sentinels[KEY]
    assert (found.finished, found.word and found.word.state) == ((), RunState.TIMED_OUT)


def test_the_books_are_asked_of_an_end_that_nobody_saw(far: FarEnd) -> None:
    """A site that keeps books would know how a job ended, and nobody would ask."""
    far.submit(submission())
    far.forget_job("100")
    far.run_job("100", KEY)
    (far.root / "sacct.rows").write_text(f"100|TIMEOUT|0:0|TimeLimit||hello-{KEY}\n")
    assert far.observe({KEY: "100"}).records[KEY].state is RunState.TIMED_OUT
    assert not Path(far.root / "scontrol.calls").exists() or "show job" not in (far.root / "scontrol.calls").read_text()
