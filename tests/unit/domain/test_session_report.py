"""What a person reads of a Session in each state, and from what its Ready follows."""

from dataclasses import replace
from typing import Any

import pytest

from fairlead.api.v1alpha1.reasons import JobReason
from fairlead.api.v1alpha1.session import SessionResources, SessionSpec
from fairlead.domain.conditions import moment
from fairlead.domain.pacing import Now
from fairlead.domain.run import news as said
from fairlead.domain.run.evidence import Ended
from fairlead.domain.run.memory import Closing
from fairlead.domain.run.observation import Finished, LogTail, Started
from fairlead.domain.run.retry import Over
from fairlead.domain.run.run import RunState
from fairlead.domain.run.service import NoService, ProcessState, Served, TunnelState
from fairlead.domain.session.session import Session
from fairlead.domain.session.session_report import report
from fairlead.domain.session.session_request import request
from fairlead.domain.session.session_status import served
from product.objects import NOW
from product.session_states import REACHED, SERVICE, a_session, after, live

LATER = Now(1100.0, 1.7e9 + 100)


def ready(session: Session) -> tuple[str, str]:
    found = session.status.condition("Ready")
    assert found is not None
    return found.status, found.reason


@pytest.mark.parametrize(("state", "phase", "word"), [
    pytest.param(RunState.PENDING, "Queued", ("False", "Queued"), id="pending"),
    pytest.param(RunState.HELD, "Queued", ("False", "Held"), id="held"),
    pytest.param(RunState.STUCK, "Queued", ("False", "Unschedulable"), id="asks for too much"),
    pytest.param(RunState.RUNNING, "Running", ("True", "Ready"), id="running"),
    pytest.param(RunState.UNKNOWN, "Running", ("True", "Ready"), id="a word of a later release: it runs on"),
    pytest.param(RunState.SUSPENDED, "Running", ("False", "Suspended"), id="stopped by the scheduler"),
    pytest.param(RunState.FINISHING, "Running", ("False", "Completing"), id="its process is over"),
])
def test_a_session_is_ready_only_while_its_process_runs(state: RunState, phase: str, word: tuple[str, str]) -> None:
    """Else people would be sent to a process that does not answer."""
    session = after(a_session(), live(RunState.RUNNING), REACHED, live(state), REACHED)
    assert (session.status.phase, ready(session)) == (phase, word)


@pytest.mark.parametrize(("known", "word"), [
    pytest.param((), ("False", "Running"), id="nothing is known of its Service"),
    pytest.param((Served(None, TunnelState.OPEN),), ("False", "Running"), id="the API server has not answered"),
    pytest.param((Served(SERVICE, None),), ("False", "NoTunnel"), id="no gateway has said a word"),
    pytest.param((Served(SERVICE, TunnelState.OPENING),), ("False", "TunnelOpening"), id="on its way"),
    pytest.param((REACHED,), ("True", "Ready"), id="all is there"),
    pytest.param((REACHED, Served(SERVICE, TunnelState.BROKEN)), ("False", "TunnelBroken"), id="broken since"),
    pytest.param((REACHED, Served(NoService(True, "taken"), TunnelState.OPEN)), ("False", "NameTaken"), id="its name is taken"),
    pytest.param((REACHED, Served(None, None)), ("False", "NoTunnel"), id="its slice is gone"),
    pytest.param((REACHED, Served(NoService(False, "quota"), None), REACHED), ("True", "Ready"), id="mended"),
])
def test_ready_follows_from_service_and_tunnel(known: tuple[Served, ...], word: tuple[str, str]) -> None:
    """Else Ready would promise an address behind which there is nothing, or never come."""
    assert ready(after(a_session(), live(RunState.RUNNING), *known)) == word


def test_what_is_known_already_is_not_written_again() -> None:
    """Else each look at a Session would cost a write."""
    session = after(a_session(), live(RunState.RUNNING), REACHED)
    assert served(session, REACHED, LATER).status is None
    assert report(session, live(RunState.RUNNING, detailed=False), LATER).status is None
    assert report(session, live(RunState.RUNNING, node="n2", detailed=False), LATER).status is not None, "where it is to be found"


def test_a_suspended_session_keeps_its_address_and_is_not_ready() -> None:
    """Else the address would change with each pause, or look as if somebody answered there."""
    running = after(a_session(suspend=True), live(RunState.RUNNING), REACHED)
    parking = after(running, said.Parking(), live(RunState.RUNNING), REACHED)
    assert ready(parking) == ("False", "JobSuspended")
    parked = after(parking, said.SetAside(Closing(JobReason.JOB_SUSPENDED, "set aside"), 0.0), Served(SERVICE, None))
    assert (parked.status.phase, ready(parked), parked.status.url) == ("Suspended", ("False", "JobSuspended"), "http://lab.team.svc")
    assert parked.status.service_ref is not None
    found = parked.status.condition("TunnelReady")
    assert found is not None
    assert (found.status, found.reason) == ("False", "NotRunning")
    assert parked.status.running_since is None, "its lifetime begins anew"


