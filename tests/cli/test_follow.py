"""`fairlead logs --follow`, as a person sees it: each byte once whatever happens, an end with the Job's, and nothing left behind."""

import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bed.controlplane import ControlPlane
from bed.existing import ExistingControlPlane
from bed.login import LoginNode
from bed.slurm import SlurmCluster
from product.command import argv, environment
from product.scene import Scene
from product.waiting import until

LEFT_SECONDS = 45.0
"""A reading waits ten seconds for more, and what is there may take thirty to be read: no process of it lives longer."""
NEXT = "step() { until [ -e $HOME/$1 ]; do sleep 0.1; done; }\n"


@dataclass
class Following:
    """One `fairlead logs --follow`, with what it has said so far."""

    process: "subprocess.Popen[bytes]"
    out: Path
    err: Path

    @property
    def shown(self) -> bytes:
        return self.out.read_bytes()

    @property
    def said(self) -> str:
        return self.err.read_text()

    def wait_shown(self, text: bytes, seconds: float = 30.0) -> None:
        until(lambda: self.shown == text, f"the output {text[-80:]!r}; stderr: {self.said}", seconds)

    def wait_said(self, text: str) -> None:
        until(lambda: text in self.said, f"the sentence {text!r}")

    def ended(self, seconds: float = 60.0) -> int:
        return self.process.wait(seconds)

    @property
    def peak_mib(self) -> int:
        """The most memory that it ever held."""
        [line] = [line for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines() if line.startswith("VmHWM")]
        return int(line.split()[1]) // 1024


Follow = Callable[..., Following]


@pytest.fixture
def follow(scene: Scene, plane: ControlPlane | ExistingControlPlane, tmp_path: Path) -> Iterator[Follow]:
    """Starts following a Job of the scene; what still follows at the end is ended."""
    started: list[Following] = []

    def start(name: str, *options: str) -> Following:
        number = len(started)
        out, err = tmp_path / f"out{number}", tmp_path / f"err{number}"
        logs = argv("logs", "-f", *options, f"{scene.namespace}/{name}")
        with out.open("wb") as shown, err.open("wb") as said:
            started.append(Following(subprocess.Popen(logs, stdout=shown, stderr=said, env=environment(plane.kubeconfig)), out, err))
        return started[-1]

    yield start
    for each in started:
        if each.process.poll() is None:
            each.process.kill()
            each.process.wait()


def readers(node: LoginNode) -> list[str]:
    """Command lines of the user's processes on the login node that belong to a reading."""
    found = []
    for pid in node.user_pids():
        try:
            parts = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        command = b" ".join(parts).decode(errors="replace")
        if command.startswith(("sh -c IFS= read", "tail ", "head ", "timeout ")):
            found.append(command)
    return found


def test_a_job_is_followed_from_before_its_start_to_its_end(hpc: SlurmCluster, scene: Scene, follow: Follow) -> None:
    """Else a person would have to ask again and again whether it runs, what it says, and whether it is done."""
    at = scene.namespace
    scene.job("slow", f"#!/bin/bash\n{NEXT}echo one; step {at}-2; echo two; "
              f"for n in 1 2 3 4; do printf '\\r%d%%' $n; done; step {at}-3; printf '\\r100%%\\nthree\\n\\033[1mlast'\n")
    following = follow("slow")
    following.wait_said(f"fairlead: waiting: Job {at}/slow is ")
    scene.cluster(hpc)
    following.wait_shown(b"one\n")
    (hpc.home / f"{at}-2").touch()
    following.wait_shown(b"one\ntwo\n4%")
    assert following.process.poll() is None
    (hpc.home / f"{at}-3").touch()
    assert following.ended() == 0, following.said
    assert following.shown == b"one\ntwo\n4%\n100%\nthree\nlast"
    assert follow("slow", "--raw", "--tail", "1").ended() == 0


