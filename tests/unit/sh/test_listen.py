"""Listening: a Run that begins or ends is heard of at once, and nothing that a script does to the file holds anybody up."""

import os
import signal
import subprocess
import threading
import time
from pathlib import Path
from secrets import token_hex

import pytest
from far_end import FarEnd, key, submission

from fairlead.domain.errors import RemoteFault

KEY = key()


def listen(far: FarEnd, known: str, seconds: int = 20) -> tuple[str, float]:
    """What is heard, and after how many seconds."""
    began = time.monotonic()
    heard = far.exchange(far.slurm.listen(token_hex(16), far.known, known, seconds))
    return heard, time.monotonic() - began


def test_a_begin_and_an_end_are_heard_while_somebody_listens(far: FarEnd) -> None:
    """A Job of an hour would be told as ended half a minute late, or be asked for every other second."""
    far.submit(submission(script=f"#!/bin/sh\nuntil [ -e {far.home}/heard ]; do sleep 0.05; done\n"))
    nothing, _ = listen(far, "?")
    assert nothing == ""
    running = threading.Thread(target=far.run_job, args=("100", KEY))
    running.start()
    begun, _ = listen(far, nothing)
    (far.home / "heard").touch()
    ended, _ = listen(far, begun)
    running.join()
    assert begun.startswith("begun 100 ")
    assert ended.startswith("ended 100 ")
    assert (far.run_dir(KEY) / "finished-0").exists(), "it was told once the end was written"
    assert listen(far, begun)[0] == ended, "what was told while nobody listened is heard by the next who does"


def test_nothing_is_heard_after_the_time_is_over(far: FarEnd) -> None:
    """Who listens would be taken for one that hangs."""
    heard, seconds = listen(far, listen(far, "?")[0], seconds=2)
    assert heard == ""
    assert 1.9 <= seconds < 20


@pytest.mark.parametrize("planted", ["fifo", "folder", "huge", "link"])
def test_what_is_planted_in_the_bells_place_holds_up_neither_a_script_nor_who_listens(far: FarEnd, planted: str, tmp_path: Path) -> None:
    """One script could have all others of its login hang at their end."""
    changes = far.tree / "changes"
    {"fifo": lambda: os.mkfifo(changes), "folder": changes.mkdir, "huge": lambda: changes.write_text("x" * 100_000),
     "link": lambda: changes.symlink_to(tmp_path / "elsewhere")}[planted]()
    far.submit(submission(script="#!/bin/sh\necho out\n"))
    assert far.run_job("100", KEY).code == 0
    assert (far.run_dir(KEY) / "finished-0").exists()
    heard, seconds = listen(far, "?")
    assert heard == ""
    assert seconds < 15


def test_who_listens_ends_when_his_connection_is_gone(far: FarEnd) -> None:
    """Each lost link would leave a process on the login node for most of a minute."""
    exchange = far.slurm.listen(token_hex(16), far.known, listen(far, "?")[0], 50)
    inside = "printf '%s' \"$1\" | sh -c 'IFS= read -r x && IFS= read -r n && eval \"$(head -c \"$n\")\"'; wait"
    session = subprocess.Popen([str(far.root / "tools" / "sh"), "-c", inside, "sh", exchange.stdin().decode()], env=far.environment(),
                               stdout=subprocess.DEVNULL, start_new_session=True)
    until = time.monotonic() + 30
    while not any(_words(pid)[:1] == ["sleep"] for pid in _children(session.pid)):
        assert time.monotonic() < until, "nobody listens"
        time.sleep(0.05)
    listening = _children(session.pid)[1:]
    os.kill(session.pid, signal.SIGKILL)
    session.wait()
    until = time.monotonic() + 20   # two of its ticks, on a machine that does something else
    while left := [pid for pid in listening if Path(f"/proc/{pid}").exists()]:
        assert time.monotonic() < until, left
        time.sleep(0.1)


def test_a_tree_that_is_another_is_no_answer(far: FarEnd) -> None:
    """What is told elsewhere is nobody's news here."""
    exchange = far.slurm.listen(token_hex(16), far.known, "?", 20)
    (far.tree / "marker").write_text("f" * 32 + "\n")
    with pytest.raises(RemoteFault):
        far.exchange(exchange)


def _words(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().rstrip("\0").split("\0")
    except OSError:
        return []


def _children(parent: int) -> list[int]:
    found = [parent]
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) in found:
            found.append(int(path.parent.name))
    return found
