"""Nothing of a bed stays on the machine, however its owner ends, and nothing of anybody else's is touched."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bed import registry, subnets
from bed.daemon import Daemon
from bed.processes import of_bed as processes
from bed.state import Bed, reap_stale, remove
from bed.sweep import leftovers
from bed.traces import CGROUPS

PATIENCE_SECONDS = 30
TESTS = str(Path(__file__).parents[1])

OWNER_OF_EVERYTHING = """
import subprocess
from bed.controlplane import ControlPlane
from bed.state import Bed
bed = Bed.create("a test that is killed")
print(bed.id, flush=True)
subprocess.run(["ip", "netns", "add", f"flb{bed.id}-1"], env={"PATH": "/usr/sbin:/sbin:/usr/bin:/bin", **bed.env}, check=True)
bed.allocate_subnet()
ControlPlane.start(bed)
print("ready", flush=True)
input()
"""

SIMPLE_OWNER = """
import os, sys
from bed.daemon import Daemon
from bed.processes import of_bed as processes
from bed.state import Bed
bed = Bed.create("a test's owner")
daemon = Daemon(["sleep", "1000"], bed.env, bed.folder / "log")
print(bed.id, bed._guardian.pid, flush=True)
"""


@pytest.fixture
def bed() -> Iterator[Bed]:
    with Bed.create("a test of the guardian") as made:
        yield made


def eventually(what: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (met := what()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return met


def own(program: str) -> "subprocess.Popen[str]":
    """Another process that owns a bed, in a process group of its own."""
    env = {**os.environ, "PYTHONPATH": TESTS}
    argv = [sys.executable, "-c", program]
    return subprocess.Popen(argv, env=env, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, process_group=0)


def said(process: "subprocess.Popen[str]") -> list[str]:
    assert process.stdout is not None
    return process.stdout.readline().split()


def kill_group(process: "subprocess.Popen[str]") -> str:
    """Returns what the process had still to say."""
    os.killpg(process.pid, signal.SIGKILL)
    return process.communicate()[0]


def beds_of(pid: int) -> list[str]:
    return [bed_id for bed_id, owner in registry.owners().items() if owner is None or owner.pid == pid]


@pytest.mark.long(of=4)
@pytest.mark.parametrize("seed", range(8))
def test_kill_9_at_any_moment_of_a_start_leaves_nothing(seed: int) -> None:
    """A person who kills a test run would find its servers on the machine for ever."""
    process = own(OWNER_OF_EVERYTHING)
    moment = random.Random(seed).uniform(0.1, 3.5)
    time.sleep(moment)  # the moment is what the test is about
    begun = kill_group(process).split()[:1]
    assert eventually(lambda: not beds_of(process.pid)), f"killed after {moment:.2f} s"
    assert [sentence for bed_id in begun for sentence in leftovers(bed_id)] == []


def test_kill_9_of_a_running_control_plane_leaves_nothing() -> None:
    """The whole of a bed outlives a run that is killed while it works."""
    process = own(OWNER_OF_EVERYTHING)
    bed_id = said(process)[0]
    assert said(process) == ["ready"]
    assert len(processes(bed_id)) == 3
    kill_group(process)
    assert eventually(lambda: leftovers(bed_id) == [])


def test_an_owner_that_ends_without_closing_leaves_nothing() -> None:
    """A test run that crashes leaves its servers behind."""
    process = own(SIMPLE_OWNER)
    bed_id, _ = said(process)
    process.communicate()
    assert eventually(lambda: leftovers(bed_id) == [])


def test_a_fork_of_the_owner_does_not_keep_the_bed_alive() -> None:
    """A library that forks inside the owner would disarm the guardian by holding its pipe."""
    process = own(SIMPLE_OWNER + "\nif os.fork():\n    os.kill(os.getpid(), 9)\nos.setsid(); sys.stdin.read(); os._exit(0)")
    bed_id, _ = said(process)
    process.wait()
    assert eventually(lambda: leftovers(bed_id) == [])
    process.communicate()


def test_the_next_start_removes_what_a_killed_guardian_left() -> None:
    """When the guardian is killed too (a whole container is), the machine would fill up with dead beds."""
    process = own(SIMPLE_OWNER + "\ninput()")
    bed_id, guardian = said(process)
    os.kill(int(guardian), signal.SIGKILL)
    kill_group(process)
    assert leftovers(bed_id) != []
    reap_stale()
    assert leftovers(bed_id) == []


def test_the_guardian_survives_the_signals_of_a_terminal() -> None:
    """Ctrl-C and a closed terminal would end the one that cleans up after them."""
    process = own(SIMPLE_OWNER + "\ninput()")
    bed_id, guardian = said(process)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        assert eventually(lambda number=number: _ignores(int(guardian), number))
        os.kill(int(guardian), number)
    kill_group(process)
    assert eventually(lambda: leftovers(bed_id) == [])


def test_the_guardian_ends_with_its_bed() -> None:
    """Each run would leave one process."""
    bed = Bed.create("a test of the guardian")
    guardian = bed._guardian
    bed.close()
    assert guardian is not None
    assert guardian.returncode == 0


def test_closing_twice_is_harmless(bed: Bed) -> None:
    """A fixture and a signal handler may both close."""
    bed.close()
    bed.close()
    assert bed.leftovers() == []


def test_a_kept_bed_lives_on_until_it_is_removed() -> None:
    """`python -m bed up` would be gone as soon as it returns."""
    process = own(SIMPLE_OWNER + "\nbed.keep()")
    bed_id, _ = said(process)
    process.communicate()
    reap_stale()
    assert len(processes(bed_id)) == 1
    remove(bed_id)
    assert leftovers(bed_id) == []


@pytest.mark.parametrize("script", [
    pytest.param("exec sleep 1000", id="a plain child"),
    pytest.param("setsid sh -c 'sleep 1000 & sleep 1000' & wait", id="grandchildren in a session of their own"),
    pytest.param("trap '' TERM INT HUP; while :; do sleep 1; done", id="one that ignores signals and forks on"),
    pytest.param("kill -STOP $$", id="a stopped one"),
    pytest.param("exec setpriv --reuid 65534 --regid 65534 --clear-groups sleep 1000", id="one of another user"),
    pytest.param("exec unshare --mount --pid --fork sleep 1000", id="one in namespaces of its own"),
])
def test_every_kind_of_process_is_ended(bed: Bed, script: str) -> None:
    """A job's background process would run on after the tests."""
    Daemon(["sh", "-c", script], bed.env, bed.folder / "log")
    assert eventually(lambda: processes(bed.id) != set())   # in the moment of an exec a process has no environment
    bed.close()
    assert bed.leftovers() == []


