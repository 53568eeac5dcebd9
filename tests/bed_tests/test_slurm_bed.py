"""Without these a test on a cluster proves nothing: the cluster must be real, breakable, apart from all others, and gone afterwards."""

import pwd
import subprocess
from pathlib import Path

import pytest

from bed.cgroups import CGROUPS
from bed.errors import BedError
from bed.releases import RELEASES
from bed.slurm import SlurmCluster, SlurmConfig, cgroup_supported, start_many
from bed.state import Bed
from bed_tests.waiting import until


def submit(cluster: SlurmCluster, script: str, *options: str) -> str:
    return cluster.run("sbatch", "--parsable", *options, "--wrap", script).stdout.strip().partition(";")[0]


def state(cluster: SlurmCluster, job_id: str) -> str | None:
    return next((row.state for row in cluster.squeue_all() if row.job_id == job_id), None)


@pytest.mark.parametrize("release", RELEASES)
def test_a_job_submitted_over_ssh_runs_as_the_ordinary_user_on_every_release(bed: Bed, release: str) -> None:
    cluster = SlurmCluster.start(bed, release)
    answer = cluster.ssh("sbatch --parsable -o out --wrap 'id -un; pwd; sinfo --version'")
    assert answer.returncode == 0, answer.stderr
    job_id = answer.stdout.strip().partition(";")[0]
    until(lambda: state(cluster, job_id) == "COMPLETED", f"job {job_id} completed")
    user, folder, version = (cluster.home / "out").read_text().splitlines()
    assert (user, folder) == ("user", "/srv/c/home")
    assert version.startswith(f"slurm-wlm {release}.")
    assert (cluster.home / "out").stat().st_uid == cluster.enclosure.uid
    cluster.stop()


def test_the_user_exists_only_inside(cluster: SlurmCluster) -> None:
    assert cluster.run("id", "-un").stdout == "user\n"
    with pytest.raises(KeyError):
        pwd.getpwuid(cluster.enclosure.uid)


def test_every_node_of_the_wanted_shape_takes_jobs(bed: Bed) -> None:
    cluster = SlurmCluster.start(bed, config=SlurmConfig(nodes=3, cpus=2, gpus=1, memory_mib=2000, min_job_age_seconds=30))
    assert cluster.run("sinfo", "-h", "-N", "-p", "debug", "-o", "%N %c %m %G").stdout.splitlines() == [
        f"{node} 2 2000 gpu:a100:1" for node in cluster.nodes]
    submit(cluster, "srun hostname; echo $SLURM_JOB_NUM_NODES > nodes", "--nodes=3", "--gres=gpu:1")
    until(lambda: not cluster.jobs_active(), "the job's end")
    assert (cluster.home / "nodes").read_text() == "3\n"
    cluster.stop()


def test_accounting_tells_of_finished_jobs(bed: Bed) -> None:
    cluster = SlurmCluster.start(bed, config=SlurmConfig(accounting=True))
    job_id = submit(cluster, "exit 3")
    def told() -> str:
        return cluster.run("sacct", "-X", "-n", "-P", "-S", "now-1hours", "-o", "JobID,State,ExitCode").stdout.strip()
    until(lambda: told() == f"{job_id}|FAILED|3:0", "the job's row in sacct")
    cluster.slurmdbd.kill()
    assert cluster.run("sacct", "-S", "now-1hours", check=False).returncode == 1
    cluster.slurmdbd.start()
    until(lambda: cluster.run("sacct", "-X", "-n", "-S", "now-1hours", check=False).returncode == 0, "sacct's answer after the restart")
    cluster.stop()


def test_hooks_can_be_slow(bed: Bed) -> None:
    cluster = SlurmCluster.start(bed, config=SlurmConfig(hooks=True))
    slow = cluster.write("hooks/slow", "")
    job_id = submit(cluster, "true")
    until(lambda: state(cluster, job_id) == "CONFIGURING", "the job while its prolog runs")
    slow.unlink()
    until(lambda: state(cluster, job_id) == "COMPLETED", "the job's end")
    cluster.stop()


