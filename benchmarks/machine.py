"""What was measured on: written beside each result, since no figure means anything without it."""

import os
import platform
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Machine:
    """The machine and the versions, and what disturbed a run on it (empty: nothing)."""

    cores: int
    model: str
    kernel: str
    versions: str
    disturbed: str
    date: str

    @classmethod
    def here(cls, disturbed: str) -> "Machine":
        """This one, today."""
        versions = ", ".join((f"Fairlead {version('fairlead')}", f"Python {platform.python_version()}", f"asyncssh {version('asyncssh')}"))
        return cls(len(os.sched_getaffinity(0)), _model(Path("/proc/cpuinfo")), platform.release().split("-")[0], versions, disturbed,
                   datetime.now(UTC).strftime("%Y-%m-%d"))

    @property
    def says(self) -> str:
        """One line."""
        disturbed = f". Not quiet: {self.disturbed}" if self.disturbed else ""
        return f"{self.cores} cores of {self.model}, Linux {self.kernel}; {self.versions}{disturbed}"


def _model(cpuinfo: Path) -> str:
    for line in cpuinfo.read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition(":")
        if name.strip() in {"model name", "Model"}:
            return " ".join(value.split())
    return platform.machine()
