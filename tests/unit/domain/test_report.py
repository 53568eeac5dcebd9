"""What a person reads of a Job in each state: status, conditions, phase."""

from dataclasses import replace

import pytest

from fairlead.api.v1alpha1.job import JobStatus
from fairlead.api.v1alpha1.reasons import JobReason
from fairlead.domain.conditions import moment
from fairlead.domain.job import report
from fairlead.domain.job.job import Job
from fairlead.domain.run.evidence import Ended
from fairlead.domain.run.memory import Closing
from fairlead.domain.run.observation import Finished, Listed, LogTail, Started
from fairlead.domain.run.retry import Again, Over
from fairlead.domain.run.run import RunKey, RunState
from product.objects import KEY, NOW, UID, a_job, submitted

QUEUED = a_job(status=submitted())
LOST = Closing(JobReason.LOST, "lost", word="COMPLETED")
OVER = Over(JobReason.LOST, "lost", 1, 0)
AGAIN = Again(10.0, 1, 0, "attempt 1 failed (lost); another follows")


def row(state: RunState, reason: str = "", node: str = "", starts: int | None = None) -> Listed:
    return Listed(KEY, "7", state, state.name, reason, node, None, starts, "squeue")


def seen(job: Job, listed: Listed, *, detailed: bool = True) -> JobStatus:
    status = report.live(job, listed, NOW, detailed=detailed)
    assert status is not None
    return status


def after(status: JobStatus | None) -> Job:
    assert status is not None
    return replace(QUEUED, status=status)


def said(status: JobStatus | None) -> dict[str, str]:
    return {each.type: each.status for each in status.conditions} if status else {}


def ended(code: int, tail: bytes = b"", size: int | None = 0, word: str = "COMPLETED", restart: int = 0) -> Ended:
    log = LogTail("/home/a.out", "", size, tail)
    return Ended(Finished("7", restart, code, 300), Started("7", restart, "n1", 200), RunState.COMPLETED, word, log, "squeue")


@pytest.mark.parametrize(("state", "phase", "running"), [
    pytest.param(RunState.PENDING, "Queued", "False", id="pending"),
    pytest.param(RunState.STARTING, "Queued", "False", id="starting"),
    pytest.param(RunState.RUNNING, "Running", "True", id="running"),
    pytest.param(RunState.FINISHING, "Running", "True", id="finishing: not over yet"),
    pytest.param(RunState.SUSPENDED, "Running", "False", id="suspended"),
    pytest.param(RunState.HELD, "Queued", "False", id="held"),
    pytest.param(RunState.STUCK, "Queued", "False", id="waits for ever"),
    pytest.param(RunState.UNKNOWN, "Running", "False", id="a word of a later release"),
])
def test_each_state_has_its_words(state: RunState, phase: str, running: str) -> None:
    status = seen(QUEUED, row(state))
    assert (status.phase, said(status)["Running"], said(status)["Ready"]) == (phase, running, "False")
    assert status.run is not None
    assert (status.run.state, status.observation_source) == (state.name, "squeue")
    assert seen(QUEUED, replace(row(state), source="host")).observation_source == "host", "a bare host has no squeue"


def test_a_word_of_a_later_release_leaves_a_running_job_running() -> None:
    running = after(seen(QUEUED, row(RunState.RUNNING)))
    assert said(seen(running, row(RunState.UNKNOWN)))["Running"] == "True"


def test_times_are_the_clusters() -> None:
    waiting = seen(QUEUED, row(RunState.PENDING, "Priority", starts=500))
    assert (waiting.estimated_start_time, waiting.start_time) == (moment(500), None)
    running = seen(after(waiting), row(RunState.RUNNING, node="n[1-2]", starts=600))
    assert (running.estimated_start_time, running.start_time) == (None, moment(600))
    assert next(each.message for each in running.conditions if each.type == "Running") == "on n[1-2]"


