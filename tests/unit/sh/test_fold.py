"""The fold of the logs script: of each line its last state, as a terminal would leave it, however the file is cut into pieces."""

import resource
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from far_end import FarEnd, key, submission

from fairlead.schedulers import output
from fairlead.schedulers.output import LogPlace, Reading
from fairlead.schedulers.seam import COMMAND, Exchange

KEY = key()
FENCE = "a" * 32
ALL = Reading(KEY)
GOLDEN = Path(__file__).parents[2] / "golden" / "bars"
RECORDED = sorted(path.stem for path in GOLDEN.glob("*.printed"))

CASES = {
    "plain lines": (b"a\n\n b \n\n", b"a\n\n b \n\n"),
    "line ends of Windows": (b"a\r\nb\r\n", b"a\nb\n"),
    "a bar": (b"10%\r20%\r100%\n", b"100%\n"),
    "a bar before its line": (b"\r10%\r20%\r100%\n", b"100%\n"),
    "a shorter text leaves the rest": (b"long text\rshort\n", b"shorttext\n"),
    "blanks erase": (b"long text\rshort    \n", b"short\n"),
    "a bar that goes": (b"  5%|#|\r       \rdone\n", b"done\n"),
    "the line is erased": (b"long text\r\x1b[Kok\nlong\x1b[2K\rx\n", b"ok\nx\n"),
    "up to the cursor": (b"abc\x1b[1Kd\n", b"   d\n"),
    "colours": (b"\x1b[1;31mred\x1b[0m\n", b"red\n"),
    "backspaces": (b"1/9\b\b\b2/9\b\b\b9/9 \x08 done\n", b"9/9 done\n"),
    "a spinner": (b"work |\b/\b-\b\\\bok\n", b"work ok\n"),
    "columns": (b"ab\x1b[5Gq\x1b[3Dz\x1b[2Cy\n", b"abz qy\n"),
    "letters of several bytes": ("██████ 60%\rab\n".encode(), "ab████ 60%\n".encode()),
    "as many letters, fewer bytes": ("██████ 60%\r█▌     5%\n".encode(), "█▌     5%%\n".encode()),
    "no letters at all": (b"\xff\xfe\x80 \xc3\n", b"\xff\xfe\x80 \xc3\n"),
    "other control characters": (b"a\0b\x1fc\x1ed\x07\n", b"a\x01b\x01c\x01d\x07\n"),
    "a sequence that is none": (b"\x1b(B\x1b]0;title\x07text\n", b"\x1b(B\x1b]0;title\x07text\n"),
}
UP = {
    "two bars": (b"a 1%\nb 1%\x1b[A\ra 9%\n\rb 9%\n", b"a 9%\nb 9%\n"),
    "a bar below another": (b"one\n\rtwo\x1b[A\rONE\n\rTWO\x1b[A\r\n\n", b"ONE\nTWO\n"),
    "three bars, erased from below": (b"x\na\nb\nc\r\x1b[2K\x1b[1A\x1b[2K\x1b[1A\x1b[2KA\nB\nC\n", b"x\nA\nB\nC\n"),
    "down again": (b"a\nb\x1b[A\x1b[2K\rz\x1b[B\rw\n", b"z\nw\n"),
    "further than there are lines": (b"a\x1b[9A\rb\n", b"b\na\n"),
}


@dataclass(frozen=True, slots=True)
class Folded:
    """What one reading gave: its first row, the text, and where the next one goes on."""

    place: LogPlace | None
    text: bytes
    offset: int
    held: bytes


def read(printed: bytes) -> Folded:
    _, row, rest = printed.split(b"\n", 2)
    place = output.read_row(row, FENCE)
    assert isinstance(place, LogPlace)
    text, offset, held, at = bytearray(), place.offset, b"", 0
    while at < len(rest):
        end = rest.index(b"\n", at)
        piece = output.read_text_row(rest[at:end], FENCE)
        assert piece is not None
        at = end + 1 + piece.size
        assert at <= len(rest)
        text += rest[end + 1:at]
        offset, held = piece.offset, piece.unshown
    return Folded(place, bytes(text), offset, held)


def stdin(far: FarEnd, reading: Reading) -> bytes:
    return Exchange("logs", output.program(FENCE, far.known, reading), reading.unshown, 0.0, 0, bytes).stdin()


Fold = Callable[..., Folded]


@pytest.fixture
def out(far: FarEnd) -> Path:
    """The output of a job that runs. No piece has a time limit: busybox's `timeout` outlives its command by a second, in each piece."""
    if far.shell == "busybox":
        far.shadow("timeout", '[ "$1" = -k ] || exit 125; shift 3; exec "$@"')
    far.submit(submission())
    path = far.home / "out"
    (far.run_dir(KEY) / "started-0").write_text(f"100 0 1700000000 n1\n{path}\n{path}\n")
    return path


@pytest.fixture
def fold(far: FarEnd, out: Path) -> Fold:
    """Reads the output, from `since` on."""
    def run(reading: Reading = ALL, since: Folded | None = None) -> Folded:
        if since is not None:
            reading = replace(reading, path=str(out), start="0", offset=since.offset, unshown=since.held)
        return read(far.send(stdin(far, reading)))

    return run


