"""What was measured on: written beside each result, since no figure means anything without it."""

import os
import platform
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

_QUIET_LOAD = 2.5


@dataclass(frozen=True, slots=True)
class Machine:
    """The machine and the versions, and how busy it was when a run began."""

    cores: int
    model: str
    kernel: str
    versions: str
    load: float
    date: str

    @classmethod
    def here(cls) -> "Machine":
        """This one, now. The load is the mean of the last minute: what others do on it, before the run begins."""
        versions = ", ".join((f"Fairlead {version('fairlead')}", f"Python {platform.python_version()}", f"asyncssh {version('asyncssh')}"))
        return cls(len(os.sched_getaffinity(0)), _model(Path("/proc/cpuinfo")), platform.release(), versions, os.getloadavg()[0],
                   datetime.now(UTC).strftime("%Y-%m-%d"))

    @property
    def says(self) -> str:
        """One line."""
        busy = f"; not quiet: load {self.load:.1f} before it began" if self.load > _QUIET_LOAD else ""
        return f"{self.cores} cores of {self.model}, Linux {self.kernel}; {self.versions}{busy}"


def _model(cpuinfo: Path) -> str:
    for line in cpuinfo.read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition(":")
        if name.strip() in {"model name", "Model"}:
            return " ".join(value.split())
    return platform.machine()
