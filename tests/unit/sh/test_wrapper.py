"""The wrapper: who may run the user's script, how often, and what it leaves behind."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from far_end import FarEnd, end, key, submission, wait_for

from fairlead.domain.run.answers import CancelPhase
from fairlead.domain.run.observation import Finished, Sentinels
from fairlead.domain.run.run import Owner, StopWord
from unit.sh.tools import shell_program

KEY = key()


def sentinels(far: FarEnd) -> Sentinels:
    return far.observe({KEY: "4711"}).sentinels[KEY]


def prepare(far: FarEnd, script: str, **more: object) -> None:
    """A submitted key whose jobs the test starts by itself."""
    assert far.submit(submission(script=f"#!/bin/sh\necho run >>{far.home}/runs\n{script}\n", **more)).id == "100"
    far.forget_job("100")


def runs(far: FarEnd) -> int:
    """How often the user's script has begun."""
    path = far.home / "runs"
    return len(path.read_text().splitlines()) if path.exists() else 0


@contextmanager
def running(far: FarEnd, job_id: str = "100", **more: object) -> Iterator["subprocess.Popen[str]"]:
    """A job whose script has begun; ended with all its children at the end."""
    process = far.popen(job_id, KEY, **more)  # type: ignore[arg-type]
    try:
        wait_for(lambda: runs(far) > 0)
        yield process
    finally:
        end(process)
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                if str(far.root).encode() in (entry / "environ").read_bytes():
                    os.kill(int(entry.name), signal.SIGKILL)
            except OSError:
                continue


def test_the_script_runs_once_and_its_end_is_written_down(far: FarEnd) -> None:
    """The controller could not tell success from failure."""
    prepare(far, "echo out; echo err >&2; exit 3")
    assert far.run_job("100", KEY).code == 3
    seen = sentinels(far)
    assert (seen.claim, seen.started[0].id, seen.started[0].restart, seen.started[0].host) == ("100", "100", 0, "n1")
    assert [(ended.id, ended.restart, ended.exit_code) for ended in seen.finished] == [("100", 0, 3)]
    assert seen.log is not None
    assert (seen.log.stdout_path, seen.log.size, seen.log.tail) == (str(far.home / "hello-100.out"), 8, b"out\nerr\n")
    wait_for(lambda: far.processes() == [])   # killed; the kernel takes them away in its own time


def test_secrets_do_not_outlive_a_run_that_could_not_start(far: FarEnd) -> None:
    """They would lie in the home folder for as long as the Job has its object."""
    prepare(far, "true", env={"TOKEN": "s3cr3t"})
    (far.run_dir(KEY) / "script").unlink()
    assert far.run_job("100", KEY).code == 123
    assert not (far.run_dir(KEY) / "env").exists()


def test_secrets_of_a_start_that_was_cut_off_go_with_the_end_of_the_next(far: FarEnd) -> None:
    """The same, of a Job whose node has died once."""
    shell = far.root / "never-ready"
    shell.write_text("#!/bin/sh\necho run >>\"$HOME/runs\"\nsleep 60\n")   # a login shell: it waits for ever
    shell.chmod(0o755)
    prepare(far, "true", requeue=True, env={"TOKEN": "s3cr3t"})
    with running(far, requeue=True, SHELL=str(shell)) as cut_off:
        cut_off.kill()
    assert [b"s3cr3t" in go.read_bytes() for go in far.run_dir(KEY).glob(".enter.*/go")] == [True]
    assert far.run_job("100", KEY, requeue=True, SLURM_RESTART_COUNT="1").code == 0
    assert not list(far.run_dir(KEY).glob(".enter.*"))


