"""An ordinary outage: hosts take connections and say nothing, one drops them just in time. The controller lives, and all come back."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import ClassVar

import pytest

from bed.controlplane import ControlPlane
from bed.existing import ExistingControlPlane
from bed.standin import StandIn
from bed.state import Bed
from product.account import account
from product.controller import Controller
from product.light import light_cluster
from product.mean import login
from product.scene import Scene
from product.settings import SETTINGS
from product.waiting import SHARED, until

LOGINS, DROPPED = 40, 10
CONNECT_SECONDS = 3
DARK_SECONDS = 25


class Hasty(Controller):
    """Its loops count as stuck after some 10 s instead of some 300 s: a test's outage is as long to it as a night is in production."""

    settings: ClassVar = {**SETTINGS, "engine": {**SETTINGS["engine"], "turn_seconds": 6.0, "reach_seconds": 4.0, "stuck_seconds": 2.0}}


@pytest.fixture
def hasty(bed: Bed, plane: ControlPlane | ExistingControlPlane, controller: Controller) -> Iterator[Controller]:
    """In the place of the session's controller."""
    controller.stop()
    one = Hasty(bed, account(plane), "hasty").start()
    yield one
    one.stop()
    controller.ensure()


@pytest.fixture
def hosts(bed: Bed) -> Iterator[StandIn]:
    stand_in = StandIn.start(bed, LOGINS)
    yield stand_in
    stand_in.stop()


@contextmanager
def dropping_host(after_seconds: float) -> Iterator[int]:
    """The port of a host that takes connections, says nothing and drops each after a while."""
    taken: list[tuple[float, socket.socket]] = []
    over = threading.Event()

    def serve(listener: socket.socket) -> None:
        listener.settimeout(0.05)
        while not over.is_set():
            with suppress(TimeoutError):
                taken.append((time.monotonic() + after_seconds, listener.accept()[0]))
            while taken and (over.is_set() or taken[0][0] <= time.monotonic()):
                taken.pop(0)[1].close()

    with socket.create_server(("127.0.0.1", 0), backlog=512) as listener:
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            over.set()
            thread.join()
            for _, each in taken:
                each.close()


@pytest.mark.timeout(400)
def test_the_controller_lives_through_an_outage_of_all_hosts(hosts: StandIn, scene: Scene, hasty: Controller) -> None:
    """Else the kubelet would end it again and again while a site is down, and with it the work for all other sites."""
    clusters = [light_cluster(scene, f"c{number}", host, connection={"connectTimeoutSeconds": CONNECT_SECONDS})
                for number, host in enumerate(hosts.hosts)]
    for cluster in clusters:
        cluster.wait("Ready", seconds=60)
    with dropping_host(CONNECT_SECONDS - 0.3) as port:
        for number in range(DROPPED):
            login(scene, f"dropped-{number}", port, "c0-key", connection={"connectTimeoutSeconds": CONNECT_SECONDS})
        for number in range(LOGINS):
            hosts.hang(number)
        dark_until = time.monotonic() + DARK_SECONDS
        while time.monotonic() < dark_until:
            assert hasty.page("livez") == (200, "ok\n")
            time.sleep(0.2)
        until(lambda: not any(cluster.condition("Ready")["status"] == "True" for cluster in clusters), "the hosts to be dark, all of them")
    for number in range(LOGINS):
        hosts.unhang(number)
    back = time.monotonic() + 60 * SHARED
    for cluster in clusters:
        cluster.wait("Ready", seconds=max(back - time.monotonic(), 1) / SHARED)
    assert hasty.page("livez") == (200, "ok\n")
