"""The submit script: each row of what may have happened before, and what it answers then."""

import os
import signal
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from far_end import HERE, OWNER, FarEnd, key, submission, wait_for

from fairlead.domain.errors import UserFault
from fairlead.domain.run.answers import CancelPhase, SubmitAnswer, SubmitWord
from fairlead.domain.run.request import Submission
from fairlead.domain.run.run import Tree
from fairlead.schedulers import sh
from fairlead.schedulers.slurm.scheduler import Slurm

KEY = key()
NEXT = KEY.next
QUEUE_FULL = "sbatch: error: Slurm temporarily unable to accept job, sleeping and retrying"
TIMED_OUT = "sbatch: error: Batch job submission failed: Socket timed out on send/recv operation"


def claim(far: FarEnd, target: str, of: str) -> None:
    """A claim as a wrapper or a cancel script leaves it."""
    folder = far.tree / "runs" / of
    folder.mkdir(exist_ok=True)
    (folder / "claim").symlink_to(target)


def test_a_key_is_handed_in_once(far: FarEnd) -> None:
    """A controller that asks again after a crash would start the script twice."""
    first = far.submit(submission())
    assert first == SubmitAnswer(SubmitWord.SUBMITTED, "100")
    assert far.submit(submission()) == first
    assert far.submit(submission(resubmit=True)) == first
    assert far.calls("sbatch") == ["call"]


def test_sbatch_gets_marks_and_no_more_environment_than_it_needs(far: FarEnd) -> None:
    """What the SSH session holds would leak into jobs; without the marks a job could not be found again."""
    exchange = far.slurm.submit("a" * 32, far.known, [submission(options=("--partition=x y", "--export=NONE"))])
    far.send(exchange.stdin(), SLURM_CONF="/etc/site.conf", LD_LIBRARY_PATH="/opt/slurm/lib", SECRET="s", TZ="Asia/Tokyo",
             SBATCH_PARTITION="p")
    argv = far.argv("100")
    assert argv[0] == "--partition=x y"
    assert argv.index("--export=NONE") < argv.index("--export=ALL")
    assert {"--propagate=NONE", "--no-requeue", "--open-mode=append"} < set(argv)
    assert {f"--job-name={OWNER.name}", f"--comment=fairlead:here:{KEY}", f"runs/{KEY}/wrapper.sh"} < set(argv)
    assert (far.root / "batch" / "100").read_text() == sh.WRAPPER
    assert (far.run_dir(KEY) / "wrapper.sh").read_bytes() == b"", "Slurm has its own: a tree of many Runs would hold as many"
    names = {line.split("=")[0] for line in (far.root / "environ" / "100").read_text().splitlines()}
    assert names - {"PWD", "SHLVL", "_", "OLDPWD"} == {"HOME", "USER", "LOGNAME", "SHELL", "PATH", "SLURM_CONF", "LD_LIBRARY_PATH"}
    assert (far.root / "umask" / "100").read_text().strip() != "0077"


def test_a_percent_sign_in_the_work_folder_is_no_pattern(far: FarEnd) -> None:
    """Slurm's log would land beside the run directory."""
    odd = far.home / "100%job%"
    marker = far.known.marker
    (far.home / "work").rename(odd)
    nowhere = submission(stdout_path="nowhere/x.out")
    assert far.exchange(far.slurm.submit("a" * 32, Tree(str(odd / "here"), marker), [nowhere]))[KEY].id == "100"
    assert f"--output={far.home}/100%%job%%/here/runs/{KEY}/slurm-%j.log" in far.argv("100")


FILES = [
    ({}, "{home}", "{home}/hello-%j.out", "", "01"),
    ({"working_dir": "~/d", "stdout_path": "%x.%%.o", "stderr_path": "~/%u.%5J"}, "{home}/d", "{home}/d/hello.%%.o", "{home}/%u.%5J", "02"),
    ({"stdout_path": "/dev/null", "stderr_path": "nowhere/%j"}, "{home}", "/dev/null", "", "0"),
    ({"working_dir": "{home}/d", "stdout_path": "made-%j/x"}, "{home}/d", "", "", ""),
    ({"stdout_path": "d/%j on %N"}, "{home}", "", "", ""),
    ({"stdout_path": "d/a\\b"}, "{home}", "", "", ""),
    ({"stdout_path": "d"}, "{home}", "", "", ""),
    ({"working_dir": "100%j"}, "{home}/100%j", "", "", ""),
    ({"working_dir": "/nowhere"}, "/nowhere", "", "", ""),
]


