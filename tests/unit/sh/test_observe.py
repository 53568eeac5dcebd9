"""The observe script: one listing for all, and directories, scontrol and sacct only for what it does not explain."""

import os

import pytest
from far_end import UID, FarEnd, key, submission

from fairlead.domain.errors import RemoteFault, Unanswered
from fairlead.domain.run.observation import Unopened
from fairlead.domain.run.run import RunKey, RunState
from fairlead.schedulers.seam import Query

KEY = key()
SCONTROL = "JobId={id} JobName=hello-{key} UserId=user(1000) JobState=TIMEOUT Reason=TimeLimit Requeue=0 ExitCode=0:15\n"


def ended(far: FarEnd, script: str = "#!/bin/sh\necho out\n") -> None:
    """A job that has run and is still listed as completed."""
    far.submit(submission(script=script))
    far.run_job("100", KEY)
    far.set_job("100", "COMPLETED", KEY)


def test_a_live_job_costs_nothing_but_its_row(far: FarEnd) -> None:
    """A thousand running Jobs would cost a thousand looks at a shared file system at each poll."""
    far.submit(submission())
    seen = far.observe({KEY: "100"})
    assert [(job.id, job.state, job.reason) for job in seen.listed[KEY]] == [("100", RunState.PENDING, "Priority")]
    assert (seen.sentinels, seen.records) == ({}, {})
    assert far.calls("scontrol") == ["--version", "ping"]


@pytest.mark.parametrize("state", ["CONFIGURING", "RUNNING", "SUSPENDED", "REQUEUED"])
def test_other_live_states_neither(far: FarEnd, state: str) -> None:
    """Each would cost a look at a shared file system at each poll."""
    far.submit(submission())
    far.set_job("100", state, KEY)
    assert far.observe({KEY: "100"}).sentinels == {}


@pytest.mark.parametrize("others", [0, 4])
def test_of_a_job_that_is_cleared_up_behind_the_end_is_read_and_nothing_more(far: FarEnd, others: int) -> None:
    """An epilog of minutes would hide how a script ended; or each poll meanwhile would ask slurmctld and read its output."""
    ended(far)
    keys = [KEY, *(key(number=20 + n) for n in range(others))]
    for n, each in enumerate(keys):
        far.set_job(str(100 + n), "COMPLETING", each)
    seen = far.observe({each: str(100 + n) for n, each in enumerate(keys)})
    assert [each.exit_code for each in seen.sentinels[KEY].finished] == [0]
    assert seen.records == {}
    assert far.calls("scontrol") == ["--version", "ping"]
    if others and far.shell != "busybox":    # its `ls` has no -q: each is read by itself, as a few are
        assert seen.sentinels[KEY].log is None


@pytest.mark.parametrize("state", ["COMPLETED", "FAILED", "TIMEOUT", "PREEMPTED", "NEVER_HEARD_OF"])
def test_for_any_other_state_the_directory_is_asked(far: FarEnd, state: str) -> None:
    """COMPLETED alone is no proof that the script ran."""
    ended(far)
    far.set_job("100", state, KEY)
    found = far.observe({KEY: "100"}).sentinels[KEY]
    assert (found.claim, len(found.finished), found.log is not None) == ("100", 1, True)


def test_two_jobs_of_one_key_are_looked_into(far: FarEnd) -> None:
    """DUP: only the claim says which of them to keep."""
    far.submit(submission())
    far.set_job("101", "PENDING", KEY)
    seen = far.observe({KEY: "100"})
    assert ({job.id for job in seen.listed[KEY]}, KEY in seen.sentinels) == ({"100", "101"}, True)


def test_a_live_job_beside_an_ended_one_is_looked_into(far: FarEnd) -> None:
    """DUP: the ended one may be the one that ran."""
    ended(far)
    far.set_job("101", "PENDING", KEY)
    assert far.observe({KEY: "100"}).sentinels[KEY].claim == "100"


def test_a_forged_row_hides_no_end(far: FarEnd) -> None:
    """A Job would be called running for ever."""
    ended(far)
    far.forget_job("100")
    fields = "\x1f".join(("100", "RUNNING", "N/A", "1", "n1", "None", f"runs/{KEY}/wrapper.sh", f"fairlead:here:{KEY}"))
    (far.root / "squeue.noise").write_text(f"{'0' * 32}\x1fjob\x1f{fields}\n")
    seen = far.observe({KEY: "100"})
    assert (seen.listed, len(seen.sentinels[KEY].finished)) == ({}, 1)