def test_the_end_of_its_lifetime_is_no_failure() -> None:
    """Else a Session that was meant to end would page somebody."""
    session = after(a_session(maxLifetimeSeconds=3600), live(RunState.RUNNING))
    assert session.deadline() == NOW.wall + 3600
    assert session.status.expiration_time == moment(NOW.wall + 3600)
    over = said.Failed(Closing(JobReason.DEADLINE_EXCEEDED, "activeDeadlineSeconds"), Over(JobReason.DEADLINE_EXCEEDED, "x", 1, 0))
    late = Now(NOW.monotonic + 3600, NOW.wall + 3600)
    told = report(session, over, late)
    ended = after(session, over, now=late)
    assert (ended.status.phase, ready(ended), ended.ended, ended.end_reason) == ("Ended", ("False", "LifetimeOver"), True, "LifetimeOver")
    assert [(each.type, each.reason) for each in told.events] == [("Normal", "LifetimeOver")]
    assert ended.status.expiration_time is None


HTTP = {"application": {"command": ["server"], "port": 8888, "readiness": {"http": {}}}}


@pytest.mark.parametrize(("spec", "known", "process", "word"), [
    pytest.param({}, REACHED, ("True", "Answers"), ("True", "Ready"), id="that it listens is enough"),
    pytest.param(HTTP, REACHED, ("False", "NotAnswering"), ("False", "NotAnswering"), id="a gateway of before, which does not ask"),
    pytest.param(HTTP, replace(REACHED, process=ProcessState.NOT_READY), ("False", "NotAnswering"), ("False", "NotAnswering"),
                 id="not yet"),
    pytest.param(HTTP, replace(REACHED, process=ProcessState.READY), ("True", "Answers"), ("True", "Ready"), id="it answers"),
    pytest.param(HTTP, Served(SERVICE, TunnelState.BROKEN, ProcessState.READY), ("Unknown", "TunnelBroken"), ("False", "TunnelBroken"),
                 id="nobody can know"),
])
def test_ready_follows_from_what_the_process_answers(
    spec: dict[str, Any], known: Served, process: tuple[str, str], word: tuple[str, str],
) -> None:
    """Else people would be sent to a server that is still loading."""
    session = after(a_session(**spec), live(RunState.RUNNING), known)
    found = session.status.condition("ProcessReady")
    assert found is not None
    assert ((found.status, found.reason), ready(session)) == (process, word)
    assert (session.status.ready_since is not None) == (process[0] == "True")


@pytest.mark.parametrize(("known", "counts"), [
    pytest.param((), False, id="nothing is known"),
    pytest.param((Served(SERVICE, None),), False, id="there is no gateway"),
    pytest.param((Served(SERVICE, TunnelState.BROKEN),), False, id="its way is broken"),
    pytest.param((Served(SERVICE, TunnelState.OPENING),), True, id="nobody listens"),
    pytest.param((REACHED,), True, id="it does not answer"),
    pytest.param((replace(REACHED, process=ProcessState.READY),), False, id="it is ready"),
    pytest.param((replace(REACHED, process=ProcessState.READY), REACHED), False, id="it was ready"),
])
def test_the_time_to_start_counts_for_a_process_that_a_gateway_looks_for(known: tuple[Served, ...], counts: bool) -> None:
    """Else one that hangs would hold its GPU for ever, or one would be ended since a gateway is away."""
    session = after(a_session(**HTTP, startupDeadlineSeconds=60), live(RunState.RUNNING), *known)
    assert session.deadline() == (NOW.wall + 60 if counts else None)


def test_a_process_that_is_not_ready_in_time_has_failed() -> None:
    """Else nobody would learn that it never came up."""
    session = after(a_session(**HTTP, startupDeadlineSeconds=60, maxLifetimeSeconds=3600), live(RunState.RUNNING), REACHED)
    over = said.Failed(Closing(JobReason.DEADLINE_EXCEEDED, "activeDeadlineSeconds"), Over(JobReason.DEADLINE_EXCEEDED, "x", 1, 0))
    ended = after(session, over, now=LATER)
    assert (ended.status.phase, ready(ended), ended.end_reason) == (
        "Failed", ("False", "StartupDeadlineExceeded"), "StartupDeadlineExceeded")
    anew = after(session, said.SetAside(Closing(JobReason.JOB_SUSPENDED, "set aside"), 0.0))
    assert (anew.status.running_since, anew.status.ready_since, anew.deadline()) == (None, None, None)


def test_an_end_has_its_last_output() -> None:
    """Else a user would have to look for a file to know why a server has gone."""
    log = LogTail("/home/a/lab-7.out", "", 4, b"bye\n")
    end = Ended(Finished("7", 0, 0, 300), Started("7", 0, "n1", 200), RunState.COMPLETED, "COMPLETED", log, "squeue")
    ended = after(a_session(), live(RunState.RUNNING), REACHED, said.Completed(end))
    assert (ended.status.phase, ready(ended), ended.ended) == ("Ended", ("False", "Ended"), True)
    assert ended.status.logs is not None
    assert ended.status.logs.tail == "bye\n"
    stalled = ended.status.condition("Stalled")
    assert stalled is not None
    assert stalled.status == "True", "tools that wait would wait for ever"


def test_without_resources_nothing_is_asked_for() -> None:
    """Else a Session would ask for more than its partition gives, or not take the fields that a Job has."""
    assert SessionSpec.model_fields["resources"].annotation is SessionResources
    asked = request(a_session(), None).resources
    assert (asked.memory, asked.cpus_per_task, asked.exclusive, asked.working_dir) == (None, None, False, None)
    session = a_session(resources={"memory": "1Gi", "gpus": 1}, application={"command": ["x"], "port": 1, "workingDir": "~/lab"})
    asked = request(session, None).resources
    assert (asked.memory, asked.gpus, asked.working_dir) == ("1Gi", 1, "~/lab")
