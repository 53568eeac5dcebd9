"""Of one Run's jobs and words there may be any number and length: its login's answers stay within their bounds all the same."""

from secrets import token_hex
from typing import TypeVar

from far_end import FarEnd, key, submission

from fairlead.domain.run.answers import CancelPhase
from fairlead.domain.run.observation import Observation
from fairlead.domain.run.run import RunKey, StopWord
from fairlead.schedulers import sh
from fairlead.schedulers.fence import MOST_ROWS
from fairlead.schedulers.seam import Cancellation, Exchange, Query, Removal
from fairlead.schedulers.slurm import accounting

T = TypeVar("T")
KEY = key()
OTHER = key(number=11)


def within_bounds(far: FarEnd, exchange: Exchange[T]) -> T:
    """The answer, read as from a connection, which ends at the exchange's bound."""
    output = far.send(exchange.stdin())
    assert len(output) <= exchange.max_output_bytes, f"{len(output)} bytes, of {exchange.max_output_bytes}"
    return exchange.parse(output)


def observed(far: FarEnd, ids: dict[RunKey, str]) -> Observation:
    return within_bounds(far, far.slurm.observe(token_hex(16), far.known, Query(ids, touch=False)))


def test_jobs_without_number_under_one_mark_hide_no_other(far: FarEnd) -> None:
    """One script would keep every Job of its login from being followed: `sbatch -H --comment=` with its own mark, in a loop."""
    far.submit_all([submission(), submission(OTHER)])
    far.set_job("101", "RUNNING", OTHER)
    for number in range(1000, 2200):
        far.set_job(str(number), "PENDING", KEY)
    far.set_job("9999", "RUNNING", KEY)
    seen = observed(far, {KEY: "9999", OTHER: "101"})
    assert [job.id for job in seen.listed[OTHER]] == ["101"]
    assert seen.listed[KEY][0].id == "9999"
    assert len(seen.listed[KEY]) == 64


def test_a_comment_without_end_hides_no_other(far: FarEnd) -> None:
    """The answer would pass its bound, and every Job of the login be out of sight."""
    far.submit_all([submission(), submission(OTHER)])
    far.set_job("101", "RUNNING", OTHER)
    far.set_job("100", "RUNNING", KEY, comment="x" * 300_000)
    said = f"JobId=100 JobName=hello-{KEY} JobState=RUNNING Reason=None ExitCode=0:0 Comment={'x' * 300_000}"
    (far.root / "scontrol.job").write_text(said)
    seen = observed(far, {KEY: "100", OTHER: "101"})
    assert [job.id for job in seen.listed[OTHER]] == ["101"]
    assert KEY not in seen.records


def test_a_comment_that_is_a_mark_and_more_is_none_when_it_is_cut(far: FarEnd) -> None:
    """A Run would be shown a job that is not its own."""
    far.submit(submission())
    far.set_job("100", "RUNNING", KEY, comment=f"fairlead:here:{KEY}" + " " * 300_000, command="bin/x/wrapper.sh")
    assert observed(far, {KEY: "100"}).listed == {}


def test_of_accounting_only_whole_rows_that_were_asked_for_count(far: FarEnd) -> None:
    """A comment of a megabyte in accounting would be the end of every poll of its login."""
    far.submit_all([submission(), submission(OTHER)])
    far.forget_job("100")
    far.forget_job("101")
    rows = [f"100|COMPLETED|0:0|None|{KEY}|{'x' * 300_000}", *(f"{number}|COMPLETED|0:0|None||{KEY}" for number in range(3000, 9000)),
            f"101|COMPLETED|0:0|None||hello-{OTHER}"]
    (far.root / "sacct.rows").write_text("\n".join(rows) + "\n")
    seen = observed(far, {KEY: "100", OTHER: "101"})
    assert {of: record.source for of, record in seen.records.items()} == {OTHER: "sacct"}
    assert accounting.parse_sacct(rows[0], {KEY: "100"})    # whole, it would have been one


