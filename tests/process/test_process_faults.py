"""What a bare host and the user's script do to a Run: it ends rightly, once, and nothing of it is left."""

import os
import shlex

import pytest

from bed.sshd import SshHost
from product.controller import Controller
from product.remains import running
from product.scene import Scene, Thing
from product.starts import starts
from product.waiting import until

AWAY_SECONDS = 30.0


def reboot(host: SshHost) -> None:
    """All of the user's processes end, and the kernel says another boot."""
    host.write("boot_id", "11111111-2222-3333-4444-555555555555\n")
    done = host.run("sh", "-c", "kill -9 -1 2>/dev/null; true", user=True)
    assert done.returncode in {0, -9, 137}, done
    done = host.run("mount", "--bind", "/srv/c/boot_id", "/proc/sys/kernel/random/boot_id", user=False)
    assert done.returncode == 0, done


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


LEFTOVERS = {
    "a background child": "sleep 4242 &\n",
    "a child in a session of its own": "setsid sleep 4242 &\n",
    "a daemon that holds standard output": "( setsid sh -c 'sleep 4242 & wait' & )\n",
    "a daemon with an empty environment": "( setsid env -i sleep 4242 & )\n",
}


@pytest.mark.parametrize("what", LEFTOVERS)
def test_what_a_script_leaves_behind_ends_with_it(host: SshHost, scene: Scene, what: str) -> None:
    """Else a GPU would stay taken by a process that nobody knows."""
    scene.bare_host(host)
    job = scene.job("parent", f"#!/bin/sh\n{LEFTOVERS[what]}sleep 1\n")
    job.wait("Complete")
    until(lambda: not running(host, "4242"), "what was left behind to be gone")


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


def test_its_time_limit_holds_while_nobody_is_connected(host: SshHost, scene: Scene) -> None:
    """Else a lost connection would let a Job run for ever."""
    cluster = scene.bare_host(host)
    job = scene.job("slow", "#!/bin/sh\necho on > ~/on\nsleep 4242\n", timeLimit="4s")
    until(lambda: starts(host, "on"), "the script to have started")
    cluster.change(suspend=True)
    until(lambda: not running(host, "4242"), "the script to be ended by its host", AWAY_SECONDS)
    cluster.change(suspend=False)
    job.wait("Failed", reason="TimeLimitExceeded")


def test_the_next_one_starts_while_nobody_is_connected(host: SshHost, scene: Scene) -> None:
    """Else a host would stand idle until its controller is back."""
    cluster = scene.bare_host(host, slots=1)
    first = scene.job("first", "#!/bin/sh\nwhile [ ! -e ~/go ]; do sleep 0.1; done\n")
    first.wait("Running")
    second = scene.job("second", "#!/bin/sh\necho on > ~/second-on\n")
    second.wait("Submitted")
    assert second.condition("Running")["status"] != "True"
    cluster.change(suspend=True)
    until(lambda: not host.connections(), "the connection to be closed")
    (host.home / "go").touch()
    until(lambda: starts(host, "second-on"), "the second to start by itself", AWAY_SECONDS)
    cluster.change(suspend=False)
    first.wait("Complete")
    second.wait("Complete")


def test_it_outlives_connection_sshd_and_controller(host: SshHost, scene: Scene, controller: Controller) -> None:
    """Else a broken connection would end a Job, or start it twice."""
    scene.bare_host(host)
    job = scene.job("steady", "#!/bin/sh\necho $$ >> ~/steady\nwhile [ ! -e ~/go ]; do sleep 0.1; done\n")
    job.wait("Running")
    host.end_sessions()
    controller.daemon.kill()
    (host.home / "go").touch()
    controller.start()
    job.wait("Complete")
    assert len(starts(host, "steady")) == 1


def test_a_reboot_is_a_failed_node(host: SshHost, scene: Scene) -> None:
    """Else a Job of a host that was switched off would run for ever, or end in silence."""
    scene.bare_host(host)
    job = scene.job("lost", "#!/bin/sh\necho $$ >> ~/lost\nsleep 4242\n")
    again = scene.job("again", "#!/bin/sh\necho $$ >> ~/again\n[ $(wc -l < ~/again) = 2 ] || sleep 4242\n", backoffLimit=1)
    for each in (job, again):
        each.wait("Running")
    until(lambda: starts(host, "lost") and starts(host, "again"), "both to have started")
    reboot(host)
    job.wait("Failed", reason="NodeFailure", seconds=60)
    again.wait("Complete", seconds=60)
    assert (len(starts(host, "lost")), len(starts(host, "again"))) == (1, 2)


def test_another_process_with_the_same_pid_is_not_taken_for_it(host: SshHost, scene: Scene) -> None:
    """Else a Job would be called running, or a stranger's process be killed, for a number."""
    scene.bare_host(host)
    job = scene.job("gone", "#!/bin/sh\nsleep 4242\n", cancellationGracePeriodSeconds=0)
    job.wait("Running")
    [process] = (host.home / ".fairlead").glob(f"*/runs/{job.uid}-1/process")
    number, boot, pid, born, *rest = process.read_text().split()
    stranger = host.run("sh", "-c", "setsid sleep 777 >/dev/null 2>&1 & echo $!", user=True).stdout.strip()
    process.write_text(" ".join((number, boot, stranger, born, *rest)) + "\n")
    job.delete()
    assert running(host, "777"), "a process that is not ours was ended"
    host.run("kill", stranger, user=True)
    until(lambda: not running(host, "777"), "the test's own process to be gone")
    assert int(pid) > 0


