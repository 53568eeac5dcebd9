"""`fairlead gateway` as a process: started, killed, stopped and started again by tests."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar
from urllib.request import urlopen

import yaml

from bed.controlplane.ports import free
from bed.daemon import Daemon
from bed.state import Bed
from fairlead.kube.rights import GATEWAY_ACCOUNT
from product.account import NAMESPACE, Plane, account
from product.waiting import until


class GatewayProcess:
    """One gateway on a bed's control plane, under its own rights, on an address of this machine that is not the loopback.

    `settings` are laid over those of its section.
    """

    settings: ClassVar[Mapping[str, Any]] = MappingProxyType({"gateway": {"drain_seconds": 60}})
    """Clients who are to go by themselves have the time for it on a busy machine."""
    log_level: ClassVar[str] = "debug"

    def __init__(self, bed: Bed, plane: Plane, address: str, name: str = "gateway", **settings: Any) -> None:
        self._bed, self._kubeconfig, self.address, self.name = bed, account(plane, name=GATEWAY_ACCOUNT), address, name
        self.log: Path = bed.folder / f"{name}.log"
        self._settings = {**self.settings, "gateway": {**self.settings.get("gateway", {}), **settings}}
        self._daemon: Daemon | None = None
        self.port = 0

    def start(self) -> "GatewayProcess":
        """Start it, and wait until it serves."""
        [self.port] = free(1)
        settings = self._bed.folder / f"{self.name}.yaml"
        settings.write_text(yaml.safe_dump(self._settings), encoding="utf-8")
        inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        argv = [sys.executable, "-m", "fairlead", "gateway", "--kubeconfig", str(self._kubeconfig), "--namespace", NAMESPACE,
                "--address", self.address, "--name", self.name, "--health-host", "127.0.0.1", "--health-port", str(self.port),
                "--settings", str(settings), "--log-level", self.log_level]
        before = self.log.read_text().count('"serving"') if self.log.exists() else 0
        self._daemon = Daemon(argv, self._bed.env | inherited, self.log)
        until(lambda: self.log.read_text().count('"serving"') > before, "the gateway to serve", 60)
        return self

    def metrics(self) -> str:
        """What its page of metrics says now."""
        with urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=5) as answer:
            return str(answer.read().decode())

    @property
    def daemon(self) -> Daemon:
        """Its process."""
        assert self._daemon is not None
        return self._daemon

    def stop(self) -> None:
        """End it as Kubernetes would."""
        if self._daemon is not None and self._daemon.alive:
            self._daemon.term(90)
