"""How long a Session goes on: what counts as idle, by whose clock, and when it is ended."""

from dataclasses import replace
from typing import Any

import pytest

from fairlead.api.v1alpha1.reasons import JobReason
from fairlead.domain.conditions import moment
from fairlead.domain.pacing import Now
from fairlead.domain.run import news as said
from fairlead.domain.run.memory import Closing
from fairlead.domain.run.quiet import Quiet
from fairlead.domain.run.retry import Over
from fairlead.domain.run.run import RunState
from fairlead.domain.run.service import NoService, Served, TunnelState
from fairlead.domain.session.session import Session
from fairlead.domain.session.session_report import report
from product.objects import NOW
from product.session_states import REACHED, RUNS, SERVICE, TIME_IS_OVER, a_session, after, live

START = NOW.wall
HOUR = 3600


def at(seconds: float) -> Now:
    return Now(NOW.monotonic + seconds, START + seconds)


def quiet(seconds: int, *, off: int = 0) -> Served:
    """A gateway says that nothing was carried for so long; its clock is off by so much, or the time is another one."""
    return replace(REACHED, quiet=Quiet(int(START) + off, int(START) + off + seconds))


def says(session: Session, kind: str) -> tuple[str, str] | None:
    found = session.status.condition(kind)
    return (found.status, found.reason) if found else None


def ready(**spec: Any) -> Session:
    """One that is ready from NOW on, and in use."""
    return after(a_session(**spec), RUNS, REACHED)


@pytest.mark.parametrize("off", [pytest.param(0, id="right"), pytest.param(-600, id="slow"), pytest.param(86400, id="fast")])
def test_of_a_gateways_clock_only_the_length_of_a_time_counts(off: int) -> None:
    """Else a gateway whose clock is off would have a Session ended early, or never."""
    session = after(ready(idleTimeoutSeconds=HOUR), quiet(120, off=off), now=at(500))
    assert session.status.last_activity_time == moment(START + 380)
    assert (session.deadline(), session.status.expiration_time) == (START + 380 + HOUR, moment(START + 380 + HOUR))
    assert says(session, "Idle") == ("True", "Quiet")
    later = after(session, quiet(120, off=off), now=at(1000))
    assert later.status == session.status, "told before: nothing to write"


@pytest.mark.parametrize(("seconds", "since"), [
    pytest.param(120, 380, id="as it is"),
    pytest.param(0, 500, id="just now"),
    pytest.param(10**9, 0, id="longer than it is ready"),
])
def test_a_time_that_cannot_be_is_cut(seconds: int, since: int) -> None:
    """Else one word of somebody would end a Session at once."""
    session = after(ready(idleTimeoutSeconds=HOUR), quiet(seconds), now=at(500))
    assert session.quiet_since == START + since


@pytest.mark.parametrize(("known", "idle", "last", "deadline"), [
    pytest.param((quiet(120),), ("True", "Quiet"), 380, 380 + HOUR, id="quiet"),
    pytest.param((quiet(120), REACHED), ("False", "InUse"), None, None, id="a byte, or a gateway that knows nothing of before"),
    pytest.param((quiet(120), REACHED, quiet(120, off=900)), ("True", "Quiet"), 380, 380 + HOUR, id="quiet once more"),
    pytest.param((quiet(120), Served(SERVICE, None)), ("Unknown", "NoTunnel"), 380, None, id="there is no gateway"),
    pytest.param((quiet(120), replace(quiet(120), tunnel=TunnelState.BROKEN)), ("Unknown", "TunnelBroken"), 380, None, id="broken"),
    pytest.param((quiet(120), replace(quiet(120), service=NoService(True, "taken"))), ("Unknown", "NameTaken"), 380, None,
                 id="nobody can come"),
    pytest.param((quiet(120), live(RunState.SUSPENDED), quiet(120)), ("Unknown", "Suspended"), 380, None, id="stopped by its scheduler"),
    pytest.param((Served(SERVICE, TunnelState.BROKEN), quiet(400)), ("True", "Quiet"), 100, 500 + HOUR,
                 id="from when it was ready again at the earliest"),
    pytest.param((quiet(120), live(RunState.PENDING)), ("False", "NotRunning"), 380, None, id="it does not run any more"),
])
def test_it_is_idle_only_while_it_is_ready_and_its_gateway_says_so(
    known: tuple[Any, ...], idle: tuple[str, str], last: int | None, deadline: int | None,
) -> None:
    """Else it would be ended for what nobody knows, or while nobody could come to it."""
    session = after(ready(idleTimeoutSeconds=HOUR), *known, now=at(500))
    assert says(session, "Idle") == idle
    assert session.status.last_activity_time == (None if last is None else moment(START + last))
    assert session.deadline() == (None if deadline is None else START + deadline)


def test_another_attempt_begins_its_time_anew() -> None:
    """Else one that is resumed would be ended for the time before."""
    idle = after(ready(idleTimeoutSeconds=HOUR), quiet(120), now=at(500))
    parked = after(idle, said.SetAside(Closing(JobReason.JOB_SUSPENDED, "set aside"), 0.0), Served(SERVICE, None), now=at(600))
    assert (parked.status.last_activity_time, parked.status.last_activity_report, parked.deadline()) == (None, None, None)
    assert says(parked, "Idle") == ("False", "NotRunning")


def test_without_a_time_out_it_is_only_told() -> None:
    """Else Sessions would end that nobody has asked to end."""
    session = after(ready(), quiet(120), now=at(500))
    assert says(session, "Idle") == ("True", "Quiet")
    assert (session.deadline(), session.status.expiration_time) == (None, None)


@pytest.mark.parametrize(("spec", "seconds", "phase", "reason"), [
    pytest.param({"idleTimeoutSeconds": HOUR}, 380 + HOUR, "Ended", "IdleTimeout", id="idle"),
    pytest.param({"idleTimeoutSeconds": HOUR, "maxLifetimeSeconds": 2 * HOUR}, 380 + HOUR, "Ended", "IdleTimeout", id="idle before"),
    pytest.param({"idleTimeoutSeconds": 2 * HOUR, "maxLifetimeSeconds": HOUR}, HOUR, "Ended", "LifetimeOver", id="lifetime before"),
])
def test_one_that_was_idle_for_too_long_has_ended_and_not_failed(
    spec: dict[str, int], seconds: int, phase: str, reason: str,
) -> None:
    """Else a forgotten tab would page somebody, or nobody would know why it has gone."""
    session = after(ready(**spec), quiet(120), now=at(500))
    assert session.deadline() == START + seconds
    told = report(session, TIME_IS_OVER, at(seconds + 3))
    assert [(each.type, each.reason) for each in told.events] == [("Normal", reason)]
    ended = after(session, TIME_IS_OVER, now=at(seconds + 3))
    assert (ended.status.phase, ended.end_reason, ended.has_succeeded) == (phase, reason, True)
    assert ended.spec == session.spec
    assert (says(ended, "Idle"), ended.status.expiration_time) == (("False", "NotRunning"), None)


def test_one_that_never_was_ready_has_failed_and_was_not_idle() -> None:
    """Else a process that never came up would look like one that nobody needed."""
    session = after(a_session(idleTimeoutSeconds=60, startupDeadlineSeconds=60), RUNS, Served(SERVICE, TunnelState.OPENING))
    over = said.Failed(Closing(JobReason.DEADLINE_EXCEEDED, "x"), Over(JobReason.DEADLINE_EXCEEDED, "x", 1, 0))
    ended = after(session, over, now=at(70))
    assert (ended.status.phase, ended.end_reason) == ("Failed", "StartupDeadlineExceeded")