def test_a_start_whose_node_was_only_cut_off_leaves_alone_what_the_next_one_has(far: FarEnd) -> None:
    """The next start succeeds, and the Job would be told as failed: whether its script had begun could not be seen any more."""
    prepare(far, 'until [ -e "$HOME/$SLURM_RESTART_COUNT" ]; do sleep 0.02; done', requeue=True)
    with running(far, requeue=True, SLURM_RESTART_COUNT="0") as cut_off, \
            running(far, requeue=True, SLURM_RESTART_COUNT="1") as following:
        wait_for(lambda: runs(far) == 2)
        for restart, start in enumerate((cut_off, following)):
            (far.home / str(restart)).touch()
            assert start.wait(60) == 0
    assert {(ended.restart, ended.exit_code, *ended.words) for ended in sentinels(far).finished} == {(1, 0)}


@pytest.mark.parametrize("name", ["ash", "yash", "zsh-5.9", "bash-5.2"])
def test_a_shell_of_any_usual_name_finds_a_work_folder_with_blanks(far: FarEnd, name: str) -> None:
    """No Job would ever begin there."""
    shell = far.root / name
    shell.symlink_to(shell_program("bash" if name.startswith(("bash", "zsh")) else "dash"))
    (far.home / "work").rename(far.home / "my work")
    (far.home / "work").symlink_to("my work")
    prepare(far, "exit 7")
    assert far.run_job("100", KEY, SHELL=str(shell)).code == 7


def test_a_second_job_of_the_key_runs_nothing(far: FarEnd) -> None:
    """A submission that was thought lost would run the script again."""
    prepare(far, "true")
    assert [far.run_job(job_id, KEY).code for job_id in ("101", "100", "101")] == [0, 121, 122]
    assert runs(far) == 1
    assert sentinels(far).claim == "101"


def test_a_revoked_key_runs_nothing(far: FarEnd) -> None:
    """A deleted Job would run when its turn in the queue comes."""
    prepare(far, "true")
    assert far.cancel(KEY, CancelPhase.REVOKE).revoked
    assert far.run_job("100", KEY).code == 121
    assert (runs(far), sentinels(far).started) == (0, ())


@pytest.mark.parametrize("count", [{}, {"SLURM_RESTART_COUNT": "0"}, {"SLURM_RESTART_COUNT": "1"}], ids=["unset", "0", "1"])
def test_a_start_of_the_same_id_is_a_restart_whatever_the_count_says(far: FarEnd, count: dict[str, str]) -> None:
    """NONCE: a slurmctld that is back from an older state starts the job again with restart count 0."""
    prepare(far, "true")
    far.run_job("100", KEY)
    assert far.run_job("100", KEY, **count).code == 122
    assert runs(far) == 1


def test_an_allowed_requeue_runs_again_under_a_number_of_its_own(far: FarEnd) -> None:
    """FINRC: the end of the first start would pass for the end of the second; and its output would be gone."""
    prepare(far, "echo line; [ -e again ] || { touch again; exit 4; }", requeue=True)
    for restart, (count, code) in enumerate((("0", 4), ("1", 0), ("0", 0))):
        assert far.run_job("100", KEY, requeue=True, SLURM_RESTART_COUNT=count).code == code
        seen = sentinels(far)
        assert [(ended.restart, ended.exit_code) for ended in seen.finished] == [(restart, code)]
    assert seen.log is not None
    assert seen.log.tail == b"line\n" * 3


def test_stop_ends_allowed_requeues(far: FarEnd) -> None:
    """A deleted Job that Slurm requeues would run again."""
    prepare(far, "true", requeue=True)
    far.run_job("100", KEY, requeue=True)
    far.cancel(KEY, CancelPhase.ASK)
    assert far.run_job("100", KEY, requeue=True, SLURM_RESTART_COUNT="1").code == 122
    assert runs(far) == 1


