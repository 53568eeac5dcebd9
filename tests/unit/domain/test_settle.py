"""What each answer changes."""

from dataclasses import replace

import pytest

from fairlead.api.v1alpha1.reasons import JobReason
from fairlead.domain.conditions import is_true
from fairlead.domain.job import report
from fairlead.domain.pacing import Now, Pacing, Turn
from fairlead.domain.run.answers import CancelAnswer, CancelPhase, SubmitAnswer, SubmitWord
from fairlead.domain.run.endings import of_broken
from fairlead.domain.run.evidence import Broken
from fairlead.domain.run.memory import Asked, Cleared, Closing, Ending, Memory
from fairlead.domain.run.observation import Finished, LastWord, Listed, Observation, Sentinels, Started
from fairlead.domain.run.run import RunState, StopWord
from fairlead.domain.run.steps import Cancel
from product import settled as settle
from product.objects import KEY, NOW, a_job, submitted

PACING = Pacing()
FRESH = Memory()
JOB = a_job()
WATCHED = a_job(status=submitted())
REVOKE, END = Cancel((KEY,), CancelPhase.REVOKE), Cancel((KEY,), CancelPhase.END)
DELETE_ASK, DELETE_END, DELETE_ORPHAN = (
    Cancel((KEY, KEY.next), phase, why=StopWord.DELETE) for phase in (CancelPhase.ASK, CancelPhase.END, CancelPhase.ORPHAN)
)


def at(seconds: float) -> Now:
    return Now(NOW.monotonic + seconds, NOW.wall + seconds)


def said(word: SubmitWord, text: str = "", run_id: str = "") -> SubmitAnswer:
    return SubmitAnswer(word, run_id, text)


@pytest.mark.parametrize("word", [SubmitWord.SUBMITTED, SubmitWord.CLAIMED])
def test_an_accepted_job_shows_its_id(word: SubmitWord) -> None:
    outcome = settle.submitted(JOB, FRESH, said(word, run_id="7"), Turn(NOW, PACING))
    assert outcome.status is not None
    assert outcome.status.run is not None
    assert (outcome.status.run.id, outcome.status.run.key, outcome.status.phase) == ("7", str(KEY), "Queued")
    assert [event.reason for event in outcome.events] == [JobReason.SUBMITTED]


def test_not_yet_waits_its_time_before_it_submits_again() -> None:
    """Else a slow scheduler would get every Job twice; the claim would save the day, and the queue would be full of doubles."""
    memory = FRESH
    for seconds in (0, 90, 179):
        memory = settle.submitted(JOB, memory, said(SubmitWord.NOT_YET), Turn(at(seconds), PACING)).memory
        assert not memory.resubmit
    assert settle.submitted(JOB, memory, said(SubmitWord.NOT_YET), Turn(at(181), PACING)).memory.resubmit


@pytest.mark.parametrize("word", [SubmitWord.WAITING, SubmitWord.UNSURE])
def test_a_scheduler_that_says_not_now_is_asked_again_ever_later(word: SubmitWord) -> None:
    """Else a full queue would fail Jobs, or be hammered."""
    memory, pauses = FRESH, []
    for _ in range(8):
        outcome = settle.submitted(JOB, memory, said(word, "QOSMaxSubmitJobPerUserLimit"), Turn(NOW, PACING))
        memory = outcome.memory
        pauses.append(memory.retry_at - NOW.monotonic)
    assert memory.resubmit
    assert pauses == [30, 60, 120, 240, 480, 600, 600, 600]
    assert outcome.status is not None
    [condition] = [each for each in outcome.status.conditions if each.type == "Submitted"]
    assert (condition.status, condition.reason, condition.message) == ("False", "SubmissionDeferred", "QOSMaxSubmitJobPerUserLimit")