def test_only_a_changed_condition_is_written_between_the_details() -> None:
    """Else ten thousand waiting Jobs would cost ten thousand writes a poll, as the scheduler's estimates move."""
    waiting = after(seen(QUEUED, row(RunState.PENDING, "Priority", starts=500)))
    later = row(RunState.PENDING, "Resources", starts=900)
    assert report.live(waiting, later, NOW, detailed=False) is None
    assert report.live(waiting, later, NOW, detailed=True) is not None
    assert report.live(waiting, row(RunState.RUNNING), NOW, detailed=False) is not None
    assert report.live(waiting, row(RunState.PENDING, "Priority", starts=500), NOW, detailed=True) is None
    assert report.live(waiting, replace(later, id="8"), NOW, detailed=False) is not None, "another id is news"


def test_held_and_suspended_are_said_while_they_last_and_taken_back() -> None:
    """Else a Job that runs, or has ended, would still ask a person to release it."""
    held = after(seen(QUEUED, row(RunState.HELD, "JobHeldUser")))
    suspended = after(seen(held, row(RunState.SUSPENDED)))
    assert said(held.status)["Held"] == "True"
    assert (said(suspended.status)["Held"], said(suspended.status)["Suspended"]) == ("False", "True")
    assert said(report.complete(held, ended(0), NOW))["Held"] == "False"
    assert said(report.failed(suspended, LOST, OVER, NOW, None))["Suspended"] == "False"
    assert said(report.retrying(held, LOST, AGAIN, NOW, None))["Held"] == "False"
    assert "Held" not in said(report.complete(QUEUED, ended(0), NOW))


def test_a_job_that_waits_for_ever_is_stalled_until_it_does_not() -> None:
    """Else a Job that asks for more than it may have would look like one whose turn will come; or, mended, like one that has failed."""
    stuck = row(RunState.STUCK, "PartitionTimeLimit")
    [event] = report.live_events(QUEUED, stuck)
    assert (event.type, event.reason) == ("Warning", JobReason.UNSCHEDULABLE)
    job = after(seen(QUEUED, stuck))
    assert (said(job.status)["Stalled"], job.status.phase) == ("True", "Queued")
    assert report.live_events(job, stuck) == ()
    for later in (seen(job, row(RunState.PENDING, "Priority")), seen(job, row(RunState.RUNNING)), report.complete(job, ended(0), NOW),
                  report.unexplained(job, "gone", NOW), report.retrying(job, LOST, AGAIN, NOW, None), report.parking(job, NOW)):
        assert said(later)["Stalled"] == "False"
    assert said(report.failed(job, LOST, OVER, NOW, None))["Stalled"] == "True"


def test_a_held_job_is_told_of_once() -> None:
    held = row(RunState.HELD, "JobHeldAdmin")
    [event] = report.live_events(QUEUED, held)
    assert (event.type, event.reason) == ("Warning", JobReason.HELD)
    assert report.live_events(after(seen(QUEUED, held)), held) == ()
    assert report.live_events(QUEUED, row(RunState.PENDING)) == ()


def test_a_complete_job_says_all_that_is_known() -> None:
    status = report.complete(after(seen(QUEUED, row(RunState.RUNNING, "None", starts=150))), ended(0, b"result\n", 7, restart=2), NOW)
    assert status is not None
    assert said(status) == {"Submitted": "True", "Running": "False", "Complete": "True", "Ready": "True"}
    assert status.run is not None
    assert (status.run.state, status.run.reason, status.run.exit_code, status.run.node) == ("COMPLETED", None, 0, "n1")
    assert (status.start_time, status.end_time, status.restarts, status.phase) == (moment(200), moment(300), 2, "Complete")
    assert status.logs is not None
    assert (status.logs.stdout_path, status.logs.stderr_path, status.logs.bytes, status.logs.tail) == ("/home/a.out", None, 7, "result\n")


def test_a_state_that_is_no_longer_known_is_not_made_up() -> None:
    """Else a Job that is complete would show RUNNING for ever."""
    running = after(seen(QUEUED, row(RunState.RUNNING)))
    status = report.complete(running, ended(0, word=""), NOW)
    assert status is not None
    assert status.run is not None
    assert status.run.state is None


