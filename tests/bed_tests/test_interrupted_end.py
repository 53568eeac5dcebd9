"""A test run that is interrupted while its last fixtures end takes its bed down before it ends itself."""

from pathlib import Path

from bed_tests.runs import Run

FIXTURE = """
import os, signal, time
import pytest

@pytest.fixture(scope="session")
def last(bed):
    yield
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(60)

def test_of_nothing(last):
    pass
"""


def test_ctrl_c_while_the_last_fixtures_end_takes_the_bed_down(tmp_path: Path) -> None:
    """pytest forgets the fixtures that were still to end: a person would get the prompt back while servers are being ended."""
    file = tmp_path / "test_fixture.py"
    file.write_text(FIXTURE)
    plugins = ("-p", "conftest", "-p", "no:cacheprovider")
    run = Run(("-m", "pytest", str(file), *plugins, "-c", "pyproject.toml", "--setup-show"), tmp_path / "run", PYTHONDONTWRITEBYTECODE="1")
    run.reach("SETUP    S last")
    code, said = run.ended()
    assert (code, "KeyboardInterrupt" in said, "Traceback" in said) == (2, True, False), said
    assert run.left() == []
