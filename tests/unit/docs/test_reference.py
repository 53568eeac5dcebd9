"""The reference pages are made from the code, so that a reader can rely on them."""

import subprocess
import sys
from pathlib import Path

import pytest

from generator import settings

ROOT = Path(__file__).parents[3]
REFERENCE = ROOT / "docs" / "reference"


def test_committed_pages_are_what_the_code_says(tmp_path):
    """A reader would be told of fields, reasons and settings that are not there, or not told of new ones."""
    subprocess.run([sys.executable, "-m", "generator", tmp_path], cwd=ROOT / "docs", check=True, capture_output=True)
    made = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert made == {path.name: path.read_text() for path in REFERENCE.iterdir()}


@pytest.mark.parametrize("section", [pytest.param(values, id=path) for path, values in settings.sections()])
def test_every_setting_is_described(section):
    """A person could not find out what a setting does."""
    assert [name for name, text in settings.docstrings(type(section)).items() if not text] == []
