"""A login node that asks for new keys without end takes the CPU from all clusters: it is cut off, and the others do not notice."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncssh
import pytest

from bed.sshd import SshHost
from fairlead.api.v1alpha1.reasons import ClusterReason
from fairlead.domain.cluster.address import Address, Credentials, HostKeys
from fairlead.domain.errors import Unanswered, Unreachable
from fairlead.schedulers.seam import Exchange
from fairlead.ssh.rekeys import BURST
from fairlead.ssh.remote import SshRemote

KEY = asyncssh.generate_private_key("ssh-ed25519")


class Server(asyncssh.SSHServer):
    """Says something all the time, and before each word it asks for new keys: asyncssh does when so many bytes were sent."""

    words = 0

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._talking = asyncio.create_task(self._talk(conn))

    def connection_lost(self, exc: Exception | None) -> None:
        self._talking.cancel()

    async def _talk(self, conn: asyncssh.SSHServerConnection) -> None:
        while True:
            await asyncio.sleep(0.001)
            if conn.get_extra_info("username"):
                Server.words += 1
                conn.send_debug("more keys")


@asynccontextmanager
async def server(**options: object) -> AsyncIterator[Address]:
    """Where it is; its commands never end."""
    async def never(process: asyncssh.SSHServerProcess[str]) -> None:
        await process.stdin.read()
        await process.wait_closed()

    public = KEY.export_public_key().decode()
    async with asyncssh.listen("127.0.0.1", 0, server_factory=Server, process_factory=never, server_host_keys=[KEY],
                               authorized_client_keys=asyncssh.import_authorized_keys(public), **options) as listening:
        pins = HostKeys(f"127.0.0.1 {public}")
        yield Address("127.0.0.1", listening.get_port(), "user", Credentials(KEY.export_private_key()), pins, connect_timeout_seconds=60.0)


def script(code: str, seconds: float) -> Exchange[bytes]:
    """An exchange that answers with what the code prints."""
    return Exchange("observe", code, b"", seconds, 1 << 25, lambda output: output)


async def test_endless_new_keys_end_the_connection_and_nobody_else_notices(bare: SshHost) -> None:
    """Else one login node, or who sits on it, could keep the controller from working for anybody."""
    well = Address(bare.host, bare.port, bare.user, Credentials(bare.private_key.encode()), HostKeys(known_hosts=bare.known_hosts))
    async with server(rekey_bytes=1) as address, SshRemote() as remote:
        hostile = asyncio.create_task(remote.exchange(address, script("true", 60.0)))
        assert await remote.exchange(well, script("echo yes", 10.0)) == b"yes\n"
        with pytest.raises(Unanswered) as failure:
            await hostile
        assert failure.value.reason is ClusterReason.CONNECTION_LOST
        assert f"the connection broke off: it asked for new keys more than {BURST} times" in str(failure.value)
        with pytest.raises(Unreachable, match="cannot be connected to: it asked for new keys"):   # to come back is no way around it
            await remote.exchange(address, script("true", 60.0))
        assert await remote.exchange(well, script("echo yes", 10.0)) == b"yes\n"


async def test_a_site_that_asks_now_and_then_is_served(bare: SshHost) -> None:
    """Else a site that is careful with its keys would lose its connections."""
    host = SshHost.start(bare.bed, sshd_extra=("RekeyLimit 1M",))
    address = Address(host.host, host.port, host.user, Credentials(host.private_key.encode()), HostKeys(known_hosts=host.known_hosts))
    async with SshRemote() as remote:
        answer = await remote.exchange(address, script("head -c 16777216 /dev/zero", 30.0))
    assert len(answer) == 16 << 20
    host.stop()
