"""The workflows of public CI, by the linter that knows their language, and by shellcheck for the scripts in them."""

import subprocess
import sys
from pathlib import Path

import pytest

from bed import actionlint
from bed.state import Bed

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


@pytest.fixture(scope="session")
def lint(bed: Bed):
    program = actionlint.ensure(bed)
    shellcheck = Path(sys.executable).with_name("shellcheck")

    def run(*paths: Path) -> "subprocess.CompletedProcess[str]":
        return subprocess.run([program, "-no-color", "-shellcheck", shellcheck, "-pyflakes", "", *paths], cwd=ROOT, env=bed.env,
                              capture_output=True, text=True, check=False)

    return run


def test_workflows_are_sound(lint):
    """A workflow with a slip does not run at all, and nobody notices until a release is wanted."""
    assert WORKFLOWS
    said = lint(*WORKFLOWS)
    assert (said.returncode, said.stdout + said.stderr) == (0, "")


@pytest.mark.parametrize(("slip", "sentence"), [
    ("runs-on: ubuntu-24.04", 'label "ubuntu-99.04" is unknown'), ("make check", "SC2086")], ids=["runner", "script"])
def test_a_slip_is_found(lint, tmp_path, slip, sentence):
    """The check above would pass whatever stands there."""
    wrong = {"runs-on: ubuntu-24.04": "runs-on: ubuntu-99.04", "make check": "make $TARGETS"}[slip]
    path = tmp_path / "wrong.yml"
    path.write_text((ROOT / ".github" / "workflows" / "ci.yml").read_text().replace(slip, wrong))
    said = lint(path)
    assert said.returncode == 1
    assert sentence in said.stdout
