"""A Session behind a real gateway: reached on the gateway's address, through a real sshd, and nothing of the way stays."""

import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from bed.login import LoginNode
from bed.slurm import SlurmCluster
from bed.sshd import SshHost
from product.gateway import GatewayProcess
from product.ownerkind import SESSION
from product.remains import running
from product.scene import Scene, Thing
from product.sessions import SLICES, is_refused, place_of, slice_of
from product.waiting import until

pytestmark = [pytest.mark.parametrize("kind", [SESSION], ids=str, indirect=True), pytest.mark.timeout(300)]
PORT = 8765
WORD = "600.125"
SERVER = f"""
import http.server, socketserver
class Answers(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "13")
        self.end_headers()
        self.wfile.write(b"from the node")
class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
Server(("127.0.0.1", {PORT}), Answers).serve_forever()
"""


def fetch(place: tuple[str, int]) -> bytes:
    """What a client gets there."""
    with urlopen("http://{}:{}/".format(*place), timeout=20) as answer:
        content: bytes = answer.read()
        return content


def again(client: socket.socket) -> bytes:
    """What a second request on the same connection is answered with."""
    client.sendall(b"GET / HTTP/1.1\r\nHost: lab\r\n\r\n")
    heard = b""
    while not heard.endswith(b"from the node"):
        heard += (more := client.recv(4096))
        assert more, heard
    return heard[-13:]


def answered(place: tuple[str, int]) -> socket.socket:
    """A connection on which an answer has come, and which the process keeps open for a next request."""
    client = socket.create_connection(place, timeout=20)
    again(client)
    return client


def sockets_to(host: SshHost, port: int) -> int:
    """Connections at the far end that lead to this port: one for each channel."""
    rows = [line.split() for line in Path(f"/proc/{host.enclosure.holder}/net/tcp").read_text().splitlines()[1:]]
    return sum(row[2].endswith(f":{port:04X}") and row[3] in {"01", "02", "08"} for row in rows)


def test_a_session_is_reached_through_a_gateway_that_dies_and_comes_back(
    host: SshHost, scene: Scene, gateways: Callable[[SshHost], GatewayProcess],
) -> None:
    """Else nobody would reach it, a restart would move it or leave channels behind, or its port would go on to answer when it is gone."""
    scene.bare_host(host)
    gateway = gateways(host)
    session = scene.job("lab", application={"command": ["python3", "-c", SERVER], "port": PORT}, cancellationGracePeriodSeconds=1)
    session.wait("Ready", seconds=60)
    place = place_of(session)
    assert place[0] == gateway.address
    assert 20000 <= place[1] <= 20999
    assert fetch(place) == b"from the node"
    shown = gateway.metrics()
    for series in ('fairlead_tunnels_held{state="Open"} 1.0', 'fairlead_ports_of_range{state="in_use"} 1.0',
                   'fairlead_ports_of_range{state="free"} 999.0', 'fairlead_stream_opened_total{outcome="ok"} 1.0'):
        assert series in shown
    assert "fairlead_leading" not in shown
    found = slice_of(session)
    assert found is not None
    assert found["metadata"]["labels"] | {"kubernetes.io/service-name": "lab"} == found["metadata"]["labels"]
    assert found["metadata"]["annotations"]["fairlead.dev/run-key"] == session.status["run"]["key"]
    assert found["endpoints"][0]["conditions"]["ready"] is True

    with answered(place) as client:
        gateway.daemon.kill()
        until(lambda: sockets_to(host, PORT) == 0, "the channel to be gone with the gateway")
        with pytest.raises(ConnectionResetError):
            client.recv(1)
    gateway.start()
    until(lambda: served(place), "the same place to answer again", 60)
    assert place_of(session) == place

    session.delete()
    until(lambda: slice_of(session) is None, "its slice to be gone")
    until(lambda: is_refused(place), "its port to be refused")
    assert sockets_to(host, PORT) == 0
    gateway.stop()
    assert gateway.daemon.exit_code == 0
    until(lambda: host.connections() <= 1, "the gateway's connection to be gone; the controller has its own")


