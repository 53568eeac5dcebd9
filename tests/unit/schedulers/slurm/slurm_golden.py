"""Reads the captured answers of real Slurm commands in tests/golden/slurm: a folder for each release, a file for each case."""

import re
from dataclasses import dataclass
from pathlib import Path

_ROOT = Path(__file__).parents[3] / "golden" / "slurm"
RELEASES = tuple(sorted(folder.name for folder in _ROOT.iterdir() if folder.is_dir()))


@dataclass(frozen=True)
class Captured:
    name: str
    release: str
    command: str
    exit_code: int
    stdout: str
    stderr: str

    def __str__(self) -> str:
        return f"{self.name} on {self.release}"


def captured(name: str, release: str) -> Captured:
    head, _, rest = (_ROOT / release / f"{name}.txt").read_text().partition("# stdout:\n")
    stdout, _, stderr = rest.partition("# stderr:\n")
    exit_code = re.search(r"rc: (\d+)", head)
    assert exit_code, f"{name}.txt of {release} says no exit code"
    return Captured(name, release, head.splitlines()[0].removeprefix("# cmd: "), int(exit_code[1]), stdout, stderr)


def in_every_release(name: str) -> list[Captured]:
    return [captured(name, release) for release in RELEASES]


def matching(pattern: str) -> list[Captured]:
    return [captured(file.stem, release) for release in RELEASES for file in sorted((_ROOT / release).glob(f"{pattern}.txt"))]