@pytest.mark.parametrize(("job", "folder", "output", "error", "shared"), FILES, ids=str)
def test_slurm_is_told_the_users_own_files_where_it_can_open_them(
    far: FarEnd, job: dict[str, str], folder: str, output: str, error: str, shared: str,
) -> None:
    """A script that asks scontrol for its output would be told of ours; or one whose output Slurm cannot open would never start."""
    for name in ("d", "100%j"):
        (far.home / name).mkdir()
    far.submit(submission(**{name: text.format(home=far.home) for name, text in job.items()}))
    argv = far.argv("100")
    assert f"--chdir={folder.format(home=far.home)}" in argv
    assert [word for word in argv if word.startswith("--output=")] == [f"--output={output.format(home=far.home) or far.run_dir(KEY)}"
                                                                      + "/slurm-%j.log" * (not output)]
    assert [word for word in argv if word.startswith("--error=")] == [f"--error={error.format(home=far.home)}"] * bool(error)
    assert argv[-1] == shared


@pytest.mark.parametrize(("target", "word", "number"), [
    ("17.abc", SubmitWord.CLAIMED, "17"),
    ("revoked", SubmitWord.REVOKED, ""),
], ids=["a job", "revoked"])
def test_a_claim_answers_whatever_else_is_there(far: FarEnd, target: str, word: SubmitWord, number: str) -> None:
    """The job that claimed the key may be another than the one that was acknowledged."""
    far.submit(submission())
    claim(far, target, str(KEY))
    assert far.submit(submission(resubmit=True)) == SubmitAnswer(word, number)
    assert len(far.calls("sbatch")) == 1


def test_a_refusal_is_kept_in_sbatchs_own_words(far: FarEnd) -> None:
    """After a crash the same refusal would be asked for again and again, or the user would not see why."""
    words = ("sbatch: error: invalid partition specified: x", "sbatch: error: Batch job submission failed: Invalid partition")
    far.say("sbatch", 1, "\n".join(words))
    first = far.submit(submission())
    assert first.word is SubmitWord.REFUSED
    assert "invalid partition specified: x; Batch job submission failed" in first.text
    assert far.submit(submission()) == first
    assert len(far.calls("sbatch")) == 1
    assert far.observe({KEY: ""}).sentinels[KEY].refused == first.text


def test_a_waiting_refusal_is_passed_over_when_its_time_has_come(far: FarEnd) -> None:
    """REFUSED: a Job that met a full queue once would wait for ever."""
    far.say("sbatch", 1, "sbatch: error: QOSMaxSubmitJobPerUserLimit")
    assert far.submit(submission()).word is SubmitWord.WAITING
    (far.root / "sbatch.says").unlink()
    assert far.submit(submission()).word is SubmitWord.WAITING
    assert far.submit(submission(resubmit=True)) == SubmitAnswer(SubmitWord.SUBMITTED, "100")
    assert not (far.run_dir(KEY) / "refused").exists()


def test_a_call_without_an_answer_is_looked_for_by_its_marks(far: FarEnd) -> None:
    """A stopped controller accepts what sbatch called failed: submitted again, it would run twice."""
    far.say("sbatch", 1, TIMED_OUT)
    (far.root / "sbatch.late").touch()
    assert far.submit(submission()).word is SubmitWord.UNKNOWN
    assert not (far.run_dir(KEY) / "refused").exists()
    assert far.submit(submission(resubmit=True)) == SubmitAnswer(SubmitWord.SUBMITTED, "100")
    assert (far.run_dir(KEY) / "id").read_text() == "100\n"
    assert len(far.calls("sbatch")) == 1


def test_an_sbatch_that_dies_says_nothing(far: FarEnd) -> None:
    """Killed in mid-call, its job exists."""
    (far.root / "sbatch.dies").touch()
    assert far.submit(submission()).word is SubmitWord.UNKNOWN
    assert far.submit(submission()) == SubmitAnswer(SubmitWord.SUBMITTED, "100")


