"""The peers' own virtual environments: of pinned versions from PyPI, in the user's cache, made once."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

from bed.errors import BedError

_SECONDS = 900


class NotHere(BedError):
    """A peer cannot be installed or started on this machine; the message says why, in a sentence of the page."""


@dataclass(frozen=True, slots=True)
class Environment:
    """One peer's: its name, its version, and what pip is asked for."""

    name: str
    version: str
    requirement: str             # without the version

    @property
    def folder(self) -> Path:
        """`${XDG_CACHE_HOME:-~/.cache}/fairlead/peers/NAME-VERSION`."""
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        return cache / "fairlead" / "peers" / f"{self.name}-{self.version}"

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / "bin" / "python"

    def ensure(self) -> None:
        """Make it unless it is there; what an interrupted run has left half-way is not taken for one. Raises `NotHere`."""
        stamp = self.folder / "fairlead-ready"
        if stamp.exists():
            return
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(self.folder, ignore_errors=True)
        temporary = Path(mkdtemp(prefix=f".{self.name}-", dir=self.folder.parent))
        uv = Path(sys.prefix) / "bin" / "uv"
        try:
            self._run(uv, "venv", "--quiet", "--no-config", "--python", sys.executable, self.folder, temporary=temporary)
            self._run(uv, "pip", "install", "--quiet", "--no-config", "--python", self.python, f"{self.requirement}=={self.version}",
                      temporary=temporary)
        except BaseException:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
        stamp.touch()

    def _run(self, *argv: str | Path, temporary: Path) -> None:
        try:
            done = subprocess.run(argv, capture_output=True, text=True, timeout=_SECONDS, check=False, stdin=subprocess.DEVNULL,
                                  env={**os.environ, "TMPDIR": str(temporary)})
        except (OSError, subprocess.TimeoutExpired) as error:
            raise NotHere(f"{self.requirement} {self.version} could not be installed: {error}") from error
        if done.returncode:
            raise NotHere(f"{self.requirement} {self.version} could not be installed: {done.stderr.strip()[-300:]}")
