"""A program of an image, run by runc as a node runs it: as the image's user and process 1, on a read-only root, with no capability at all.

The network is this machine's, so that it reaches the bed's parts.
"""

import itertools
import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from bed import cgroups
from bed.daemon import Daemon
from bed.image.opened import Opened
from bed.processes import MARK

_number = itertools.count()


class Contained:
    """A container of an image. Its control group has the bed's id in its name, its processes have the bed's mark: they end with the bed."""

    def __init__(self, image: Opened, folder: Path, mark: Mapping[str, str], files: Mapping[str, Path] | None = None) -> None:
        """`folder`: where its bundle and log go. `files`: what is mounted read-only, by the place inside; copies for the image's user."""
        self._id = f"flb{mark[MARK]}-image-{next(_number)}"
        self._mark = dict(mark)
        self._bundle = folder / self._id
        self._bundle.mkdir(parents=True)
        self.log = self._bundle / "log"
        self._image = image
        self._files = dict(files or {})
        self.daemon: Daemon | None = None

    @property
    def uid(self) -> int:
        """The image's user; a name instead of a number fails here, as it does under `runAsNonRoot`."""
        return int(self._image.config["config"]["User"].split(":")[0])

    def start(self, *arguments: str, program: Sequence[str] | None = None) -> Daemon:
        """Starts the image's program with these arguments, or another one. Signals that its process gets are handed to process 1 inside."""
        argv = [*(program or self._image.config["config"]["Entrypoint"]), *arguments]
        (self._bundle / "config.json").write_text(json.dumps(self._specification(argv)))
        self.daemon = Daemon([*self._runc, "run", "--bundle", self._bundle, self._id], self._mark, self.log)
        return self.daemon

    def run(self, *arguments: str, program: Sequence[str] | None = None) -> "subprocess.CompletedProcess[str]":
        """Runs it to its end; what it printed is in `stdout`, both streams together."""
        argv = [*(program or self._image.config["config"]["Entrypoint"]), *arguments]
        (self._bundle / "config.json").write_text(json.dumps(self._specification(argv)))
        done = subprocess.run([*self._runc, "run", "--bundle", self._bundle, self._id], env=self._env, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=60)
        self.remove()
        return done

    def first(self) -> int | None:
        """The number, outside, of its process 1; None while there is none."""
        said = subprocess.run([*self._runc, "state", self._id], env=self._env, capture_output=True, text=True, check=False)
        state = json.loads(said.stdout) if said.returncode == 0 else {}
        return state.get("pid") or None if state.get("status") == "running" else None

    def remove(self) -> None:
        """Ends it, if it still runs, and removes what runc keeps of it."""
        subprocess.run([*self._runc, "delete", "--force", self._id], env=self._env, capture_output=True, check=False)
        if self.daemon is not None:
            self.daemon.kill()
        cgroups.remove(self._id)

    @property
    def _runc(self) -> list[str | Path]:
        return ["runc", "--root", self._bundle / "state"]

    @property
    def _env(self) -> dict[str, str]:
        return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", **self._mark}

    def _specification(self, argv: Sequence[str]) -> dict[str, object]:
        """What Kubernetes' restricted profile and `readOnlyRootFilesystem` make of it (the OCI runtime specification, config.md)."""
        config, uid = self._image.config["config"], self.uid
        lent = [(inside, _lent(source, self._bundle / source.name, uid)) for inside, source in self._files.items()]
        return {
            "ociVersion": "1.0.2",
            "process": {
                "user": {"uid": uid, "gid": uid}, "cwd": config.get("WorkingDir") or "/", "args": list(argv), "noNewPrivileges": True,
                "env": [*config["Env"], *(f"{name}={value}" for name, value in self._mark.items())],
                "capabilities": {kind: [] for kind in ("bounding", "effective", "permitted", "inheritable", "ambient")},
            },
            "root": {"path": str(self._image.root), "readonly": True},
            "mounts": [*_MOUNTS, *({"destination": inside, "type": "bind", "source": str(outside), "options": ["bind", "ro"]}
                                   for inside, outside in lent)],
            "linux": {
                "cgroupsPath": f"/{self._id}", "namespaces": [{"type": kind} for kind in ("pid", "mount", "ipc", "uts")],
                "maskedPaths": ["/proc/kcore", "/proc/keys", "/proc/timer_list"], "readonlyPaths": ["/proc/sys", "/proc/sysrq-trigger"],
            },
        }


def _mount(place: str, kind: str, *options: str) -> dict[str, object]:
    return {"destination": place, "type": kind, "source": kind, "options": ["nosuid", "noexec", *options]}


_MOUNTS = [
    _mount("/proc", "proc", "nodev"), _mount("/dev", "tmpfs", "mode=755", "size=64k"),
    _mount("/dev/shm", "tmpfs", "nodev", "mode=1777", "size=64m"), _mount("/dev/mqueue", "mqueue", "nodev"),
]


def _lent(source: Path, target: Path, uid: int) -> Path:
    """A copy that the image's user can read: as kubelet does with a Secret."""
    target.write_bytes(source.read_bytes())
    os.chown(target, uid, uid)
    target.chmod(0o400)
    return target