def test_a_job_that_fails_ends_it_with_one_and_says_why(hpc: SlurmCluster, scene: Scene, follow: Follow) -> None:
    """Else `fairlead logs -f ... && next step` would go on after a failure."""
    scene.cluster(hpc)
    scene.job("bad", "#!/bin/sh\necho so far\nexit 3\n")
    scene.job("unwanted", "#!/bin/sh\ntrue\n", partition="nowhere")
    following, refused = follow("bad"), follow("unwanted")
    assert (following.ended(), refused.ended()) == (1, 1)
    assert following.shown == b"so far\n"
    assert f"fairlead: Job {scene.namespace}/bad is Failed (NonZeroExitCode" in following.said
    assert f"fairlead: Job {scene.namespace}/unwanted is Failed (SubmissionRejected" in refused.said


def test_a_connection_that_breaks_loses_no_byte_and_repeats_none(own: SlurmCluster, scene: Scene, follow: Follow) -> None:
    """Else a log of hours would have a hole or a doubled stretch at each hiccup of the network."""
    scene.cluster(own)
    scene.job("long", f"#!/bin/sh\n{NEXT}seq 1 2000000; step a; seq 2000001 2000100; step b; echo end\n")
    following = follow("long")
    until(lambda: following.shown[:1], "the first bytes")
    own.end_sessions()
    following.wait_said("; trying again, from byte ")
    until(lambda: following.shown.endswith(b"\n2000000\n"), "the output up to the first step", 60)
    own.sshd.kill()
    own.end_sessions()
    (own.home / "a").touch()
    following.wait_said("connection refused")
    own.sshd.start()
    until(lambda: following.shown.endswith(b"\n2000100\n"), "the output up to the second step", 60)
    (own.home / "b").touch()
    assert following.ended() == 0, following.said
    assert following.shown == b"".join(b"%d\n" % number for number in range(1, 2_000_101)) + b"end\n"


def test_a_requeued_job_is_followed_on_in_its_file(own: SlurmCluster, scene: Scene, follow: Follow) -> None:
    """Else what it says after a preemption would not be seen, or all of it twice."""
    scene.cluster(own)
    script = f"#!/bin/sh\ntrap 'exit 1' TERM\n{NEXT}echo start ${{SLURM_RESTART_COUNT:-0}}\n[ $SLURM_RESTART_COUNT ] || step never\n"
    job = scene.job("again", script, requeue=True, stderrPath="again.err")   # where sh says that its sleep was killed
    following = follow("again")
    following.wait_shown(b"start 0\n")
    own.run("scontrol", "requeue", job.run_id, user=False)
    until(lambda: [row.state for row in own.squeue()] == ["PENDING"], "the requeued job to wait, and no more to be ending")
    # Slurm lets it wait two minutes; in the second of the requeue itself its node would still refuse it
    own.run("scontrol", "update", f"JobId={job.status['run']['id']}", "StartTime=now+2seconds", user=False)
    assert following.ended(90) == 0, following.said
    assert following.shown == b"start 0\nstart 1\n"


@pytest.mark.parametrize("path", ["%x-%j.out", "one.out"])
def test_each_attempt_is_followed_to_its_end_and_then_the_next(path: str, hpc: SlurmCluster, scene: Scene, follow: Follow) -> None:
    """Else what a Job says at its second try would not be seen, or what it said at the first would be seen twice."""
    at = f"{scene.namespace}-{path[0]}"
    scene.cluster(hpc)
    script = f"#!/bin/sh\n{NEXT}echo try; [ -e $HOME/{at} ] && exit 0; step {at}; echo failing; exit 3\n"
    scene.job("again", script, backoffLimit=1, stdoutPath=f"{scene.namespace}/{path}")
    following = follow("again")
    following.wait_shown(b"try\n")
    (hpc.home / at).touch()
    assert following.ended() == 0, following.said
    assert following.shown == b"try\nfailing\ntry\n"
    assert f"attempt 1 of Job {scene.namespace}/again has ended (NonZeroExitCode): following the next" in following.said


def test_a_job_that_is_deleted_ends_it_with_one_and_its_last_words(hpc: SlurmCluster, scene: Scene, follow: Follow) -> None:
    """Else it would wait for ever, or end as if all had gone well."""
    scene.cluster(hpc)
    job = scene.job("gone", "#!/bin/sh\ntrap 'echo last words; exit' TERM\necho first\nwhile :; do sleep 0.1; done\n")
    following = follow("gone")
    following.wait_shown(b"first\n")
    name = f"gone-{job.status['run']['id']}.out"
    job.delete()
    assert following.ended() == 1
    # Slurm tells the same file of the end, as under plain sbatch.
    assert [line for line in following.shown.splitlines() if not line.startswith(b"slurmstepd")] == [b"first", b"last words"]
    assert re.search(rf"Job {scene.namespace}/gone was deleted; its output is still on the cluster, in /\S+/{name}\n$", following.said)


