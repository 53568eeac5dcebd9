"""How a Run's processes are found on a bare host: by its control group where the user may make one, and through /proc everywhere."""

from pathlib import Path

import pytest

from bed.sshd import SshHost
from process.test_process_scripts import LEFTOVERS
from product.remains import running
from product.scene import Scene
from product.starts import starts
from product.waiting import until

ESCAPE = "( setsid env -i bash -c 'for n in /proc/$$/fd/*; do eval \"exec ${n##*/}>&-\"; done; exec sleep 4242' & )\n"
"""Leaves its parent and its session, clears its environment and closes all it was given."""


@pytest.fixture
def group(host: SshHost) -> Path:
    """The control group in which the user's processes are, and which is the user's to divide."""
    return host.delegate()


def below(group: Path) -> list[str]:
    """The control groups that were made in it."""
    return [each.name for each in group.iterdir() if each.is_dir()]


def program(pid: int) -> str:
    """What a process runs; empty if it is gone."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


@pytest.mark.parametrize("shell", ["dash", "bash --posix", "busybox sh"])
def test_its_control_group_finds_what_hides_from_everything_else(host: SshHost, group: Path, scene: Scene, shell: str) -> None:
    """Else a process that takes care not to be found would keep a GPU after its Job."""
    host.shim("sh", f'exec {shell} "$@"')
    scene.bare_host(host)
    ended = scene.job("ended", f"#!/bin/bash\n{ESCAPE}sleep 1\n")
    ended.wait("Complete")
    assert not running(host, "4242"), "it is gone before the Job is Complete"
    deleted = scene.job("deleted", f"#!/bin/bash\ntrap '' TERM\n{ESCAPE}sleep 600\n", cancellationGracePeriodSeconds=0)
    until(lambda: running(host, "4242"), "the script to have started it")
    assert below(group) == [f"fairlead-{deleted.uid}-1"]
    deleted.delete()
    assert not running(host, "4242"), "it is gone before the Job's name is"
    assert below(group) == []
    assert ended.status["run"]["processTracking"] == "Cgroup"


def test_without_a_control_group_it_hides_as_the_docs_say(host: SshHost, scene: Scene) -> None:
    """Else the docs would promise less, or more, than a host without control groups can do."""
    scene.bare_host(host)
    job = scene.job("ended", f"#!/bin/bash\n{ESCAPE}until [ -e ~/go ]; do sleep 0.1; done\n")
    [hidden] = until(lambda: [pid for pid in running(host, "4242") if program(pid) == "sleep"], "it to hide")
    (host.home / "go").touch()
    job.wait("Complete")
    assert job.status["run"]["processTracking"] == "LinuxProc"
    assert running(host, "4242") == [hidden]
    host.run("kill", "-9", str(hidden), user=True)


@pytest.mark.long(of=2)
@pytest.mark.parametrize("what", LEFTOVERS)
def test_what_has_left_its_control_group_is_found_like_anywhere(host: SshHost, group: Path, scene: Scene, what: str) -> None:
    """Else a host with control groups would lose what one without them finds."""
    scene.bare_host(host)
    script = f"#!/bin/bash\n( echo $BASHPID > {group}/cgroup.procs\n{LEFTOVERS[what]})\ntrap '' TERM\nsleep 600\n"
    job = scene.job("away", script, cancellationGracePeriodSeconds=0)
    [left] = until(lambda: [pid for pid in running(host, "4242") if program(pid) == "sleep"], "the script to have started it")
    assert f"/{group.name}\n" in Path(f"/proc/{left}/cgroup").read_text(), "it has left the group of its Run"
    job.delete()
    assert not running(host, "4242")


def test_a_run_whose_keeper_is_killed_leaves_no_control_group(host: SshHost, group: Path, scene: Scene) -> None:
    """Else each such Run would leave its groups in the kernel until the next boot, with what hides in them."""
    scene.bare_host(host)
    inner = f"inner={group.parent}$(sed -n s/^0:://p /proc/self/cgroup)/inner; mkdir $inner; echo 0 > $inner/cgroup.procs\n"
    job = scene.job("orphan", f"#!/bin/bash\n{inner}{ESCAPE}echo on > ~/on\nsleep 600\n")
    until(lambda: starts(host, "on") and running(host, "4242"), "the script to have started it")
    [made] = below(group)
    assert below(group / made) == ["inner"]
    [process] = (host.home / ".fairlead").glob(f"*/runs/{job.uid}-1/process")
    host.run("kill", "-9", process.read_text().split()[2], user=True)
    job.wait("Failed", reason="Signaled")
    assert not running(host, "4242")
    assert below(group) == []
    assert job.status["run"]["processTracking"] == "Cgroup"


def test_a_script_that_removes_its_own_state_is_ended_with_what_hides(host: SshHost, group: Path, scene: Scene) -> None:
    """Else a script that cleans up too much would take away what its processes are found by."""
    scene.bare_host(host)
    job = scene.job("tidy", f"#!/bin/bash\nrm -rf ~/.fairlead/*/runs/*\n{ESCAPE}echo on > ~/on\nuntil [ -e ~/go ]; do sleep 0.1; done\n")
    until(lambda: starts(host, "on") and running(host, "4242"), "the script to have started it")
    (host.home / "go").touch()
    until(lambda: not running(host, "4242"), "its host to have ended it")
    until(lambda: not below(group), "its control group to be gone")
    job.delete()


def test_a_keeper_that_is_killed_before_its_script_begins_costs_time_alone(host: SshHost, group: Path, scene: Scene) -> None:
    """Else a control group that is there already would keep a Job from its own, or from starting at all."""
    kill = 'kill -9 $(ps -o ppid= -p $PPID) $PPID; exit 1'   # the wrapper's parent, and the wrapper
    host.shim("ln", f'case $* in *" revoked "*) ;; */claim) [ -e ~/spare ] || {{ {kill}; }} ;; esac\nexec "$REAL" "$@"')
    scene.bare_host(host)
    job = scene.job("again", f"#!/bin/bash\necho $$ >> ~/again\n{ESCAPE}sleep 1\n")
    until(lambda: below(group), "a keeper to have been killed")
    (host.home / "spare").touch()
    job.wait("Complete")
    assert (len(starts(host, "again")), below(group), running(host, "4242")) == (1, [], [])
    assert job.status["run"]["processTracking"] == "Cgroup"
