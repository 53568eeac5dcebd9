"""A Session's status as a whole: what is said is put in, and from that follow Ready and the end of its time.

Ready is nobody's own word: the process runs, its Service is there, a gateway has a way to it, and says that it answers.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from fairlead.api.v1alpha1.meta import Condition
from fairlead.api.v1alpha1.reasons import JobReason, SessionCondition, SessionReason
from fairlead.api.v1alpha1.session import ServiceReference, SessionPhase, SessionStatus
from fairlead.domain.conditions import Says, is_true, moment, told
from fairlead.domain.kinds import Report
from fairlead.domain.objects import EventNote
from fairlead.domain.pacing import Now
from fairlead.domain.run.service import KeptService, NoService, ProcessState, Served, TunnelState
from fairlead.domain.session.session import Session
from fairlead.domain.session.session_life import NOT_RUNNING, expiration, lived, with_fields

_ENDED: Final = frozenset({SessionPhase.ENDED, SessionPhase.FAILED})   # not watched any more, so no generation is waited for
_TUNNEL: Final[dict[TunnelState | None, Says]] = {
    None: Says(SessionCondition.TUNNEL_READY, False, SessionReason.NO_TUNNEL, "no gateway has opened a way to the process yet"),
    TunnelState.OPENING: Says(SessionCondition.TUNNEL_READY, False, SessionReason.TUNNEL_OPENING, "a gateway opens a way to the process"),
    TunnelState.OPEN: Says(SessionCondition.TUNNEL_READY, True, SessionReason.TUNNEL_OPEN),
    TunnelState.BROKEN: Says(SessionCondition.TUNNEL_READY, False, SessionReason.TUNNEL_BROKEN,
                             "the way to the process is broken; the gateway tries again"),
}
_NOT_RUNNING: Final = tuple(
    Says(kind, False, SessionReason.NOT_RUNNING) for kind in (SessionCondition.TUNNEL_READY, SessionCondition.PROCESS_READY))


def served(session: Session, seen: Served, now: Now) -> Report:
    """What is known of its Service and of the way to its process."""
    phase, before = SessionPhase(session.status.phase or SessionPhase.PENDING), session.status
    says = [_TUNNEL[seen.tunnel], _process(session, seen)] if phase is SessionPhase.RUNNING else [*_NOT_RUNNING]
    fields: dict[str, object] = {}
    events: tuple[EventNote, ...] = ()
    match seen.service:
        case KeptService(name, port, address):
            says.append(Says(SessionCondition.SERVICE_READY, True, SessionReason.SERVICE_MADE, f"{address}, port {port}"))
            fields = {"service_ref": ServiceReference(name=name, cluster_ip=address, port=port), "url": _url(session, port)}
        case NoService(taken, message):
            reason = SessionReason.NAME_TAKEN if taken else SessionReason.SERVICE_REFUSED
            says.append(Says(SessionCondition.SERVICE_READY, False, reason, message))
            fields = {"service_ref": None, "url": None}
            if _reason(before.conditions, SessionCondition.SERVICE_READY) != reason:
                events = (EventNote("Warning", reason, message, "Serve"),)
    status = rewritten(session, now, phase, says, **fields)
    told_of = lived(session if status is None else replace(session, status=status), seen, now)
    return Report() if told_of.status == before else Report(told_of.status, (*events, *told_of.events))


def _process(session: Session, seen: Served) -> Says:
    """Whether it answers. That it takes connections is enough where nothing else is asked for."""
    kind, way = SessionCondition.PROCESS_READY, _TUNNEL[seen.tunnel]
    if seen.tunnel is not TunnelState.OPEN:
        return Says(kind, None, way.reason, way.message)
    if session.asked is not None and seen.process is not ProcessState.READY:
        return Says(kind, False, SessionReason.NOT_ANSWERING, "the process takes connections, and does not answer yet as readiness says")
    return Says(kind, True, SessionReason.ANSWERS)


def rewritten(session: Session, now: Now, phase: SessionPhase, says: Sequence[Says], **fields: object) -> SessionStatus | None:
    """The status with these conditions and fields, and with what follows from them; None if nothing that a person reads has changed."""
    before = session.status
    if is_true(before.conditions, SessionCondition.STALLED) and all(each.type is not SessionCondition.STALLED for each in says):
        says = [*says, Says(SessionCondition.STALLED, False, says[-1].reason)]
    if phase is not SessionPhase.RUNNING:
        over = [each for each in (*_NOT_RUNNING, *NOT_RUNNING) if before.condition(each.type)]
        kinds = {each.type for each in over}
        says = [*(each for each in says if each.type not in kinds), *over]
    conditions = told(before.conditions, says, now.wall, session.generation)
    if phase is SessionPhase.RUNNING and _may_be_ready(says, before.conditions):
        conditions = told(conditions, (_readiness(conditions),), now.wall, session.generation)
    status = before.having(**fields | {
        "phase": phase, "host": session.host or None, "conditions": conditions,
        "observed_generation": None if phase in _ENDED else session.generation,
    })
    if status.ready_since is None and phase is SessionPhase.RUNNING and is_true(conditions, SessionCondition.PROCESS_READY):
        status = status.having(ready_since=moment(now.wall))
    status = with_fields(status, expiration_time=None if phase in _ENDED else expiration(replace(session, status=status)))
    return None if status == before else status


def _may_be_ready(says: Iterable[Says], before: Iterable[Condition]) -> bool:
    """Whether Ready follows from the others: nothing is said now, or was said before and still holds, of what keeps it from being so."""
    said = {each.type: each for each in says}
    if SessionCondition.READY in said:
        return False
    if SessionCondition.ALLOCATED in said:
        return said[SessionCondition.ALLOCATED].status is True
    return _reason(before, SessionCondition.READY) in _FOLLOWS


def _readiness(conditions: tuple[Condition, ...]) -> Says:
    for kind in (SessionCondition.SERVICE_READY, SessionCondition.TUNNEL_READY, SessionCondition.PROCESS_READY):
        found = next((each for each in conditions if each.type == kind), None)
        if found is None:
            return Says(SessionCondition.READY, False, JobReason.RUNNING, "the process runs; its Service is being made")
        if found.status != "True":
            return Says(SessionCondition.READY, False, found.reason, found.message)
    return Says(SessionCondition.READY, True, SessionReason.READY)


_FOLLOWS: Final = frozenset({
    JobReason.RUNNING, SessionReason.READY, SessionReason.NAME_TAKEN, SessionReason.SERVICE_REFUSED, SessionReason.SERVICE_MADE,
    *(each.reason for each in _TUNNEL.values()), SessionReason.NOT_RUNNING, SessionReason.NOT_ANSWERING, SessionReason.ANSWERS,
})
"""Reasons of Ready that follow from the other conditions."""


def _reason(conditions: Iterable[Condition], kind: str) -> str:
    return next((each.reason for each in conditions if each.type == kind), "")


def _url(session: Session, port: int) -> str:
    place = f"http://{session.ref.name}.{session.ref.namespace}.svc"
    return place if port == 80 else f"{place}:{port}"