def test_a_refusal_in_unknown_words_fails_the_job_with_them_after_its_time() -> None:
    """Else whoever waits for a failure that a site's plugin has meant waits for ever. Known words of `not now` begin the time anew."""
    words = "[PROJ-07] you must charge a project"
    memory = settle.submitted(JOB, FRESH, said(SubmitWord.UNSURE, words), Turn(at(0), PACING)).memory
    memory = settle.submitted(JOB, memory, said(SubmitWord.UNSURE, words), Turn(at(3500), PACING)).memory
    assert memory.closing is None
    last = settle.submitted(JOB, memory, said(SubmitWord.UNSURE, words), Turn(at(3600), PACING))
    assert last.memory.closing is not None
    assert (last.memory.closing.reason, last.memory.closing.refused) == ("SubmissionRejected", True), "an earlier one may have claimed it"
    assert words in last.memory.closing.message
    full = settle.submitted(JOB, memory, said(SubmitWord.WAITING, "QOSMaxSubmitJobPerUserLimit"), Turn(at(3600), PACING)).memory
    assert settle.submitted(JOB, full, said(SubmitWord.UNSURE, words), Turn(at(7000), PACING)).memory.closing is None


@pytest.mark.parametrize("word", [SubmitWord.BUSY, SubmitWord.UNKNOWN, SubmitWord.NO_TREE, SubmitWord.ALIVE])
def test_an_answer_that_decides_nothing_changes_no_attempt(word: SubmitWord) -> None:
    """Else a hanging sbatch would fail a Job that then runs."""
    outcome = settle.submitted(JOB, FRESH, said(word), Turn(NOW, PACING))
    assert outcome.memory.retry_at > NOW.monotonic
    assert not outcome.memory.resubmit
    assert outcome.status is not None
    assert (outcome.status.run, outcome.status.attempts) == (JOB.status.run, ())


def test_a_refusal_for_good_is_closed_before_it_fails() -> None:
    """Else an earlier submission that the scheduler took would run on under a failed Job."""
    refused = settle.submitted(JOB, FRESH, said(SubmitWord.REFUSED, "invalid partition"), Turn(NOW, PACING))
    assert refused.status is None
    revoked = settle.cancelled(JOB, refused.memory, REVOKE, CancelAnswer(True, revoked=True), Turn(NOW, PACING))
    assert revoked.status is None, "what an earlier submission left in the queue goes first"
    closed = settle.cancelled(JOB, revoked.memory, END, CancelAnswer(True, revoked=True), Turn(NOW, PACING))
    assert closed.status is not None
    assert is_true(closed.status.conditions, "Failed")
    assert [(event.reason, event.message) for event in closed.events] == [("SubmissionRejected", "invalid partition")]


def test_a_refused_job_that_runs_after_all_is_watched() -> None:
    """Else a job that runs would be ended for a refusal that came after it."""
    refused = settle.submitted(JOB, FRESH, said(SubmitWord.REFUSED, "no"), Turn(NOW, PACING))
    outcome = settle.cancelled(JOB, refused.memory, REVOKE, CancelAnswer(True, claim="7"), Turn(NOW, PACING))
    assert outcome.status is not None
    assert outcome.status.run is not None
    assert outcome.status.run.id == "7"
    assert not is_true(outcome.status.conditions, "Failed")


def test_an_attempt_that_never_ran_is_made_again_three_times_and_then_fails() -> None:
    """Else a broken node would cost the Job, or the Job would be tried for ever."""
    job, memory = a_job(status=submitted()), FRESH
    for attempt in (2, 3, 4):
        outcome = settle.closed(job, memory, Closing(JobReason.NEVER_STARTED, "x", never_ran=True), Turn(NOW, PACING))
        assert outcome.status is not None
        assert outcome.status.run is not None
        assert (outcome.status.run.attempt, outcome.status.run.id, outcome.status.infrastructure_failures) == (attempt, None, attempt - 1)
        assert outcome.memory.attempt == attempt
        job, memory = replace(job, status=outcome.status), outcome.memory
    last = settle.closed(job, memory, Closing(JobReason.NEVER_STARTED, "x", never_ran=True), Turn(NOW, PACING))
    assert last.status is not None
    assert is_true(last.status.conditions, "Failed")
    assert [each.attempt for each in last.status.attempts] == [1, 2, 3]


def test_a_run_without_an_end_says_how_its_processes_were_found_though_nobody_saw_it_run() -> None:
    """Else nobody could tell whether a process may have hidden from its end."""
    closing = of_broken(Broken("7", RunState.FAILED, "FAILED", "", 137, 0, True, None, "Cgroup"))
    status = settle.closed(WATCHED, FRESH, closing, Turn(NOW, PACING)).status
    assert status is not None
    assert status.run is not None
    assert status.run.process_tracking == "Cgroup"


