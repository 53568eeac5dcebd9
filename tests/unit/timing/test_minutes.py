"""What a run of the tests says of itself, and how it is divided."""

import subprocess
import sys
from pathlib import Path

import pytest

from timing import minutes, split, workers

GIB = 2**30
ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(("cores", "memory", "wanted"), [
    pytest.param(2, 23 * GIB, 3, id="two cores: three keep them busy"),
    pytest.param(2, 7 * GIB, 2, id="little memory"),
    pytest.param(1, GIB, 1, id="at least one"),
    pytest.param(16, 128 * GIB, 24, id="many cores"),
])
def test_workers_by_cores_and_memory(cores: int, memory: int, wanted: int) -> None:
    """Else a run would wait with idle cores, or end for want of memory."""
    assert workers.workers(cores, memory) == wanted


def test_what_takes_longest_comes_first_and_stays_together() -> None:
    """Else one worker would run the longest file alone at the end, or two would start a control plane for one folder."""
    seconds = {"tests/a.py": 1.0, "tests/b.py": 200.0, "tests/kube/test_x.py": 30.0, "tests/kube/test_y.py": 40.0}
    names = ["tests/a.py::one", "tests/kube/test_x.py::one", "tests/new.py::one", "tests/b.py::two", "tests/kube/test_y.py::one",
             "tests/b.py::one[::]"]
    ordered = split.longest_first([(name, name) for name in names], seconds)
    assert ordered == ["tests/b.py::two", "tests/b.py::one[::]", "tests/kube/test_x.py::one", "tests/kube/test_y.py::one",
                       "tests/new.py::one", "tests/a.py::one"]
    assert len({split.unit_of(name) for name in ordered}) == 4


def test_the_table_has_each_folder_once_the_longest_first() -> None:
    """Else who adds tests could not see what they cost."""
    seconds = {"tests/job/test_a.py": 61.0, "tests/job/test_b.py": 60.0, "tests/unit/sh/test_c.py": 300.0, "tests/unit/web/test_d.py": 0.5}
    told = minutes.table(seconds, dict.fromkeys(seconds, 2), "Head.")
    assert told.splitlines()[4:] == ["| `tests/unit/sh` | 2 | 5.0 |", "| `tests/job` | 4 | 2.0 |", "| 1 more | 2 | 0.0 |"]


def test_what_is_written_down_is_read_again(tmp_path: Path) -> None:
    """Else the order of the files would be made of nothing."""
    (tmp_path / "seconds.txt").write_text(minutes.seconds_text({"tests/a.py": 3.4, "tests/b.py": 0.1, "tests/c.py": 61.2}))
    assert minutes.read_seconds(tmp_path / "seconds.txt") == {"tests/c.py": 61, "tests/a.py": 3, "tests/b.py": 0}


def test_the_page_has_a_place_for_the_minutes() -> None:
    """Else --write-minutes would end with an error after a quarter of an hour."""
    page = minutes.PAGE.read_text(encoding="utf-8")
    written = minutes.replaced(minutes.replaced(page, "The minutes before.\n"), "The minutes after.\n")
    assert "The minutes after." in written
    assert "The minutes before." not in written
    assert len(written.splitlines()) <= len(page.splitlines()) + 3


FAILS = """
import pytest
@pytest.fixture
def ends():
    yield
    raise AssertionError("left something")
def test_fails(): assert 1 == 2, "which a person waits for"
def test_passes(): pass
def test_ends(ends): pass
"""
CONFTEST = """
from timing.minutes import Minutes
def pytest_sessionstart(session):
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if not hasattr(session.config, "workerinput"):
        session.config.pluginmanager.register(Minutes(reporter, workers=1, write=False))
"""


@pytest.mark.parametrize("numprocesses", ["0", "2"])
def test_a_failure_is_told_when_it_happens(tmp_path: Path, numprocesses: str) -> None:
    """Else who watches a run would see an F, and wait to its end to learn of what."""
    (tmp_path / "test_it.py").write_text(FAILS)
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    ran = subprocess.run([sys.executable, "-m", "pytest", "-p", "no:randomly", "-p", "no:cacheprovider", "--numprocesses", numprocesses],
                         cwd=tmp_path, env={"PYTHONPATH": str(ROOT / "tests")}, text=True, capture_output=True, check=False)
    before_the_end, errors, _ = ran.stdout.partition(" ERRORS ====")
    told = [line for line in before_the_end.splitlines() if line.startswith("failed just now: ")]
    assert errors
    assert sorted(told) == [
        "failed just now: test_it.py::test_ends (teardown) - AssertionError: left something",
        "failed just now: test_it.py::test_fails (call) - AssertionError: which a person waits for",
    ], ran.stdout
    assert ran.stdout.splitlines()[-1].startswith("==="), "the closing line is pytest's"
