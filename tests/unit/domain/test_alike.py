"""ALIKE: one script has one verdict, whether somebody watched its end or came when the scheduler had long forgotten it."""

from dataclasses import dataclass, replace

import pytest

from fairlead.api.v1alpha1.reasons import JobReason
from fairlead.domain.pacing import Pacing, Turn
from fairlead.domain.run.memory import Memory
from fairlead.domain.run.observation import Finished, LastWord, Listed, Observation, Sentinels, Started
from fairlead.domain.run.run import RunState, StopWord
from product import settled as settle
from product.objects import KEY, NOW, a_job, submitted

JOB = a_job(status=submitted(), backoffLimit=0)
S = RunState


@dataclass(frozen=True)
class Script:
    """What becomes of a script: its exit code (None: killed with its wrapper), what its wrapper adds, and the scheduler's words.

    `heard` is the scheduler's answer when the script was told to end, None if it gave none; `word` is its last.
    """

    code: int | None
    words: frozenset[str]
    heard: RunState | None
    word: RunState
    reason: JobReason
    stop: StopWord | None = None


def script(code: int | None, words: str, heard: RunState | None, word: RunState, reason: JobReason, **more: StopWord) -> Script:
    return Script(code, frozenset(words.split()), heard, word, reason, **more)


SCRIPTS = {
    "ends well": script(0, "", None, S.COMPLETED, JobReason.COMPLETED),
    "fails": script(3, "", None, S.FAILED, JobReason.NON_ZERO_EXIT_CODE),
    "fails as xargs does": script(123, "", None, S.FAILED, JobReason.NON_ZERO_EXIT_CODE),
    "fails as timeout does": script(124, "", None, S.FAILED, JobReason.NON_ZERO_EXIT_CODE),
    "ends itself by TERM": script(143, "", S.RUNNING, S.FAILED, JobReason.SIGNALED),
    "ends itself by KILL": script(137, "", None, S.FAILED, JobReason.SIGNALED),
    "saves its work at the limit": script(0, "TERM limit", S.TIMED_OUT, S.TIMED_OUT, JobReason.TIME_LIMIT_EXCEEDED),
    "the same, and its limit was changed": script(0, "TERM", S.TIMED_OUT, S.TIMED_OUT, JobReason.TIME_LIMIT_EXCEEDED),
    "the same, and slurmctld was away": script(0, "TERM limit", None, S.TIMED_OUT, JobReason.TIME_LIMIT_EXCEEDED),
    "fails at the limit": script(3, "TERM limit", S.TIMED_OUT, S.TIMED_OUT, JobReason.TIME_LIMIT_EXCEEDED),
    "dies at the limit before its wrapper hears of it": script(143, "", S.TIMED_OUT, S.TIMED_OUT, JobReason.TIME_LIMIT_EXCEEDED),
    "is deaf at the limit": script(None, "", S.TIMED_OUT, S.TIMED_OUT, JobReason.TIME_LIMIT_EXCEEDED),
    "ends well in the moment of its limit": script(0, "", None, S.TIMED_OUT, JobReason.COMPLETED),
    "fails in the moment of its limit": script(3, "", None, S.TIMED_OUT, JobReason.NON_ZERO_EXIT_CODE),
    "is warned by USR1 and goes on": script(0, "USR1", None, S.COMPLETED, JobReason.COMPLETED),
    "is warned by USR1, and at the limit": script(0, "USR1 TERM limit", S.TIMED_OUT, S.TIMED_OUT, JobReason.TIME_LIMIT_EXCEEDED),
    "is warned by a TERM of its own wish": script(0, "TERM", S.RUNNING, S.COMPLETED, JobReason.COMPLETED),
    "the same, past the limit that the site allows": script(0, "TERM limit", S.RUNNING, S.COMPLETED, JobReason.COMPLETED),
    "is cancelled, and saves its work": script(0, "TERM", S.CANCELLED, S.CANCELLED, JobReason.CANCELLED_EXTERNALLY),
    "is cancelled, and fails": script(7, "TERM", S.CANCELLED, S.CANCELLED, JobReason.CANCELLED_EXTERNALLY),
    "is cancelled, and deaf": script(None, "", S.CANCELLED, S.CANCELLED, JobReason.CANCELLED_EXTERNALLY),
    "ended well before a slurmctld of yesterday called it cancelled": script(0, "", None, S.CANCELLED, JobReason.COMPLETED),
    "is preempted": script(0, "TERM", S.PREEMPTED, S.PREEMPTED, JobReason.PREEMPTED),
    "its node fails": script(143, "TERM", S.NODE_FAILED, S.NODE_FAILED, JobReason.NODE_FAILURE),
    "its node fails when it has ended": script(0, "", None, S.NODE_FAILED, JobReason.COMPLETED),
    "loses a child to the memory limit": script(0, "oom", None, S.OUT_OF_MEMORY, JobReason.OOM_KILLED),
    "is killed by the memory limit": script(137, "oom", None, S.OUT_OF_MEMORY, JobReason.OOM_KILLED),
    "loses a child to the node's memory": script(0, "oom", None, S.COMPLETED, JobReason.OOM_KILLED),
    "never begins": script(123, "unbegun", None, S.FAILED, JobReason.RETRYING),
    "is cancelled in its profile": script(143, "TERM unbegun", S.CANCELLED, S.CANCELLED, JobReason.CANCELLED_EXTERNALLY),
    "hangs in its profile up to the limit": script(143, "TERM limit unbegun", S.TIMED_OUT, S.TIMED_OUT, JobReason.RETRYING),
    "may have begun": script(123, "unsure", None, S.FAILED, JobReason.ENVIRONMENT_FAILURE),
    "is set aside": script(0, "TERM", None, S.COMPLETED, JobReason.JOB_RESUMED, stop=StopWord.SUSPEND),
    "is past its deadline": script(0, "TERM", None, S.COMPLETED, JobReason.DEADLINE_EXCEEDED, stop=StopWord.DEADLINE),
    "had ended before it could be set aside": script(0, "", None, S.COMPLETED, JobReason.COMPLETED, stop=StopWord.LATE),
}
WATCHED = ("in the listing", "by scontrol", "by the books", "by nobody")


