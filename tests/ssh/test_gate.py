"""Connects at once: bounded over all hosts, few to one host, and a host that hangs keeps only its own place."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import replace
from typing import Any

import asyncssh
import pytest
from ssh_addresses import address_of, script

from bed.sshdconf import KeyPair
from fairlead.api.v1alpha1.reasons import ClusterReason
from fairlead.domain.cluster.address import Address, Credentials, HostKeys
from fairlead.domain.errors import Refused, Unreachable
from fairlead.ssh.limits import PoolLimits
from fairlead.ssh.remote import SshRemote

TRUE = script("echo yes")
CLIENT = asyncssh.generate_private_key("ssh-ed25519")


async def test_a_burst_of_logins_to_one_host_stays_below_what_sshd_drops(host, remote):
    identities = [address_of(host, keepalive_interval_seconds=15 + number) for number in range(30)]
    assert await asyncio.gather(*(remote.exchange(identity, TRUE) for identity in identities)) == [b"yes\n"] * 30


async def test_slow_logins_that_a_host_takes_one_at_a_time_all_come_about():
    """Else on a slow login node with a low MaxStartups some of its Clusters would be unready, each look another one."""
    logging_in: set[asyncssh.SSHServerConnection] = set()

    class OneLoginAtATime(asyncssh.SSHServer):
        def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
            self.conn = conn
            if logging_in:
                conn.abort()
            else:
                logging_in.add(conn)

        def connection_lost(self, exc: Exception | None) -> None:
            logging_in.discard(self.conn)

        async def begin_auth(self, username: str) -> bool:
            await asyncio.sleep(0.7)
            return True

        def auth_completed(self) -> None:
            logging_in.discard(self.conn)

    key = asyncssh.generate_private_key("ssh-ed25519")
    async with await _server(key, server_factory=OneLoginAtATime) as server, SshRemote() as remote:
        pins = HostKeys(f"127.0.0.1 {key.export_public_key().decode()}")
        address = Address("127.0.0.1", server.get_port(), "user", Credentials(CLIENT.export_private_key()), pins)
        addresses = [replace(address, keepalive_interval_seconds=15 + number) for number in range(12)]
        assert await asyncio.gather(*(remote.exchange(each, TRUE) for each in addresses)) == [b"served"] * 12


async def test_connects_to_all_hosts_together_stay_within_the_bound():
    async with _silent_hosts(9) as (addresses, most_at_once), SshRemote(PoolLimits(connects=3)) as remote:
        outcomes = await asyncio.gather(*(remote.exchange(address, TRUE) for address in addresses), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [Unreachable] * 9
    assert max(most_at_once) == 3


async def test_a_hundred_hosts_of_which_ten_hang_answer_without_waiting_for_those():
    key = asyncssh.generate_private_key("ssh-ed25519")
    async with AsyncExitStack() as stack:
        silent, _ = await stack.enter_async_context(_silent_hosts(10, connect_timeout_seconds=60.0))
        servers = [await stack.enter_async_context(_server(key)) for _ in range(90)]
        remote = await stack.enter_async_context(SshRemote())
        pins = HostKeys(f"127.0.0.1 {key.export_public_key().decode()}")
        living = [Address("127.0.0.1", server.get_port(), "user", Credentials(CLIENT.export_private_key()), pins) for server in servers]
        stuck = [asyncio.create_task(remote.exchange(address, TRUE)) for address in silent]
        assert await asyncio.gather(*(remote.exchange(address, TRUE) for address in living)) == [b"served"] * 90
        assert not any(task.done() for task in stuck)
        await remote.close()
        assert all(isinstance(outcome, Unreachable) for outcome in await asyncio.gather(*stuck, return_exceptions=True))


async def test_whoever_waits_behind_a_silent_host_waits_no_longer_than_the_bound():
    """Else a hundred Clusters of one dark host would wait for each other for minutes, and the controller be taken for dead."""
    async with _silent_hosts(1) as ([silent], _), SshRemote(PoolLimits(wait_seconds=0.5)) as remote:
        addresses = [replace(silent, user=f"user{number}", namespace="mean") for number in range(160)]
        began = asyncio.get_running_loop().time()
        outcomes = await asyncio.gather(*(remote.exchange(address, TRUE) for address in addresses), return_exceptions=True)
        assert asyncio.get_running_loop().time() - began < 12, "160 of them, 2 at a time, would take 24 s"
    reasons = {outcome.reason for outcome in outcomes if isinstance(outcome, Unreachable)}
    assert reasons == {ClusterReason.CONNECT_TIMEOUT, ClusterReason.NO_FREE_CONNECTION}


async def test_a_banner_without_end_is_cut_off():
    """Else a login node could fill our memory, and take our time for as long as it is let."""
    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while True:
                writer.write((b"x" * 8000 + b"\n") * 20)
                await writer.drain()

    async with await asyncio.start_server(talk, "127.0.0.1", 0) as server, SshRemote() as remote:
        pins = HostKeys(f"127.0.0.1 {KeyPair.generate().public}")
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(Refused, match="sent more than 1048576 bytes before the login was done"):
            await remote.exchange(Address("127.0.0.1", port, "user", Credentials(CLIENT.export_private_key()), pins), TRUE)


@asynccontextmanager
async def _silent_hosts(count: int, connect_timeout_seconds: float = 0.3) -> AsyncIterator[tuple[list[Address], list[int]]]:
    """Hosts that take a connection and say nothing, and how many were connected at each connect."""
    connected: set[asyncio.StreamWriter] = set()
    most_at_once: list[int] = []

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connected.add(writer)
        most_at_once.append(len(connected))
        await reader.read()
        connected.discard(writer)
        writer.close()

    async with AsyncExitStack() as stack:
        servers = [await stack.enter_async_context(await asyncio.start_server(hang, "127.0.0.1", 0)) for _ in range(count)]
        pins = HostKeys(f"127.0.0.1 {KeyPair.generate().public}")
        yield [Address("127.0.0.1", server.sockets[0].getsockname()[1], "user", Credentials(CLIENT.export_private_key()), pins,
                       connect_timeout_seconds) for server in servers], most_at_once


def _server(key: asyncssh.SSHKey, **options: Any):
    async def answer(process: asyncssh.SSHServerProcess[bytes]) -> None:
        await process.stdin.read()
        process.stdout.write(b"served")
        process.exit(0)
    return asyncssh.listen("127.0.0.1", 0, server_host_keys=[key], process_factory=answer, encoding=None, **options,
                           authorized_client_keys=asyncssh.import_authorized_keys(CLIENT.export_public_key().decode()))
