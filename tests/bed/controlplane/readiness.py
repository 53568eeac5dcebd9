"""Waiting for servers that may end instead of becoming ready."""

import http.client
import ssl
import time
from collections.abc import Sequence
from pathlib import Path

from bed.daemon import Daemon
from bed.errors import BedError

PATIENCE_SECONDS = 90.0
"""On an idle machine it takes about 4 s; with every core taken by others it takes far longer."""

_PAUSE_SECONDS = 0.05
_TAKEN = "address already in use"


class PortTakenError(BedError):
    """A server ended since another process has its port; another start with other ports may do."""


class Probe:
    """Asks an API server as its administrator."""

    def __init__(self, port: int, folder: Path, host: str = "127.0.0.1") -> None:
        self._host, self._port = host, port
        self._tls = ssl.create_default_context(cafile=folder / "ca.crt")
        self._tls.load_cert_chain(folder / "admin.crt", folder / "admin.key")

    def await_ready(self, servers: Sequence[Daemon], path: str = "/readyz", *, holds: str = "") -> None:
        """Returns once `path` is answered with 200, and with a text that `holds` a certain one.

        Raises:
            PortTakenError: a server could not bind.
            BedError: a server ended, or time is up.
        """
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self._answers(path, holds.encode()):
            for server in servers:
                if not server.alive:
                    kind = PortTakenError if _TAKEN in server.tail(200) else BedError
                    raise kind(f"{server.argv[0]} ended with {server.exit_code}:\n{server.tail()}")
            if time.monotonic() > deadline:
                raise BedError(f"the API server did not answer {path} as awaited within {PATIENCE_SECONDS:.0f} s:\n{servers[-1].tail()}")
            time.sleep(_PAUSE_SECONDS)

    def _answers(self, path: str, holds: bytes) -> bool:
        connection = http.client.HTTPSConnection(self._host, self._port, timeout=5, context=self._tls)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status == http.HTTPStatus.OK and holds in answer.read()
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()
