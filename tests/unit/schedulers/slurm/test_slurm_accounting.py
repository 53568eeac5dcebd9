"""If an answer about a job that left the queue is misread, a Job takes the end of a stranger's job for its own."""

import re

import pytest
from slurm_golden import captured, in_every_release

from fairlead.domain.run.observation import LastWord, Unopened
from fairlead.domain.run.run import RunKey, RunState
from fairlead.schedulers.slurm import accounting

UID = "0f4a4b4c-1111-2222-3333-444455556666"
KEY = RunKey(UID, 1)
OTHER = RunKey(UID, 12)
SCONTROL = (
    "JobId=42 JobName=train-{key} UserId=domain user(20001) GroupId=user(20001) MCS_label=N/A Priority=1 Nice=0 Account=(null) QOS=normal "
    "JobState={word} Reason={reason} Dependency=(null) Requeue=0 Restarts=0 BatchFlag=1 Reboot=0 ExitCode={exit} RunTime=00:00:11 "
    "Comment={comment} "
)


def sacct_rows(golden, key):
    """A captured answer of sacct, in the columns that ours has, each job named after `key`; without those whose own name holds a `|`."""
    columns = re.findall(r"-o (\S+)", golden.command)[-1].split(",")
    for line in golden.stdout.splitlines():
        if line.count("|") >= len(columns):
            continue
        values = dict(zip(columns, line.split("|"), strict=True)) | {"Comment": "", "JobName": f"train-{key}"}
        yield "|".join(values.get(name, "") for name in accounting.SACCT_FORMAT.split(","))


def scontrol(key=KEY, word="COMPLETED", reason="None", exit_text="0:0", comment=""):
    return SCONTROL.format(key=key, word=word, reason=reason, exit=exit_text, comment=comment)


@pytest.mark.parametrize("golden", in_every_release("sacct-X"), ids=str)
def test_every_single_job_of_a_real_answer_is_read(golden):
    rows = list(sacct_rows(golden, KEY))
    assert len(rows) > 20
    for row in rows:
        job_id, word, exit_text, *_ = row.split("|")
        found = accounting.parse_sacct(row, {KEY: job_id})
        assert (KEY in found) == job_id.isdigit(), row
        if KEY in found:
            record = found[KEY]
            assert (record.id, record.word, record.source) == (job_id, word, "sacct")
            assert record.state is not RunState.UNKNOWN
            assert f"{record.exit_code}:{record.signal}" == exit_text


def test_what_the_script_keeps_of_a_submissions_line_shows_whose_it_is():
    """A job whose name is the user's own is in the books of no site under its key otherwise: comments are kept by few."""
    rows = "\n".join(f"{number}|TIMEOUT|0:15|None|runs/{key}/wrapper.sh" for number, key in (("7", KEY), ("8", OTHER)))
    assert accounting.parse_sacct(rows, {KEY: "7"})[KEY].word == "TIMEOUT"
    assert accounting.parse_sacct(rows, {KEY: "8"}) == {}


@pytest.mark.parametrize("golden", in_every_release("sacct-D"), ids=str)
def test_the_last_row_of_a_requeued_job_counts(golden):
    rows = list(sacct_rows(golden, KEY))
    requeued = next(row.split("|")[0] for row in rows if "|REQUEUED|" in row)
    last = [row.split("|")[1] for row in rows if row.startswith(f"{requeued}|")][-1]
    assert accounting.parse_sacct("\n".join(rows), {KEY: requeued})[KEY].word == last


@pytest.mark.parametrize("golden", in_every_release("noacct-sacct") + in_every_release("dbddown-sacct"), ids=str)
def test_accounting_that_is_absent_or_down_says_nothing(golden):
    assert accounting.parse_sacct(golden.stdout + golden.stderr, {KEY: "1", OTHER: "3"}) == {}


def test_each_key_gets_its_own_record():
    text = f"7|FAILED|3:0|NonZeroExitCode||a-{KEY}\n8|CANCELLED by 20001|0:15|None||a-{OTHER}\n"
    assert accounting.parse_sacct(text, {KEY: "7", OTHER: "8"}) == {
        KEY: LastWord("7", RunState.FAILED, "FAILED", 3, 0, "NonZeroExitCode", "sacct"),
        OTHER: LastWord("8", RunState.CANCELLED, "CANCELLED by 20001", 0, 15, "", "sacct"),
    }


@pytest.mark.parametrize("row", [
    pytest.param("", id="nothing"),
    pytest.param("7", id="an id alone"),
    pytest.param("7|COMPLETED|0:0|None", id="cut before the name"),
    pytest.param("7|COMPLETED|0:0|None||somebody-else", id="an id that was given out again"),
    pytest.param(f"7|COMPLETED|0:0|None||train-{OTHER}", id="attempt 12 is not attempt 1"),
    pytest.param(f"7|COMPLETED|0:0|None||train-aa{KEY}", id="a longer uid that ends like ours"),
    pytest.param(f"7|COMPLETED|zero|None||train-{KEY}", id="an exit code that is none"),
    pytest.param(f"7|COMPLETED|0|None||train-{KEY}", id="half an exit code"),
    pytest.param(f"7_1|COMPLETED|0:0|None||train-{KEY}", id="a task of an array"),
    pytest.param(f"7+0|COMPLETED|0:0|None||train-{KEY}", id="part of a heterogeneous job"),
    pytest.param(f"7.batch|COMPLETED|0:0|None||train-{KEY}", id="a step"),
    pytest.param(f"8|COMPLETED|0:0|None||train-{KEY}", id="an id that was not asked for"),
])
def test_a_row_of_sacct_that_is_not_exactly_ours_says_nothing(row):
    assert accounting.parse_sacct(row, {KEY: "7"}) == {}