def test_a_gateway_that_stops_cuts_by_a_reset_and_says_so_and_leaves_what_is_not_its_own(
    host: SshHost, scene: Scene, gateways: Callable[[SshHost], GatewayProcess],
) -> None:
    """Else half a page would look whole, clients would be sent where nobody is, or somebody's own EndpointSlice would be written over."""
    scene.bare_host(host, slots=2)
    theirs = {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4", "metadata": {"name": "taken"},
              "endpoints": [{"addresses": ["10.20.30.40"]}], "ports": [{"port": 80, "protocol": "TCP"}]}
    scene.api.apply(SLICES.format(scene.namespace, "taken"), theirs)
    gateway = gateways(host)
    other = scene.job("taken", application={"command": ["sleep", "600"], "port": PORT + 1}, cancellationGracePeriodSeconds=1)
    session = scene.job("lab", application={"command": ["python3", "-c", SERVER], "port": PORT}, cancellationGracePeriodSeconds=1)
    session.wait("Ready", seconds=60)
    other.wait("Allocated")
    before = slice_of(other)
    until(lambda: "is not of Session taken" in gateway.log.read_text(), "the gateway to see that the name is taken")
    assert slice_of(other) == before, "it is never touched"
    with answered(place_of(session)) as client:
        gateway.stop()
        with pytest.raises(ConnectionResetError):
            client.recv(1)
    assert gateway.daemon.exit_code == 0
    found = slice_of(session)
    assert found is not None
    assert found["endpoints"][0]["conditions"]["ready"] is False
    assert found["metadata"]["annotations"]["fairlead.dev/tunnel-state"] == "Broken"
    session.wait("Ready", "False", reason="TunnelBroken")
    gateway.start()
    session.wait("Ready", seconds=60)


@pytest.mark.timeout(600)
def test_what_a_gateway_held_that_is_killed_or_stops_another_holds(
    host: SshHost, bare: SshHost, hpc: SlurmCluster, scene: Scene, gateways: Callable[[LoginNode], GatewayProcess],
) -> None:
    """Else the loss of a node would cut Sessions off until somebody came, and an upgrade would turn clients away or end what they do."""
    scene.bare_host(host, slots=3)
    one, two = gateways(host), gateways(bare)
    sessions = []
    for name, port in (("a", PORT + 3), ("b", PORT + 4), ("c", PORT + 5)):
        process = {"command": ["python3", "-c", SERVER.replace(str(PORT), str(port))], "port": port}
        sessions.append(scene.job(name, application=process, cancellationGracePeriodSeconds=1))
    for session in sessions:
        session.wait("Ready", seconds=60)
    dies, other = (one, two) if place_of(sessions[0])[0] == one.address else (two, one)
    with ExitStack() as clients:
        kept = [clients.enter_context(answered(place_of(each))) for each in sessions if place_of(each)[0] == other.address]
        dies.daemon.kill()
        until(lambda: all(place_of(each)[0] == other.address and served(place_of(each)) for each in sessions),
              "the other gateway to have them all", 60)
        for client in kept:
            assert again(client) == b"from the node", "who was connected through the other gateway has noticed nothing"

    new = gateways(hpc)
    assert [place_of(each)[0] for each in sessions] == [other.address] * 3, "nobody takes from a gateway that lives"
    with answered(place_of(sessions[0])) as client, ThreadPoolExecutor(1) as beside:
        stops, came = beside.submit(other.stop), []
        until(lambda: other.log.read_text().count('"stopping"') == 1, "it to begin to stop")
        while place_of(sessions[0])[0] == other.address and not stops.done():
            came.append(served(place_of(sessions[0])))
        assert again(client) == b"from the node", "who is connected goes on until the stop has its time"
        client.close()
        while not stops.done():
            came += [served(place_of(each)) for each in sessions]
        stops.result()
        came += [served(place_of(each)) for each in sessions]
    assert all(came), f"{came.count(False)} of {len(came)} clients were turned away"
    assert {place_of(each)[0] for each in sessions} == {new.address}
    for session in sessions:
        session.wait("Ready")


def test_on_slurm_a_session_is_reached_on_the_node_that_it_was_given(
    own: SlurmCluster, scene: Scene, gateways: Callable[[LoginNode], GatewayProcess],
) -> None:
    """Else clients would reach another user's process, which listens on the same port of another node."""
    scene.cluster(own)
    gateways(own)
    code = SERVER.replace('"127.0.0.1"', 'os.environ["SLURMD_NODENAME"]').replace("import ", "import os, ", 1).replace(
        'b"from the node"', 'os.environ["SLURMD_NODENAME"].encode().ljust(13)')
    process = {"command": ["python3", "-c", code], "port": PORT}
    alone = {"exclusive": True}
    sessions = [scene.job(name, application=process, resources=alone, cancellationGracePeriodSeconds=1) for name in ("a", "b")]
    for session in sessions:
        session.wait("Ready", seconds=60)
    nodes = [session.status["run"]["node"] for session in sessions]
    assert set(nodes) == set(own.nodes)
    assert [fetch(place_of(session)).decode().strip() for session in sessions] == nodes


