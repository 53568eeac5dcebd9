"""`fairlead controller` as a process: started, killed, stopped and started again by tests and by the demo."""

import os
import re
import sys
import time
from collections.abc import Mapping, Sequence
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import Any, ClassVar
from urllib.error import HTTPError
from urllib.request import urlopen

import yaml

from bed.controlplane.ports import free
from bed.daemon import Daemon
from bed.errors import BedError
from bed.state import Bed
from product.settings import SETTINGS

READY_SECONDS = 60.0


class Controller:
    """One controller process on a bed's control plane."""

    settings: ClassVar[Mapping[str, Any]] = SETTINGS
    log_level: ClassVar[str] = "debug"
    namespace = "default"                # of its Lease
    watched: Sequence[str] = ()          # the namespaces that it works in; none: all

    def __init__(self, bed: Bed, kubeconfig: Path, name: str = "controller",
                 program: tuple[str, ...] = ("-m", "fairlead", "controller"), env: Mapping[str, str] | None = None) -> None:
        self._bed = bed
        self._folder = bed.folder / name
        self._folder.mkdir(exist_ok=True)
        if "client-certificate-data" in kubeconfig.read_text(encoding="utf-8"):
            raise BedError("that is the administrator's: a controller runs with product.account.account(plane), under its own rights alone")
        self._kubeconfig = kubeconfig
        self._program = program
        self._env = dict(env or {})
        self.log = self._folder / "log"
        self.port = 0
        self._daemon: Daemon | None = None

    def start(self, *, wait: bool = True) -> "Controller":
        """Start it; `wait` until it leads."""
        settings = self._folder / "settings.yaml"
        settings.write_text(yaml.safe_dump(dict(self.settings)), encoding="utf-8")
        [self.port] = free(1)
        inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        self._daemon = Daemon(self.argv(self._kubeconfig, settings), self._bed.env | self._env | inherited, self.log)
        if wait:
            self.await_ready()
        return self

    def argv(self, kubeconfig: Path, settings: Path) -> list[str]:
        """Its command line, with these files."""
        watched = [word for each in self.watched for word in ("--watch-namespace", each)]
        return [sys.executable, *self._program, "--kubeconfig", str(kubeconfig), "--namespace", self.namespace, "--settings", str(settings),
                *watched, "--health-host", "127.0.0.1", "--health-port", str(self.port), "--log-level", self.log_level]

    def await_ready(self) -> None:
        """Until it leads."""
        if not self._comes_to_lead():
            raise BedError(f"the controller ended before it led: {self._last_words()}")

    def ensure(self) -> "Controller":
        """Running and leading; started again if a test ended it, or if it ends meanwhile since another had its Lease."""
        if self._daemon is not None:
            self._daemon.cont()
            if self._comes_to_lead():
                return self
        return self.start()

    def _comes_to_lead(self) -> bool:
        """Wait until it leads; False: it ended."""
        until = time.monotonic() + READY_SECONDS
        while self.daemon.alive:
            if self.leads():
                return True
            if time.monotonic() > until:
                raise BedError(f"the controller does not lead: {self._last_words()}")
            time.sleep(0.05)
        return False

    def _last_words(self) -> str:
        return self.log.read_text(encoding="utf-8")[-3000:]

    @property
    def daemon(self) -> Daemon:
        """Its process."""
        if self._daemon is None:
            raise BedError("the controller was not started")
        return self._daemon

    def page(self, name: str) -> tuple[int, str]:
        """Status and text of one of its pages: livez, readyz or metrics. 0 while nobody answers."""
        try:
            answer: HTTPResponse = urlopen(f"http://127.0.0.1:{self.port}/{name}", timeout=5)
            with answer:
                return answer.status, answer.read().decode()
        except HTTPError as error:
            return error.code, error.read().decode()
        except (OSError, HTTPException):     # it may end in the midst of an answer
            return 0, ""

    def metrics(self) -> str:
        """What /metrics says."""
        return self.page("metrics")[1]

    def counted(self, series: str) -> int:
        """One number of /metrics, by its name and labels as they are printed there; 0 if it is not there."""
        found = re.search(rf"^{re.escape(series)} ([0-9.e+]+)$", self.metrics(), re.MULTILINE)
        return int(float(found[1])) if found else 0

    def leads(self) -> bool:
        """Whether it says so."""
        return "fairlead_leading 1.0" in self.metrics()

    def stop(self) -> None:
        """End it as Kubernetes would."""
        if self._daemon is not None and self._daemon.alive:
            self._daemon.term(15)