def test_words_of_any_length_in_a_directory_hide_no_other(far: FarEnd) -> None:
    """Links that a script makes there would fill the answer."""
    keys = [key(number=number) for number in range(10, 15)]
    far.submit_all([submission(each) for each in keys])
    ids = {each: str(100 + place) for place, each in enumerate(keys)}
    for each, job_id in ids.items():
        far.forget_job(job_id)
        for name in ("claim", "never", "word-0"):
            (far.run_dir(each) / name).unlink(missing_ok=True)
            (far.run_dir(each) / name).symlink_to(f"{job_id}." + "x" * 4000)
        for name in ("id", "stop", "refused"):
            (far.run_dir(each) / name).write_text("x" * 4000 + "\n")
    exchange = far.slurm.observe(token_hex(16), far.known, Query(ids, touch=False))
    output = far.send(exchange.stdin())
    assert len(output) < 5 * 8 * 1024
    assert set(exchange.parse(output).sentinels) == set(keys)


def test_of_a_key_with_many_jobs_a_cancellation_tells_of_some_and_ends_all(far: FarEnd) -> None:
    """Its answer would pass its bound: no Job of the login could be cancelled beside it, and nothing would be known of it."""
    far.submit(submission())
    for number in range(1000, 1080):
        far.set_job(str(number), "PENDING", KEY)
    asked = [Cancellation(KEY, CancelPhase.END, (), StopWord.DELETE)]
    exchange = far.slurm.cancel(token_hex(16), far.known, asked)
    output = far.send(exchange.stdin())
    assert output.count(b"\x1fended\x1f") == 64
    assert exchange.parse(output)[KEY].known
    assert len(far.calls("scancel")) == 81


def test_a_sweep_of_a_full_tree_fits(far: FarEnd) -> None:
    """Made-up directories would make each sweep fail, and what was left behind would never be cleaned up."""
    far.submit(submission())
    for number in range(100, 200):
        folder = far.run_dir(key(number=number))
        folder.mkdir()
        (folder / "owner").write_text("o" * 1000)
        (folder / "orphaned").write_text("p" * 1000)
    for number in range(1000, 1200):
        far.set_job(str(number), "PENDING", KEY)
    for number in range(200, 210):
        far.set_job(str(2000 + number), "PENDING", KEY, comment="fairlead:here:" + "x" * 100_000, command="x")
    exchange = far.slurm.remove(token_hex(16), far.known, Removal((), sweep=True))
    output = far.send(exchange.stdin())
    swept = exchange.parse(output)
    assert swept.complete
    assert len(swept.remnants) == 101
    assert submission().owner in [each.owner for each in swept.remnants]
    assert len(output) < 12_000
    worst_row = 32 + len("remnant") + len(str(key(9999))) + 512 + 128 + 6
    assert 20_000 * (worst_row + 90 + 180) < exchange.max_output_bytes
    assert MOST_ROWS > 3 * 20_000


def test_a_sweep_starts_no_process_for_a_directory(far: FarEnd) -> None:
    """Made-up directories would make a sweep longer than its time."""
    far.submit(submission())
    for number in range(100, 200):
        folder = far.run_dir(key(number=number))
        folder.mkdir()
        (folder / "owner").write_text("o\n")
        (folder / "orphaned").write_text("p\n")
    far.shadow("head", f'echo call >>"{far.root}/head.calls"\nexec "$real" "$@"')
    assert len(far.remove(sweep=True).remnants) == 101
    assert len(far.calls("head")) < 10


def test_directories_are_cleared_by_some_hundreds_at_a_time(far: FarEnd) -> None:
    """A host with some thousands of Jobs would not be polled in time, when the cost grows with the square of the keys."""
    keys = [key(number=number) for number in range(500)]
    for each in keys:
        far.run_dir(each).mkdir()
    for each in (keys[0], keys[299], keys[499]):
        (far.run_dir(each) / "owner").symlink_to("/dev/zero")
    far.shadow("find", f'echo "$#" >>"{far.root}/find.calls"\nexec "$real" "$@"')
    text = sh.program({"FENCE": "f" * 32, "BIN_PATH": ""}, calls=f"cd {far.tree}\nplain {' '.join(map(str, keys))} '* x'").encode()
    far.send(b"exit 1\n%d\n" % len(text) + text)
    assert not [each for each in keys if (far.run_dir(each) / "owner").is_symlink()]
    assert [int(words) < 300 for words in far.calls("find")] == [True] * 3