@pytest.mark.parametrize("lacking", ["marker", "ready", "job", "env", "script", "enter", "folder"])
def test_a_node_that_does_not_see_the_tree_runs_nothing(far: FarEnd, lacking: str) -> None:
    """A script without its environment or arguments would run as something else."""
    prepare(far, "true")
    command, environment = far.wrapper_command("100", KEY), far.job_environment("100")
    folder = far.run_dir(KEY)
    paths = {"marker": far.tree / "marker", "folder": folder, "enter": next(far.tree.glob("bin/*/enter.sh"))}
    path = paths.get(lacking, folder / lacking)
    path.rename(far.home / "gone")
    done = subprocess.run(command, env=environment, cwd="/", capture_output=True, check=False, timeout=30)
    assert done.returncode == 123
    assert runs(far) == 0


def test_another_tree_at_the_same_place_runs_nothing(far: FarEnd) -> None:
    """A node-local scratch of the same name would let a second job claim the key."""
    prepare(far, "true")
    command, environment = far.wrapper_command("100", KEY), far.job_environment("100")
    (far.tree / "marker").write_text("f" * 32 + "\nhere\n")
    assert subprocess.run(command, env=environment, cwd="/", capture_output=True, check=False, timeout=30).returncode == 123
    assert runs(far) == 0


@pytest.mark.parametrize("where", [{"stdout_path": "file/x.out"}, {"working_dir": "nowhere"}], ids=["output", "working directory"])
def test_output_that_cannot_be_written_ends_it_before_the_script(far: FarEnd, where: dict[str, str]) -> None:
    """Hours of work would be lost with their output."""
    (far.home / "file").write_text("")
    prepare(far, "true", **where)
    assert far.run_job("100", KEY).code == 124
    assert [ended.exit_code for ended in sentinels(far).finished] == [124]
    assert runs(far) == 0


def test_output_goes_where_the_patterns_say(far: FarEnd) -> None:
    """The user would look for the file in vain."""
    prepare(far, "echo out; echo err >&2", working_dir="~/d", stderr_path="~/err&1/%j",
            stdout_path="a b/%x-%j-%5A-%2J-%12J-%u-%N-%%-%q-%3q.out")
    (far.home / "d").mkdir()
    assert far.run_job("100", KEY).code == 0
    assert (far.home / "d" / "a b" / "hello-100-00100-100-0000000100-root-n1-%-%q-%3q.out").read_text() == "out\n"
    assert (far.home / "err&1" / "100").read_text() == "err\n"


def start_with_files(far: FarEnd, shared: str, out: Path, err: Path) -> int:
    """As Slurm starts it that has opened the user's own files: its exit code."""
    with out.open("a") as output, err.open("a") as error:
        done = subprocess.run(
            [*far.wrapper_command(out.stem, KEY), "", "", shared], env=far.job_environment(out.stem), cwd="/", stdin=subprocess.DEVNULL,
            stdout=output, stderr=error, check=False, timeout=60)
    return done.returncode


def test_nothing_but_the_script_writes_into_the_users_files(far: FarEnd) -> None:
    """What a profile prints would stand in the output that a program reads."""
    (far.home / ".profile").write_text("echo chatter; echo trouble >&2\n")
    prepare(far, "echo out; echo err >&2", stdout_path="~/%j.out", stderr_path="~/err")
    assert start_with_files(far, "01", far.home / "100.out", far.home / "err") == 0
    assert ((far.home / "100.out").read_text(), (far.home / "err").read_text()) == ("out\n", "err\n")
    assert (far.run_dir(KEY) / "slurm-100.log").read_text() == "chatter\ntrouble\n"


@pytest.mark.parametrize(("claimed", "code"), [("99.another", 121), ("revoked", 121), ("", 123)], ids=["another's", "revoked", "buried"])
def test_a_start_that_runs_nothing_leaves_no_file_of_its_own(far: FarEnd, claimed: str, code: int) -> None:
    """Each duplicate would leave an empty file; or take the file away into which the one that runs is about to write."""
    prepare(far, "true", stdout_path="~/%j.out", stderr_path="~/err")
    if claimed:
        (far.run_dir(KEY) / "claim").symlink_to(claimed)
    else:
        far.cancel(KEY, CancelPhase.END)
        far.remove(KEY)
    assert start_with_files(far, "01", far.home / "100.out", far.home / "err") == code
    assert sorted(path.name for path in far.home.iterdir() if path.is_file() and path.name[0] != ".") == ["err"]


