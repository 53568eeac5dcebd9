"""A bare host with systemd: a Run in a scope of the user's own, and logind, which ends at logout what is in none."""

from collections.abc import Callable, Iterator

import pytest

from bed.state import Bed
from bed.systemdhost import SystemdHost
from process.test_process_means import ESCAPE
from product.remains import running
from product.scene import Scene, Thing
from product.starts import starts
from product.waiting import until


@pytest.fixture
def boot(bed: Bed) -> Iterator[Callable[..., SystemdHost]]:
    """Boots a host. A test names it before `scene`: it has to outlive what is deleted in that."""
    hosts: list[SystemdHost] = []

    def start(logind: str = "", *, linger: bool) -> SystemdHost:
        hosts.append(SystemdHost.boot(bed, logind, linger=linger))
        return hosts[-1]

    yield start
    for host in hosts:
        host.stop()


def log_out(cluster: Thing, host: SystemdHost) -> None:
    """Has the controller close its connection."""
    cluster.change(suspend=True)
    until(lambda: not host.connections(), "the connection to be closed")


@pytest.mark.parametrize("shell", ["dash", "bash --posix", "busybox sh"])
def test_a_scope_keeps_a_run_when_logind_ends_its_session(boot: Callable[..., SystemdHost], scene: Scene, shell: str) -> None:
    """Else every Job would end with our connection where KillUserProcesses is set, linger or not, or hidden processes would stay."""
    host = boot("KillUserProcesses=yes", linger=True)
    host.shim("sh", f'exec {shell} "$@"')
    cluster = scene.bare_host(host, slots=1)
    first = scene.job("first", f"#!/bin/bash\necho on > ~/on\n{ESCAPE}while [ ! -e ~/go ]; do sleep 0.1; done\n")
    second = scene.job("second", "#!/bin/bash\ncat /proc/self/cgroup > ~/second\n")
    until(lambda: starts(host, "on") and running(host, "4242"), "the script to have started")
    second.wait("Submitted")
    log_out(cluster, host)
    until(lambda: not host.login_scopes(), "logind to have ended the session with all that is in it")
    (host.home / "go").touch()
    until(lambda: starts(host, "second"), "the next one to start by itself")
    cluster.change(suspend=False)
    for job in (first, second):
        job.wait("Complete")
        assert job.status["run"]["processTracking"] == "SystemdScope"
    assert not running(host, "4242")
    assert f"fairlead-{second.uid}-1.scope" in (host.home / "second").read_text()
    third = scene.job("third", f"#!/bin/bash\ntrap '' TERM\n{ESCAPE}sleep 600\n", cancellationGracePeriodSeconds=0)
    until(lambda: running(host, "4242"), "the script to have started it")
    third.delete()
    assert not running(host, "4242"), "it is gone before the Job's name is"
    until(lambda: not host.run_scopes(), "its scopes to be gone")


@pytest.mark.parametrize("logind", ["KillUserProcesses=yes", "KillOnlyUsers=user"])
def test_a_host_that_ends_processes_at_logout_says_so(boot: Callable[..., SystemdHost], scene: Scene, logind: str) -> None:
    """Else every Job would end with our connection, and look like a Job that was killed."""
    host = boot(logind, linger=False)
    cluster = scene.bare_host(host, ready=False)
    condition = cluster.wait("Ready", "False", reason="EndsAtLogout")
    assert "loginctl enable-linger user" in condition["message"]
    host.shim("systemd-run", "echo no scope today >&2; exit 1")
    host.enable_linger()
    cluster.wait("Ready", "False", reason="EndsAtLogout", says="no scope today")
    host.unshim("systemd-run")
    cluster.wait("Ready")


@pytest.mark.parametrize("logind", ["", "KillUserProcesses=yes\nKillExcludeUsers=user"])
def test_without_linger_a_run_stays_where_logind_leaves_it_alone(boot: Callable[..., SystemdHost], scene: Scene, logind: str) -> None:
    """Else most hosts with systemd would be refused for nothing."""
    host = boot(logind, linger=False)
    cluster = scene.bare_host(host)
    job = scene.job("steady", "#!/bin/bash\necho on > ~/on\nwhile [ ! -e ~/go ]; do sleep 0.1; done\n")
    until(lambda: starts(host, "on"), "the script to have started")
    log_out(cluster, host)
    assert host.login_scopes(), "the script's session is closed, and what is in it lives on"
    (host.home / "go").touch()
    cluster.change(suspend=False)
    job.wait("Complete")
    assert job.status["run"]["processTracking"] == "LinuxProc"


@pytest.mark.parametrize("systemd_run", ["exit 1", "exec sleep 4242"], ids=["refuses", "hangs"])
def test_a_scope_that_cannot_be_had_costs_time_and_never_a_second_run(
    boot: Callable[..., SystemdHost], scene: Scene, systemd_run: str,
) -> None:
    """Else a user's systemd that is out of order would keep Jobs from starting, or start them twice."""
    host = boot(linger=True)
    host.shim("systemd-run", systemd_run)
    scene.bare_host(host)
    job = scene.job("plain", "#!/bin/bash\necho $$ >> ~/plain\n")
    job.wait("Complete")
    assert job.status["run"]["processTracking"] == "LinuxProc"
    assert len(starts(host, "plain")) == 1
    assert not running(host, "4242")