@pytest.mark.parametrize(("words", "word"), [
    ("17;research\nsbatch: a word from the site", SubmitWord.SUBMITTED),
    ("17\n18", SubmitWord.UNKNOWN),
    ("017", SubmitWord.UNKNOWN),
    ("17 submitted", SubmitWord.UNKNOWN),
    ("*", SubmitWord.UNKNOWN),
], ids=["with its cluster", "two", "no id", "words", "a pattern"])
def test_an_id_is_a_line_of_its_own(far: FarEnd, words: str, word: SubmitWord) -> None:
    """Taken from a site's words around it, the id would be another job's, and that one would be followed and cancelled."""
    far.say("sbatch", 0, words)
    (far.home / "19").touch()
    answer = far.submit(submission())
    assert (answer.word, answer.id) == (word, "17" if word is SubmitWord.SUBMITTED else "")


def test_one_more_job_costs_a_login_node_seven_processes(far: FarEnd) -> None:
    """A thousand Jobs at once: each program more is a second of a login node's processor, which its admin sees."""
    counted = ("awk", "chmod", "date", "dd", "env", "grep", "id", "ln", "mkdir", "mv", "readlink", "rm", "sed", "sha256sum", "timeout")
    for name in counted:
        far.shadow(name, f"echo {name} >>{far.root}/programs; exec $real \"$@\"")

    def programs(submissions: list[Submission]) -> Counter[str]:
        (far.root / "programs").write_text("")
        assert {answer.word for answer in far.submit_all(submissions).values()} == {SubmitWord.SUBMITTED}
        return Counter((far.root / "programs").read_text().split())

    programs([submission(key(number=10))])   # the first one installs the wrapper as well
    one = programs([submission(key(number=11))])
    six = programs([submission(key(number=number)) for number in range(12, 18)])
    more = {name: count / 5 for name, count in (six - one).items()}
    assert more == {"dd": 1, "sha256sum": 1, "mkdir": 1, "mv": 2, "env": 1, "timeout": 1}   # timeout takes env's place, sbatch is one


def test_a_folder_on_a_mount_that_hangs_holds_up_nobody(far: FarEnd) -> None:
    """All that is submitted with it, and after it under that login, would wait for a file server that is down."""
    far.shadow("timeout", f"""case $* in
  "-k 2 5 "*/dead/*) echo call >>"{far.root}/dead.calls"; exit 124 ;;
  "-k 2 5 "*/alive/*) echo call >>"{far.root}/alive.calls" ;;
esac
exec "$real" "$@\"""")
    for name in ("dead", "alive"):
        (far.home / name).mkdir()
    jobs = [submission(key(number=10 + number), stdout_path=f"{name}/%j") for number, name in enumerate(("dead", "dead", "alive", "alive"))]
    assert [answer.id for answer in far.submit_all(jobs).values()] == ["100", "101", "102", "103"]
    outputs = [next(word for word in far.argv(str(100 + number)) if word.startswith("--output=")) for number in range(4)]
    assert outputs == [f"--output={far.run_dir(job.key)}/slurm-%j.log" for job in jobs[:2]] + [f"--output={far.home}/alive/%j"] * 2
    assert (far.calls("dead"), far.calls("alive")) == (["call"], ["call"])


REWRITTEN = [{"command": "site"}, {"comment": "site"}, {"comment": "site", "command": f"runs/{KEY}/wrapper.sh {KEY} argument"},
             {"comment": "site", "command": "bin/0123456789abcdef/wrapper.sh", "name": f"hello-{KEY}"}]


@pytest.mark.parametrize("rewritten", REWRITTEN, ids=["command", "comment", "with arguments", "of an earlier release"])
def test_one_mark_is_enough(far: FarEnd, rewritten: dict[str, str]) -> None:
    """A site's plugin may rewrite names or comments; the job would be submitted again."""
    far.say("sbatch", 1, TIMED_OUT)
    far.submit(submission())
    far.set_job("55", "RUNNING", KEY, **rewritten)
    assert far.submit(submission()) == SubmitAnswer(SubmitWord.SUBMITTED, "55")


@pytest.mark.parametrize("other", [f"runs/{KEY}0/wrapper.sh", f"runs/{KEY}/wrapper.sh.old", f"bin/x/wrapper.sh {KEY}"])
def test_another_jobs_path_is_no_mark(far: FarEnd, other: str) -> None:
    """Attempt 10 would be followed for attempt 1, which would never run."""
    far.say("sbatch", 1, TIMED_OUT)
    far.submit(submission())
    far.set_job("55", "RUNNING", KEY, comment="site", command=other)
    assert far.submit(submission()) == SubmitAnswer(SubmitWord.NOT_YET)


