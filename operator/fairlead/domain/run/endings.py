"""How a Run's end becomes a Job's: the reason and the sentence a person reads."""

import signal as signals
from dataclasses import replace

from fairlead.api.v1alpha1.names import WrapperExit
from fairlead.api.v1alpha1.reasons import JobReason
from fairlead.domain.run.evidence import Broken, Ended, NeverRan
from fairlead.domain.run.memory import Closing
from fairlead.domain.run.observation import EndWord, Listed, Observation
from fairlead.domain.run.owner import RunOwner
from fairlead.domain.run.run import RunState, StopWord

REASON_OF_STATE: dict[RunState, JobReason] = {
    RunState.TIMED_OUT: JobReason.TIME_LIMIT_EXCEEDED,
    RunState.OUT_OF_MEMORY: JobReason.OOM_KILLED,
    RunState.NODE_FAILED: JobReason.NODE_FAILURE,
    RunState.BOOT_FAILED: JobReason.BOOT_FAILURE,
    RunState.PREEMPTED: JobReason.PREEMPTED,
    RunState.CANCELLED: JobReason.CANCELLED_EXTERNALLY,
}
"""Scheduler's words that say why a Run ended, whatever its exit code. The others leave it to the exit code."""
_TERMINATED = 128 + signals.SIGTERM

_NOT_SHARED = ("the compute node did not find the work folder that the login node has: set the Cluster's workDir to a folder on a "
               "file system that all nodes share")
_PROFILE = "look for exit or exec in its profile, or leave that out by loginShell: false"
_SENTENCE: dict[JobReason, str] = {
    JobReason.TIME_LIMIT_EXCEEDED: "the scheduler ended the job at its time limit: raise timeLimit",
    JobReason.OOM_KILLED: "the job used more memory than it had: raise memory",
    JobReason.NODE_FAILURE: "a node of the job failed",
    JobReason.BOOT_FAILURE: "a node of the job could not be started",
    JobReason.PREEMPTED: "the scheduler took the job's nodes for another",
    JobReason.CANCELLED_EXTERNALLY: "somebody cancelled the job on the cluster",
    JobReason.END_UNEXPLAINED: "the script was told to end (TERM), and why is not known any more: it may have been cut short",
}


def of_stopped(job: RunOwner, observation: Observation, told: StopWord | None, end: Ended | Broken | NeverRan) -> Closing | None:
    """How a Run that we have told to end is judged, by the word that was left in its directory; None if its own end counts.

    `told` is that word as it is remembered, should the directory not have taken it (a full disk).
    """
    sentinels = observation.sentinels.get(job.key)
    word = (sentinels.stop if sentinels else None) or told
    if word is StopWord.SUSPEND:
        reason, message = JobReason.JOB_SUSPENDED, "set aside by spec.suspend"
    elif word is StopWord.DEADLINE:
        reason, message = JobReason.DEADLINE_EXCEEDED, f"activeDeadlineSeconds are over ({job.active_deadline_seconds} s)"
    else:
        return None
    match end:
        case Ended(finished=finished):
            return Closing(reason, message, exit_code=finished.exit_code, signal=_signal(finished.exit_code), word=end.word)
        case Broken():
            code, signal = end.exit_code or None, end.signal or None
            return Closing(reason, message, exit_code=code, signal=signal, word=end.word, without_end=True, tracking=end.tracking)
        case NeverRan():
            return Closing(reason, message, never_ran=True, word=end.word)


def of_hopeless(row: Listed) -> Closing | None:
    """Why a job that waits will wait for ever, in Slurm's word for it; None if its turn may come.

    Other reasons that look so clear when an administrator changes a limit (PartitionTimeLimit, AssocMaxJobsLimit).
    """
    if row.state is not RunState.PENDING or row.reason != "DependencyNeverSatisfied":
        return None
    message = f"job {row.id} waits for a job that did not end as it must (dependency), and would wait for ever"
    return Closing(JobReason.DEPENDENCY_NEVER_SATISFIED, message, refused=True, word=row.word)


def of_ended(ended: Ended) -> Closing | None:
    """How a Run that wrote `finished` failed, or None if it did not: exit code 0, and nothing that speaks against it."""
    code = ended.finished.exit_code
    if {EndWord.UNBEGUN, EndWord.UNSURE} & ended.finished.words:
        return _of_unbegun(ended)
    if reason := _cause(ended):
        return Closing(reason, f"{_SENTENCE[reason]} (exit code {code})", exit_code=code, signal=_signal(code), word=ended.word)
    return None if code == 0 else _by_code(code, 0, ended.word)


def _cause(ended: Ended) -> JobReason | None:
    """ALIKE: why a Run ended, if not of itself; by what its wrapper has written down, so that it is the same if nobody watched.

    A scheduler's word for an end from outside counts only if the script was told to end. slurmctld, back from an older state, starts a job
    that has ended once more, in vain, and calls it cancelled; and a script may end of itself in the moment of its time limit.
    """
    words, code = ended.finished.words, ended.finished.exit_code
    if ended.state is RunState.OUT_OF_MEMORY or EndWord.OUT_OF_MEMORY in words:
        return JobReason.OOM_KILLED
    if EndWord.TERM not in words and code != _TERMINATED:
        return None
    if reason := REASON_OF_STATE.get(ended.state):
        return reason
    if ended.state is RunState.UNKNOWN and not ended.asked and EndWord.LIMIT in words:
        return JobReason.TIME_LIMIT_EXCEEDED
    if ended.state is RunState.UNKNOWN and not ended.asked and code == 0:
        return JobReason.END_UNEXPLAINED
    return None


