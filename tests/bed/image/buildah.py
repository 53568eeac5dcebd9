"""buildah with a storage of its own, without a registry; and nothing of a run that was killed stays mounted or running."""

import json
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bed import progress
from bed.errors import BedError

_OWN_NAMESPACES = ("unshare", "--mount", "--pid", "--fork", "--kill-child=KILL", "--mount-proc")
_STORAGE = """[storage]
driver = "overlay"
graphroot = "{storage}"
runroot = "{run}"
"""
_CONTAINERS = """[containers]
default_ulimits = []
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
"""
_POLICY = {"default": [{"type": "insecureAcceptAnything"}]}


@dataclass(frozen=True, slots=True)
class Buildah:
    """One use of the storage, by who holds its lock. `run` is a folder that goes with the bed; `mark` is the bed's."""

    storage: Path
    run: Path
    mark: Mapping[str, str]

    @classmethod
    def open(cls, storage: Path, run: Path, mark: Mapping[str, str]) -> "Buildah":
        """Makes the folders and the settings; a storage that cannot be read any more is thrown away."""
        storage.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(run, ignore_errors=True)   # counts of mounts, which went with the namespace of who made them
        run.mkdir(parents=True)
        (run / "storage.conf").write_text(_STORAGE.format(storage=storage, run=run / "run"))
        (run / "containers.conf").write_text(_CONTAINERS)
        (run / "registries.conf").touch()
        (run / "policy.json").write_text(json.dumps(_POLICY))
        one = cls(storage, run, mark)
        try:
            one.call("rm", "--all")   # working containers of a killed build
        except BedError as error:
            progress.say(f"what is kept of earlier images is thrown away: {error}")
            shutil.rmtree(storage, ignore_errors=True)
            storage.mkdir(parents=True)
        return one

    def has(self, name: str) -> bool:
        """Whether an image of this name is there."""
        asked = subprocess.run(self._argv("inspect", "--type", "image", name), env=self._env, capture_output=True, check=False)
        return asked.returncode == 0

    def call(self, *argv: str | Path) -> str:
        """Runs a command of buildah; what it prints. Raises BedError with its last words."""
        done = subprocess.run(self._argv(*argv), env=self._env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if done.returncode:
            words = done.stderr.strip().splitlines()[-12:]
            raise BedError(f"buildah {argv[0]} failed with exit code {done.returncode}:\n" + "\n".join(words))
        return done.stdout.strip()

    def export(self, name: str, archive: Path) -> None:
        """Writes an image as a docker-archive, which `docker load`, `kind load` and `ctr image import` read."""
        archive.unlink(missing_ok=True)
        self.call("push", "--quiet", *self.policy, name, f"docker-archive:{archive}:{name}")

    @property
    def policy(self) -> tuple[str, str]:
        """Signatures are asked for in registries; there is none here."""
        return "--signature-policy", str(self.run / "policy.json")

    @property
    def _env(self) -> dict[str, str]:
        place = {"CONTAINERS_STORAGE_CONF": "storage.conf", "CONTAINERS_CONF": "containers.conf",
                 "CONTAINERS_REGISTRIES_CONF": "registries.conf"}
        return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(self.run), "TMPDIR": str(self.run), "LC_ALL": "C.UTF-8",
                **{variable: str(self.run / file) for variable, file in place.items()}, **self.mark}

    def _argv(self, *argv: str | Path) -> list[str | Path]:
        return [*_OWN_NAMESPACES, "buildah", *argv]