def test_a_process_without_the_mark_is_found_by_its_network_namespace(bed: Bed) -> None:
    """sshd and Slurm start jobs with a clean environment; those would be left."""
    name = f"flb{bed.id}-7"
    subprocess.run(["ip", "netns", "add", name], check=True)
    stranger = subprocess.Popen(["ip", "netns", "exec", name, "env", "-i", "/bin/sleep", "1000"])
    assert eventually(lambda: stranger.pid in processes(bed.id))
    bed.close()
    assert stranger.wait() == -signal.SIGKILL
    assert not Path("/run/netns", name).exists()


@pytest.mark.parametrize(("environment", "arguments"), [
    pytest.param({}, (), id="no mark"),
    pytest.param({"FAIRLEAD_BED": "00000000"}, (), id="another bed's mark"),
    pytest.param({}, ("FAIRLEAD_BED={id}",), id="the mark as an argument only"),
    pytest.param({"NOTE": "FAIRLEAD_BED={id}"}, (), id="the mark inside another variable"),
])
def test_a_process_of_somebody_else_is_left_alone(bed: Bed, environment: dict[str, str], arguments: tuple[str, ...]) -> None:
    """Cleaning up would end a person's own programs."""
    env = {"PATH": os.environ["PATH"], **{name: value.format(id=bed.id) for name, value in environment.items()}}
    words = [word.format(id=bed.id) for word in arguments]
    stranger = subprocess.Popen(["sh", "-c", "read line", "sh", *words], env=env, stdin=subprocess.PIPE)
    bed.close()
    assert stranger.poll() is None
    stranger.communicate(b"\n")


def test_what_is_mounted_in_a_bed_is_detached_and_not_deleted(bed: Bed, tmp_path: Path) -> None:
    """Removing the bed's folder would delete what was bound into it: a cached root, a person's home."""
    (tmp_path / "precious").write_text("kept")
    for name in ("bound", "with blank"):
        (bed.folder / name).mkdir()
        subprocess.run(["mount", "--bind", tmp_path, bed.folder / name], check=True)
    bed.close()
    assert bed.leftovers() == []
    assert (tmp_path / "precious").read_text() == "kept"
    assert str(bed.folder) not in Path("/proc/self/mountinfo").read_text()


def test_links_and_control_groups_of_the_bed_are_removed(bed: Bed) -> None:
    """Each run would leave some on the machine."""
    subprocess.run(["ip", "link", "add", f"flb{bed.id}-8", "type", "veth", "peer", "name", f"flb{bed.id}-9"], check=True)
    hierarchies = [file.parent for file in [*CGROUPS.glob("cgroup.procs"), *CGROUPS.glob("*/cgroup.procs")]]
    group = hierarchies[0] / f"flb{bed.id}-8"
    (group / "child").mkdir(parents=True)
    assert len(bed.leftovers()) >= 4
    bed.close()
    assert bed.leftovers() == []
    assert not group.exists()


def test_two_beds_never_share_a_subnet(bed: Bed) -> None:
    """Two test runs of two checkouts would reach each other's hosts."""
    with Bed.create("a second bed") as other:
        taken = [one.allocate_subnet() for one in (bed, other) * 20]
        assert len(set(taken)) == len(taken)
        assert not any(first.overlaps(second) for first in taken for second in taken if first is not second)
        assert len(subnets.of_bed(other.id)) == 20
    assert subnets.of_bed(other.id) == []


def test_a_living_bed_is_not_reaped(bed: Bed) -> None:
    """Starting a second run would end the first."""
    daemon = Daemon(["sleep", "1000"], bed.env, bed.folder / "log")
    assert bed.id not in reap_stale()
    assert daemon.alive


def _ignores(pid: int, number: int) -> bool:
    ignored = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("SigIgn:"))
    return bool(int(ignored.split()[1], 16) & 1 << (number - 1))