@pytest.mark.parametrize(("tail", "size", "shown"), [
    pytest.param(b"a\n", 2, "a\n", id="whole"),
    pytest.param(b"\x1b[31mred\x1b[0m\x07", 13, "red", id="escape codes"),
    pytest.param("ä-".encode()[1:] + b"b", 5000, "-b", id="cut in the middle of a letter"),
    pytest.param("😀-".encode()[1:], 5000, "-", id="cut behind the first byte of four"),
    pytest.param(b"\x80" * 9, 5000, "\ufffd" * 9, id="cut, and no text at all"),
    pytest.param(b"\x80a", 2, "\ufffda", id="an odd byte at the very beginning"),
])
def test_the_tail_is_plain(tail: bytes, size: int, shown: str) -> None:
    status = report.complete(QUEUED, ended(0, tail, size), NOW)
    assert status is not None
    assert status.logs is not None
    assert status.logs.tail == shown


def test_a_failed_job_says_what_a_person_should_do() -> None:
    why = Closing(JobReason.NON_ZERO_EXIT_CODE, "the script exited with code 7", exit_code=7)
    status = report.failed(QUEUED, why, Over(why.reason, why.message, 1, 0), NOW, ended(7))
    assert said(status) == {"Submitted": "True", "Running": "False", "Failed": "True", "Ready": "False", "Stalled": "True"}
    refused = report.failed(a_job(), Closing(JobReason.SUBMISSION_REJECTED, "Invalid partition"), OVER, NOW, None)
    assert said(refused)["Submitted"] == "False"
    assert refused is not None
    assert refused.end_time == moment(NOW.wall)


def test_of_many_attempts_the_last_five_are_kept() -> None:
    job = QUEUED
    for number in range(1, 8):
        job = after(report.retrying(job, replace(LOST, exit_code=number), AGAIN, NOW, None))
    assert [each.attempt for each in job.status.attempts] == [3, 4, 5, 6, 7]
    assert [each.exit_code for each in job.status.attempts] == [3, 4, 5, 6, 7]
    assert job.key == RunKey(UID, 8)
    assert job.run_id == ""


@pytest.mark.parametrize(("status", "phase", "reason"), [
    pytest.param(report.waiting(a_job(), JobReason.CLUSTER_NOT_FOUND, "x", NOW), "Pending", "ClusterNotFound", id="waits for its Cluster"),
    pytest.param(report.waiting(a_job(), JobReason.SUBMISSION_DEFERRED, "x", NOW), "Submitting", "SubmissionDeferred", id="queue full"),
    pytest.param(report.unexplained(QUEUED, "x", NOW), "Running", "Unexplained", id="left the queue"),
    pytest.param(report.vanished(QUEUED, "x", NOW), "Running", "RunDirectoryMissing", id="its directory is gone"),
    pytest.param(report.deleting(QUEUED, "x", JobReason.CANCELLING, NOW), "Terminating", "Cancelling", id="its deletion waits"),
])
def test_what_keeps_a_job_is_in_its_ready_condition(status: JobStatus | None, phase: str, reason: str) -> None:
    assert status is not None
    ready = status.condition("Ready")
    assert ready is not None
    assert (status.phase, ready.status, ready.reason) == (phase, "False", reason)


def test_what_a_newer_release_has_written_of_an_attempt_stays_while_it_lasts() -> None:
    """Else an older controller, in its turn, would destroy what the newer one goes by."""
    job = a_job(status={"run": {"key": str(KEY), "attempt": 1, "madeLater": "x"}, "madeLater": "y"})
    accepted = report.accepted(job, "7", NOW)
    assert accepted is not None
    running = seen(after(accepted), row(RunState.RUNNING, node="n1"))
    assert running.run is not None
    assert (running.run.of_others, running.of_others) == ({"madeLater": "x"}, {"madeLater": "y"})
    retried = report.retrying(after(running), LOST, AGAIN, NOW, None)
    assert retried is not None
    assert retried.run is not None
    assert (retried.run.of_others, retried.attempts[-1].of_others) == ({}, {"madeLater": "x"}), "it was said of the attempt that is over"
