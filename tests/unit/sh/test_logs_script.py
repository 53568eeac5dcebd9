"""The logs script: the whole output file, byte for byte, behind one row."""

from far_end import FarEnd, key, submission

KEY = key()


def logs(far: FarEnd, *, stderr: bool = False) -> tuple[list[str], bytes]:
    code = far.slurm.logs("a" * 32, far.known, KEY, stderr=stderr).encode()
    output = far.send(b"%d\n%b" % (len(code), code))
    begin, row, rest = output.split(b"\n", 2)
    assert begin.startswith(b"a" * 32 + b"\x1fbegin")
    return row.decode().split("\x1f")[1:], rest


def test_the_file_comes_as_it_is(far: FarEnd) -> None:
    """A log with escape codes, zeros or the fence's separator would come out wrong, or cut at the tail."""
    far.submit(submission(script="#!/bin/sh\nhead -c 100000 /dev/zero; printf '\\037\\033\\377'; echo err >&2\n", stderr_path="e"))
    far.run_job("100", KEY)
    assert logs(far) == (["log", str(far.home / "hello-100.out"), "100003"], b"\0" * 100000 + b"\x1f\x1b\xff")
    assert logs(far, stderr=True) == (["log", str(far.home / "e"), "4"], b"err\n")


def test_no_file_is_said(far: FarEnd) -> None:
    """An empty output would look like a script that printed nothing."""
    assert logs(far)[0][0] == "no-log"
    far.submit(submission())
    far.run_job("100", KEY)
    (far.home / "hello-100.out").unlink()
    assert logs(far)[0] == ["no-log", f"{far.home}/hello-100.out cannot be read on this login node"]
