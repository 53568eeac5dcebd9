"""Which tests one worker runs, and which come first: files that took long before all others, so that none of them is left for the end."""

from collections.abc import Mapping, Sequence
from typing import Final, TypeVar

TOGETHER: Final = ("tests/api/", "tests/kube/", "tests/e2e/", "tests/installation/")
"""Folders with a control plane or a node of their own, which is started once."""
UNKNOWN_SECONDS: Final = 60.0
"""What is assumed of a file of which no run has told: it may be long, so it goes early."""

Test = TypeVar("Test")


def file_of(nodeid: str) -> str:
    """The file that a test is in."""
    return nodeid.split("::", 1)[0]


def unit_of(nodeid: str) -> str:
    """What a test belongs to that one worker runs as a whole: its file, or its folder."""
    file = file_of(nodeid)
    return next((folder for folder in TOGETHER if file.startswith(folder)), file)


def longest_first(tests: Sequence[tuple[str, Test]], seconds: Mapping[str, float]) -> list[Test]:
    """Tests with their names, ordered by what their unit takes; within a unit as before. `seconds`: what each file took before."""
    files: dict[str, set[str]] = {}
    for nodeid, _ in tests:
        files.setdefault(unit_of(nodeid), set()).add(file_of(nodeid))
    takes = {unit: sum(seconds.get(file, UNKNOWN_SECONDS) for file in of) for unit, of in files.items()}
    return [test for nodeid, test in sorted(tests, key=lambda each: (-takes[unit_of(each[0])], unit_of(each[0])))]
