"""How long a Session goes on: since when nothing is carried for its clients, when it will be ended, and the warning before that."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Final

from fairlead.api.v1alpha1.meta import as_timestamp
from fairlead.api.v1alpha1.reasons import SessionCondition, SessionReason
from fairlead.api.v1alpha1.session import SessionPhase, SessionStatus
from fairlead.domain.conditions import Says, is_true, moment, told
from fairlead.domain.kinds import Report
from fairlead.domain.objects import EventNote
from fairlead.domain.pacing import Now
from fairlead.domain.run.service import Served, TunnelState
from fairlead.domain.session.session import Session

_IDLE, _EXPIRING, _READY = SessionCondition.IDLE, SessionCondition.EXPIRING, SessionCondition.READY
NOT_RUNNING: Final = tuple(Says(kind, False, SessionReason.NOT_RUNNING) for kind in (_IDLE, _EXPIRING))


def lived(session: Session, seen: Served, now: Now) -> Report:
    """What its status and Events say of that. Its other conditions are as they follow from what was seen. Never without a status."""
    status = session.status
    if status.phase != SessionPhase.RUNNING:
        return Report(status)
    session = _with(session, **_activity(session, seen, now))
    session = _saying(session, now, _idle(session))
    first = session.first_end
    is_near = first is not None and now.wall >= first.at - session.spec.expiry.warn_before_seconds
    was_near = is_true(status.conditions, _EXPIRING)
    events: tuple[EventNote, ...] = ()
    if first is not None and is_near:
        message = f"it is ended at {_shown(first.at)}: {first.why}"
        session = _saying(session, now, [Says(_EXPIRING, True, SessionReason.ENDS_SOON, message)])
        if not was_near and now.wall < first.at:
            events = (EventNote("Normal", SessionReason.ENDS_SOON, message, "Watch"),)
    elif was_near:
        session = _saying(session, now, [Says(_EXPIRING, False, SessionReason.GOES_ON)])
    return Report(with_fields(session.status, expiration_time=moment(first.at) if first else None), events)


def with_fields(status: SessionStatus, **fields: object) -> SessionStatus:
    """The same with these fields. Made anew only if one of them is another: it is asked for at each look at each Session."""
    changed = {name: value for name, value in fields.items() if getattr(status, name) != value}
    return status.having(**changed) if changed else status


def expiration(session: Session) -> datetime | None:
    """When it will be ended, by all that is known now; None if there is no such time."""
    first = session.first_end
    return moment(first.at) if first else None


def warns_at(session: Session) -> float | None:
    """When its status has to say that it ends soon (epoch seconds); None if there is no such time."""
    first = session.first_end if session.status.phase == SessionPhase.RUNNING else None
    return first.at - session.spec.expiry.warn_before_seconds if first else None


def _activity(session: Session, seen: Served, now: Now) -> dict[str, object]:
    """When bytes were last carried, by our own clock: of the gateway's only the length of a quiet time counts, when it is first told.

    While no gateway has a way nothing is known, and what was known stays: the same quiet time may be told again.
    """
    if seen.tunnel is not TunnelState.OPEN:
        return {}
    if seen.quiet is None:
        return {"last_activity_time": None, "last_activity_report": None}
    report, status = str(seen.quiet), session.status
    if report == status.last_activity_report and status.last_activity_time is not None:
        return {}
    since = max(math.ceil(now.wall) - seen.quiet.seconds, session.started_at or 0)
    return {"last_activity_time": moment(since), "last_activity_report": report}


def _idle(session: Session) -> Iterator[Says]:
    """Whether it is idle, if it ever was."""
    status, ready = session.status, session.status.condition(_READY)
    since, ends = session.quiet_since, session.idle_ends
    if since is not None:
        until = f"; it is ended at {_shown(ends)} if that stays so (idleTimeoutSeconds)" if ends is not None else ""
        yield Says(_IDLE, True, SessionReason.QUIET, f"nothing was carried for clients since {_shown(since)}{until}")
    elif status.condition(_IDLE) is None or ready is None:
        return
    elif ready.status == "True":
        yield Says(_IDLE, False, SessionReason.IN_USE)
    else:
        yield Says(_IDLE, None, ready.reason, "it is not ready, and that does not count")


def _saying(session: Session, now: Now, says: Iterable[Says]) -> Session:
    conditions = told(session.status.conditions, says, now.wall, session.generation)
    return _with(session, conditions=conditions)


def _with(session: Session, **fields: object) -> Session:
    status = with_fields(session.status, **fields)
    return session if status is session.status else replace(session, status=status)


def _shown(epoch_seconds: float) -> str:
    return as_timestamp(moment(epoch_seconds))