def test_control_groups_tell_a_memory_kill_where_the_machine_has_them(bed: Bed) -> None:
    config = SlurmConfig(proctrack="cgroup")
    if not cgroup_supported():
        with pytest.raises(BedError, match="needs cgroup v1"):
            SlurmCluster.start(bed, config=config)
        return
    cluster = SlurmCluster.start(bed, config=config)
    job_id = submit(cluster, "setsid setsid sleep 1000 & head -c 200000000 /dev/zero | tail", "--mem=50")
    until(lambda: state(cluster, job_id) == "OUT_OF_MEMORY", "the job killed for its memory")
    until(lambda: not cluster.user_pids(), "the end of every process of the job")
    cluster.stop()
    assert not list(CGROUPS.glob(f"*/{cluster.enclosure.network.name}"))


def test_clusters_started_together_are_apart(bed: Bed) -> None:
    first, second, third = start_many(bed, 3)
    assert len({cluster.host for cluster in (first, second, third)}) == 3
    assert len({cluster.enclosure.uid for cluster in (first, second, third)}) == 3
    submit(first, "sleep 60")
    assert len(first.jobs_active()) == 1
    assert second.jobs_active() == third.jobs_active() == []
    unreachable = first.run("timeout", "3", "bash", "-c", f"</dev/tcp/{second.host}/22", check=False)
    assert unreachable.returncode != 0
    for cluster in (first, second, third):
        cluster.stop()
    assert not first.enclosure.network.pids()


def test_slurmctld_can_be_killed_and_started_again(cluster: SlurmCluster) -> None:
    cluster.slurmctld.kill()
    assert not cluster.slurmctld.alive
    assert cluster.run("scontrol", "ping", check=False).returncode == 1
    cluster.slurmctld.start()
    until(lambda: cluster.run("scontrol", "ping", check=False).returncode == 0, "slurmctld's answer")


def test_slurmctld_can_be_stopped_and_continued(cluster: SlurmCluster) -> None:
    cluster.slurmctld.stop()
    try:
        with pytest.raises(subprocess.TimeoutExpired):
            cluster.run("squeue", timeout=1)
    finally:
        cluster.slurmctld.cont()
    assert cluster.run("squeue", timeout=20).returncode == 0


def test_a_node_that_was_killed_comes_back(cluster: SlurmCluster) -> None:
    cluster.node(1).kill()
    assert not cluster.node(1).alive
    assert cluster.node(2).alive
    cluster.node(1).start()
    job_id = submit(cluster, "true", f"--nodelist={cluster.nodes[0]}")
    until(lambda: state(cluster, job_id) == "COMPLETED", "a job on the node that came back")


def test_a_node_that_does_not_exist_is_named(cluster: SlurmCluster) -> None:
    with pytest.raises(BedError, match="has no node 3"):
        cluster.node(3)


def test_a_full_disk_refuses_to_write_and_loses_nothing(cluster: SlurmCluster) -> None:
    cluster.run("sh", "-c", "echo kept > kept")
    with cluster.full_disk("256k"):
        assert cluster.run("cat", "kept").stdout == "kept\n"
        full = cluster.run("sh", "-c", "head -c 1000000 /dev/zero > big", check=False)
        assert "No space left on device" in full.stderr
    cluster.run("sh", "-c", "head -c 1000000 /dev/zero > big && rm big")
    assert (cluster.home / "kept").read_text() == "kept\n"


def test_a_disk_can_be_full_to_the_last_byte(cluster: SlurmCluster) -> None:
    cluster.run("sh", "-c", "echo something > something")
    with cluster.full_disk("0"):
        full = cluster.run("cp", "something", "more", check=False)
        assert "No space left on device" in full.stderr


