"""The release before this one is what its commit says."""

import io
import subprocess
import tarfile

import pytest

from bed.image.context import CHECKOUT
from e2e import earlier


def test_what_is_kept_is_what_the_commit_has() -> None:
    """An upgrade would be tried from something that nobody ever had."""
    with tarfile.open(fileobj=io.BytesIO(earlier.program())) as kept:
        commit = kept.pax_headers["comment"]
    if subprocess.run(["git", "cat-file", "-e", commit], cwd=CHECKOUT, capture_output=True, check=False).returncode:
        pytest.skip(f"the history is not here as far as {commit}")
    assert files(earlier.program()) == files(earlier.exported(commit, earlier.PACKAGE))
    there = {name.removeprefix("charts/"): content for name, content in files(earlier.exported(commit, "charts")).items()}
    chart = files(earlier.CHART.read_bytes())
    assert {name for name in there if "/templates/" in name} <= chart.keys()
    written_anew = {"fairlead/Chart.yaml"}       # by Helm, with its fields in another order
    assert {name for name, content in chart.items() if there.get(name) != content} == written_anew


def files(archive: bytes) -> dict[str, bytes]:
    """What is in a tar archive, by name."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        return {each.name: file.read() for each in opened if (file := opened.extractfile(each)) is not None}