def test_a_run_that_may_have_run_is_not_made_again() -> None:
    """Else a user's script would run twice."""
    outcome = settle.closed(WATCHED, FRESH, Closing(JobReason.LOST, "x"), Turn(NOW, PACING))
    assert outcome.status is not None
    assert is_true(outcome.status.conditions, "Failed")


def observation(*rows: Listed, sentinels: Sentinels | None = None) -> Observation:
    return Observation({KEY: rows} if rows else {}, {KEY: sentinels} if sentinels else {}, {})


def row(state: RunState, reason: str = "") -> Listed:
    return Listed(KEY, "7", state, state.name, reason)


STARTED = Sentinels(True, claim="7", started=(Started("7", 0, "n1", 100),))


def test_a_missing_end_is_waited_for_as_long_as_a_file_system_may_hide_it() -> None:
    """Else a Job that succeeded would be called Lost, since the login node's NFS client has not seen its end yet."""
    memory = replace(FRESH, claim="7")
    first = settle.observed(WATCHED, memory, observation(sentinels=STARTED), Turn(NOW, PACING))
    assert first.memory.closing is None
    later = settle.observed(WATCHED, first.memory, observation(sentinels=STARTED), Turn(at(89), PACING))
    assert later.memory.closing is None
    ended = replace(STARTED, finished=(Finished("7", 0, 0, 200),))
    found = settle.observed(WATCHED, later.memory, observation(sentinels=ended), Turn(at(89.5), PACING))
    assert found.status is not None
    assert is_true(found.status.conditions, "Complete")
    lost = settle.observed(WATCHED, later.memory, observation(sentinels=STARTED), Turn(at(91), PACING))
    assert lost.memory.closing is not None
    assert lost.memory.closing.reason is JobReason.LOST


def test_a_word_that_explains_the_missing_end_is_believed_at_once() -> None:
    """A user would wait a minute and a half for a time-out that Slurm has already told."""
    seen = observation(row(RunState.TIMED_OUT), sentinels=STARTED)
    outcome = settle.observed(WATCHED, replace(FRESH, claim="7"), seen, Turn(NOW, PACING))
    assert outcome.memory.closing is not None
    assert outcome.memory.closing.reason is JobReason.TIME_LIMIT_EXCEEDED


def test_a_changed_pending_reason_is_written_at_most_once_a_minute() -> None:
    """Else ten thousand waiting Jobs would keep the API server busy with reasons that nobody reads."""
    accepted = settle.submitted(JOB, FRESH, said(SubmitWord.SUBMITTED, run_id="7"), Turn(NOW, PACING))
    assert accepted.status is not None
    job = replace(JOB, status=accepted.status)
    soon = settle.observed(job, accepted.memory, observation(row(RunState.PENDING, "Priority")), Turn(at(10), PACING))
    assert soon.status is None
    later = settle.observed(job, accepted.memory, observation(row(RunState.PENDING, "Priority")), Turn(at(61), PACING))
    assert later.status is not None
    assert later.status.run is not None
    assert later.status.run.reason == "Priority"


def test_a_job_that_would_wait_for_ever_is_withdrawn_and_has_failed() -> None:
    """Else a user would wait for a Job behind another that has failed."""
    hopeless = settle.observed(WATCHED, FRESH, observation(row(RunState.PENDING, "DependencyNeverSatisfied")), Turn(NOW, PACING))
    assert hopeless.memory.closing is not None
    revoked = settle.cancelled(WATCHED, hopeless.memory, REVOKE, CancelAnswer(True, revoked=True), Turn(NOW, PACING))
    closed = settle.cancelled(WATCHED, revoked.memory, END, CancelAnswer(True, revoked=True), Turn(NOW, PACING))
    assert closed.status is not None
    assert is_true(closed.status.conditions, "Failed")
    assert [event.reason for event in closed.events] == ["DependencyNeverSatisfied"]
    waits = settle.observed(WATCHED, FRESH, observation(row(RunState.PENDING, "Dependency")), Turn(NOW, PACING))
    assert waits.memory.closing is None


