"""Addresses of the bed's hosts, exchanges that run a line of shell, and what runs of them."""

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from bed.login import LoginNode
from fairlead.domain.cluster.address import Address, Credentials, HostKeys
from fairlead.schedulers.seam import Exchange


def address_of(host: LoginNode, /, **changes: Any) -> Address:
    """How a Cluster would reach this host, with some of it changed."""
    address = Address(host.host, host.port, host.user, Credentials(host.private_key.encode()), HostKeys(known_hosts=host.known_hosts),
                      connect_timeout_seconds=5.0)
    return replace(address, **changes)


def script(code: str, payload: bytes = b"", *, timeout_seconds: float = 30.0, max_output_bytes: int = 2 << 20) -> Exchange[bytes]:
    """An exchange that answers with what the code prints."""
    return Exchange("observe", code, payload, timeout_seconds, max_output_bytes, lambda output: output)


def running(host: LoginNode, name: str) -> bool:
    """Whether the ordinary user has a process of this name there."""
    return any(_named(host, name))


def count_of(host: LoginNode, name: str) -> int:
    """How many processes of this name the ordinary user has there."""
    return sum(1 for _ in _named(host, name))


def end_all(host: LoginNode, name: str) -> None:
    """End the ordinary user's processes of this name there."""
    for pid in _named(host, name):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _named(host: LoginNode, name: str) -> Iterator[int]:
    for pid in host.user_pids():
        with suppress(OSError):
            if Path(f"/proc/{pid}/comm").read_text().strip() == name:
                yield pid