@pytest.mark.parametrize("shell", ["bash -c", "bash -lc", "sh -lc"])
def test_a_shim_answers_for_a_command_in_every_kind_of_shell(cluster: SlurmCluster, shell: str) -> None:
    cluster.shim("squeue", 'echo "lie from $REAL with $1"; exit 7')
    lie = cluster.ssh(f"{shell} 'squeue --me'")
    assert (lie.returncode, lie.stdout) == (7, "lie from /usr/bin/squeue with --me\n")
    assert not any("lie" in str(job) for job in cluster.jobs_active()), "the bed itself is not lied to; jobs of other tests may be there"
    cluster.shim("squeue", 'exec "$REAL" --version')
    assert cluster.ssh(f"{shell} squeue").stdout.startswith("slurm-wlm")
    cluster.unshim("squeue")
    assert "JOBID" in cluster.ssh(f"{shell} squeue").stdout


def test_a_shim_for_a_command_that_does_not_exist_is_refused(cluster: SlurmCluster) -> None:
    with pytest.raises(BedError, match="no command 'sbacth'"):
        cluster.shim("sbacth", "true")


@pytest.mark.parametrize(("shell", "own_number"), [
    ("/usr/bin/dash", "$$"), ("/usr/bin/tcsh", "$$"), ("/usr/bin/zsh", "$$"), ("/usr/bin/fish", "$fish_pid"),
])
def test_the_login_shell_can_be_changed(cluster: SlurmCluster, shell: str, own_number: str) -> None:
    cluster.set_login_shell(shell)
    try:
        assert Path(cluster.ssh(f"readlink /proc/{own_number}/exe; true").stdout.strip()).name.startswith(Path(shell).name)
    finally:
        cluster.set_login_shell("/bin/bash")
    assert Path(cluster.ssh("readlink /proc/$$/exe; true").stdout.strip()).name == "bash"


def test_what_runs_for_the_user_is_counted(cluster: SlurmCluster) -> None:
    until(lambda: not (cluster.user_pids() or cluster.connections() or cluster.jobs_active()), "what other tests had there to be gone")
    job_id = submit(cluster, "sleep 300")
    until(cluster.user_pids, "the job's process")
    assert cluster.jobs_active() == [job_id]
    cluster.run("scancel", job_id)
    until(lambda: not cluster.jobs_active() and not cluster.user_pids(), "the cancelled job's end")
    assert state(cluster, job_id) == "CANCELLED"


def test_nothing_is_left_after_stop(bed: Bed) -> None:
    cluster = SlurmCluster.start(bed)
    submit(cluster, "setsid sleep 300")
    cluster.ssh("setsid nohup sleep 300 >/dev/null 2>&1 &")
    until(lambda: len(cluster.user_pids()) > 1, "processes of the user")
    pids, name = cluster.enclosure.network.pids(), cluster.enclosure.network.name
    cluster.stop()
    cluster.stop()
    assert pids
    assert not cluster.enclosure.network.pids()
    assert not [path for path in (Path("/run/netns", name), Path("/sys/class/net", name), cluster.folder) if path.exists()]
    assert str(cluster.folder) not in Path("/proc/self/mountinfo").read_text()


def test_two_beds_do_not_meet(bed: Bed, cluster: SlurmCluster) -> None:
    with Bed.create("a second bed beside the first") as other:
        neighbour = SlurmCluster.start(other)
        assert neighbour.host != cluster.host
        assert neighbour.enclosure.uid != cluster.enclosure.uid
        assert not neighbour.pids() & cluster.pids()
    assert other.leftovers() == []
    assert cluster.ssh("true").returncode == 0
    assert cluster.slurmctld.alive


def test_a_bed_ends_its_clusters_and_their_jobs(cluster: SlurmCluster) -> None:
    with Bed.create("a bed that ends with work on it") as other:
        busy = start_many(other, 2)
        for neighbour in busy:
            submit(neighbour, "setsid sleep 300")
        until(lambda: all(neighbour.user_pids() for neighbour in busy), "jobs on both clusters")
    assert other.leftovers() == []
    assert not [pid for neighbour in busy for pid in neighbour.enclosure.network.pids()]
    assert not other.folder.exists()


def test_an_unknown_release_is_refused_with_the_known_ones(bed: Bed) -> None:
    with pytest.raises(BedError, match=r"known are 20\.11, 22\.05, 24\.11, 26\.05"):
        SlurmCluster.start(bed, "19.05")