def test_of_each_line_the_last_state_is_shown(fold: Fold, out: Path) -> None:
    """Of a training log a person would get megabytes of redraws; or a line would come out as no terminal has ever shown it."""
    together = b"".join(printed for printed, _ in CASES.values()), b"".join(shown for _, shown in CASES.values())
    for name, (printed, shown) in (UP | {"all others": together}).items():
        out.write_bytes(printed)
        folded = fold()
        assert (folded.text, folded.offset) == (shown, len(printed)), name


def test_however_the_file_is_cut_into_pieces_the_same_is_shown(fold: Fold, out: Path) -> None:
    """A letter, an escape sequence or a bar at the border of two pieces would come out wrong."""
    out.write_bytes(b"".join(printed for printed, _ in CASES.values()))
    folded = fold(replace(ALL, slice_bytes=19))
    assert folded.text == b"".join(shown for _, shown in CASES.values())
    assert folded.offset == out.stat().st_size


@pytest.mark.parametrize("name", RECORDED)
def test_what_real_programs_print_is_shown_as_a_terminal_does(name: str, fold: Fold, out: Path) -> None:
    """The bars that people really have would not be folded, or swallow lines of their log."""
    out.write_bytes((GOLDEN / f"{name}.printed").read_bytes())
    shown = (GOLDEN / f"{name}.shown").read_text()
    assert _trimmed(fold().text.decode()) == shown
    if b"\x1b[1A" not in out.read_bytes():
        assert _trimmed(fold(replace(ALL, slice_bytes=2003)).text.decode()) == shown


def _trimmed(text: str) -> str:
    """Without blanks at line ends, and without what switches the cursor on and off."""
    return "\n".join(line.rstrip() for line in text.split("\n")).rstrip() + "\n"


def test_one_who_comes_back_goes_on_where_the_last_piece_ended(fold: Fold, out: Path) -> None:
    """A broken connection in the middle of a bar of hours would show half of it twice, or begin with garbage."""
    out.write_bytes(b"first\nbar \xe2\x96\x88\xe2\x96")
    before = fold(replace(ALL, wait_seconds=1))
    assert before.text == b"first\nbar \xe2\x96\x88", "a letter that has not come whole waits"
    with out.open("ab") as log:
        log.write(b"\x88 1%\rBAR \xe2\x96\x88\xe2\x96\x88 2%\nlast\n")
    after = fold(since=before)
    assert after.text == "\nBAR ██ 2%\nlast\n".encode(), "what was shown cannot be taken back: the new state is a line of its own"
    assert after.offset == out.stat().st_size
    out.write_bytes(b"new\n")
    assert fold(since=after).text == b"new\n", "a file that was cut is read from its beginning, and nothing held counts"


def test_a_bar_in_progress_is_shown_at_rest_and_at_its_end(far: FarEnd, fold: Fold, out: Path) -> None:
    """Who follows would see nothing until the line ends, hours later; or each redraw of it."""
    out.write_bytes(b"start\n 1%")
    shell = [str(far.root / "tools" / "sh"), "-c", COMMAND]
    with subprocess.Popen(shell, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=far.environment(), cwd=far.home) as reader:
        try:
            assert reader.stdin is not None
            assert reader.stdout is not None
            reader.stdin.write(stdin(far, replace(ALL, wait_seconds=60)))
            reader.stdin.flush()
            seen = b""
            for shown, more in ((b" 1%", b"\r 2%\r 3%"), (b" 3%", b"\r100%\nlast words")):
                while not seen.endswith(shown):
                    byte = reader.stdout.read(1)
                    assert byte, "the reader ended"
                    seen += byte
                with out.open("ab") as log:
                    log.write(more)
            (far.run_dir(KEY) / "finished-0").write_text("100 0 0 1700000009\n")
            seen += reader.stdout.read()
            assert read(seen).text == b"start\n 1%\n 3%\n100%\nlast words"
            assert reader.wait(20) == 0
        finally:
            if reader.poll() is None:
                reader.kill()


@pytest.mark.parametrize("ending", [b"", b"\r"])
def test_a_line_without_an_end_takes_no_more_memory_than_a_piece(ending: bytes, far: FarEnd, out: Path) -> None:
    """A reader of such a log would fill the login node's memory, and be ended there with others' work."""
    with out.open("wb") as log:
        for number in range(40):
            log.write(b"%7d%%" % number + b"x" * 1_000_000 + ending)
    done = subprocess.run([str(far.root / "tools" / "sh"), "-c", COMMAND], input=stdin(far, replace(ALL, slice_bytes=1 << 19)),
                          capture_output=True, env=far.environment(), cwd=far.home, check=False, timeout=100,
                          preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (32 << 20, 32 << 20)))
    folded = read(done.stdout)
    assert folded.offset == out.stat().st_size, done.stderr
    if not ending:
        assert len(folded.text) == folded.offset


def test_the_tail_in_the_status_is_folded_too(far: FarEnd) -> None:
    """The last 4 KiB of a log with a bar are redraws of one line: what went wrong, above it, would not be in the status."""
    bar = "i=0; while [ $i -lt 300 ]; do printf '\\r%3d%%|%60s|' $i '#'; i=$((i + 1)); done"
    script = f"#!/bin/sh\necho something happened\n{bar}; echo; echo end\n"
    far.submit(submission(script=script))
    far.run_job("100", KEY)
    far.forget_job("100")
    log = far.observe({KEY: "100"}).sentinels[KEY].log
    assert log is not None
    assert log.tail == b"something happened\n299%%|%60s|\nend\n" % b"#"
    assert log.size is not None
    assert log.size > 18000
