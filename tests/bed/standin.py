"""Hundreds of SSH hosts in one light process: asyncssh servers on loopback ports, each with a home of its own.

They run what they are told with `sh`, as an account that owns nothing else on this machine, or answer by one program for all.
"""

import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bed.daemon import Daemon
from bed.errors import BedError
from bed.login import claim
from bed.sshdconf import KeyPair
from bed.state import Bed

_UID = 61000  # Debian leaves 60578 to 61183 to nobody
_READY_SECONDS = 60.0
_TESTS = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class StandInHost:
    """One of the hosts. `home` is where its commands start; `hung` exists while it accepts connections and answers nothing."""

    host: str
    port: int
    user: str
    known_hosts: str
    private_key: str
    home: Path
    hung: Path


class StandIn:
    """All hosts of one process. Commands carry the bed's mark, so nothing that they start outlives the bed."""

    def __init__(self, daemon: Daemon, hosts: Sequence[StandInHost]) -> None:
        self.daemon = daemon
        self.hosts = tuple(hosts)

    @classmethod
    def start(cls, bed: Bed, count: int, *, program: str | None = None) -> "StandIn":
        """`count` hosts, about 3 ms each. With `program`, a shell script that answers every command, given to it as $SSH_ORIGINAL_COMMAND.

        Raises BedError when the process does not get ready; with its log's last lines.
        """
        _, folder = claim(bed, "standin")
        user_key, host_keys = KeyPair.generate(), [KeyPair.generate() for _ in range(count)]
        homes = [folder / "homes" / str(index) for index in range(count)]
        for home in homes:
            home.mkdir(parents=True)
            os.chown(home, _UID, _UID)
        plan = {"uid": _UID, "user_key": user_key.public, "host_keys": [key.private for key in host_keys], "program": program}
        plan_file = folder / "plan.json"
        plan_file.touch(mode=0o600)
        plan_file.write_text(json.dumps(plan))
        argv: list[str | Path] = [sys.executable, "-m", "bed.standin_server", folder]
        daemon = Daemon(argv, {**bed.env, "PYTHONPATH": str(_TESTS)}, folder / "log")
        ports = _await_ports(daemon, folder / "ports.json")
        return cls(daemon, [
            StandInHost("127.0.0.1", port, "user", f"[127.0.0.1]:{port} {key.public}", user_key.private, home, folder / f"hung{index}")
            for index, (port, key, home) in enumerate(zip(ports, host_keys, homes, strict=True))
        ])

    def hang(self, index: int) -> None:
        """From now on the host accepts connections and never speaks; commands on open ones get no answer."""
        self.hosts[index].hung.touch()

    def unhang(self, index: int) -> None:
        """The host answers again, also who has waited since."""
        self.hosts[index].hung.unlink(missing_ok=True)

    def stop(self) -> None:
        """Ends the process. Commands that run go on until the bed ends."""
        self.daemon.term()


def _await_ports(daemon: Daemon, file: Path) -> list[int]:
    deadline = time.monotonic() + _READY_SECONDS
    while not file.exists():
        if not daemon.alive or time.monotonic() > deadline:
            raise BedError(f"the stand-in for SSH hosts does not get ready: {daemon.tail()}")
        time.sleep(0.02)
    return [int(port) for port in json.loads(file.read_text())]