def test_a_file_that_its_script_empties_is_read_from_its_beginning(hpc: SlurmCluster, scene: Scene, follow: Follow) -> None:
    """Else nothing more of it would be seen."""
    at = scene.namespace
    scene.cluster(hpc)
    scene.job("cut", f"#!/bin/sh\n{NEXT}echo something long; step {at}-cut; : >cut.out; echo new; step {at}-end\n", stdoutPath="cut.out")
    following = follow("cut")
    following.wait_shown(b"something long\n")
    (hpc.home / f"{at}-cut").touch()
    following.wait_shown(b"something long\nnew\n")
    assert re.search(r"cut\.out was cut from 15 bytes to [04]: reading it from its beginning", following.said), following.said
    (hpc.home / f"{at}-end").touch()
    assert following.ended() == 0


def test_a_file_that_is_not_there_yet_is_waited_for(hpc: SlurmCluster, scene: Scene, follow: Follow) -> None:
    """Else a slow file system, or a script that moves its log away, would end it."""
    at = scene.namespace
    scene.cluster(hpc)
    scene.job("moved", f"#!/bin/sh\n{NEXT}mv moved.out aside; step {at}-back; mv aside moved.out; echo here\n", stdoutPath="moved.out")
    following = follow("moved")
    following.wait_said("waiting for the output of Job")
    assert "moved.out cannot be read on this login node" in following.said
    (hpc.home / f"{at}-back").touch()
    assert following.ended() == 0
    assert following.shown == b"here\n"


@pytest.mark.parametrize("how", ["Ctrl-C", "kill -9", "a cut cable"])
def test_nothing_of_a_reader_who_goes_stays_on_the_login_node(how: str, own: SlurmCluster, scene: Scene, follow: Follow) -> None:
    """Else each closed laptop would leave a shell there, until the site's process limit is reached."""
    scene.cluster(own)
    scene.job("on", "#!/bin/sh\necho on\nexec sleep 600\n", cancellationGracePeriodSeconds=0)
    following = follow("on")
    following.wait_shown(b"on\n")
    until(lambda: readers(own), "a reading on the login node")
    if how == "Ctrl-C":
        following.process.send_signal(signal.SIGINT)
        assert following.ended() == 130
        assert following.said.count("\n") <= 1, "no traceback"
    elif how == "kill -9":
        following.process.kill()
        following.ended()
    else:
        own.link_down()
        following.process.kill()
        following.ended()
    until(lambda: not readers(own), f"nothing to be left: {readers(own)}", LEFT_SECONDS)
    own.link_up()


@pytest.mark.long
def test_a_large_log_and_a_reader_who_pauses_cost_little_memory(
        own: SlurmCluster, scene: Scene, plane: ControlPlane, rounds: Callable[[int], int]) -> None:
    """Else a log of some gigabytes, read with a pager, would take the laptop's memory."""
    size = rounds(5) << 28               # far more than the bound below
    scene.cluster(own)
    scene.job("large", f"#!/bin/sh\ntruncate -s {size} large.out\n", stdoutPath="large.out").wait_ended()
    logs = argv("logs", "-f", "--raw", f"{scene.namespace}/large")
    with subprocess.Popen(logs, stdout=subprocess.PIPE, bufsize=0, env=environment(plane.kubeconfig)) as reader:
        try:
            assert reader.stdout is not None
            taken = len(reader.stdout.read(1000))
            until(lambda: not readers(own), "the reading to end by its own bound, while nobody reads", LEFT_SECONDS)
            while taken < size and (piece := reader.stdout.read(1 << 20)):
                taken += len(piece)
                peak_mib = Following(reader, Path(), Path()).peak_mib
            assert (taken, reader.stdout.read(), reader.wait(20)) == (size, b"", 0)
            assert peak_mib < 160
        finally:
            reader.kill()
