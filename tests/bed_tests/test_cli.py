"""`python -m bed` as a person uses it."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bed import registry
from bed.state import Bed, remove
from bed.sweep import leftovers
from bed_tests.waiting import catches, until

TESTS = str(Path(__file__).parents[1])
AS_NOBODY = "import os, sys; from bed.cli import main; sys.argv = ['bed', sys.argv[1]]; os.seteuid(65534); main()"
DEMO_OF_NOTHING = "import os, sys; from demo.__main__ import main; sys.argv = ['demo']; os.environ['DEMO'] = 'pbs'; main()"


def bed(*args: str) -> "subprocess.Popen[str]":
    env = {**os.environ, "PYTHONPATH": TESTS}
    return subprocess.Popen([sys.executable, *args], env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def ran(*args: str) -> "tuple[int, str, str]":
    process = bed(*args)
    said, complained = process.communicate()
    return process.returncode, said, complained


def test_up_stays_until_down(tmp_path: Path) -> None:
    """A person could not try anything; or would be left with servers that nothing ends."""
    code, said, complained = ran("-m", "bed", "up")
    assert code == 0, complained
    found = re.search(r"bed (\w{8}) is up", said)
    kubeconfig = re.search(r"export KUBECONFIG=(\S+) PATH=(\S+):\$PATH", said)
    ssh = re.search(r"ssh -i .*", said)
    assert found
    assert kubeconfig
    assert ssh
    try:
        nodes = subprocess.run([*ssh[0].split(), "sinfo", "-h", "-o", "%T"], capture_output=True, text=True, check=True)
        assert nodes.stdout.split() == ["idle"]
        namespaces = [f"{kubeconfig[2]}/kubectl", f"--kubeconfig={kubeconfig[1]}", "get", "namespaces", "-o", "name"]
        own = {**os.environ, "HOME": str(tmp_path)}   # kubectl keeps what it has discovered there
        assert "namespace/default" in subprocess.run(namespaces, env=own, capture_output=True, text=True, check=True).stdout
        assert kubeconfig[0] in ran("-m", "bed", "status")[1]
    finally:
        code, said, complained = ran("-m", "bed", "down", found[1])
    assert (code, said) == (0, f"bed {found[1]} removed\n"), complained
    assert leftovers(found[1]) == []


def test_down_removes_no_bed_of_another_checkout(tmp_path: Path) -> None:
    """Cleaning up one checkout would end the playground of another."""
    shutil.copytree(Path(TESTS) / "bed", tmp_path / "tests" / "bed")
    kept = Bed.create("a person's")
    kept.keep()
    try:
        there = {**os.environ, "PYTHONPATH": str(tmp_path / "tests"), "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run([sys.executable, "-m", "bed", "down"], env=there, cwd=tmp_path, capture_output=True, text=True, check=True)
        assert kept.id not in done.stdout
        assert kept.id in registry.owners()
    finally:
        remove(kept.id)


@pytest.mark.long(of=4)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("seconds", [0, 0.4, 0.8, 1.4])
def test_an_interrupted_up_leaves_nothing(number: signal.Signals, seconds: float) -> None:
    """Ctrl-C while it starts would leave half a cluster."""
    process = bed("-m", "bed", "up", "--clusters", "2")
    until(lambda: catches(process.pid, signal.SIGTERM), "the program's own answer to signals")
    time.sleep(seconds)  # the moment is what the test is about
    mine = [bed_id for bed_id, owner in registry.owners().items() if owner and owner.pid == process.pid]
    process.send_signal(number)
    said, complained = process.communicate()
    assert process.returncode == 130, said
    assert complained.endswith(("bed: stopped, and everything taken down\n", "bed: stopped before anything was started\n"))
    assert "Traceback" not in complained
    assert [sentence for bed_id in mine for sentence in leftovers(bed_id)] == []
    assert process.pid not in {owner.pid for owner in registry.owners().values() if owner}


@pytest.mark.parametrize(("arguments", "words"), [
    pytest.param(("-c", AS_NOBODY, "up"), "needs root", id="up, not root"),
    pytest.param(("-c", DEMO_OF_NOTHING), "'pbs' is none of slurm, process", id="the demo, of what there is not"),
    pytest.param(("-m", "bed", "down", "ffffffff"), "no bed ffffffff", id="an unknown bed"),
    pytest.param(("-m", "bed", "up", "--release", "1.2"), "1.2", id="an unknown release of Slurm"),
])
def test_what_cannot_be_done_is_one_sentence(arguments: tuple[str, ...], words: str) -> None:
    """The person would see a traceback, and not what is needed."""
    code, _, complained = ran(*arguments)
    assert code == 2
    assert words in complained
    assert "Traceback" not in complained