def _of_unbegun(ended: Ended) -> Closing:
    """The login shell, or what it was to run, came to its end before the script. The scheduler may have seen to that."""
    code = ended.finished.exit_code
    if reason := _cause(ended):
        message = f"{_SENTENCE[reason]}; it ended before the script began"
        return Closing(reason, message, never_ran=not ended.began, exit_code=code, word=ended.word)
    if code == WrapperExit.OUTPUT and EndWord.UNBEGUN in ended.finished.words:
        where = ended.log.stdout_path if ended.log else "of the job"
        message = (f"the output file {where} could not be opened on the compute node, so the script was not started: "
                   "check workingDir, stdoutPath and stderrPath")
        return Closing(JobReason.OUTPUT_NOT_WRITABLE, message, exit_code=code, word=ended.word)
    if EndWord.UNSURE in ended.finished.words:
        message = "the script's run directory was changed while it ran, so it cannot be told whether the script began: it may have run"
    else:
        message = f"the login shell ended before the script began, with exit code {code}: {_PROFILE}"
    return Closing(JobReason.ENVIRONMENT_FAILURE, message, never_ran=not ended.began, exit_code=code, word=ended.word)


def of_broken(broken: Broken) -> Closing:
    """How a claimed Run without `finished` is judged. Silence is never Complete: COMPLETED, or no word at all, is Lost."""
    return replace(_of_broken(broken), without_end=True, tracking=broken.tracking)


def _of_broken(broken: Broken) -> Closing:
    if broken.emptied and broken.exit_code in {0, WrapperExit.ENVIRONMENT} and broken.state not in REASON_OF_STATE:
        said = f"the scheduler says {_words(broken)}" if broken.word else "the scheduler does not know it any more"
        why = f"somebody has emptied the run directory of job {broken.claim}, a script or a purge of old files: {said}; it may have run"
        return Closing(JobReason.LOST, why, word=broken.word)
    if not broken.began or (broken.started is None and broken.exit_code == WrapperExit.ENVIRONMENT):
        why = "something of the run directory is missing there, or the disk is full"
        doubt = "; nothing proves that, so it may have run" if broken.began else ""
        message = f"the compute node could not start the script: {why}{doubt}"
        return Closing(JobReason.ENVIRONMENT_FAILURE, message, never_ran=not broken.began, exit_code=broken.exit_code, word=broken.word)
    if reason := REASON_OF_STATE.get(broken.state):
        return Closing(reason, _SENTENCE[reason], exit_code=broken.exit_code or None, signal=broken.signal or None, word=broken.word)
    if broken.state is RunState.FAILED and (broken.exit_code or broken.signal):
        return _by_code(broken.exit_code, broken.signal, broken.word)
    said = f"the scheduler says {_words(broken)}" if broken.word else "the scheduler does not know it any more"
    why = f"job {broken.claim} left the queue and the node wrote no end: {said}; it may have run"
    return Closing(JobReason.LOST, why, word=broken.word)


def of_never_ran(never: NeverRan) -> Closing:
    """How a Run that was revoked before any claim is judged: somebody's `scancel` is a wish, all else the infrastructure's fault."""
    if never.state is RunState.CANCELLED:
        return Closing(JobReason.CANCELLED_EXTERNALLY, "somebody cancelled the job on the cluster before it started", word=never.word)
    if never.left_no_sign:
        return Closing(JobReason.NOT_SHARED, _NOT_SHARED, never_ran=True, word=never.word)
    if never.unopened:
        path, node = never.unopened.path or "of the Job", never.unopened.node or "its compute node"
        message = (f"the scheduler could not open the output file {path} on {node}, so the script was not started: set stdoutPath, "
                   "stderrPath and workingDir to folders in which the Cluster's user may write there, as on the login node")
        return Closing(JobReason.OUTPUT_NOT_WRITABLE, message, never_ran=True, word=never.word)
    said = f": the scheduler said {_words(never)}" if never.word else ""
    return Closing(JobReason.NEVER_STARTED, f"the job left the queue without having started{said}", never_ran=True, word=never.word)


def _words(said: Broken | NeverRan) -> str:
    return f"{said.word} {said.reason}".strip()


def _by_code(code: int, signal: int, word: str) -> Closing:
    number = signal or _signal(code)
    if number:
        try:
            name = signals.Signals(number).name
        except ValueError:
            name = f"signal {number}"
        said = f"the script was ended by {name}, or exited with {128 + number} itself"
        return Closing(JobReason.SIGNALED, said, exit_code=code, signal=number, word=word)
    return Closing(JobReason.NON_ZERO_EXIT_CODE, f"the script exited with code {code}", exit_code=code, word=word)


def _signal(code: int) -> int | None:
    return code - 128 if 128 < code <= 128 + 64 else None