def test_running_is_written_at_once() -> None:
    accepted = settle.submitted(JOB, FRESH, said(SubmitWord.SUBMITTED, run_id="7"), Turn(NOW, PACING))
    assert accepted.status is not None
    job = replace(JOB, status=accepted.status)
    outcome = settle.observed(job, accepted.memory, observation(row(RunState.RUNNING)), Turn(at(1), PACING))
    assert outcome.status is not None
    assert is_true(outcome.status.conditions, "Running")


GONE = a_job(deleting=True, status=submitted())
ASKED = replace(FRESH, ending=Ending(StopWord.DELETE, Asked(1000.0)))


def test_a_listing_that_began_before_the_cancel_is_no_proof_that_it_is_gone() -> None:
    """Else a Job would be let go while it starts."""
    assert not isinstance(settle.cancel_observed(GONE, ASKED, observation(), 999.0).stage, Cleared)
    assert isinstance(settle.cancel_observed(GONE, ASKED, observation(), 1001.0).stage, Cleared)
    assert not isinstance(settle.cancel_observed(GONE, ASKED, observation(row(RunState.RUNNING)), 1001.0).stage, Cleared)


def test_a_deletion_is_not_begun_until_every_key_has_answered() -> None:
    """Else one attempt would be revoked and another go on."""
    one = settle.cancel_asked(GONE, FRESH, DELETE_ASK, {KEY: CancelAnswer(True, claim="7")}, Turn(NOW, PACING))
    assert one.memory.asked_at is None
    answers = {KEY: CancelAnswer(True, claim="7"), KEY.next: CancelAnswer(True, revoked=True)}
    both = settle.cancel_asked(GONE, one.memory, DELETE_ASK, answers, Turn(NOW, PACING))
    assert both.memory.asked_at == NOW.monotonic
    assert [event.reason for event in both.events] == [JobReason.CANCELLING]


def test_what_nobody_saw_end_is_remembered_for_the_ledger() -> None:
    outcome = settle.cancel_observed(GONE, ASKED, observation(sentinels=STARTED), 1001.0)
    assert isinstance(outcome.stage, Cleared)
    assert outcome.unaccounted == (KEY,)


def test_an_attempt_that_was_withdrawn_is_made_again() -> None:
    outcome = settle.submitted(JOB, FRESH, said(SubmitWord.REVOKED), Turn(NOW, PACING))
    assert outcome.memory.attempt == 2
    assert outcome.status is not None
    assert outcome.status.next_retry_time is not None
    assert outcome.status.next_retry_time.timestamp() >= NOW.wall + PACING.retry_seconds
    assert [event.reason for event in outcome.events] == [JobReason.RETRYING]


def test_doubles_are_told_of_once_and_cancelled() -> None:
    """Else a second job of one attempt would wait in the queue for ever, and somebody would wonder whose it is."""
    both = tuple(Listed(KEY, run_id, RunState.RUNNING, "RUNNING") for run_id in ("7", "8"))
    observation = Observation({KEY: both}, {KEY: Sentinels(True, claim="7")}, {})
    first = settle.observed(WATCHED, FRESH, observation, Turn(NOW, PACING))
    assert first.memory.duplicates == ("8",)
    assert [event.reason for event in first.events] == [JobReason.DUPLICATE]
    assert settle.observed(WATCHED, first.memory, observation, Turn(NOW, PACING)).events == ()
    answer = CancelAnswer(True, claim="7", ids=("8",))
    assert settle.cancelled(WATCHED, first.memory, END, answer, Turn(NOW, PACING)).memory.duplicates == ()


def test_a_job_that_left_without_a_claim_is_revoked_before_it_is_judged() -> None:
    """Else a start in this very moment would run beside the next attempt."""
    gone = Observation({}, {KEY: Sentinels(True)}, {})
    revoking = settle.observed(WATCHED, FRESH, gone, Turn(NOW, PACING))
    assert (revoking.memory.revoke, revoking.status) == (True, None)
    revoked = settle.cancelled(WATCHED, revoking.memory, REVOKE, CancelAnswer(True, revoked=True), Turn(NOW, PACING))
    assert not revoked.memory.revoke
    known = replace(revoking.memory, claim="7")
    claimed = settle.cancelled(WATCHED, known, REVOKE, CancelAnswer(True, claim="7"), Turn(NOW, PACING))
    assert (claimed.memory.revoke, claimed.memory.claim) == (False, ""), "claimed after all: a newer listing decides"
    never = settle.observed(WATCHED, FRESH, Observation({}, {KEY: Sentinels(True, revoked=True)}, {}), Turn(NOW, PACING))
    assert never.memory.attempt == 2