def test_another_jobs_comment_is_no_mark(far: FarEnd) -> None:
    """Whoever writes another's mark into his own comment would have that one never run."""
    far.say("sbatch", 1, TIMED_OUT)
    far.submit(submission())
    far.set_job("55", "RUNNING", key(number=7), comment=f"fairlead:here:{KEY}")
    assert far.submit(submission()) == SubmitAnswer(SubmitWord.NOT_YET)


def test_the_users_own_comment_is_the_only_one(far: FarEnd) -> None:
    """What a site reads in comments, such as the number of a project, would be ours."""
    far.submit(submission(options=("--comment=project 7", "--time=5")))
    assert [word for word in far.argv("100") if word.startswith("--comment")] == ["--comment=project 7"]
    (far.run_dir(KEY) / "id").unlink()
    assert far.submit(submission()) == SubmitAnswer(SubmitWord.SUBMITTED, "100"), "its answer was lost"
    assert far.cancel(KEY, CancelPhase.END).ids == ("100",)


def test_another_jobs_name_is_no_mark(far: FarEnd) -> None:
    """NAME: whoever names his Job as an earlier release named another's would have that one never run."""
    far.say("sbatch", 1, TIMED_OUT)
    far.submit(submission())
    far.set_job("55", "RUNNING", key(number=7), name=f"hello-{KEY}")
    assert far.submit(submission()) == SubmitAnswer(SubmitWord.NOT_YET)


def test_one_that_is_submitted_again_is_given_the_wrapper_again(far: FarEnd) -> None:
    """It would be an empty script, which Slurm refuses."""
    far.say("sbatch", 1, TIMED_OUT)
    far.submit(submission())
    (far.root / "sbatch.says").unlink()
    assert far.submit(submission(resubmit=True)).id == "100"
    assert (far.root / "batch" / "100").read_text() == sh.WRAPPER


def test_not_yet_until_it_is_time_to_submit_again(far: FarEnd) -> None:
    """sbatch itself may still be trying; and a Job that nobody tries again would never run."""
    far.say("sbatch", 1, TIMED_OUT)
    far.submit(submission())
    assert far.submit(submission()) == SubmitAnswer(SubmitWord.NOT_YET)
    (far.root / "sbatch.says").unlink()
    assert far.submit(submission(resubmit=True)) == SubmitAnswer(SubmitWord.SUBMITTED, "100")


def test_the_record_that_a_refusal_leaves_is_no_job(far: FarEnd) -> None:
    """An impossible request leaves FAILED/BadConstraints behind; taken for the job, the Job would fail for no reason."""
    far.say("sbatch", 1, TIMED_OUT)
    far.submit(submission())
    far.set_job("55", "FAILED", KEY, reason="BadConstraints")
    assert far.submit(submission()).word is SubmitWord.NOT_YET


def test_a_listing_that_fails_is_not_an_absence(far: FarEnd) -> None:
    """Not yet would be said, and the job submitted a second time."""
    far.say("sbatch", 1, TIMED_OUT)
    far.submit(submission())
    assert far.calls("squeue") == []
    assert far.submit(submission()).word is SubmitWord.NOT_YET
    assert far.calls("squeue") == ["call"], "one listing has path, comment and name"
    far.say("squeue", 1, "slurm_load_jobs error: Unable to contact slurm controller (connect failure)")
    assert far.submit(submission(resubmit=True)).word is SubmitWord.UNKNOWN
    assert len(far.calls("sbatch")) == 1


@pytest.mark.parametrize(("words", "word"), [("", SubmitWord.UNKNOWN), (QUEUE_FULL, SubmitWord.WAITING)], ids=["silent", "queue full"])
def test_after_one_hanging_sbatch_the_rest_is_busy(far: FarEnd, words: str, word: SubmitWord) -> None:
    """Each further one would hang as long, and the exec would never come back."""
    far.timeouts = replace(far.timeouts, sbatch_seconds=1)
    (far.root / "sbatch.hangs").write_text(words)
    first, second = submission(), submission(key(number=11))
    answers = far.submit_all([first, second])
    assert (answers[first.key].word, answers[second.key].word) == (word, SubmitWord.BUSY)
    assert (far.run_dir(first.key) / "refused").exists() == (word is SubmitWord.WAITING)
    assert not far.run_dir(second.key).exists()