def seen(script: Script, watched: str) -> Observation:
    """What a poll finds of it."""
    ends = () if script.code is None else (Finished("7", 0, script.code, 200, script.words),)
    heard = LastWord("7", script.heard, script.heard.name, source="node") if script.heard else None
    directory = Sentinels(True, claim="7", started=(Started("7", 0, "n1", 100),), finished=ends, word=heard, stop=script.stop)
    listed = {KEY: (Listed(KEY, "7", script.word, script.word.name),)} if watched == "in the listing" else {}
    source = {"by scontrol": "scontrol", "by the books": "sacct"}.get(watched)
    records = {KEY: LastWord("7", script.word, script.word.name, source=source)} if source else {}
    return Observation(listed, {KEY: directory}, records)


def verdict(observation: Observation) -> JobReason:
    """How the Job is told to have ended. An end that nobody wrote is told once the cancel script has run on it."""
    pacing = replace(Pacing(), absence_seconds=0.0)
    outcome = settle.observed(JOB, replace(Memory(1), claim="7"), observation, Turn(NOW, pacing))
    if outcome.memory.closing:
        return outcome.memory.closing.reason
    assert outcome.status is not None
    told = {each.type: each for each in outcome.status.conditions}
    return JobReason(told["Ready"].reason)


@pytest.mark.parametrize("watched", WATCHED)
@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)
def test_a_script_has_one_verdict_however_it_was_watched(script: Script, watched: str) -> None:
    """The same script would be complete at night, when nobody looked, and failed by day."""
    assert verdict(seen(script, watched)) == script.reason


def test_what_nobody_can_know_is_no_success_and_says_so() -> None:
    """A script that was cut short would pass for a success, since slurmctld was away when it was told to end."""
    unknown = script(0, "TERM", None, S.UNKNOWN, JobReason.END_UNEXPLAINED)
    assert verdict(seen(unknown, "by nobody")) is JobReason.END_UNEXPLAINED
    assert verdict(seen(replace(unknown, word=S.COMPLETED), "by the books")) is JobReason.COMPLETED
    assert verdict(seen(replace(unknown, word=S.CANCELLED), "by the books")) is JobReason.CANCELLED_EXTERNALLY
