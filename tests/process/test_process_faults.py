"""What befalls a bare host while Runs are on it: each ends rightly, ran once, and nothing of it is left."""

import os
import random
import shlex
from collections.abc import Callable
from itertools import accumulate

import pytest

from bed.sshd import SshHost
from product.controller import Controller
from product.remains import running
from product.scene import Scene, Thing
from product.starts import starts
from product.waiting import until

AWAY_SECONDS = 30.0
IN_TURN = """#!/bin/sh
echo {number} >> ~/ran
echo 1 >> ~/held
turn=$(grep -nx {number} ~/ran) turn=${{turn%%:*}}
until set -- $(wc -l < ~/ran) && {{ [ $1 -ge $((turn + 3)) ] || [ $1 -ge {count} ]; }}; do sleep 0.05; done
echo -1 >> ~/held
"""
"""Ends when those that can run beside it have begun."""
EXECS = 4
"""So many more than a Run with room has needed, one that has room ends."""


def reboot(host: SshHost) -> None:
    """All of the user's processes end, and the kernel says another boot."""
    host.write("boot_id", "11111111-2222-3333-4444-555555555555\n")
    done = host.run("sh", "-c", "kill -9 -1 2>/dev/null; true", user=True)
    assert done.returncode in {0, -9, 137}, done
    done = host.run("mount", "--bind", "/srv/c/boot_id", "/proc/sys/kernel/random/boot_id", user=False)
    assert done.returncode == 0, done


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
    waiting = scene.job("waiting", "#!/bin/sh\necho $$ >> ~/waiting\n")
    for each in (job, again):
        each.wait("Running")
    waiting.wait("Submitted")
    until(lambda: starts(host, "lost") and starts(host, "again"), "both to have started")
    reboot(host)
    job.wait("Failed", reason="NodeFailure", seconds=60)
    again.wait("Complete", seconds=60)
    waiting.wait("Complete")
    assert [len(starts(host, each)) for each in ("lost", "again", "waiting")] == [1, 2, 1]


@pytest.mark.parametrize("differs", ["start time", "boot"])
def test_another_process_with_the_same_pid_is_not_taken_for_it(host: SshHost, scene: Scene, differs: str) -> None:
    """Else a Job would be called running, or a stranger's process be killed, for a number."""
    scene.bare_host(host)
    job = scene.job("gone", "#!/bin/sh\nsleep 4242\n", cancellationGracePeriodSeconds=0)
    job.wait("Running")
    stranger = host.run("sh", "-c", "setsid sleep 777 >/dev/null 2>&1 & echo $!", user=True).stdout.strip()
    [process] = (host.home / ".fairlead").glob(f"*/runs/{job.uid}-1/process")
    number, boot, _, born, *rest = process.read_text().split()
    if differs == "boot":
        boot, born = "11111111-2222-3333-4444-555555555555", host.run("cut", "-d", " ", "-f", "22", f"/proc/{stranger}/stat").stdout.strip()
    process.write_text(" ".join((number, boot, stranger, born, *rest)) + "\n")
    job.delete()
    assert running(host, "777"), "a process that is not ours was ended"
    assert not running(host, "4242")
    host.run("kill", stranger, user=True)
    until(lambda: not running(host, "777"), "the test's own process to be gone")


@pytest.mark.parametrize("work_dir", ["~/.fairlead", "~/elsewhere/tree"], ids=["in one work folder", "in two"])
def test_two_clusters_of_one_user_share_the_slots(host: SshHost, scene: Scene, work_dir: str) -> None:
    """Else a host named twice would be given out twice."""
    scene.bare_host(host, slots=1)
    scene.bare_host(host, "twin", slots=1, workDir=work_dir)
    script = "#!/bin/sh\necho $$ >> ~/ran\nmkdir ~/alone || echo shared >> ~/shared\nsleep 1\nrmdir ~/alone\n"
    jobs = [scene.job(f"{cluster}-{number}", script, cluster=cluster) for number in range(3) for cluster in ("hpc", "twin")]
    for job in jobs:
        job.wait("Complete", seconds=60)
    assert (starts(host, "shared"), len(starts(host, "ran"))) == ([], 6)


@pytest.mark.long
@pytest.mark.timeout(240)
def test_many_jobs_on_four_slots_each_run_once_in_their_order(host: SshHost, scene: Scene, rounds: Callable[[int], int]) -> None:
    """Else a full queue would lose Jobs, run them twice, or let later ones overtake."""
    count = rounds(200)
    scene.bare_host(host, slots=4)
    for number in range(count):
        scene.job(f"n{number}", IN_TURN.format(number=number, count=count), stdoutPath="all.out")
    until(lambda: all(job.get("status", {}).get("phase") == "Complete" for job in scene.jobs()), "all Jobs to be Complete", 200)
    ids = {job["metadata"]["name"]: int(job["status"]["run"]["id"]) for job in scene.jobs()}
    ran = [int(line) for line in starts(host, "ran")]
    assert sorted(ran) == list(range(count)), "each ran once"
    assert max(accumulate(int(line) for line in starts(host, "held"))) == 4, "no slot was given out twice, and none was idle"
    by_turn = [ids[f"n{number}"] for number in ran]
    assert all(abs(turn - number) < 4 for turn, number in enumerate(by_turn, start=1)), "in the order of their numbers, four at a time"


def is_complete(job: Thing) -> bool:
    """Whether it has ended well."""
    return job.status.get("phase") == "Complete"


@pytest.mark.long
@pytest.mark.timeout(240)
def test_a_disk_that_is_full_at_any_write_costs_time_and_never_a_second_run(
        host: SshHost, scene: Scene, rounds: Callable[[int], int]) -> None:
    """Else a full home would lose a Job, start it twice, or leave a slot taken for ever."""
    scene.bare_host(host, slots=1)
    begun = host.sessions()
    scene.job("with-room").wait("Complete")
    enough_with_room = host.sessions() - begun + EXECS
    step = 20 // rounds(20)
    for pages in range(random.randrange(step), 20 + step, step):
        home = os.statvfs(host.home)
        used = (home.f_blocks - home.f_bfree) * home.f_frsize
        name = f"full-{pages}"
        with host.full_disk(str(used + pages * home.f_frsize)):
            script = f"#!/bin/sh\nmkdir -p /tmp/starts && echo $FAIRLEAD_RUN >> /tmp/starts/{name}\n"
            job = scene.job(name, script, stdoutPath=f"/tmp/{name}.out", infrastructureRetries=100)
            enough = host.sessions() + enough_with_room
            until(lambda job=job, enough=enough: is_complete(job) or host.sessions() >= enough, "the Job to be tried")
            had_room = is_complete(job)
        job.wait_ended(60)
        done = host.run("cat", f"/tmp/starts/{name}", check=False).stdout.split()
        assert (len(done), job.condition("Failed")) == (1, {}), f"with room for {pages} pages it was started {len(done)} times"
        if had_room:
            break
    assert 4 < pages < 18 + step, "the disk was full at each write in turn: one needs a page, and a Run has at least five"


REFUSED = {
    "more slots than the host has": ({"ntasks": 2, "cpusPerTask": 2}, "asks for 4 slots"),
    "more GPUs than the host has": ({"gpus": 1}, "1 GPUs, which no host of the Cluster has"),
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