def test_the_attempt_before_is_revoked_first(far: FarEnd) -> None:
    """A job of attempt 1 that starts late would run beside attempt 2."""
    far.submit(submission())
    assert far.submit(submission(NEXT)).word is SubmitWord.SUBMITTED
    assert (far.run_dir(KEY) / "claim").readlink() == Path("revoked")
    assert far.run_job("100", KEY).code == 121


def test_a_claimed_attempt_before_is_alive(far: FarEnd) -> None:
    """Two attempts would run side by side."""
    claim(far, "17.abc", str(KEY))
    assert far.submit(submission(NEXT)) == SubmitAnswer(SubmitWord.ALIVE, "17")
    assert far.jobs() == []


def test_an_attempt_before_that_has_ended_or_was_judged_lost_is_over(far: FarEnd) -> None:
    """PREV: a Job with backoffLimit would wait for ever for an attempt that is done."""
    claim(far, "17.abc", str(KEY))
    assert far.submit(submission(NEXT, previous_is_lost=True)).word is SubmitWord.SUBMITTED
    claim(far, "18.abc", str(NEXT))
    (far.run_dir(NEXT) / "started-0").write_text("18 0 1700000000 n1\n/o\n/o\n")
    (far.run_dir(NEXT) / "finished-0").write_text("18 0 1 1700000001\n")
    assert far.submit(submission(NEXT.next)).word is SubmitWord.SUBMITTED


def test_the_end_of_an_earlier_start_is_not_the_end(far: FarEnd) -> None:
    """FINRC: a requeued attempt runs on; the next one must not start beside it."""
    claim(far, "17.abc", str(KEY))
    for start in (9, 10):
        (far.run_dir(KEY) / f"started-{start}").write_text(f"17 {start} 1700000000 n1\n/o\n/o\n")
    (far.run_dir(KEY) / "finished-9").write_text("17 9 143 1700000001\n")
    assert far.submit(submission(NEXT)).word is SubmitWord.ALIVE


def test_a_key_revoked_while_sbatch_ran_is_cancelled(far: FarEnd) -> None:
    """A deleted Job would leave a job in the queue."""
    (far.root / "sbatch.then").write_text(f"ln -s revoked {far.run_dir(KEY)}/claim\n")
    assert far.submit(submission()).word is SubmitWord.REVOKED
    assert far.calls("scancel") == [f"--name={OWNER.name} 100"]


def test_another_tree_gets_nothing(far: FarEnd) -> None:
    """On a login node without the right mount, everything would be submitted anew."""
    known = far.known
    (far.tree / "marker").write_text("f" * 32 + "\nhere\n")
    answer = far.exchange(far.slurm.submit("a" * 32, known, [submission()]))[KEY]
    assert answer.word is SubmitWord.NO_TREE
    assert "f" * 32 in answer.text
    assert not far.run_dir(KEY).exists()


def test_a_tree_that_is_exchanged_meanwhile_changes_nothing(far: FarEnd) -> None:
    """CD: half of a submission in one tree and half in another is in neither, and would be made again."""
    aside = far.home / "aside"
    (far.root / "sbatch.then").write_text(f"mv {far.tree} {aside}; mkdir -p {far.tree}/runs/{KEY}; cp {aside}/marker {far.tree}/\n")
    assert far.submit(submission()).word is SubmitWord.SUBMITTED
    assert (aside / "runs" / str(KEY) / "id").read_text() == "100\n"
    assert list(far.run_dir(KEY).iterdir()) == []


def test_a_directory_without_its_payload_gets_it_before_sbatch(far: FarEnd) -> None:
    """A crash right after mkdir would leave a job with nothing to run."""
    far.run_dir(KEY).mkdir()
    assert far.submit(submission()).word is SubmitWord.NOT_YET
    assert far.submit(submission(resubmit=True)).word is SubmitWord.SUBMITTED
    assert (far.run_dir(KEY) / "script").read_bytes() == submission().script
    assert far.run_job("100", KEY).code == 0


