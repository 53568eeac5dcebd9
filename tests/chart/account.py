"""A ServiceAccount of a release, and processes that know nothing but it, as a pod's would."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bed.controlplane import ControlPlane
from bed.controlplane.pki import write_private
from bed.daemon import Daemon


@dataclass(frozen=True, slots=True)
class Account:
    """The account `name` in `namespace`; its kubeconfig is written into `folder`."""

    plane: ControlPlane
    namespace: str
    name: str
    folder: Path

    @property
    def env(self) -> Mapping[str, str]:
        """The environment of a process that is this account."""
        path = self.folder / "kubeconfig"
        if not path.exists():
            token = self.plane.kubectl("create", "token", self.name, f"--namespace={self.namespace}", "--duration=1h").stdout.strip()
            config = json.loads(self.plane.kubectl("config", "view", "--raw", "--minify", "--flatten", "--output=json").stdout)
            config["users"] = [{"name": each["context"]["user"], "user": {"token": token}} for each in config["contexts"]]
            for each in config["contexts"]:
                each["context"]["namespace"] = self.namespace
            write_private(path, json.dumps(config).encode())
        inherited = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        return inherited | {"HOME": str(self.folder), "KUBECONFIG": str(path)}

    @contextmanager
    def running(self, argv: list[str]) -> Iterator[Path]:
        """A process of it while inside; gives its log. It ends as Kubernetes would end it."""
        log = self.folder / "log"
        daemon = Daemon(argv, {**self.env, **self.plane.bed.env}, log)
        try:
            yield log
        finally:
            daemon.term(15)