def test_a_cancel_without_an_answer_is_asked_again() -> None:
    memory = settle.cancelled(WATCHED, replace(FRESH, revoke=True), REVOKE, CancelAnswer(False), Turn(NOW, PACING)).memory
    assert (memory.revoke, memory.retry_at) == (True, NOW.monotonic + PACING.ask_again_seconds)


def test_a_purged_directory_is_a_condition_and_no_end() -> None:
    outcome = settle.observed(WATCHED, FRESH, Observation({}, {KEY: Sentinels(False)}, {}), Turn(NOW, PACING))
    assert outcome.status is not None
    assert (outcome.memory.closing, outcome.status.phase) == (None, "Running")
    assert outcome.memory.retry_at > NOW.monotonic


def test_a_claim_is_remembered_for_the_next_listing() -> None:
    """Else a claim read after its listing would never be older than one, and a Lost Run would hang for ever."""
    observation = Observation({}, {KEY: Sentinels(True, claim="7")}, {})
    first = settle.observed(WATCHED, FRESH, observation, Turn(NOW, PACING))
    assert (first.memory.claim, first.status, first.memory.closing) == ("7", None, None)
    assert settle.observed(WATCHED, first.memory, observation, Turn(NOW, PACING)).memory.absent_since == NOW.monotonic


def test_a_failure_and_a_success_end_with_one_status_and_one_event() -> None:
    for code, reason in ((0, JobReason.COMPLETED), (7, JobReason.NON_ZERO_EXIT_CODE)):
        sentinels = Sentinels(True, claim="7", started=(Started("7", 0, "n1", 100),), finished=(Finished("7", 0, code, 200),))
        outcome = settle.observed(WATCHED, FRESH, Observation({}, {KEY: sentinels}, {}), Turn(NOW, PACING))
        assert outcome.status is not None
        assert is_true(outcome.status.conditions, "Complete" if code == 0 else "Failed")
        assert [event.reason for event in outcome.events] == [reason]


def test_the_end_by_force_is_counted_from_its_own_moment() -> None:
    answers = {key: CancelAnswer(True, claim="7") for key in WATCHED.keys}
    asked = settle.cancel_asked(WATCHED, FRESH, DELETE_ASK, answers, Turn(NOW, PACING))
    assert [event.reason for event in asked.events] == [JobReason.CANCELLING]
    killed = settle.cancel_asked(WATCHED, asked.memory, DELETE_END, answers, Turn(at(30), PACING))
    assert (killed.memory.asked_at, killed.memory.killed_at, killed.events) == (NOW.monotonic, NOW.monotonic + 30, ())
    assert settle.cancel_asked(WATCHED, FRESH, DELETE_ASK, {key: CancelAnswer(True, revoked=True) for key in WATCHED.keys},
                               Turn(NOW, PACING)).events == (), "nothing was running: nobody was told to end"


def test_a_job_that_is_looked_for_and_is_nowhere_is_no_job_that_vanished() -> None:
    """Else a Job that is not admitted any more would say that its directory was lost, or be counted among those on the cluster."""
    nothing = Observation({}, {KEY: Sentinels(False)}, {})
    first = settle.observed(JOB, FRESH, nothing, Turn(NOW, PACING))
    assert (first.status, first.memory.nowhere) == (None, False), "a script that was sent may be on its way"
    assert not settle.observed(JOB, first.memory, nothing, Turn(at(PACING.not_yet_seconds - 1), PACING)).memory.nowhere
    outcome = settle.observed(JOB, first.memory, nothing, Turn(at(PACING.not_yet_seconds), PACING))
    assert (outcome.status, outcome.memory.nowhere) == (None, True)
    told = report.kept_out(JOB, "closed", NOW)
    assert told is not None
    kept = replace(JOB, status=told)
    assert (kept.is_kept_out, kept.is_active, told.active_since) == (True, False, None)
    resumed = settle.resuming(kept, outcome.memory, NOW)
    assert resumed.status is not None
    assert (replace(JOB, status=resumed.status).is_active, resumed.memory.nowhere) == (True, False)