def test_an_upload_cut_anywhere_makes_nothing(far: FarEnd) -> None:
    """Half a script would run as if it were whole."""
    stdin = far.slurm.submit("a" * 32, far.known, [submission(script="#!/bin/sh\n" + "echo line\n" * 40, env={"A": "b" * 50})]).stdin()
    first, count, _ = stdin.split(b"\n", 2)
    code = len(first) + 1 + len(count) + 1 + int(count)
    cuts = {*range(0, code, 397), code - 3, code - 1, code, *range(code, len(stdin), 61), len(stdin) - 1}
    for cut in sorted(cuts):
        far.send(stdin[:cut])
        assert not far.run_dir(KEY).exists(), cut
    assert far.calls("sbatch") == []
    assert list((far.tree / "tmp").iterdir()) == []


@pytest.mark.parametrize("end", ["told to end", "nobody hears it any more"])
def test_a_submission_that_is_cut_off_leaves_nothing_aside(far: FarEnd, end: str) -> None:
    """Of a Job that is deleted meanwhile it would stay for a day: its tombstone may be there by now, and nobody looks at its key again."""
    stdin = far.slurm.submit("a" * 32, far.known, [submission(script="#!/bin/sh\n" + "echo line\n" * 400)]).stdin()
    with far.session() as session:
        assert session.stdin is not None
        assert session.stdout is not None
        session.stdin.write(stdin[:-100])
        session.stdin.flush()
        wait_for(lambda: any((far.tree / "tmp").glob(f"{KEY}.*/script")))
        if end == "told to end":
            os.killpg(session.pid, signal.SIGTERM)
        else:
            session.stdout.close()
            session.stdin.close()
        assert session.wait(60) != 0
    assert list((far.tree / "tmp").iterdir()) == []
    assert not far.run_dir(KEY).exists()


def test_a_damaged_payload_makes_nothing(far: FarEnd) -> None:
    """The script that runs must be the one that was written."""
    exchange = far.slurm.submit("a" * 32, far.known, [submission()])
    answer = exchange.parse(far.send(exchange.stdin().replace(b"echo hello", b"echo jello")))[KEY]
    assert answer.word is SubmitWord.UNKNOWN
    assert not far.run_dir(KEY).exists()


def test_each_key_of_a_batch_gets_its_own_payload(far: FarEnd) -> None:
    """A key that is answered early would leave its script to the next one."""
    claim(far, "17.abc", str(KEY))
    big = b"#!/bin/sh\n" + bytes(range(1, 256)) * 4000
    second, third = submission(key(number=11)), submission(key(number=12))
    answers = far.submit_all([submission(script="#!/bin/sh\n" + "x" * 9999), replace(second, script=big), replace(third, script=b"")])
    assert [answer.word for answer in answers.values()] == [SubmitWord.CLAIMED, SubmitWord.SUBMITTED, SubmitWord.SUBMITTED]
    assert (far.run_dir(second.key) / "script").read_bytes() == big
    assert (far.run_dir(third.key) / "script").read_bytes() == b""


def test_a_purged_wrapper_is_put_back(far: FarEnd) -> None:
    """Sites purge old files; no Job could start any more."""
    for file in (far.tree / "bin").rglob("*.sh"):
        file.unlink()
    far.submit(submission())
    assert far.run_job("100", KEY).code == 0


def test_a_full_disk_is_unknown_and_starts_nothing(far: FarEnd) -> None:
    """A job without its files would fail on the node."""
    far.shadow("mkdir", "exit 1")
    assert far.submit(submission()).word is SubmitWord.UNKNOWN
    assert far.jobs() == []


@pytest.mark.parametrize("more", [
    {"env": {"A": "x\0y"}}, {"arguments": ("\0",)}, {"options": ("--comment=\0",)}, {"working_dir": "a\0"}, {"stdout_path": "a\nb"},
    {"env": {"A B": "x"}}, {"env": {"": "x"}},
], ids=["NUL in env", "NUL in an argument", "NUL in an option", "NUL in a path", "newline in a path", "name with a blank", "empty name"])
def test_what_no_shell_can_be_given_is_refused(more: dict[str, object]) -> None:
    """It would be cut in silence on the way."""
    with pytest.raises(UserFault):
        Slurm(HERE).submit("a" * 32, Tree("/t", "m"), [submission(**more)])
