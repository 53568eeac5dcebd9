"""Every state of a Job: all that the functions which write its status can make of each other's, in any order."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import fairlead
from fairlead.api.v1alpha1.job import JobStatus
from fairlead.api.v1alpha1.reasons import JobReason
from fairlead.domain.job import report
from fairlead.domain.job.job import Job
from fairlead.domain.run.endings import REASON_OF_STATE
from fairlead.domain.run.evidence import Ended
from fairlead.domain.run.memory import Closing
from fairlead.domain.run.observation import Finished, Listed, Started
from fairlead.domain.run.retry import Again, Over
from fairlead.domain.run.run import RunState
from fairlead.domain.run.states import SAID_OF_STATE
from product.objects import KEY, a_job
from product.states import LATER, Meant, State, body


@dataclass(frozen=True, slots=True)
class _Reached:
    """A Job after a step. `parked`: nothing of it is on the cluster until it is resumed."""

    job: Job
    meant: Meant
    parked: bool = False


@dataclass(frozen=True, slots=True)
class Used:
    """The Job's reasons by what the code makes of them."""

    waits: frozenset[JobReason]
    closings: frozenset[JobReason]
    events: frozenset[JobReason]


@cache
def used() -> Used:
    """Read from the source: a reason in `Closing(...)` ends an attempt, one in `EventNote(...)` is told, others of the engine are waits."""
    waits: set[JobReason] = set()
    closings = set(REASON_OF_STATE.values()) | {JobReason.BACKOFF_LIMIT_EXCEEDED}
    events: set[JobReason] = set()
    for file in Path(fairlead.__file__).parent.rglob("*.py"):
        for reason, calls in _mentions(ast.parse(file.read_text(encoding="utf-8"))):
            if "EventNote" in calls:
                events.add(reason)
            elif "Closing" in calls or file.name == "endings.py":
                closings.add(reason)
            elif {"waiting", "Waiting"} & set(calls) or "engine" in file.relative_to(Path(fairlead.__file__).parent).parts:
                waits.add(reason)
    return Used(frozenset(waits - events), frozenset(closings), frozenset(events))