def test_rows_that_others_forged_are_nobodys(far: FarEnd) -> None:
    """A newline in a name of the user's other jobs could say that our job has ended."""
    far.submit(submission())
    fields = "\x1f".join(("100", "FAILED", "N/A", "1", "n1", "None", f"runs/{KEY}/wrapper.sh", f"fairlead:here:{KEY}"))
    (far.root / "squeue.noise").write_text(f"job\x1f{fields}\n{fields}\n{'0' * 32}\x1fjob\x1f{fields}\n{'0' * 32}\x1fend\n")
    far.set_job("7", "RUNNING", KEY, comment="fairlead:elsewhere:" + str(KEY), command="bin/x/wrapper.sh")
    assert [job.word for job in far.observe({KEY: "100"}).listed[KEY]] == ["PENDING"]


@pytest.mark.parametrize("comment", ["theirs", f"fairlead:here:{key(number=7)}", "x" * 300_000],
                         ids=["theirs", "another's mark", "long"])
def test_a_job_with_a_comment_of_its_users_own_is_known_by_its_path(far: FarEnd, comment: str) -> None:
    """A Job with `#SBATCH --comment` would be Lost while it runs; or be taken for the one that its comment names."""
    far.submit(submission())
    far.set_job("100", "RUNNING", KEY, comment=comment, command=f"runs/{KEY}/wrapper.sh /home/ann/a tree here")
    far.set_former_job("7", "PENDING", key(number=7))
    seen = far.observe({KEY: "", key(number=7): ""}).listed
    assert {of: [(job.id, job.word) for job in jobs] for of, jobs in seen.items()} == {
        KEY: [("100", "RUNNING")], key(number=7): [("7", "PENDING")]}


@pytest.mark.parametrize("comment", ["two\nlines", "a\x1fb\x1fc"], ids=repr)
def test_a_comment_with_line_ends_or_separators_is_no_obstacle(far: FarEnd, comment: str) -> None:
    """The same, for comments that a site's plugin has made."""
    far.submit(submission())
    exchange = far.slurm.observe("a" * 32, far.known, Query({KEY: ""}))
    fields = "\x1f".join(("100", "RUNNING", "N/A", "1", "n1", "None", f"runs/{KEY}/wrapper.sh", comment))
    (far.root / "squeue.noise").write_text(f"{'a' * 32}\x1fjob\x1f{fields}\n")
    far.forget_job("100")
    far.set_job("7", "PENDING", key(number=7))
    assert [job.word for job in exchange.parse(far.send(exchange.stdin())).listed[KEY]] == ["RUNNING"]

def test_of_one_that_failed_and_is_revoked_scontrol_is_asked_why(far: FarEnd) -> None:
    """Its node could not open its output: nobody would be told which file, and where. Of one that was cancelled nothing is asked."""
    for of, state, asked in ((KEY, "FAILED", 1), (key(number=7), "CANCELLED", 0)):
        job_id = far.submit(submission(of)).id
        (far.run_dir(of) / "claim").symlink_to("revoked")
        far.set_job(job_id, state, of, reason="RaisedSignal:53(Real-time signal 19)")
        before = len(far.calls("scontrol"))
        (far.root / "scontrol.job").write_text(
            f"JobId={job_id} JobName=hello JobState=FAILED Reason=None ExitCode=0:53 NodeList=n7 BatchHost=n7 "
            f"Command=runs/{of}/wrapper.sh StdErr=/scratch/my err/x StdIn=/dev/null StdOut=/scratch/my out/x\n")
        record = far.observe({of: job_id}).records.get(of)
        assert len(far.calls("scontrol")) - before == asked
        assert (record and record.unopened) == (Unopened("/scratch/my out/x or /scratch/my err/x", "n7") if asked else None)


def test_a_listing_that_failed_is_no_observation(far: FarEnd) -> None:
    """Every Job would look gone."""
    far.say("squeue", 1, "slurm_load_jobs error: Unable to contact slurm controller (connect failure)")
    with pytest.raises(Unanswered, match="Unable to contact slurm controller"):
        far.observe({KEY: "100"})


def test_an_answer_cut_anywhere_is_no_observation(far: FarEnd) -> None:
    """What is missing behind the cut would look gone."""
    ended(far)
    exchange = far.slurm.observe("a" * 32, far.known, _query())
    whole = far.send(exchange.stdin())
    assert exchange.parse(b"Welcome!\r\n" + whole).sentinels[KEY].finished
    for cut in range(0, len(whole.rstrip()), 7):
        with pytest.raises(Unanswered):
            exchange.parse(whole[:cut])