def test_the_longest_name_has_its_output(far: FarEnd) -> None:
    """No file system has names of more than 255 bytes: a Job with a name that the API server takes would never start."""
    named = replace(submission(script="#!/bin/sh\necho $0 >&2\n", stderr_path="%x/%x-%x"), owner=Owner("default", "n" * 253, KEY.uid))
    far.submit(named)
    assert far.run_job("100", KEY).code == 0
    assert [path.name for path in far.home.glob("n*.out")] == ["n" * 247 + "-100.out"]
    assert [path.parent.name for path in far.home.glob("n*/*")] == ["n" * 127]


def test_arguments_and_environment_arrive_as_they_were_written(far: FarEnd) -> None:
    """Quotes, newlines and separators in values would turn into something else, or into commands."""
    value = "it's \"quoted\"\n$HOME `id` \\ \x1f\tü€😀 *"
    prepare(far, "printf '%s|' \"$V\" \"$@\"", env={"V": value}, arguments=(value, "", "-n", "two words"))
    assert far.run_job("100", KEY).code == 0
    assert (far.home / "hello-100.out").read_text() == f"{value}|{value}||-n|two words|"


def test_the_environment_wins_over_the_profile_and_is_gone_after(far: FarEnd) -> None:
    """A secret would lie in the home folder after the run; the user's PATH would lose against the profile's."""
    (far.home / ".profile").write_text("export V=profile W=profile; echo chatter\n")
    prepare(far, "echo $V $W; ls \"$(dirname \"$0\")\"", env={"V": "ours"})
    ended = far.run_job("100", KEY)
    text = (far.home / "hello-100.out").read_text()
    assert text.startswith("ours profile\n")
    assert "env\n" not in text
    assert ended.output == "chatter\n"


@pytest.mark.parametrize(("profile", "env"), [("", {"PATH": "/nowhere"}), ("set -C", {}), ("rm() { :; }", {})],
                         ids=["env leaves no PATH", "the profile forbids overwriting", "the profile changes a command"])
def test_a_script_that_ran_is_never_taken_for_one_that_did_not(far: FarEnd, profile: str, env: dict[str, str]) -> None:
    """It would be taken for a failure of the infrastructure, and run a second time."""
    (far.home / ".profile").write_text(f"{profile}\n")
    prepare(far, "echo ran", env=env)
    assert far.run_job("100", KEY).code == 0
    assert (far.home / "hello-100.out").read_text() == "ran\n"
    assert (far.tree / "runs" / str(KEY) / "finished-0").exists()


def test_without_a_login_shell_no_profile_is_read(far: FarEnd) -> None:
    """loginShell: false would do nothing."""
    (far.home / ".profile").write_text("export W=profile\n")
    prepare(far, "echo [$W]", login_shell=False)
    far.run_job("100", KEY)
    assert (far.home / "hello-100.out").read_text() == "[]\n"


def test_only_the_script_gets_the_signal(far: FarEnd) -> None:
    """Slurm's TERM would kill the wrapper, and the script's own clean-up would not run."""
    prepare(far, "trap 'echo caught; exit 7' TERM; echo up >up; while :; do sleep 0.05; done")
    with running(far) as process:
        wait_for((far.home / "up").exists)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 7
    assert [(ended.exit_code, ended.words) for ended in sentinels(far).finished] == [(7, {"TERM"})]
    assert (far.home / "hello-100.out").read_text() == "caught\n"


def test_no_signal_is_lost_while_the_script_starts(far: FarEnd) -> None:
    """dash swallows one between fork and exec: a cancelled job would run on, deaf."""
    for number in range(12):
        of = key(number=100 + number)
        assert far.submit(submission(of, "#!/bin/sh\nexec sleep 60\n")).id
        process = far.popen(str(500 + number), of)
        try:
            wait_for((far.run_dir(of) / "claim").is_symlink)
            time.sleep(0.004 * number)
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) in (143, 15)
        finally:
            end(process)