def _mentions(node: ast.AST, calls: tuple[str, ...] = ()) -> Iterator[tuple[JobReason, tuple[str, ...]]]:
    """Each `JobReason.WORD` with the names of the calls around it."""
    if isinstance(node, ast.Call):
        calls = (*calls, node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", ""))
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "JobReason":
        yield JobReason[node.attr], calls
    for child in ast.iter_child_nodes(node):
        yield from _mentions(child, calls)


def of_jobs() -> list[State]:
    """Those of a Job: all that its steps can make of each other's, in any order, until nothing new comes."""
    first = _Reached(a_job(has_finalizer=False, backoffLimit=1), Meant.GOES_ON)
    known: dict[object, _Reached] = {}
    begun_from: set[object] = set()
    fresh = [first]
    while fresh:
        reached = fresh.pop()
        structure, reason = _signature(reached)
        if known.setdefault((structure, reason), reached) is reached and structure not in begun_from:
            begun_from.add(structure)
            fresh += _steps(reached)
    return [state for reached in known.values() for state in _seen(reached)]


def _signature(reached: _Reached) -> tuple[object, object]:
    """What tells two states apart: first what the next step looks at, then what each step writes anew.

    The reasons of the other conditions are those of Ready, or older ones of it: with them there would be hundreds of thousands of states.
    """
    job, ready = reached.job, reached.job.status.condition("Ready")
    said = tuple((each.type, each.status) for each in job.status.conditions)
    rest = (job.spec.suspend, job.deleting, job.is_begun, bool(job.run_id), job.is_kept_out, job.is_parked, job.is_being_parked)
    return (said, rest), (ready.reason if ready else "", reached.meant)


def _seen(reached: _Reached) -> Iterator[State]:
    job, meant = reached.job, reached.meant
    if reached.parked:                  # who has said that it goes on sees it go on, though the controller has not looked yet
        meant = Meant.SET_ASIDE if job.spec.suspend else Meant.GOES_ON
    ready = job.status.condition("Ready")
    yield State(body(job, job.status if ready else None), Meant.GOING if job.deleting else meant, ready.reason if ready else "")


def _steps(reached: _Reached) -> Iterator[_Reached]:
    """What can be made of a Job next, by every function that writes a Job's status, and by a person."""
    job = reached.job
    if job.ended:
        return
    if job.deleting:
        yield from _written(reached, Meant.GOING, *_deleting(job), *_beset(job))
        return
    yield replace(reached, job=replace(job, deleting=True), meant=Meant.GOING)
    yield replace(reached, job=replace(job, spec=job.spec.having(suspend=not job.spec.suspend)))
    yield from _written(reached, Meant.GOES_ON, *_beset(job))
    yield from _written(reached, Meant.GOES_ON, *(report.waiting(job, reason, "x", LATER) for reason in sorted(used().waits)))
    if reached.parked:
        yield from _written(replace(reached, parked=False), Meant.GOES_ON, report.resumed(job, LATER), report.taken_up(job, LATER))
        return
    if job.spec.suspend:
        yield from _written(reached, Meant.GOES_ON, report.parking(job, LATER))
        yield from _written(replace(reached, parked=True), Meant.SET_ASIDE, report.parked(job, LATER))
    if not job.is_begun:
        yield from _written(reached, Meant.GOES_ON, report.taken_up(job, LATER))
        return
    yield from _written(reached, Meant.GOES_ON, report.kept_out(job, "x", LATER), report.accepted(job, "7", LATER))
    if job.run_id:
        yield from _of_a_run(reached)


def _deleting(job: Job) -> tuple[JobStatus | None, ...]:
    return tuple(report.deleting(job, "no answer", reason, LATER) for reason in (JobReason.CLUSTER_UNREACHABLE, JobReason.CANCELLING))


def _beset(job: Job) -> Iterator[JobStatus | None]:
    return (report.beset(job, reason, "x", LATER) for reason in (JobReason.INTERNAL_ERROR, JobReason.WRITE_REFUSED))


def _of_a_run(reached: _Reached) -> Iterator[_Reached]:
    job = reached.job
    for state in SAID_OF_STATE:
        row = Listed(KEY, "7", state, state.name, "", "n1", None, None)
        meant = {RunState.HELD: Meant.SET_ASIDE, RunState.SUSPENDED: Meant.SET_ASIDE, RunState.STUCK: Meant.STUCK}.get(state, Meant.GOES_ON)
        yield from _written(reached, meant, report.live(job, row, LATER, detailed=True))
    yield from _written(reached, Meant.GOES_ON, report.unexplained(job, "x", LATER))
    yield from _written(reached, Meant.STRANDED, report.vanished(job, "x", LATER))
    ended = Ended(Finished("7", 0, 0, 300), Started("7", 0, "n1", 200), RunState.COMPLETED, "COMPLETED", None, "squeue")
    yield from _written(reached, Meant.DONE, report.complete(job, ended, LATER))
    for reason in sorted(used().closings):
        closing = Closing(reason, "x")
        if reason is JobReason.JOB_SUSPENDED:
            parked = replace(reached, parked=job.spec.suspend)
            yield from _written(parked, Meant.GOES_ON, report.set_aside(job, closing, LATER, 0.0, None))
        else:
            yield from _written(reached, Meant.FAILED, report.failed(job, closing, Over(reason, "x", 1, 0), LATER, None))
    closing = Closing(JobReason.LOST, "x")
    yield from _written(reached, Meant.GOES_ON, report.retrying(job, closing, Again(1.0, 1, 0, "x"), LATER, None))


def _written(reached: _Reached, meant: Meant, *statuses: JobStatus | None) -> Iterator[_Reached]:
    for status in statuses:
        if status is not None:
            yield replace(reached, job=replace(reached.job, has_finalizer=True, status=status), meant=meant)
