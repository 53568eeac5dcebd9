"""The image as a node runs it: process 1, an ordinary user, a read-only root, no capability."""

import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bed.controlplane import ControlPlane
from bed.controlplane.ports import free
from bed.image import Image, build, context
from bed.image.contained import Contained
from bed.image.opened import Opened, opened
from bed.state import Bed
from product.account import account
from product.controller import Controller
from product.waiting import until

END_SECONDS = 10.0
START_CPU_SECONDS = 3.0
INTERPRETER_SECONDS = 0.3


def cpu_seconds(pid: int) -> float:
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / 100


def test_says_its_version(contained: Callable[..., Contained]) -> None:
    """The first thing that a person tries."""
    said = contained().run("--version")
    assert (said.returncode, said.stdout) == (0, f"fairlead, version {context.version()}\n")


def test_may_nothing(contained: Callable[..., Contained]) -> None:
    """It holds what the restricted profile asks for: no root, no capability, no new privileges, nothing to write to but memory."""
    look = """
import os, sys
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(os.getpid(), os.getuid(), status["CapBnd"].strip(), status["CapEff"].strip(), status["NoNewPrivs"].strip())
for folder in ("/", "/tmp", "/opt/fairlead", "/home/nonroot", "/etc"):
    try:
        open(folder + "/written", "w")
    except OSError:
        print(folder, "refused")
"""
    said = contained().run("-c", look, program=["/opt/fairlead/bin/python"])
    refused = [f"{folder} refused" for folder in ("/", "/tmp", "/opt/fairlead", "/home/nonroot", "/etc")]
    assert said.stdout.splitlines() == ["1 65532 0000000000000000 0000000000000000 1", *refused]


def test_imports_all_that_it_has(contained: Callable[..., Contained]) -> None:
    """A library that the base lacks would be missed in the middle of the night."""
    look = """
import importlib, pkgutil
import ssl, sqlite3, ctypes, lzma, bz2, zlib, uuid
import asyncssh, cryptography.hazmat.bindings._rust, bcrypt, yaml._yaml, aiohttp, kopf, fairlead
import opentelemetry.sdk.trace, opentelemetry.exporter.otlp.proto.http.trace_exporter
names = [each.name for each in pkgutil.walk_packages(fairlead.__path__, "fairlead.") if not each.name.endswith("__main__")]
for name in names:
    importlib.import_module(name)
print(len(names) > 50, ssl.create_default_context().cert_store_stats()["x509_ca"] > 50)
"""
    said = contained().run("-c", look, program=["/opt/fairlead/bin/python"])
    assert said.stdout == "True True\n"


@pytest.fixture
def nobody_leads(controller: Controller) -> Iterator[None]:
    """The session's controller is away: it would keep the Lease."""
    controller.stop()
    yield
    controller.ensure()


@pytest.mark.usefixtures("nobody_leads")
def test_controller_works_and_ends_when_it_is_asked_to(plane: ControlPlane, contained: Callable[..., Contained]) -> None:
    """A rolling update waits for each replica: one that ignores SIGTERM holds it up, and keeps its Lease."""
    [port] = free(1)
    one = contained(kubeconfig=account(plane))
    daemon = one.start("controller", "--kubeconfig", "/run/kubeconfig", "--namespace", "default",
                       "--health-host", "127.0.0.1", "--health-port", str(port), "--log-level", "debug")
    page = Controller.page
    looker = type("Looker", (), {"port": port})()
    until(lambda: page(looker, "readyz")[0] == 200 or not daemon.alive, "the controller to be ready")
    assert daemon.alive, daemon.tail(30)
    first = one.first()
    assert first is not None
    used = cpu_seconds(first)
    until(lambda: "fairlead_leading 1.0" in page(looker, "metrics")[1], "the controller to lead")
    began = time.monotonic()
    daemon.term(END_SECONDS + 5)
    took = time.monotonic() - began
    assert (daemon.exit_code, took < END_SECONDS) == (0, True), daemon.tail(30)
    assert used < START_CPU_SECONDS, "it takes long until it is ready"


def test_ends_also_while_it_starts(contained: Callable[..., Contained]) -> None:
    """The kernel gives process 1 no signal that it does not ask for: a pod deleted while it starts would stay until it is killed."""
    one = contained()
    daemon = one.start("controller", "--kubeconfig", "/run/nothing")
    first = until(one.first, "process 1")
    deaf_seconds = 0.0

    def asks() -> bool:
        nonlocal deaf_seconds
        used = cpu_seconds(first)            # before the look: it may go on while this process waits for its turn
        if not (asked := _asks_for(first, signal.SIGTERM)):
            deaf_seconds = used
        return asked

    until(lambda: not daemon.alive or asks(), "process 1 to ask for SIGTERM", INTERPRETER_SECONDS * 20, 0.005)
    assert daemon.alive, daemon.tail()
    assert deaf_seconds < INTERPRETER_SECONDS, "it asks for SIGTERM late"
    daemon.term(END_SECONDS)
    assert daemon.exit_code == 128 + signal.SIGTERM, daemon.tail()


@pytest.mark.long(of=0)
def test_two_builds_are_the_same(bed: Bed, image: Image, inside: Opened) -> None:
    """Who does not trust a release builds it again and compares."""
    again = build(bed, bed.folder / "again" / "image.tar", anew=True)
    assert opened(again, bed.folder / "again" / "root").layers == inside.layers


def _asks_for(pid: int, number: signal.Signals) -> bool:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return False
    caught = next(int(line.split()[1], 16) for line in lines if line.startswith("SigCgt:"))
    return bool(caught >> (number - 1) & 1)
