"""What a user's script does on a bare host, whatever it does: its Job ends rightly, it ran once, and nothing of it is left."""

import pytest

from bed.sshd import SshHost
from product.remains import running
from product.scene import Scene
from product.starts import starts
from product.waiting import until

ENDS = {
    "kills its own group": ("kill -9 0\nsleep 600\n", "Failed", "Signaled"),
    "kills all that is its user's": ("kill -9 -1\nsleep 600\n", "Failed", "Signaled"),
    "changes its limits": ("ulimit -u 20; ulimit -f 0; ulimit -n 3\nexit 0\n", "Complete", "Completed"),
    "closes what it was given": ("for n in 0 1 2 3 4 5 6 7 8 9; do eval \"exec $n>&-\"; done\nexit 5\n", "Failed", "NonZeroExitCode"),
}


@pytest.mark.parametrize("how", ENDS)
def test_a_script_that_is_hard_on_its_host_ends_as_it_ended(host: SshHost, scene: Scene, how: str) -> None:
    """Else a script's own fault would hang its Job, or pass for a success."""
    script, kind, reason = ENDS[how]
    scene.bare_host(host)
    job = scene.job("rough", f"#!/bin/sh\necho $$ >> ~/rough-starts\n{script}")
    job.wait(kind, reason=reason)
    after = scene.job("after", "#!/bin/sh\ntrue\n", cpusPerTask=2)
    after.wait("Complete")
    assert len(starts(host, "rough-starts")) == 1


CLOSING = "for n in /proc/$$/fd/*; do eval \"exec ${n##*/}>&-\"; done; exec sleep 4242"
LEFTOVERS = {
    "a background child": "sleep 4242 &\n",
    "a child in a session of its own": "setsid sleep 4242 &\n",
    "a daemon that holds standard output": "( setsid sh -c 'sleep 4242 & wait' & )\n",
    "a daemon with an empty environment": "( setsid env -i sleep 4242 & )\n",
    "a daemon that has closed its files": f"( setsid bash -c '{CLOSING}' & )\n",
}


@pytest.mark.long(of=2)
@pytest.mark.parametrize("what", LEFTOVERS)
def test_what_a_script_leaves_behind_ends_with_it(host: SshHost, scene: Scene, what: str) -> None:
    """Else a GPU would stay taken by a process that nobody knows."""
    scene.bare_host(host)
    job = scene.job("parent", f"#!/bin/sh\n{LEFTOVERS[what]}sleep 1\n")
    job.wait("Complete")
    until(lambda: not running(host, "4242"), "what was left behind to be gone")


@pytest.mark.long(of=2)
@pytest.mark.parametrize("what", LEFTOVERS)
def test_what_a_deleted_script_has_started_ends_with_it(host: SshHost, scene: Scene, what: str) -> None:
    """Else a deletion would free a Job's name and not its GPUs."""
    scene.bare_host(host)
    job = scene.job("parent", f"#!/bin/bash\ntrap '' TERM\n{LEFTOVERS[what]}sleep 600\n", cancellationGracePeriodSeconds=1)
    job.wait("Running")
    until(lambda: running(host, "4242"), "the script to have started it")
    job.delete()
    assert not running(host, "4242"), "it is gone before the Job's name is"


def test_a_script_that_takes_its_time_to_save_is_given_it(host: SshHost, scene: Scene) -> None:
    """Else a Job that writes a checkpoint at TERM would lose it."""
    scene.bare_host(host)
    job = scene.job("polite", "#!/bin/bash\ntrap 'sleep 1; echo saved > ~/saved; exit 0' TERM\necho on > ~/on\nsleep 600 & wait\n")
    until(lambda: starts(host, "on"), "the script to have started")
    job.delete()
    assert starts(host, "saved") == ["saved"]


@pytest.mark.parametrize("grandchild", ["", "setsid sleep 4242 &\n"], ids=["alone", "with a child in a session of its own"])
def test_a_script_that_removes_its_own_state_is_told_and_takes_no_slot(host: SshHost, scene: Scene, grandchild: str) -> None:
    """Else a script that cleans up too much would run again, hold its slots for ever, or leave a Job that cannot be deleted."""
    scene.bare_host(host, slots=1)
    job = scene.job("tidy", f"#!/bin/sh\necho $$ >> ~/tidy\n{grandchild}rm -rf ~/.fairlead/*/runs/*\nsleep 1\n")
    job.wait("Running", "Unknown", reason="RunDirectoryMissing", says="delete the Job")
    scene.job("after", "#!/bin/sh\ntrue\n").wait("Complete")
    assert not running(host, "4242"), "its processes hold the slot"
    assert len(starts(host, "tidy")) == 1
    job.delete()


def test_a_script_that_is_deleted_when_it_has_removed_its_own_state_ends(host: SshHost, scene: Scene) -> None:
    """Else there would be processes that nobody can end: its wrapper sees after a while that the claim is gone."""
    scene.bare_host(host)
    job = scene.job("tidy", "#!/bin/sh\nrm -rf ~/.fairlead/*/runs/*\nsetsid sleep 4242 &\nsleep 4242\n", cancellationGracePeriodSeconds=1)
    until(lambda: len(running(host, "sleep 4242")) == 2, "the script to have started")
    job.delete()
    assert not running(host, "sleep 4242"), "it is gone before the Job's name is"


def test_a_gigabyte_of_output_is_shown_by_its_end(host: SshHost, scene: Scene) -> None:
    """Else a talkative script would be read into memory, or hold up each poll. (Nearly all of it is a hole in the file.)"""
    scene.bare_host(host)
    job = scene.job("loud", "#!/bin/sh\ntruncate -s 1G ~/loud.out\necho the end\n", stdoutPath="loud.out")
    job.wait("Complete")
    assert job.status["logs"] | {"tail": "the end\n", "bytes": (1 << 30) + 8} == job.status["logs"]


def test_a_gigabyte_of_output_that_has_no_room_fails_as_the_script_does(host: SshHost, scene: Scene) -> None:
    """Else a script that fills its home would hide its own end, and hold its slots for ever."""
    scene.bare_host(host, slots=1)
    with host.full_disk("8m"):
        job = scene.job("loud", "#!/bin/sh\necho $$ >> ~/loud\nhead -c 1G /dev/zero || exit 9\n", stdoutPath="loud.out")
        job.wait("Failed", reason="NonZeroExitCode", seconds=60)
        assert job.status["run"]["exitCode"] == 9
    scene.job("after", "#!/bin/sh\ntrue\n").wait("Complete")
    assert len(starts(host, "loud")) == 1
