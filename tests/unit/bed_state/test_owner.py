"""Whose a bed is decides whether its servers are ended."""

import os
import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest

from bed.proc import start_time
from bed.registry import Owner

GONE = 2**22  # one above the highest process id that Linux gives


@pytest.mark.parametrize(("difference", "alive"), [
    pytest.param({}, True, id="this very process"),
    pytest.param({"start_time": 1}, False, id="another process got its id"),
    pytest.param({"pid": GONE}, False, id="it has ended"),
    pytest.param({"boot_id": "before"}, False, id="the machine was restarted"),
    pytest.param({"pid": GONE, "kept": True}, True, id="kept, its maker has ended"),
    pytest.param({"boot_id": "before", "kept": True}, False, id="kept, the machine was restarted"),
])
def test_a_bed_is_alive_as_long_as_its_owner(difference: dict[str, Any], alive: bool) -> None:
    """A running test would lose its servers, or a dead one's would stay."""
    assert replace(Owner.here("a test"), **difference).alive is alive


def test_a_zombie_owns_nothing() -> None:
    """A parent that does not collect its children would keep their beds on the machine."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert start_time(child.pid) is None
    child.wait()


def test_a_process_s_name_cannot_forge_its_start() -> None:
    """A program with blanks and brackets in its name would be taken for a dead one."""
    code = "from pathlib import Path; Path('/proc/self/comm').write_text('a) R 1 (b'); print(flush=True); input()"
    child = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stdout is not None
    child.stdout.readline()
    mine, its = start_time(os.getpid()), start_time(child.pid)
    child.communicate(b"\n")
    assert mine is not None
    assert its is not None
    assert its >= mine