def test_two_clusters_of_one_user_share_the_slots(host: SshHost, scene: Scene) -> None:
    """Else a host named twice would be given out twice."""
    scene.bare_host(host, slots=1)
    scene.bare_host(host, "twin", slots=1, workDir="~/elsewhere/tree")
    script = "#!/bin/sh\nmkdir ~/alone || echo shared >> ~/shared\nsleep 1\nrmdir ~/alone\n"
    jobs = [scene.job(f"{cluster}-{number}", script, cluster=cluster) for number in range(3) for cluster in ("hpc", "twin")]
    for job in jobs:
        job.wait("Complete", seconds=60)
    assert starts(host, "shared") == []


def test_a_script_that_removes_its_own_state_ends(host: SshHost, scene: Scene) -> None:
    """Else a script that cleans up too much would leave a Job that never ends, or processes that nobody ends."""
    scene.bare_host(host)
    job = scene.job("tidy", "#!/bin/sh\nrm -rf ~/.fairlead/*/runs/*\nsetsid sleep 4242 &\nsleep 1\n", cancellationGracePeriodSeconds=1)
    job.wait("Submitted")
    until(lambda: running(host, "4242"), "the script to have started")
    job.delete()
    until(lambda: not running(host, "4242"), "its processes to be gone")


def test_two_hundred_jobs_on_four_slots_each_run_once_in_their_order(host: SshHost, scene: Scene) -> None:
    """Else a full queue would lose Jobs, run them twice, or let later ones overtake."""
    scene.bare_host(host, slots=4)
    for number in range(200):
        scene.job(f"n{number}", f"#!/bin/sh\necho {number} >> ~/ran\nsleep 1\n", stdoutPath="all.out")
    until(lambda: all(job.get("status", {}).get("phase") == "Complete" for job in scene.jobs()), "all Jobs to be Complete", 115)
    ids = {job["metadata"]["name"]: int(job["status"]["run"]["id"]) for job in scene.jobs()}
    ran = [int(line) for line in starts(host, "ran")]
    assert sorted(ran) == list(range(200)), "each ran once"
    by_turn = [ids[f"n{number}"] for number in ran]
    assert all(abs(turn - number) < 4 for turn, number in enumerate(by_turn, start=1)), "in the order of their numbers, four at a time"


def test_a_disk_that_is_full_at_any_write_costs_time_and_never_a_second_run(host: SshHost, scene: Scene) -> None:
    """Else a full home would lose a Job, start it twice, or leave a slot taken for ever."""
    scene.bare_host(host, slots=1)
    for pages in (0, 1, 2, 3, 4, 6, 8, 11, 14, 18):
        home = os.statvfs(host.home)
        used = (home.f_blocks - home.f_bfree) * home.f_frsize
        name = f"full-{pages}"
        with host.full_disk(str(used + pages * home.f_frsize)):
            script = f"#!/bin/sh\nmkdir -p /tmp/starts && echo $FAIRLEAD_RUN >> /tmp/starts/{name}\n"
            job = scene.job(name, script, stdoutPath=f"/tmp/{name}.out", infrastructureRetries=100)
            until(lambda job=job: job.status.get("run") or job.condition("Submitted"), "the Job to be tried")
        job.wait_ended(60)
        done = host.run("cat", f"/tmp/starts/{name}", check=False).stdout.split()
        assert (len(done), job.condition("Failed")) == (1, {}), f"with room for {pages} pages it was started {len(done)} times"


REFUSED = {
    "more slots than the host has": ({"ntasks": 2, "cpusPerTask": 2}, "asks for 4 slots"),
    "more GPUs than the host has": ({"gpus": 1}, "asks for 1 GPUs"),
    "a partition": ({"partition": "gpu"}, "has no partition"),
    "memory": ({"memory": "1Gi"}, "has no mem"),
    "two nodes": ({"nodes": 2}, "nodes is 1 there, not 2"),
}


def test_what_a_bare_host_does_not_know_is_refused(host: SshHost, scene: Scene) -> None:
    """Else a wish would be dropped in silence."""
    scene.bare_host(host)
    jobs: dict[str, tuple[Thing, str]] = {}
    for number, (spec, words) in enumerate(REFUSED.values()):
        jobs[f"r{number}"] = scene.job(f"r{number}", "#!/bin/sh\n", **spec), words
    for job, words in jobs.values():
        assert words in job.wait("Failed", reason="InvalidScript")["message"]
    lines = scene.job("lines", f"#!/bin/sh\n#SBATCH --partition=gpu\ntouch {shlex.quote('never')}\n")
    assert "has no partition" in lines.wait("Failed", reason="InvalidScript")["message"]
