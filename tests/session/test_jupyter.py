"""A Session with the preset Jupyter, with Jupyter's own server from PyPI on a bare host: reached with its token, and never a stranger's."""

import base64
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from bed import jupyter
from bed.daemon import Daemon
from bed.login import LoginNode
from bed.sshd import SshHost
from product.controller import Controller
from product.gateway import GatewayProcess
from product.ownerkind import SESSION
from product.scene import Scene, Thing
from product.sessions import place_of, slice_of
from product.waiting import until

pytestmark = [pytest.mark.parametrize("kind", [SESSION], ids=str, indirect=True), pytest.mark.timeout(600)]
PORT = 8766
GUARDED = "/api/status"
STRANGER = f"""
import http.server
class Answers(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        print(self.requestline, self.headers, flush=True)
        self.send_response(200)
        self.end_headers()
http.server.ThreadingHTTPServer(("127.0.0.1", {PORT}), Answers).serve_forever()
"""

STANDS_BY = """#!/bin/sh
{ echo "$@"; printf %s "$JUPYTER_TOKEN" | sha256sum; } >$HOME/started
exec sleep 600
"""
"""In the place of a Jupyter: says what it was given, without showing the token, and listens nowhere."""


def notebook(scene: Scene, name: str, **application: Any) -> Thing:
    """A Session with the preset."""
    process = {"preset": "Jupyter", "port": PORT, **application}
    return scene.session(name, "true", application=process, cancellationGracePeriodSeconds=5)


def token_of(session: Thing) -> str:
    """What a person reads who may."""
    secret = session.scene.api.get(f"/api/v1/namespaces/{session.scene.namespace}/secrets/{session.name}")
    assert secret is not None
    return base64.b64decode(secret["data"]["token"]).decode()


def status_of(place: tuple[str, int], headers: dict[str, str]) -> int:
    """How a client is answered there."""
    try:
        with urlopen(Request("http://{}:{}{}".format(*place, GUARDED), headers=headers), timeout=20) as answer:
            return int(answer.status)
    except HTTPError as error:
        return error.code


def message_of(session: Thing) -> str:
    """What the gateway says of the process."""
    return ((slice_of(session) or {}).get("metadata", {}).get("annotations") or {}).get("fairlead.dev/tunnel-message", "")


def test_jupyter_is_reached_with_its_token_alone_and_that_shows_up_nowhere(
    host: SshHost, scene: Scene, gateways: Callable[[LoginNode], GatewayProcess], controller: Controller,
) -> None:
    """Else a notebook would be open to each user of its node, would never be ready, or its token would be read by who may not."""
    jupyter.install(host)
    scene.bare_host(host)
    gateway, began = gateways(host), controller.log.stat().st_size
    session = notebook(scene, "lab", args=["--ServerApp.root_dir=/srv/c/home"])
    session.wait("Ready", seconds=120)
    token, place = token_of(session), place_of(session)
    asked = [{}, {"Authorization": "token wrong"}, {"Authorization": f"token {token}"}]
    assert [status_of(place, each) for each in asked] == [403, 403, 200]
    [process] = [pid for pid in host.user_pids() if "jupyter_server" in argv_of(pid)]
    assert "--ServerApp.root_dir=/srv/c/home" in argv_of(process)
    output = next(host.home.glob("lab-*.out")).read_text()
    shown = {"status": json.dumps(session.read()), "slice": json.dumps(slice_of(session)), "gateway": gateway.log.read_text(),
             "controller": controller.log.read_bytes()[began:].decode(), "output": output,
             "processes": "".join(argv_of(pid) for pid in host.user_pids())}
    assert [where for where, text in shown.items() if token in text] == []
    session.delete()
    until(lambda: slice_of(session) is None, "its slice to be gone")


def test_a_stranger_on_its_port_is_never_ready_and_is_not_shown_the_token(
    host: SshHost, scene: Scene, gateways: Callable[[LoginNode], GatewayProcess],
) -> None:
    """Else clients would be sent to another user's server, and would show it their token; or nobody would know that Jupyter is missing."""
    scene.bare_host(host)
    gateways(host)
    stranger = Daemon(host.enclosure.argv("python3", "-c", STRANGER, user=False), host.bed.env, host.folder / "stranger.log")
    nothing = notebook(scene, "nothing")
    nothing.wait("Failed", reason="NonZeroExitCode", seconds=60)
    assert "There is neither jupyter-lab nor jupyter-server in the PATH of" in nothing.status["logs"]["tail"]

    host.write("shims/jupyter-lab", STANDS_BY, mode=0o755)
    session = notebook(scene, "lab")
    session.wait("ProcessReady", "False", reason="NotAnswering", seconds=60)
    session.wait("TunnelReady")
    assert message_of(session) == (f"GET {GUARDED} is answered with status 200 without the token: another server has the port, "
                                   "or the process asks for none")
    arguments, digest = (host.home / "started").read_text().splitlines()
    assert "--ServerApp.ip=127.0.0.1" in arguments.split(), "from elsewhere nobody reaches it"
    assert digest.split()[0] == hashlib.sha256(token_of(session).encode()).hexdigest()
    heard = stranger.log.read_text()
    until(lambda: len(stranger.log.read_text()) > len(heard), "it to be asked again")
    assert session.condition("Ready")["status"] == "False"
    heard = stranger.log.read_text()
    assert f"GET {GUARDED}" in heard
    assert "Authorization" not in heard
    stranger.kill()


def argv_of(pid: int) -> str:
    """A process's command line, empty if it has gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""
