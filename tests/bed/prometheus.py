"""Prometheus and promtool: Debian's package, unpacked into the cache folder. They need nothing else, and nothing is installed."""

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bed.errors import BedError
from bed.state import Bed
from bed.unpacked import unpacked

_PACKAGE = "prometheus"
_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Prometheus:
    """Where the two programs are."""

    server: Path
    promtool: Path
    env: Mapping[str, str]

    @classmethod
    def get(cls, bed: Bed) -> "Prometheus":
        """From the cache, or fetched first: some 100 MB, once.

        Raises:
            BedError: they cannot be had; the message says why.
        """
        try:
            folder = unpacked(_PACKAGE, bed.env, bed.folder.exists)
        except BedError as error:
            raise BedError(f"there is no Prometheus, {error}") from error
        return cls(folder / "usr/bin/prometheus", folder / "usr/bin/promtool", dict(bed.env))

    def tool(self, *argv: str | Path, text: str = "", cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run promtool with `text` on its standard input; what it said, whatever its exit code."""
        return subprocess.run([self.promtool, *argv], input=text, cwd=cwd, env=dict(self.env), capture_output=True, text=True,
                              timeout=_SECONDS, check=False)