def test_a_key_whose_id_is_not_known_is_not_looked_for():
    assert accounting.parse_sacct(f"|COMPLETED|0:0|None||train-{KEY}", {KEY: ""}) == {}


def test_the_comment_is_as_good_as_the_name():
    text = f"7|TIMEOUT|0:0|None|fairlead:prod:{KEY}|a name | with separators"
    assert accounting.parse_sacct(text, {KEY: "7"})[KEY].state is RunState.TIMED_OUT


@pytest.mark.parametrize("golden", in_every_release("scontrol-job-o") + in_every_release("scontrol-job-name"), ids=str)
def test_a_real_line_of_scontrol_is_read(golden):
    line = re.sub(r"Comment=.*?(?= +StdErr=)", f"Comment=fairlead:prod:{KEY}", golden.stdout)
    found = accounting.parse_scontrol(line, KEY)
    assert found == LastWord(golden.command.split()[-1], RunState.RUNNING, "RUNNING", 0, 0, "", "scontrol")
    assert accounting.parse_scontrol(golden.stdout, KEY) is None, "another job's line was taken for ours"


@pytest.mark.parametrize("exit_code", ["0:53", "1:0"])
@pytest.mark.parametrize("golden", in_every_release("scontrol-job-o"), ids=str)
def test_where_and_what_could_not_be_opened_is_in_the_line_of_every_release(golden, exit_code):
    """Else a user would not know which file to change, or which node to look at."""
    path = "/scratch/a b/é.out"
    line = re.sub(r"Comment=.*?(?= +StdErr=)", f"Comment=fairlead:prod:{KEY}", golden.stdout)
    line = line.replace("=RUNNING", "=FAILED").replace("ExitCode=0:0", f"ExitCode={exit_code}")
    line = re.sub(r"Std(Out|Err)=\S+", rf"Std\1={path}", line)
    assert accounting.parse_scontrol(line, KEY).unopened == Unopened(path, "c1n1")


@pytest.mark.parametrize(("line", "expected"), [
    pytest.param(scontrol(), LastWord("42", RunState.COMPLETED, "COMPLETED", 0, 0, "", "scontrol"), id="completed"),
    pytest.param(
        scontrol(word="FAILED", reason="RaisedSignal:53(Real-time_signal_19)", exit_text="0:53"),
        LastWord("42", RunState.FAILED, "FAILED", 0, 53, "RaisedSignal:53(Real-time_signal_19)", "scontrol", unopened=Unopened()),
        id="its output could not be opened",
    ),
    pytest.param(
        scontrol(word="PENDING", reason="job_requeued_in_held_state"),
        LastWord("42", RunState.HELD, "PENDING", 0, 0, "job_requeued_in_held_state", "scontrol"), id="held",
    ),
    pytest.param(scontrol(word="DANCING"), LastWord("42", RunState.UNKNOWN, "DANCING", 0, 0, "", "scontrol"), id="a state of tomorrow"),
])
def test_what_scontrol_says_of_a_job(line, expected):
    assert accounting.parse_scontrol(line, KEY) == expected


@pytest.mark.parametrize("line", [
    pytest.param("", id="nothing"),
    pytest.param("slurm_load_jobs error: Invalid job id specified", id="an id that Slurm forgot"),
    pytest.param(scontrol(key=OTHER), id="attempt 12 is not attempt 1"),
    pytest.param(scontrol(key="x JobState=COMPLETED ExitCode=0:0 " + str(KEY)), id="a name that says completed"),
    pytest.param(scontrol(comment="x JobState=COMPLETED"), id="a comment that says completed"),
    pytest.param(scontrol(comment="x\tExitCode=0:0"), id="a comment that says exit code 0, behind a tab"),
    pytest.param(scontrol(comment="x JobId=7"), id="a comment with an id"),
    pytest.param(scontrol() + "\n" + scontrol(), id="two lines"),
    pytest.param(scontrol(key=f"x\nJobId=42 JobName={KEY}"), id="a name with a newline and a line of its own"),
    pytest.param("x " + scontrol(), id="words before the line"),
    pytest.param(scontrol().replace("JobId=42", "JobId=42_1"), id="a task of an array"),
    pytest.param(scontrol().replace("ExitCode=0:0", ""), id="no exit code"),
    pytest.param(scontrol(exit_text="-1:0"), id="a negative exit code"),
    pytest.param(f"{scontrol()} Command=runs/{OTHER}/wrapper.sh", id="another's job that is named after ours"),
    pytest.param(f"{scontrol(comment=f'x Command=runs/{KEY}/wrapper.sh')} Command=runs/{OTHER}/wrapper.sh", id="our path in its comment"),
])
def test_a_line_of_scontrol_that_decides_nothing(line):
    assert accounting.parse_scontrol(line, KEY) is None


def test_names_with_newlines_break_no_reader():
    for release in ("20.11.4", "26.05.5"):
        assert accounting.parse_scontrol(captured("scontrol-newline", release).stdout, KEY) is None
