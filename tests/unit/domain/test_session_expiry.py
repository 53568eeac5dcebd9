"""How long a Session goes on: what counts as idle, by whose clock, when it is ended, and what is said before that."""

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
from fairlead.domain.session.session_life import warns_at
from fairlead.domain.session.session_report import report
from fairlead.domain.session.session_status import served
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
    assert (session.deadline(), session.status.expiration_time, says(session, "Expiring")) == (None, None, None)


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


@pytest.mark.parametrize(("spec", "end", "why"), [
    pytest.param({"maxLifetimeSeconds": HOUR}, HOUR, "maxLifetimeSeconds", id="its lifetime"),
    pytest.param({"idleTimeoutSeconds": HOUR}, 380 + HOUR, "idleTimeoutSeconds", id="idle"),
    pytest.param({"resources": {"timeLimit": "90m"}}, 5400, "resources.timeLimit", id="its scheduler's limit"),
    pytest.param({"idleTimeoutSeconds": HOUR, "maxLifetimeSeconds": 2 * HOUR, "resources": {"timeLimit": "50m"}}, 3000,
                 "resources.timeLimit", id="the first of all"),
])
def test_it_is_told_once_that_it_ends_soon(spec: dict[str, Any], end: int, why: str) -> None:
    """Else people would lose what they have not saved; or be told each minute."""
    session = after(ready(**spec), quiet(120), now=at(500))
    assert session.status.expiration_time == moment(START + end)
    assert warns_at(session) == START + end - 300
    early = served(session, quiet(120), at(end - 301))
    assert (early.status, early.events) == (None, ())
    told = served(session, quiet(120), at(end - 300))
    assert [(each.type, each.reason) for each in told.events] == [("Normal", "EndsSoon")]
    assert why in told.events[0].message
    near = after(session, quiet(120), now=at(end - 300))
    assert says(near, "Expiring") == ("True", "EndsSoon")
    again = served(near, quiet(120), at(end - 10))
    assert (again.status, again.events) == (None, ())


@pytest.mark.parametrize(("change", "known"), [
    pytest.param({"maxLifetimeSeconds": 2 * HOUR, "idleTimeoutSeconds": 2 * HOUR}, quiet(120), id="longer"),
    pytest.param({}, quiet(120), id="for good"),
    pytest.param({"idleTimeoutSeconds": HOUR}, REACHED, id="somebody has come back"),
    pytest.param({"idleTimeoutSeconds": HOUR, "expiry": {"warnBeforeSeconds": 10}}, quiet(120), id="it is told later"),
])
def test_an_end_that_is_put_off_is_not_near_any_more(change: dict[str, Any], known: Served) -> None:
    """Else a warning would stand there for ever, and the next one would not come."""
    near = after(ready(idleTimeoutSeconds=HOUR), quiet(120), now=at(500))
    near = after(near, quiet(120), now=at(380 + HOUR - 100))
    assert says(near, "Expiring") == ("True", "EndsSoon")
    off = after(replace(near, spec=a_session(**change).spec), known, now=at(380 + HOUR - 90))
    assert says(off, "Expiring") == ("False", "GoesOn")


def test_a_warning_that_comes_too_late_or_is_not_wanted_is_none() -> None:
    """Else an Event would announce what has been."""
    session = ready(maxLifetimeSeconds=HOUR, expiry={"warnBeforeSeconds": 0})
    assert served(session, REACHED, at(HOUR - 1)).status is None
    assert served(session, REACHED, at(HOUR)).events == ()
    late = served(ready(maxLifetimeSeconds=HOUR), REACHED, at(HOUR + 5))
    assert late.events == ()
    assert warns_at(a_session(maxLifetimeSeconds=HOUR)) is None, "it does not run"


def test_a_time_limit_that_is_none_is_no_end() -> None:
    """Else what the scheduler refuses would break each look at the Session."""
    assert after(a_session(resources={"timeLimit": "999999d"}), RUNS, REACHED).status.expiration_time is None