def test_another_tree_is_no_observation(far: FarEnd) -> None:
    """Every directory would look empty."""
    known = far.known
    (far.tree / "marker").write_text("f" * 32 + "\nhere\n")
    with pytest.raises(RemoteFault, match="another marker"):
        far.exchange(far.slurm.observe("a" * 32, known, _query()))


def test_an_unlisted_job_is_asked_for_by_its_id(far: FarEnd) -> None:
    """An empty listing alone would be believed."""
    far.submit(submission())
    far.forget_job("100")
    (far.root / "scontrol.job").write_text(SCONTROL.format(id=100, key=KEY))
    record = far.observe({KEY: ""}).records[KEY]
    assert (record.state, record.source) == (RunState.TIMED_OUT, "scontrol")


def test_an_id_that_is_another_jobs_now_explains_nothing(far: FarEnd) -> None:
    """A controller back from an older state gives ids out again."""
    far.submit(submission())
    far.forget_job("100")
    (far.root / "scontrol.job").write_text(SCONTROL.format(id=100, key="somebody"))
    (far.root / "sacct.rows").write_text("100|COMPLETED|0:0|None||somebody\n")
    assert far.observe({KEY: "100"}).records == {}


def test_accounting_is_asked_once_for_all(far: FarEnd) -> None:
    """The reason of an end that left the queue long ago would be lost; asked one by one, a poll would take minutes."""
    other = key(number=11)
    far.submit_all([submission(), submission(other)])
    for job_id in far.jobs():
        far.forget_job(job_id)
    (far.root / "sacct.rows").write_text(f"100|OUT_OF_MEMORY|0:125|None||hello-{KEY}\n101|NODE_FAIL|1:0|None||hello-{other}\n")
    records = far.observe({KEY: "100", other: "101"}).records
    assert [records[one].state for one in (KEY, other)] == [RunState.OUT_OF_MEMORY, RunState.NODE_FAILED]
    assert len([call for call in far.calls("sacct") if "-j 100,101" in call]) == 1


@pytest.mark.parametrize("knows", [True, False], ids=["22.05", "20.11"])
def test_whose_a_job_is_stands_in_the_books(far: FarEnd, knows: bool) -> None:
    """Its name is the user's own, and few sites keep comments (but for old releases): nobody would learn that it was out of time."""
    far.submit(submission())
    far.forget_job("100")
    line = f"sbatch --parsable --job-name=a|b --comment={KEY}{'0' * 9} runs/{KEY}/wrapper.sh /home/ann/here mark {'x' * 9000}"
    if knows:
        (far.root / "sacct.rows").write_text(f"100|TIMEOUT|0:15|None||a|b|{line}\n")
    else:
        (far.root / "sacct.rows").write_text(f"100|TIMEOUT|0:15|None|fairlead:here:{KEY}|a|b\n")
        far.shadow("sacct", 'case "$*" in *SubmitLine*) echo "sacct: error: Invalid field requested" >&2; exit 1 ;; esac\n'
                            f'cat "{far.root}/sacct.rows"')
    assert far.observe({KEY: "100"}).records[KEY].word == "TIMEOUT"


def test_a_name_with_our_path_is_not_ours_in_the_books(far: FarEnd) -> None:
    """NAME: an id that is given out again may be of a Job whose user named it after ours, and whose end would be told as ours."""
    far.submit(submission())
    far.forget_job("100")
    line = f"sbatch --parsable --job-name=x runs/{KEY}/wrapper.sh x runs/{key(number=7)}/wrapper.sh /home/ann/here mark"
    (far.root / "sacct.rows").write_text(f"100|TIMEOUT|0:15|None||x runs/{KEY}/wrapper.sh x|{line}\n")
    assert KEY not in far.observe({KEY: "100"}).records


def test_a_site_without_accounting_is_not_asked(far: FarEnd) -> None:
    """accounting: None would cost a time-out at each poll."""
    far.accounting = "None"
    before = far.calls("sacct")
    far.observe({KEY: "100"})
    assert far.calls("sacct") == before


def test_the_claimed_id_counts_and_not_the_submitted(far: FarEnd) -> None:
    """Rule 0: of two submissions the younger often wins."""
    far.submit(submission())
    far.forget_job("100")
    far.run_job("123", KEY)
    (far.root / "scontrol.job").write_text(SCONTROL.format(id=100, key=KEY))
    seen = far.observe({KEY: "100"})
    assert (seen.sentinels[KEY].claim, seen.sentinels[KEY].id, seen.records) == ("123", "100", {})


