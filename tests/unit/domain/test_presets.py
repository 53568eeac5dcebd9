"""What a preset becomes: a command, a token, and a question."""

from typing import Any

import pytest

from fairlead.domain.run.service import Question
from fairlead.domain.run.token import WantedToken
from fairlead.domain.session.presets import PRESETS
from fairlead.domain.session.session import wanted_token
from fairlead.domain.session.session_request import request
from product.objects import submitted
from product.session_states import a_session

BOTH = ("FAIRLEAD_TOKEN", "JUPYTER_TOKEN")
OWN = WantedToken("lab", "token", is_own=True, variables=BOTH)
NAMED = WantedToken("mine", "key", is_own=False, variables=BOTH)
REF = {"tokenSecretRef": {"name": "mine", "key": "key"}}
OPTIONS = ("--no-browser", "--ServerApp.ip=*", "--ServerApp.port=8888", "--ServerApp.port_retries=0",
           "--ServerApp.allow_remote_access=True")


def notebook(**application: Any) -> Any:
    """A Session with the preset."""
    return a_session(application={"preset": "Jupyter", "port": 8888, **application})


@pytest.mark.parametrize(("application", "token", "asked"), [
    pytest.param({}, OWN, Question("/api/status", OWN), id="by default a token is made, and shown"),
    pytest.param({"token": "Generated"}, OWN, Question("/api/status", OWN), id="as it says itself"),
    pytest.param(REF, NAMED, Question("/api/status", NAMED), id="another Secret's"),
    pytest.param({"token": "None"}, None, Question("/api/status"), id="none"),
    pytest.param({"readiness": {"tcp": {}}}, OWN, None, id="readiness of its own: tcp"),
    pytest.param({"readiness": {"http": {"path": "/up"}}}, OWN, Question("/up"), id="readiness of its own: http, and no token is shown"),
])
def test_a_preset_has_a_token_and_is_asked_with_it(application: dict[str, Any], token: WantedToken | None, asked: Question | None) -> None:
    """Else a notebook would be open to each user of its node, or clients would be sent to somebody else's server."""
    session = notebook(**application)
    assert (wanted_token(session), session.asked) == (token, asked)


def test_a_command_of_ones_own_has_neither() -> None:
    """Else each Session that there is would get a token that nobody asked for."""
    session = a_session()
    assert (session.preset, wanted_token(session), session.asked) == (None, None, None)
    assert wanted_token(a_session(application={"command": ["x"], "port": 1, **REF})) == WantedToken("mine", "key", is_own=False)


@pytest.mark.parametrize(("application", "options"), [
    pytest.param({}, OPTIONS, id="on all addresses of its node"),
    pytest.param({"token": "None"}, (*OPTIONS, "--ServerApp.token="), id="without a token it is told so, or it would make and print one"),
])
def test_jupyter_is_started_by_a_plain_command(application: dict[str, Any], options: tuple[str, ...]) -> None:
    """Else it would listen where nobody looks for it, or show its token to whoever lists processes."""
    asked = request(notebook(args=["--ServerApp.root_dir=/data"], **application), None)
    assert asked.command == ("/bin/sh", "-c", PRESETS["Jupyter"].starts, "preset", *options)
    assert (asked.script, asked.args, dict(asked.env)) == (None, ("--ServerApp.root_dir=/data",), {})


def test_on_a_bare_host_nobody_else_reaches_it() -> None:
    """Else each machine that reaches a workstation would reach the notebooks on it."""
    session = a_session({**submitted(), "host": "box"}, application={"preset": "Jupyter", "port": 8888})
    assert session.host == "box"
    assert [each for each in request(session, None).command if "ServerApp.ip" in each] == ["--ServerApp.ip=127.0.0.1"]
