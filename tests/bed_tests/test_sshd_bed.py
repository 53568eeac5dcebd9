"""Without these a test of the connection proves nothing: sshd must be real, and each fault must look as it does on a real network."""

import os
import select
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bed.errors import BedError
from bed.faults import Service
from bed.sshd import SshHost
from bed.state import Bed
from bed_tests.waiting import until

CUTS: dict[str, tuple[Callable[[SshHost], None], Callable[[SshHost], None]]] = {
    "link down": (SshHost.link_down, SshHost.link_up),
    "silent drop": (lambda host: host.drop(True), lambda host: host.drop(False)),
}


@contextmanager
def session(host: SshHost, command: str = "cat") -> Iterator["subprocess.Popen[bytes]"]:
    """A command over ssh that is still running, its pipes open."""
    host.ssh("true")  # writes the key files
    argv = ["ssh", "-F", "none", "-i", str(host.folder / "ssh/user"), "-o", f"UserKnownHostsFile={host.folder}/ssh/known_hosts",
            "-o", "BatchMode=yes", f"{host.user}@{host.host}", command]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(argv, bufsize=0, env=host.bed.env, **pipes) as running:
        yield running
        running.kill()


def echo(running: "subprocess.Popen[bytes]", line: bytes, seconds: float = 30) -> bytes:
    """What comes back for a line within some seconds; nothing comes over a cut network."""
    assert running.stdin is not None
    assert running.stdout is not None
    running.stdin.write(line)
    ready, _, _ = select.select([running.stdout], [], [], seconds)
    return os.read(running.stdout.fileno(), 100) if ready else b""


def banner(host: SshHost, seconds: float) -> bytes:
    """The first bytes of sshd on a new connection; empty when it says nothing."""
    with socket.create_connection((host.host, host.port), timeout=seconds) as connection:
        try:
            return connection.recv(8)
        except TimeoutError:
            return b""


def test_the_user_logs_in_with_the_key_and_the_pinned_host_key(host: SshHost) -> None:
    answer = host.ssh("id -un; pwd")
    assert (answer.returncode, answer.stdout) == (0, "user\n/srv/c/home\n")
    assert "Accepted publickey for user from" in host.sshd_log()


def test_another_host_key_is_noticed(host: SshHost, bed: Bed) -> None:
    other = SshHost.start(bed)
    host.ssh("true")
    host.write("ssh/known_hosts", f"{host.host} {other.known_hosts.partition(' ')[2]}\n")
    assert host.ssh("true").returncode == 255
    other.stop()


@pytest.mark.parametrize("release", ["20.11", "22.05", "26.05"])
def test_every_suite_has_a_working_sshd(bed: Bed, release: str) -> None:
    host = SshHost.start(bed, release)
    assert host.ssh("echo hello").stdout == "hello\n"
    host.stop()


def test_extra_lines_win_over_the_usual_ones(bed: Bed) -> None:
    host = SshHost.start(bed, sshd_extra=("LogLevel QUIET", "ForceCommand echo forced"), login_shell="/bin/dash")
    assert host.ssh("id").stdout == "forced\n"
    assert "Accepted" not in host.sshd_log()
    host.stop()


@pytest.mark.parametrize("cut", CUTS)
def test_an_open_session_stands_still_over_a_cut_network_and_goes_on_after_it(host: SshHost, cut: str) -> None:
    take, give = CUTS[cut]
    with session(host) as running:
        assert echo(running, b"before\n") == b"before\n"
        take(host)
        assert echo(running, b"during\n", seconds=0.5) == b""
        assert running.poll() is None
        with pytest.raises(TimeoutError):
            banner(host, 0.5)
        give(host)
        assert echo(running, b"") == b"during\n"
    assert host.ssh("true").returncode == 0


def test_a_killed_sshd_refuses_and_a_started_one_answers(host: SshHost) -> None:
    host.sshd.kill()
    with pytest.raises(ConnectionRefusedError):
        banner(host, 5)
    with pytest.raises(BedError, match="sshd does not run"):
        host.sshd.stop()
    host.sshd.start()
    assert banner(host, 5) == b"SSH-2.0-"


def test_a_stopped_sshd_takes_connections_and_says_nothing(host: SshHost) -> None:
    host.sshd.stop()
    assert banner(host, 0.5) == b""
    host.sshd.cont()
    assert banner(host, 5) == b"SSH-2.0-"


def test_open_connections_are_counted_and_can_be_ended(host: SshHost) -> None:
    assert host.connections() == 0
    with session(host) as running:
        assert echo(running, b"here\n") == b"here\n"
        until(lambda: host.connections() == 1, "this connection alone to be counted: that of the command before it ends meanwhile")
        assert host.user_pids()
        host.end_sessions()
        assert running.wait(30) == 255
    until(lambda: host.connections() == 0 and not host.user_pids(), "the end of the session")
    assert host.ssh("true").returncode == 0


def test_a_host_with_running_commands_leaves_nothing(bed: Bed) -> None:
    host = SshHost.start(bed)
    host.ssh("setsid nohup sleep 300 >/dev/null 2>&1 </dev/null &")
    until(host.user_pids, "the command's process")
    name = host.enclosure.network.name
    host.stop()
    assert not [path for path in (Path("/run/netns", name), Path("/sys/class/net", name), host.folder) if path.exists()]
    assert not host.enclosure.network.pids()


def test_a_host_that_cannot_start_says_why(bed: Bed) -> None:
    with pytest.raises(BedError, match="NoSuchOption"):
        SshHost.start(bed, sshd_extra=("NoSuchOption yes",))


def test_a_start_is_given_up_once_the_bed_is_gone() -> None:
    """Ctrl-C while a cluster starts would be followed by a long wait for a daemon that nobody runs any more."""
    with Bed.create("a test of an interrupted start") as bed:
        host = SshHost.start(bed)
        service = Service("nobody", host.enclosure, ("true",), host.folder / "nobody.pid", host.folder / "log" / "nobody.log")
        host.enclosure.network.delete()
        with pytest.raises(BedError, match="removed meanwhile"):
            service.start()
