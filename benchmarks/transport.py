"""A transport that takes a fixed time to connect and none to answer, so that what is measured is the pool and nothing else."""

import asyncio
from collections.abc import Callable
from typing import cast

import asyncssh

from fairlead.domain.cluster.address import Address, Credentials, HostKeys
from fairlead.schedulers.seam import Exchange
from fairlead.ssh.channel import Exec
from fairlead.ssh.kept import Way
from fairlead.ssh.limits import PoolLimits
from fairlead.ssh.remote import SshRemote
from fairlead.ssh.told import Told
from fairlead.ssh.ways import Ways

CONNECT_SECONDS = 0.010
ANSWER = b"yes\n"
TRUE: Exchange[bytes] = Exchange("observe", f"echo {ANSWER.decode().strip()}", b"", 30.0, 4096, lambda output: output)
"""What every request of these measures runs."""


class _Channel:
    """Takes what is written and answers at its end, one turn of the event loop later."""

    def __init__(self, session: Exec) -> None:
        self._session = session

    def write(self, data: bytes) -> None:
        """Nothing is done with it."""

    def write_eof(self) -> None:
        asyncio.get_running_loop().call_soon(self._answer)

    def _answer(self) -> None:
        self._session.data_received(ANSWER, None)
        self._session.connection_lost(None)

    def get_exit_status(self) -> int:
        return 0

    def get_exit_signal(self) -> None:
        return None


class _Connection:
    """What the pool asks of a connection."""

    def __init__(self) -> None:
        self._closed = asyncio.Event()

    async def create_session(self, factory: Callable[[], Exec], *_: object, **__: object) -> tuple[_Channel, Exec]:
        session = factory()
        return _Channel(session), session

    def get_extra_info(self, name: str) -> str:
        return name

    def is_closed(self) -> bool:
        return self._closed.is_set()

    def close(self) -> None:
        self._closed.set()

    abort = close

    async def wait_closed(self) -> None:
        await self._closed.wait()


async def dial() -> asyncssh.SSHClientConnection:
    """A connection after `CONNECT_SECONDS`."""
    await asyncio.sleep(CONNECT_SECONDS)
    return cast("asyncssh.SSHClientConnection", _Connection())


def addresses(count: int) -> list[Address]:
    """So many hosts that do not exist."""
    return [Address(f"host{number}", 22, "user", Credentials(b""), HostKeys(known_hosts="-")) for number in range(count)]


class _NoLogin(Ways):
    """The product's ways over this transport: only what makes one connection is another."""

    def way(self, address: Address) -> Way:
        async def through_the_gate(_: asyncssh.SSHClientConnection | None) -> asyncssh.SSHClientConnection:
            async with self.gate.passed(address):
                return await dial()

        return Way(address, through_the_gate)


class PoolOnly(SshRemote):
    """The product's pool on these ways."""

    def __init__(self, limits: PoolLimits | None = None) -> None:
        super().__init__(limits, ways=_NoLogin(limits or PoolLimits(), Told()))