def test_clients_are_sent_there_once_the_process_is_ready_and_one_that_never_is_has_failed(
    host: SshHost, scene: Scene, gateways: Callable[[SshHost], GatewayProcess],
) -> None:
    """Else users would see the errors of a server that still loads, or one that never comes up would hold its node until somebody looks."""
    scene.bare_host(host, slots=2)
    gateways(host)
    loads = SERVER.replace("self.send_response(200)", 'self.send_response(200 if os.path.exists("up") else 503)').replace(
        "import http.server", "import os, http.server")
    process = {"command": ["python3", "-c", loads], "port": PORT, "readiness": {"http": {"path": "/up"}}}
    session = scene.job("lab", application=process, cancellationGracePeriodSeconds=1)
    session.wait("ProcessReady", "False", reason="NotAnswering", seconds=60)
    session.wait("TunnelReady")
    session.wait("Ready", "False", reason="NotAnswering")
    found = slice_of(session)
    assert found is not None
    assert found["endpoints"][0]["conditions"]["ready"] is False
    assert found["metadata"]["annotations"]["fairlead.dev/process-state"] == "NotReady"
    assert found["metadata"]["annotations"]["fairlead.dev/tunnel-message"] == "GET /up is answered with status 503"
    with pytest.raises(ConnectionResetError), socket.create_connection(place_of(session), timeout=20) as early:
        early.recv(1)
    (host.home / "up").touch()
    session.wait("Ready", seconds=60)
    assert fetch(place_of(session)) == b"from the node"
    assert session.status["readySince"]

    session.change(startupDeadlineSeconds=1)
    silent = scene.job("silent", application={"command": ["sleep", WORD], "port": PORT + 2}, cancellationGracePeriodSeconds=1)
    silent.wait("TunnelReady", "False", reason="TunnelOpening", seconds=60)
    silent.change(startupDeadlineSeconds=1)
    silent.wait("Failed", reason="StartupDeadlineExceeded", seconds=60)
    until(lambda: not running(host, WORD), "its process to be gone")
    assert session.condition("Ready")["status"] == "True", "one that was ready is not asked about its start any more"
    (host.home / "up").unlink()
    session.wait("Ready", "False", reason="NotAnswering", seconds=60)


def test_one_that_nobody_uses_is_ended_after_a_warning_and_nothing_of_it_is_left(
    host: SshHost, scene: Scene, gateways: Callable[..., GatewayProcess],
) -> None:
    """Else a forgotten tab would hold a GPU for days, or somebody's work would end while he is at it."""
    scene.bare_host(host)
    gateways(host, way={"quiet_seconds": 2.0}, activity_seconds=0.2)
    process = {"command": ["python3", "-c", SERVER], "port": PORT}
    session = scene.job("lab", application=process, idleTimeoutSeconds=240, cancellationGracePeriodSeconds=1)
    session.wait("Ready", seconds=60)
    place = place_of(session)
    with answered(place) as client:          # that a client is there is no use of it
        before = until(lambda: told(session, Idle="True", Expiring="True"), "it to be told idle, and that it ends soon", 60)
        assert before["expirationTime"] > before["lastActivityTime"]
        until(lambda: [each for each in session.events() if each["reason"] == "EndsSoon"], "the Event EndsSoon")

        def is_in_use() -> bool:
            again(client)
            status = told(session, Idle="False", Expiring="False")
            return status is not None and not {"lastActivityTime", "expirationTime"} & status.keys()

        until(is_in_use, "one whose client moves bytes to count as used", 60)
    session.wait("Idle", reason="Quiet", seconds=60)
    assert session.status["lastActivityReport"] != before["lastActivityReport"]

    def is_ended() -> bool:
        grow_old(session)
        return session.condition("Ended").get("reason") == "IdleTimeout"

    until(is_ended, "it to be ended, once it was idle for long", 60)
    assert (session.status["phase"], session.condition("Expiring")["status"]) == ("Ended", "False")
    until(lambda: slice_of(session) is None, "its slice to be gone")
    until(lambda: is_refused(place), "its port to be refused")
    until(lambda: sockets_to(host, PORT) == 0, "its channels to be gone")


def told(session: Thing, **wanted: str) -> dict[str, Any] | None:
    """Its status, if that has these conditions; all of it from one look."""
    status = session.status
    found = {each["type"]: each["status"] for each in status["conditions"]}
    return status if found | wanted == found else None


def grow_old(session: Thing) -> None:
    """Have it ready, and idle, for years: a test has no minute. Not done if it was changed meanwhile: the next look tries again."""
    found, old = session.read() or {}, "2020-01-01T00:00:00Z"
    status, version = found["status"], found["metadata"]["resourceVersion"]
    if status["phase"] == "Running" and status.get("lastActivityTime", old) != old:
        conditions = [each | ({"lastTransitionTime": old} if each["type"] == "Ready" else {}) for each in status["conditions"]]
        patch = {"metadata": {"resourceVersion": version}, "status": {"lastActivityTime": old, "conditions": conditions}}
        session.scene.api.request("PATCH", f"{session.path}/status", patch, "application/merge-patch+json")


def served(place: tuple[str, int]) -> bool:
    """Whether a client is answered there."""
    try:
        return fetch(place) == b"from the node"
    except OSError:
        return False
