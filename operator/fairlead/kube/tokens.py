"""Bearer tokens and where they come from: fixed, a file that is rotated, or a program that a kubeconfig names (`exec`)."""

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from fairlead.domain.errors import Unavailable

REREAD_SECONDS = 60.0
"""How long a token from a file is used before it is read again. The kubelet renews it well before it expires."""
EXEC_TIMEOUT_SECONDS = 60.0
"""How long a credential program may take; some open a browser at the first log-in."""


class TokenSource(Protocol):
    """Gives the token to send now."""

    async def current(self) -> str | None:
        """The token, or None to send none. Raises `Unavailable` when it cannot be had now."""
        ...

    def forget(self) -> bool:
        """The server refused the token: drop it. False when asking again can only give the same one."""
        ...


@dataclass(frozen=True, slots=True)
class FixedToken:
    """A token written down in the kubeconfig, or none (client certificates)."""

    value: str | None = field(default=None, repr=False)

    async def current(self) -> str | None:
        """The token as it was given."""
        return self.value

    def forget(self) -> bool:
        """Nothing to drop."""
        return False


@dataclass(slots=True)
class FileToken:
    """A token in a file that somebody else renews: a service account's, or a kubeconfig's `tokenFile`."""

    path: Path
    _value: str | None = field(default=None, repr=False)
    _read_at: float = 0.0

    async def current(self) -> str | None:
        """The file's token, read again each minute. Raises `Unavailable` when the file cannot be read."""
        if self._value is None or time.monotonic() - self._read_at > REREAD_SECONDS:
            try:
                self._value = self.path.read_text().strip()
            except OSError as error:
                raise Unavailable(f"The token file {self.path} cannot be read: {error.strerror}") from error
            self._read_at = time.monotonic()
        return self._value

    def forget(self) -> bool:
        """Read the file again at the next call."""
        self._value = None
        return True


@dataclass(slots=True)
class ExecToken:
    """A token from a credential program, by the client.authentication.k8s.io protocol; kept until shortly before it expires."""

    command: str
    arguments: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)
    api_version: str
    _value: str | None = field(default=None, repr=False)
    _good_until: float = 0.0         # epoch seconds, as the program says it
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)

    async def current(self) -> str | None:
        """The program's token. Raises `Unavailable` when it fails, takes too long or answers something else."""
        async with self._lock:
            if self._value is None or time.time() > self._good_until - 60:
                status = await self._run()
                self._value, self._good_until = str(status["token"]), _expiry(status)
            return self._value

    def forget(self) -> bool:
        """Ask the program again at the next call."""
        self._value = None
        return True

    async def _run(self) -> Mapping[str, Any]:
        request = {"apiVersion": self.api_version, "kind": "ExecCredential", "spec": {"interactive": False}}
        pairs = {**self.environment, "KUBERNETES_EXEC_INFO": json.dumps(request)}
        # `env` adds to the environment we were started with, which only the settings may read
        argv = ["env", *(f"{name}={value}" for name, value in pairs.items()), self.command, *self.arguments]
        process = None
        try:
            async with asyncio.timeout(EXEC_TIMEOUT_SECONDS):
                pipe, null = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
                process = await asyncio.create_subprocess_exec(*argv, stdin=null, stdout=pipe)
                output, _ = await process.communicate()
            status: object = json.loads(output)["status"]
        except (OSError, TimeoutError, ValueError, KeyError, TypeError) as error:
            raise Unavailable(f"The kubeconfig's credential program {self.command} gave no credential: {type(error).__name__}") from error
        finally:
            if process and process.returncode is None:
                process.kill()
                await process.wait()
        if not isinstance(status, dict) or not status.get("token"):
            raise Unavailable(f"The kubeconfig's credential program {self.command} gave no token (certificates are not supported)")
        return status


def _expiry(status: Mapping[str, Any]) -> float:
    """Epoch seconds until which the credential is good; without an expirationTimestamp until the server refuses it."""
    stamp = status.get("expirationTimestamp")
    return datetime.fromisoformat(str(stamp)).timestamp() if stamp else float("inf")