def test_what_was_seen_in_between_begins_the_count_of_empty_looks_anew() -> None:
    """Else one glance past a file server's cache would keep out a Job that runs."""
    nothing, there = (Observation({}, {KEY: Sentinels(present)}, {}) for present in (False, True))
    first = settle.observed(JOB, FRESH, nothing, Turn(NOW, PACING))
    between = settle.observed(JOB, first.memory, there, Turn(at(PACING.not_yet_seconds - 1), PACING))
    assert not settle.observed(JOB, between.memory, nothing, Turn(at(PACING.not_yet_seconds), PACING)).memory.nowhere


def test_an_id_in_the_status_keeps_nobody_from_being_kept_out_and_is_kept_itself() -> None:
    """Else an id that somebody wrote would hold a place for ever; or a Run whose directory was purged would run again."""
    nothing = Observation({}, {KEY: Sentinels(False)}, {})
    first = settle.observed(WATCHED, FRESH, nothing, Turn(NOW, PACING))
    outcome = settle.observed(WATCHED, first.memory, nothing, Turn(at(PACING.not_yet_seconds), PACING))
    assert outcome.status is not None
    assert outcome.status.condition("Ready").reason == JobReason.RUN_DIRECTORY_MISSING   # type: ignore[union-attr]
    assert outcome.memory.nowhere
    told = report.kept_out(WATCHED, "closed", NOW)
    assert told is not None
    kept = replace(WATCHED, status=told)
    assert (kept.is_kept_out, kept.is_active) == (True, False)
    resumed = settle.resuming(kept, outcome.memory, NOW).status
    assert resumed is not None
    assert replace(WATCHED, status=resumed).run_id == WATCHED.run_id


def test_a_deletion_that_waits_says_for_what_once() -> None:
    """Else a Job would be in Terminating for as long as an epilog takes, and its status say that it runs."""
    deleted, told = replace(WATCHED, deleting=True), replace(FRESH, ending=Ending(StopWord.DELETE, Asked(NOW.monotonic)))
    clearing = {KEY: (Listed(KEY, "7", RunState.FINISHING, "COMPLETING"),)}
    ends = Sentinels(True, claim="7", started=(Started("7", 0, "n1", 200),), finished=(Finished("7", 0, 3, 300),))
    late, listed = at(PACING.cancel_again_seconds), Observation(clearing, {KEY: ends}, {})
    assert settle.cancel_outlasted(deleted, told, listed, Turn(at(9), PACING)).status is None, "it goes in a moment, as most do"
    outcome = settle.cancel_outlasted(deleted, told, listed, Turn(late, PACING))
    assert outcome.status is not None
    [ready] = [each for each in outcome.status.conditions if each.type == "Ready"]
    assert (ready.reason, outcome.status.phase) == (JobReason.CANCELLING, "Terminating")
    assert ready.message == "deletion waits: its script has ended with exit code 3, and job 7 is still COMPLETING on the cluster"
    assert settle.cancel_outlasted(replace(deleted, status=outcome.status), told, listed, Turn(late, PACING)).status is None
    assert settle.cancel_outlasted(deleted, told, Observation({}, {}, {}), Turn(late, PACING)).status is None


def test_an_emptied_directory_is_no_proof_that_nothing_ran() -> None:
    """A Job whose directory a purge has emptied would run again, though it has run to its end."""
    emptied = Sentinels(True, bare=True)
    left = Observation({}, {KEY: emptied}, {KEY: LastWord("7", RunState.FAILED, "FAILED", 3, source="scontrol")})
    first = settle.observed(WATCHED, FRESH, left, Turn(at(0), PACING))
    assert (first.memory.revoke, first.memory.closing) == (False, None), "the files may be there, unseen by an NFS client"
    last = settle.observed(WATCHED, first.memory, left, Turn(at(PACING.absence_seconds), PACING))
    assert last.memory.closing is not None
    assert (last.memory.closing.never_ran, last.memory.closing.exit_code) == (False, 3)
    assert settle.observed(WATCHED, FRESH, Observation({}, {KEY: Sentinels(True)}, {}), Turn(at(0), PACING)).memory.revoke
    cut_off = settle.observed(JOB, FRESH, Observation({}, {KEY: emptied}, {}), Turn(at(0), PACING))
    assert cut_off.memory.revoke, "a submission that was cut off"