def test_a_run_that_was_never_begun_is_absent(far: FarEnd) -> None:
    """Nothing there and nothing known would look the same."""
    assert not far.observe({KEY: ""}).sentinels[KEY].present


def test_the_tail_is_the_last_4_kib(far: FarEnd) -> None:
    """Escape codes and broken UTF-8 in the output would break the poll."""
    ended(far, "#!/bin/sh\nhead -c 6000 /dev/zero; printf '\\033[31m\\377\\n\\037end\\n'\n")
    log = far.observe({KEY: "100"}).sentinels[KEY].log
    assert log is not None
    assert (log.size, len(log.tail)) == (6012, 4096)
    assert log.tail.endswith(b"\x01\xff\n\x01end\n"), "control characters of any kind, and no colours"


def test_an_output_file_that_is_none_is_left_alone(far: FarEnd) -> None:
    """Reading a pipe would hang the poll."""
    ended(far)
    out = far.home / "hello-100.out"
    out.unlink()
    os.mkfifo(out)
    log = far.observe({KEY: "100"}).sentinels[KEY].log
    assert log is not None
    assert (log.size, log.tail) == (None, b"")


def test_live_directories_are_kept_young(far: FarEnd) -> None:
    """A site that purges old files would take a waiting Job's script away."""
    far.submit(submission())
    script = far.run_dir(KEY) / "script"
    for path in (script, far.run_dir(KEY), far.tree / "marker"):
        os.utime(path, (0, 0))
    far.observe({KEY: "100"})
    assert script.stat().st_mtime == 0
    far.observe({KEY: "100"}, touch=True)
    assert min(path.stat().st_mtime for path in (script, far.run_dir(KEY), far.tree / "marker")) > 0
    assert not (far.run_dir(KEY) / "claim").is_symlink()


def test_a_thousand_live_jobs_are_one_listing(far: FarEnd) -> None:
    """One poll would not come back before the next is due."""
    many = [RunKey(f"{UID[:-12]}{number:012x}", 1) for number in range(1000)]
    for number, one in enumerate(many):
        far.set_job(str(1000 + number), "RUNNING", one)
    before = len(far.calls("squeue"))
    seen = far.observe({one: str(1000 + number) for number, one in enumerate(many)})
    assert (len(seen.listed), seen.sentinels, len(far.calls("squeue")) - before) == (1000, {}, 1)


def _query() -> Query:
    return Query({KEY: "100"})


def test_of_a_listing_only_what_was_asked_for_comes_back(far: FarEnd) -> None:
    """An answer would be as long as all that the user has in the queue: a poll for ten Jobs, megabytes."""
    far.submit(submission())
    others = [key(number=number + 20) for number in range(20)]
    for number, other in enumerate(others):
        far.set_job(str(200 + number), "PENDING", other)
    assert set(far.observe({KEY: "100"}).listed) == {KEY}
    assert set(far.observe({KEY: "100", others[0]: ""}).listed) == {KEY, others[0]}


def test_what_a_script_plants_in_its_directory_is_read_no_further_than_it_may_be_long(far: FarEnd) -> None:
    """One script's gigabyte without a line's end would be every poll of its Cluster."""
    ended(far)
    run = far.run_dir(KEY)
    for name in ("id", "refused", "stop"):
        (run / name).write_bytes(b"7" * 3_000_000)
    for number in (1000000, 99999999999999999999):
        (run / f"started-{number}").write_text("100 1 1 n1\n")
    os.mkfifo(run / "started-x")
    found = far.observe({KEY: "100"}).sentinels[KEY]
    assert (found.id, found.refused, found.stop, len(found.finished), found.log is not None) == ("", "", None, 1, True)


@pytest.mark.parametrize("planted", [b"7" * 3_000_000, b"100 0 " + b"9" * 30 + b" n1\n/x\n/x\n", b"\0" * 3_000_000, b"\n\n\n"],
                         ids=["one long line", "no time", "nothing but NUL", "empty lines"])
def test_a_record_that_its_script_rewrites_is_as_if_there_were_none(far: FarEnd, planted: bytes) -> None:
    """Its Job alone has no end that way: not the poll."""
    ended(far)
    (far.run_dir(KEY) / "started-0").write_bytes(planted)
    found = far.observe({KEY: "100"}).sentinels[KEY]
    assert (found.claim, found.started) == ("100", ())
