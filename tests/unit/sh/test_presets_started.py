"""How a preset's program is found on a node."""

import subprocess
from pathlib import Path

import pytest

from fairlead.domain.session.presets import PRESETS
from unit.sh.tools import furnish

STARTS = PRESETS["Jupyter"].starts


def started(folder: Path, shell: str, *programs: str) -> "subprocess.CompletedProcess[str]":
    """Start it where there are these programs, each of which says its name and its arguments."""
    furnish(folder, shell)
    for name in programs:
        (folder / name).write_text('#!/bin/sh\necho "${0##*/}" "$@"\n')
        (folder / name).chmod(0o755)
    return subprocess.run([folder / "sh", "-c", STARTS, "preset", "--a=*", "b c"], env={"PATH": str(folder)}, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("programs", "says"), [
    (("jupyter-lab", "jupyter-server"), "jupyter-lab --a=* b c\n"), (("jupyter-lab",), "jupyter-lab --a=* b c\n"),
    (("jupyter-server", "jupyter"), "jupyter-server --a=* b c\n"),
])
def test_jupyterlab_is_started_and_else_the_server(tmp_path: Path, shell: str, programs: tuple[str, ...], says: str) -> None:
    """Else people would get the bare server where a lab is installed, or nothing where only the server is."""
    done = started(tmp_path, shell, *programs)
    assert (done.stdout, done.stderr, done.returncode) == (says, "", 0)


def test_without_either_one_is_told_what_to_do(tmp_path: Path, shell: str) -> None:
    """Else a person would see "not found", and not know that a module has to be loaded."""
    done = started(tmp_path, shell, "jupyter")
    assert (done.stdout, done.returncode) == ("", 127)
    assert "There is neither jupyter-lab nor jupyter-server in the PATH of" in done.stderr
    assert all(word in done.stderr for word in ("`module load`", "`pip install --user jupyterlab`", f"PATH is {tmp_path}"))
