"""Beds and the demo without root."""

import re
import signal
from pathlib import Path

import pytest

from bed import sshdprogram
from bed.errors import BedError
from bed.state import Bed
from bed_tests.person import PersonsRun
from bed_tests.runs import Run
from bed_tests.waiting import until

DEMO = ("-m", "demo")
COUNTS = ("processes", "files but tombstones", "SSH connections", "objects in Kubernetes",
          "processes, namespaces, mounts, links and folders of it")

STRAY = """
import asyncio, asyncssh, signal, time
from bed import processes
from bed.ownhost import OwnHost
from bed.state import Bed

async def leave_behind(host):
    known = asyncssh.import_known_hosts(host.known_hosts)
    key = asyncssh.import_private_key(host.private_key)
    async with asyncssh.connect(host.host, host.port, username=host.user, client_keys=[key], known_hosts=known, config=None) as connection:
        done = await connection.run("env -i setsid sleep 4242 >/dev/null 2>&1 & echo $HOME", check=True)
        assert done.stdout.strip() == str(host.home), done.stdout

with Bed.create("a test without root") as bed:
    host = OwnHost(bed)
    asyncio.run(leave_behind(host))
    deadline = time.monotonic() + 60          # sshd's process outlives the connection a moment
    while (host.connections() or len(host.user_pids()) > 1) and time.monotonic() < deadline:
        time.sleep(0.05)
    [stray] = host.user_pids()
    assert stray in processes.of_bed(bed.id)
    print("it runs", flush=True)
    signal.pause()
"""
"""A process that says of itself neither the bed nor the session that it came from."""


def counts(said: str) -> dict[str, str]:
    """What the demo counted."""
    return dict(re.findall(r"^ +[0-9.]+ s +(.*): ([0-9]+)$", said, re.MULTILINE))


def test_the_demo_needs_no_root(tmp_path: Path) -> None:
    """Somebody on a machine that others look after could not see Fairlead at all."""
    run = PersonsRun(DEMO, tmp_path)
    code, said = run.ended()
    assert code == 0, said
    assert "You are not root, so there is no Slurm here" in said
    assert "I am person" in said
    assert counts(said) == dict.fromkeys(COUNTS, "0")
    until(lambda: not run.left(), "the guardian to have ended")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_an_end_in_mid_run_leaves_nothing_of_it(number: signal.Signals, tmp_path: Path) -> None:
    """A person who stopped the demo would have its servers and its Job on the machine, and nobody with root to clean up."""
    run = PersonsRun(DEMO, tmp_path)
    run.reach("Running    True")
    assert run.send(number, whole_group=True)
    code, said = run.ended()
    assert code in {130, -signal.SIGKILL}, said
    until(lambda: not run.left(), "the end of all that the run had started")


def test_a_process_that_has_cast_off_the_mark_ends_with_its_bed(tmp_path: Path) -> None:
    """What a Job left running would outlive the demo on a machine of somebody else's."""
    run = PersonsRun(("-c", STRAY), tmp_path)
    run.reach("it runs")
    run.send(signal.SIGCONT, whole_group=False)
    assert any("process" in sentence for sentence in run.left()), "this test sees the run's processes"
    run.send(signal.SIGKILL, whole_group=True)
    run.ended()
    until(lambda: not run.left(), "the end of all that the run had started")


def test_root_can_choose_the_bare_host(tmp_path: Path) -> None:
    """Somebody with root, who wants to see what Fairlead does without Slurm, could not."""
    run = Run(DEMO, tmp_path, DEMO="process")
    code, said = run.ended()
    assert code == 0, said
    assert "examples/03-bare-host/" in said
    assert counts(said) == dict.fromkeys(COUNTS, "0")
    assert run.left() == []


def test_where_no_sshd_can_be_had_it_is_said_what_to_install(bed: Bed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The person would see a traceback, and not what is needed."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BedError, match="Have the package openssh-server installed"):
        sshdprogram.find(bed, path=str(tmp_path))
