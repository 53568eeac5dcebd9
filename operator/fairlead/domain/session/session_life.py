"""How long a Session goes on: since when nothing is carried for its clients, and when it will be ended."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Final

from fairlead.api.v1alpha1.meta import as_timestamp
from fairlead.api.v1alpha1.reasons import SessionCondition, SessionReason
from fairlead.api.v1alpha1.session import SessionPhase, SessionStatus
from fairlead.domain.conditions import Says, moment, told
from fairlead.domain.pacing import Now
from fairlead.domain.run.service import Served, TunnelState
from fairlead.domain.session.session import Session

_IDLE, _READY = SessionCondition.IDLE, SessionCondition.READY
NOT_RUNNING: Final = (Says(_IDLE, False, SessionReason.NOT_RUNNING),)


def lived(session: Session, seen: Served, now: Now) -> SessionStatus:
    """What its status says of that. Its other conditions are as they follow from what was seen."""
    status = session.status
    if status.phase != SessionPhase.RUNNING:
        return status
    session = replace(session, status=with_fields(status, **_activity(session, seen, now)))
    session = _saying(session, now, _idle(session))
    return with_fields(session.status, expiration_time=expiration(session))


def with_fields(status: SessionStatus, **fields: object) -> SessionStatus:
    """The same with these fields. Made anew only if one of them is another: it is asked for at each look at each Session."""
    changed = {name: value for name, value in fields.items() if getattr(status, name) != value}
    return status.having(**changed) if changed else status


def expiration(session: Session) -> datetime | None:
    """When it will be ended, by all that is known now; None if there is no such time."""
    ends = [each for each in (session.lifetime_ends, session.idle_ends) if each is not None]
    return moment(min(ends)) if ends else None


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
    return replace(session, status=with_fields(session.status, conditions=conditions))


def _shown(epoch_seconds: float) -> str:
    return as_timestamp(moment(epoch_seconds))
