"""What must never happen, looked at where it would: at a start, a cancellation, an end, a release. The words head a trace."""

from typing import Final

from model.draft import Draft, put
from model.state import ANOTHERS, GONE, LIVE, NEVER_OPEN, OPEN, REVOKED, SETTLED, SUBMIT, UNBORN, Script, Start, State

TWICE: Final = "a script was started twice in one attempt"
BESIDE: Final = "an attempt starts beside another that runs, or after it"
CLOSED: Final = "an attempt starts that was closed as one that never will"
AFTER_END: Final = "a script starts after its Job has ended"
AFTER_DELETION: Final = "a script starts after its object was deleted and nothing was said to be left"
RUNS_ON: Final = "an object is released while its script runs"
RAN: Final = "an attempt that ran is said never to have run"
NOT_ENDED: Final = "Complete, yet no start of it ended with 0"
OLDER: Final = "Complete by the `finished` of an older start"
OUR_OWN: Final = "Failed, because a suspension had cancelled it"
STRANGER: Final = "a cancellation hits another object's job"
DUPLICATE: Final = "the job that holds the claim is cancelled as a duplicate"
REFUSAL: Final = "the job that holds the claim is cancelled for a refusal of another submission"
SWEPT: Final = "the sweep revokes the Run of an object that is there"
OUTSIDER: Final = "a script starts on a Cluster that never admitted its Job"
ORPHANED: Final = "the sweep revokes an orphaned Run"
NO_END: Final = "there is no way to an end"
REMAINS: Final = "something is left for ever"

LIMIT: Final = "limit, "
"""In front of what no file operation closes; `docs/protocol.md` says so."""
FORGOTTEN: Final = f"{LIMIT}by a start that the scheduler has forgotten: "
BETWEEN: Final = f"{LIMIT}by an id that changed hands between the look and scancel, to a job of the same name: "


def starts(draft: Draft, start: Start, tasks: int, requeue: bool) -> None:
    """The user's script is about to begin."""
    history, place = draft.history, start.attempt - 1
    task = place * tasks + start.task
    count = history.starts[task]
    others = [other for other in draft.starts if other.attempt != start.attempt and other.at == "end"]
    last = history.last if start.forgotten else put(history.last, place, max(start.number, history.last[place]))
    draft.history = history._replace(starts=put(history.starts, task, min(count + 1, 2)), last=last)
    later_began = any(history.starts[(place + 1) * tasks:])
    if count and not requeue:
        draft.broken = TWICE
    elif history.released:
        draft.broken = AFTER_DELETION
    elif later_began or any(not history.judged_lost[other.attempt - 1] for other in others):
        draft.broken = BESIDE
    elif history.closed[place]:
        draft.broken = CLOSED
    elif draft.end:
        draft.broken = AFTER_END
    elif draft.admission == NEVER_OPEN:
        draft.broken = OUTSIDER
    if draft.broken and start.forgotten and draft.broken != TWICE:
        draft.broken = FORGOTTEN + draft.broken


def cancels(draft: Draft, script: Script, attempt: int, job_id: int, looked: bool) -> None:
    """A job is about to be told to end. `looked`: it was listed under the key before, and is named to scancel."""
    claim = draft.directories[attempt - 1].claim if attempt != ANOTHERS else None
    holds = claim is not None and claim != REVOKED and claim.id == job_id
    if attempt == ANOTHERS:
        draft.broken = BETWEEN * looked + STRANGER
    elif holds and script.why == "duplicate":
        draft.broken = DUPLICATE
    elif holds and script.why == "refused" and draft.object == LIVE:
        draft.broken = REFUSAL


def revokes(draft: Draft, script: Script) -> None:
    """A script of the sweep is about to revoke a directory."""
    if script.why == "sweep" and draft.object == LIVE:
        draft.broken = SWEPT
    elif script.why == "sweep" and draft.history.orphaned[script.attempt - 1]:
        draft.broken = ORPHANED


def is_released(draft: Draft) -> None:
    """A deletion is done, or a debt is paid: nothing runs, nothing will."""
    draft.history = draft.history._replace(released=True)
    running = [start for start in draft.starts if start.at == "end"]
    if running:
        draft.broken = FORGOTTEN * all(start.forgotten for start in running) + RUNS_ON


def never_ran(draft: Draft, attempt: int, tasks: int) -> None:
    """The status says that an attempt never ran and never will.

    Of an object that is being deleted nothing follows from that: its tombstones say `revoked` of what ran, and who slept since before the
    deletion reads them so.
    """
    place = attempt - 1
    if draft.object == LIVE and any(draft.history.starts[place * tasks:(place + 1) * tasks]):
        draft.broken = RAN


def ends(draft: Draft, end: str, attempt: int) -> None:
    """The status says Complete or Failed."""
    last, good = draft.history.last[attempt - 1], draft.history.good[attempt - 1]
    if end == "Complete" and good < last:
        draft.broken = OLDER if good >= 0 else NOT_ENDED
    elif end == "Complete" and good < 0:
        draft.broken = NOT_ENDED
    elif end == "Failed" and draft.history.stopped[attempt - 1]:
        draft.broken = OUR_OWN


def is_settled(state: State) -> bool:
    """Whether all has come to its end: the Job has ended or waits to be resumed, or its object is gone and nothing is left but tombstones
    and orphans."""
    if state.object == UNBORN:
        return True
    if state.object == LIVE:
        begun = state.held and state.status.attempt
        waits = state.suspended and (not begun or (state.status.phase == SUBMIT and state.status.why in {"suspended", "stopped"}))
        return waits or _is_kept_out(state) or (bool(state.end) and not state.held)
    return state.object == GONE and not state.ledger and not any(job.attempt for job in state.jobs) and not state.starts and all(
        directory in SETTLED or orphaned for directory, orphaned in zip(state.directories, state.history.orphaned, strict=True))


def _is_kept_out(state: State) -> bool:
    """Whether it waits to be admitted, with nothing of it on the cluster."""
    under_way = state.starts or state.scripts or any(job.attempt for job in state.jobs)
    return state.admission != OPEN and not state.end and state.status.phase == SUBMIT and not under_way
