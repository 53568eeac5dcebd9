"""`fairlead doctor` on real hosts and a real Slurm: what is wrong there, one by one, and the words for it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from doctor_looks import command, look, verdicts

from bed.enclosure import HOME
from bed.login import LoginNode
from bed.slurm import SlurmCluster
from bed.sshd import SshHost
from bed.state import Bed
from bed.systemdhost import SystemdHost
from fairlead.cli.doctor.finding import Result
from fairlead.domain.run.run import Tree
from product.waiting import until

NO_ACCOUNT = "Invalid account or account/partition combination specified"
OK, WRONG, SKIPPED, NOTE = Result.OK, Result.WRONG, Result.SKIPPED, Result.NOTE


def files(node: LoginNode) -> list[tuple[str, int, int]]:
    """All that is in the home, with its sizes and times."""
    seen = [node.home, *node.home.rglob("*")]
    return sorted((str(each), each.lstat().st_size, each.lstat().st_mtime_ns) for each in seen)


def test_a_healthy_slurm_cluster_is_ok_and_nothing_of_it_changes(hpc: SlurmCluster, tmp_path: Path) -> None:
    """Else a person would mend what is whole; or a look would leave something, or hand a job in."""
    before, sessions, connections = files(hpc), hpc.sessions(), hpc.sshd_log().count("Accepted publickey")
    code, told = command(hpc, tmp_path)
    [host] = told["hosts"]
    assert (code, told["ok"], {each["result"] for each in host["checks"]}) == (0, True, {"ok"}), host
    assert {"name", "route", "port", "host key", "login", "shell", "PATH", "clock", "workDir", "exec", "space", "sbatch", "scontrol",
            "sacct", "partitions", "submit", "shared", "sessions", "forwarding"} <= {each["check"] for each in host["checks"]}
    assert files(hpc) == before
    assert hpc.sshd_log().count("Accepted publickey") == connections + 1, "one login"
    assert hpc.sessions() == sessions + 5, "one program, and four sessions that are only opened"
    until(lambda: not hpc.user_pids(), "no process to be left there")
    assert hpc.run("squeue", "-h").stdout == ""


def test_a_healthy_bare_host_is_ok_and_nothing_of_it_changes(bare: SshHost, tmp_path: Path) -> None:
    """The same, for a host without a scheduler."""
    before = files(bare)
    code, told = command(bare, tmp_path)
    [host] = told["hosts"]
    assert (code, told["ok"], {each["result"] for each in host["checks"]}) == (0, True, {"ok"}), host
    assert {"tools", "logout", "processes", "slots"} <= {each["check"] for each in host["checks"]}
    assert files(bare) == before
    until(lambda: not bare.user_pids(), "no process to be left there")


def test_folders_that_will_not_do(host: SshHost) -> None:
    """Else Jobs would fail one by one for what one line could have said before the first."""
    host.run("sh", "-c", f"cd {HOME}; mkdir -m 755 theirs; mkdir -m 777 open; touch file; mkdir noexec; mount -t tmpfs -o "
             f"noexec,uid={host.enclosure.uid},mode=700 tmpfs noexec", user=False)
    (host.home / "open").chmod(0o777)

    def said(folder: str) -> str:
        found = look(host, workDir=folder)
        assert found["workDir"].verdict is WRONG, found
        return found["workDir"].words

    assert said("~/theirs") == (f"{HOME}/theirs belongs to root with mode 755, and user may not write there: have it given to user, or "
                                "name another folder in spec.workDir")
    assert said("~/theirs/below").startswith(f"{HOME}/theirs/below is not there and cannot be made, since {HOME}/theirs belongs to root")
    assert said("~/open/below").startswith(f"others than user can write to {HOME}/open, or own it")
    assert said("~/file/below").startswith(f"{HOME}/file is no folder: remove it")
    assert "is mounted read-only" in said("/usr/fairlead")
    found = look(host, workDir="~/noexec")
    assert (found["exec"].verdict, found["exec"].words.startswith(f"{HOME}/noexec is mounted noexec")) == (NOTE, True)
    assert look(host, workDir="~/theirs")["space"].words == "not looked at, because of workDir"
    assert look(host, workDir="~/new/below")["workDir"].words == f"{HOME}/new/below can be made in {HOME}"


def test_a_full_disk_and_a_folder_that_is_gone(host: SshHost) -> None:
    """Else a full quota would look like a broken Job, and a home that is not mounted like lost Jobs."""
    with host.full_disk("0"):
        full = look(host)
        assert full["space"].verdict is WRONG
        assert full["space"].words.startswith(f"{HOME} is full (")
        assert "KiB are free): make room there" in full["space"].words
    known = Tree(f"{HOME}/.fairlead/here", "a" * 32)
    assert look(host, tree=known)["tree"].words.startswith(f"{HOME}/.fairlead/here is gone, or its mark is: have the file system mounted")
    host.run("mkdir", "-p", "-m", "700", f"{HOME}/.fairlead/here")
    (host.home / ".fairlead/here/marker").write_text("b" * 32 + "\n")
    assert "has the mark of another" in look(host, tree=known)["tree"].words
    (host.home / ".fairlead/here/marker").write_text("a" * 32 + "\n")
    assert look(host, tree=known)["tree"].verdict is OK


def test_a_clock_that_is_off_and_a_tool_that_is_too_old(host: SshHost) -> None:
    """Else the times of all Jobs would be wrong, and a host that cannot hold Jobs would look well."""
    host.shim("date", 'exec $REAL -d "-1 hour" "$@"')
    host.shim("grep", 'case " $* " in *" -z "*) echo "grep: no -z" >&2; exit 2 ;; esac; exec $REAL "$@"')
    found = look(host, slots=4096 // 8)
    assert verdicts(found) == {"clock": NOTE, "tools": WRONG, "processes": SKIPPED, "slots": NOTE}
    assert "its clock is 3" in found["clock"].words
    assert "s behind this machine's" in found["clock"].words
    assert found["tools"].words.startswith("grep knows no -z")


def test_slurm_that_is_not_in_path_is_down_or_lets_the_user_in_nowhere(own: SlurmCluster) -> None:
    """Else a person would see each Job fail, and have to find out on the cluster why."""
    assert look(own, slurm={"accounting": "Required"})["sacct"].words == (
        "the site keeps no accounting, and spec.slurm.accounting is Required: have the site mend it, or write Auto")
    found = look(own, slurm={"defaultPartition": "gpuu"})
    assert verdicts(found) == {"partitions": WRONG, "submit": SKIPPED}
    assert found["partitions"].words == "spec.slurm.defaultPartition is gpuu, which is not there, or not for user: write one of debug, gpu"
    own.shim("sbatch", f"echo 'sbatch: error: Batch job submission failed: {NO_ACCOUNT}' >&2; exit 1")
    found = look(own)
    assert verdicts(found) == {"submit": WRONG}
    assert f"sbatch would refuse a Job of user: Batch job submission failed: {NO_ACCOUNT}" in found["submit"].words
    own.unshim("sbatch")
    own.slurmctld.kill()
    found = look(own)
    assert verdicts(found) == {"scontrol": WRONG, "partitions": SKIPPED, "shared": SKIPPED, "submit": SKIPPED}
    assert found["scontrol"].words.startswith("slurmctld does not answer (Slurmctld(primary)")
    (own.home / ".bashrc").write_text("PATH=/tmp/core\n")
    own.run("sh", "-c", "mkdir -p /tmp/core; for each in /usr/bin/* /bin/*; do case ${each##*/} in sbatch | squeue | scancel | scontrol | "
            "sacct) ;; *) ln -sf $each /tmp/core ;; esac; done", user=False)
    found = look(own)
    assert {name: each for name, each in verdicts(found).items() if each is WRONG} == {"sbatch": WRONG, "scontrol": WRONG}
    assert found["sbatch"].words == "sbatch is not in PATH (/tmp/core): write its folder into spec.slurm.binPath"
    assert look(own, slurm={"binPath": "/usr/bin"})["sbatch"].verdict is OK


def test_what_the_books_let_a_user_have(slurm: Callable[..., SlurmCluster]) -> None:
    """Else submissions beyond the site's limit would be refused there instead of waiting here."""
    node = slurm(accounting=True)
    node.run("sacctmgr", "-i", "add", "account", "physics", user=False)
    node.run("sacctmgr", "-i", "add", "user", node.user, "account=physics", "MaxJobs=10", "MaxSubmit=20", user=False)
    found = look(node, limits={"maxActiveJobs": 20})
    assert verdicts(found) == {}
    assert found["limits"].words == "account physics: MaxJobs 10, MaxSubmit 20"
    found = look(node, slurm={"defaultAccount": "chemistry", "accounting": "Required"})
    assert found["limits"].words == "spec.slurm.defaultAccount is chemistry, which is none of user's: write one of physics"
    assert "write 20 into spec.limits.maxActiveJobs" in look(node)["limits"].words
    node.slurmdbd.kill()
    found = look(node, slurm={"accounting": "Required"})
    assert found["sacct"].verdict is WRONG
    assert "have the site mend it, or write Auto" in found["sacct"].words


@pytest.fixture
def systemd(bed: Bed) -> Iterator[SystemdHost]:
    host = SystemdHost.boot(bed, "KillUserProcesses=yes")
    yield host
    host.stop()


def test_a_host_that_ends_processes_at_logout_and_is_told_not_to(systemd: SystemdHost) -> None:
    """Else every Job would end with our connection, and look like one that was killed."""
    found = look(systemd)
    assert found["logout"].verdict is WRONG
    assert found["logout"].words == ("logind ends all processes of user at logout (KillUserProcesses), unless they are in scopes of his "
                                     "own systemd: have 'loginctl enable-linger user' run there")
    systemd.enable_linger()
    found = look(systemd)
    assert verdicts(found) == {}
    assert found["processes"].words == "by a scope of the user's own systemd for each Job"
