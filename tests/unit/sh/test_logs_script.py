"""The logs script: the output file from some byte on, byte for byte, behind one row, and an end of its own however long it is to wait."""

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from far_end import FarEnd, key, submission, wait_for

from fairlead.schedulers import output
from fairlead.schedulers.output import LogPlace, Nothing, Reading
from fairlead.schedulers.seam import COMMAND, Exchange

KEY = key()
FENCE = "a" * 32
ALL = Reading(KEY, raw=True)


def stdin(far: FarEnd, reading: Reading) -> bytes:
    return Exchange("logs", output.program(FENCE, far.known, reading), b"", 0.0, 0, bytes).stdin()


def parted(printed: bytes) -> tuple[LogPlace | Nothing | None, bytes]:
    begin, row, rest = printed.split(b"\n", 2)
    assert begin.startswith(FENCE.encode() + b"\x1fbegin")
    return output.read_row(row, FENCE), rest


def logs(far: FarEnd, reading: Reading = ALL) -> tuple[LogPlace | Nothing | None, bytes]:
    return parted(far.send(stdin(far, reading)))


def started(far: FarEnd, number: int, out: Path) -> None:
    """A start of which only the wrapper's file is there."""
    (far.run_dir(KEY) / f"started-{number}").write_text(f"100 {number} 1700000000 n1\n{out}\n{out}\n")


@pytest.fixture
def live(far: FarEnd) -> FarEnd:
    """A far end where a job runs: it has begun to write into `out`."""
    far.submit(submission())
    started(far, 0, far.home / "out")
    (far.home / "out").write_bytes(b"one\ntwo\nthree\n")
    return far


def test_the_file_comes_as_it_is(far: FarEnd) -> None:
    """A log with escape codes, zeros or the fence's separator would come out wrong, or cut at the tail."""
    far.submit(submission(script="#!/bin/sh\nhead -c 100000 /dev/zero; printf '\\037\\033\\377'; echo err >&2\n", stderr_path="e"))
    far.run_job("100", KEY)
    place = LogPlace(str(far.home / "hello-100.out"), 100003, 0, "0", over=True, last_start="0")
    assert logs(far) == (place, b"\0" * 100000 + b"\x1f\x1b\xff")
    assert logs(far, replace(ALL, stderr=True)) == (LogPlace(str(far.home / "e"), 4, 0, "0", over=True, last_start="0"), b"err\n")


def test_no_file_is_said(far: FarEnd) -> None:
    """An empty output would look like a script that printed nothing."""
    assert isinstance(logs(far)[0], Nothing)
    far.submit(submission())
    far.run_job("100", KEY)
    (far.home / "hello-100.out").unlink()
    assert logs(far)[0] == Nothing(f"{far.home}/hello-100.out cannot be read on this login node")


@pytest.mark.parametrize(("lines", "shown"), [(0, b""), (1, b"three\n"), (2, b"two\nthree\n"), (9, b"one\ntwo\nthree\n")])
def test_only_the_last_lines_are_shown_where_that_is_asked(live: FarEnd, lines: int, shown: bytes) -> None:
    """The end of a long log would come only behind all of it."""
    assert logs(live, replace(ALL, tail_lines=lines))[1] == shown


def test_reading_goes_on_at_the_byte_where_it_stopped(live: FarEnd) -> None:
    """After a cut connection lines would be shown twice, or be missing."""
    far, out = live, str(live.home / "out")
    going_on = replace(ALL, path=out, offset=5, start="0", tail_lines=1)
    assert logs(far, going_on) == (LogPlace(out, 14, 5, "0", over=False, last_start="0"), b"wo\nthree\n")
    assert logs(far, replace(going_on, offset=14)) == (LogPlace(out, 14, 14, "0", over=False, last_start="0"), b"")


def test_a_file_that_was_cut_is_read_from_its_beginning(live: FarEnd) -> None:
    """A script that empties its own log would never be heard of again."""
    out = str(live.home / "out")
    Path(out).write_bytes(b"new\n")
    assert logs(live, replace(ALL, path=out, offset=14, start="0")) == (LogPlace(out, 4, 0, "0", over=False, last_start="0"), b"new\n")


def test_what_a_start_wrote_is_read_to_its_end_before_the_next_ones(live: FarEnd) -> None:
    """The last lines before a requeue, mostly the interesting ones, would be lost."""
    first, second = live.home / "out", live.home / "out2"
    second.write_bytes(b"again\n")
    started(live, 1, second)
    mid = replace(ALL, path=str(first), offset=8, start="0", wait_seconds=60)
    assert logs(live, mid) == (LogPlace(str(first), 14, 8, "0", over=True, last_start="1"), b"three\n")
    following = replace(mid, offset=14, start="", wait_seconds=0)
    assert logs(live, following) == (LogPlace(str(second), 6, 0, "1", over=False, last_start="1"), b"again\n")


def test_a_file_whose_run_directory_is_gone_is_read_to_its_end(live: FarEnd) -> None:
    """The last words of a deleted Job would be lost."""
    out = str(live.home / "out")
    (live.run_dir(KEY) / "started-0").unlink()
    going_on = replace(ALL, path=out, offset=8, start="0", wait_seconds=60)
    assert logs(live, going_on) == (LogPlace(out, 14, 8, "0", over=True, last_start="0"), b"three\n")
    assert isinstance(logs(live, replace(going_on, start=""))[0], Nothing), "another attempt has not begun"


def test_what_comes_while_it_waits_is_printed_once_and_the_end_ends_it(live: FarEnd) -> None:
    """Following would show nothing, or everything again, or never end."""
    out = live.home / "out"
    shell = [str(live.root / "tools" / "sh"), "-c", COMMAND]
    with subprocess.Popen(shell, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=live.environment(), cwd=live.home,
                          start_new_session=True) as reader:
        try:
            assert reader.stdin is not None
            assert reader.stdout is not None
            reader.stdin.write(stdin(live, replace(ALL, wait_seconds=60)))
            reader.stdin.flush()
            seen = b"".join(reader.stdout.readline() for _ in range(5))
            with out.open("ab") as log:
                log.write(b"four\n")
            seen += reader.stdout.readline()
            with out.open("ab") as log:
                log.write(b"last words")
            (live.run_dir(KEY) / "finished-0").write_text("100 0 0 1700000009\n")
            seen += reader.stdout.read()
            assert parted(seen)[1] == b"one\ntwo\nthree\nfour\nlast words"
            assert reader.wait(20) == 0
        finally:
            if reader.poll() is None:
                reader.kill()


def test_it_ends_by_itself_when_nothing_comes(live: FarEnd) -> None:
    """Whoever closes the laptop would leave a shell on the login node for ever."""
    assert logs(live, replace(ALL, wait_seconds=1))[1] == b"one\ntwo\nthree\n"
    wait_for(lambda: live.processes() == [], 30)