def test_a_signal_before_the_script_is_there_reaches_it(far: FarEnd) -> None:
    """A job that is cancelled in its first instant would run on."""
    prepare(far, "exec sleep 300")
    far.shadow("mv", "kill -s TERM $PPID; exec $real \"$@\"")
    assert far.run_job("100", KEY).code in {143, 15}


def test_children_left_in_the_background_end_with_the_script(far: FarEnd) -> None:
    """Not every site ends them with the job: a GPU would stay taken."""
    prepare(far, "sleep 300 & sleep 300 & echo started")
    assert far.run_job("100", KEY).code == 0
    wait_for(lambda: far.processes() == [])   # killed; the kernel takes them away in its own time


def test_a_claim_that_is_ours_no_longer_ends_the_script(far: FarEnd) -> None:
    """A job that the scheduler had forgotten would run on after its object is gone, and fill its tombstone again."""
    prepare(far, "exec sleep 300")
    with running(far) as process:
        far.remove(KEY)
        assert process.wait(60) == 143
    assert [entry.name for entry in far.run_dir(KEY).iterdir()] == ["claim"]
    wait_for(lambda: far.processes() == [])   # killed; the kernel takes them away in its own time


def test_a_run_that_was_closed_from_afar_ends_by_itself(far: FarEnd) -> None:
    """A node that was cut off and comes back would run the script beside the attempt that followed."""
    prepare(far, "exec sleep 300")
    with running(far) as process:
        far.cancel(KEY, CancelPhase.END, why=StopWord.CLOSE)
        assert process.wait(60) == 143
    wait_for(lambda: far.processes() == [])   # killed; the kernel takes them away in its own time


def test_a_run_that_was_asked_to_end_keeps_its_grace(far: FarEnd) -> None:
    """A checkpoint would be cut off in the middle."""
    prepare(far, "trap '' TERM; sleep 4; exit 5")
    with running(far) as process:
        far.cancel(KEY, CancelPhase.ASK, why=StopWord.SUSPEND)
        assert process.wait(60) == 5


def test_a_wrapper_that_is_killed_takes_the_script_along(far: FarEnd) -> None:
    """Without cgroups the script would live on for ever, seen by nobody."""
    prepare(far, "exec sleep 300")
    with running(far) as process:
        process.kill()
        process.wait()
        wait_for(lambda: far.processes() == [])
    assert sentinels(far).finished == ()


def test_the_end_has_its_space_before_the_script_starts(far: FarEnd) -> None:
    """A script that fills the disk would hide its own end."""
    prepare(far, "exec sleep 300")
    with running(far):
        reserved = far.run_dir(KEY) / ".finished-0"
        assert reserved.stat().st_size == 256
        assert (far.run_dir(KEY) / "started-0").exists()


def test_slurms_variables_for_ourselves_do_not_reach_the_script(far: FarEnd) -> None:
    """srun would pass no environment to its tasks; dates would be in another time zone."""
    prepare(far, "env")
    far.run_job("100", KEY, SLURM_EXPORT_ENV="NONE")
    names = {line.split("=")[0] for line in (far.home / "hello-100.out").read_text().splitlines()}
    assert not names & {"SLURM_EXPORT_ENV", "TZ", "LC_ALL", "SLURM_TIME_FORMAT"}
    assert not {name for name in names if name.startswith("FL_")}
    assert {"SLURM_JOB_ID", "SLURM_SUBMIT_DIR", "HOME"} <= names


def test_sentinels_say_which_start_they_are_of(far: FarEnd) -> None:
    """An end without its id could be another job's."""
    prepare(far, "true")
    far.run_job("77", KEY)
    ended = sentinels(far).finished
    assert ended == (Finished("77", 0, 0, ended[0].at),)
