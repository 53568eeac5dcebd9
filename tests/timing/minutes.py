"""What a run says of itself: each failure when it happens, and at the end how many minutes each folder took."""

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest
from _pytest.terminal import TerminalReporter

from timing.split import file_of

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = ROOT / "docs" / "development.md"
SECONDS: Final = Path(__file__).with_name("seconds.txt")
BEGINS: Final = "<!-- Minutes: written by `make test ARGS=--write-minutes`. -->\n"
ENDS: Final = "<!-- End of minutes. -->\n"
LEAST_MINUTES: Final = 0.1
"""Folders that take less are told in one line."""
_CHARACTERS: Final = 160


def folder_of(file: str) -> str:
    """The folder that a file counts for: `tests/job`; below `tests/unit` the one that mirrors a package."""
    parts = file.split("/")[:-1]
    return "/".join(parts[:3 if parts[:2] == ["tests", "unit"] else 2])


def table(seconds: Mapping[str, float], numbers: Mapping[str, int], head: str) -> str:
    """The minutes of each folder, longest first. `seconds` and `numbers` (of tests) are those of files."""
    took: defaultdict[str, float] = defaultdict(float)
    tests: defaultdict[str, int] = defaultdict(int)
    for file, lasted in seconds.items():
        took[folder_of(file)] += lasted
        tests[folder_of(file)] += numbers[file]
    lines = [head, "", "| Folder | Tests | Minutes |", "| --- | ---: | ---: |"]
    short = [folder for folder, lasted in took.items() if lasted < LEAST_MINUTES * 60]
    longest = sorted(took.keys() - short, key=lambda folder: -took[folder])
    lines += [f"| `{folder}` | {tests[folder]} | {took[folder] / 60:.1f} |" for folder in longest]
    if short:
        lines.append(f"| {len(short)} more | {sum(tests[each] for each in short)} | {sum(took[each] for each in short) / 60:.1f} |")
    return "\n".join([*lines, ""])


def read_seconds(path: Path = SECONDS) -> dict[str, float]:
    """What each file took in the run that was written down last; empty if none was."""
    if not path.exists():
        return {}
    return {file: float(lasted) for lasted, file in (line.split() for line in path.read_text(encoding="utf-8").splitlines())}


def seconds_text(seconds: Mapping[str, float]) -> str:
    """The same, to be written: a line for each file, longest first."""
    return "".join(f"{lasted:.0f} {file}\n" for file, lasted in sorted(seconds.items(), key=lambda each: (-round(each[1]), each[0])))


def replaced(page: str, section: str) -> str:
    """The page with this section between its marks. Raises ValueError if it has none."""
    before, after = page.index(BEGINS) + len(BEGINS), page.index(ENDS)
    return page[:before] + "\n" + section + "\n" + page[after:]


class Minutes:
    """The plugin: sees the reports of all workers."""

    def __init__(self, reporter: TerminalReporter, *, workers: int, write: bool) -> None:
        self._reporter = reporter
        self._workers = workers
        self._write = write
        self._seconds: defaultdict[str, float] = defaultdict(float)
        self._tests: defaultdict[str, int] = defaultdict(int)

    @pytest.hookimpl(trylast=True)   # after the reporter's F
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count it; tell what failed, now: who waits for a long run need not wait for its end."""
        file = file_of(report.nodeid)
        self._seconds[file] += report.duration
        self._tests[file] += report.when == "call"
        if report.failed:
            self._reporter.write_line(f"\nfailed just now: {report.nodeid} ({report.when}) - {said(report)}", red=True)

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: TerminalReporter) -> None:
        """The table, and the page if that was asked for."""
        if len({folder_of(file) for file in self._seconds}) < 2:
            return
        head = (f"{sum(self._tests.values())} tests, {self._workers or 1} at a time; the minutes are those that tests took, "
                "one after another, and what they waited for is in them.")
        section = table(self._seconds, self._tests, head)
        terminalreporter.section("minutes")
        terminalreporter.write_line(section)
        if self._write:
            PAGE.write_text(replaced(PAGE.read_text(encoding="utf-8"), section), encoding="utf-8")
            SECONDS.write_text(seconds_text(self._seconds), encoding="utf-8")


def said(report: pytest.TestReport) -> str:
    """The line of a failure that says what happened."""
    crash = getattr(report.longrepr, "reprcrash", None)
    lines = str(crash.message if crash else report.longrepr or "").strip().splitlines()
    return lines[0][:_CHARACTERS] if lines else ""
