"""Real hosts for the measures: a sshd each, in a network namespace of its own, and how the product reaches them."""

from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import asyncssh

from bed.login import LoginNode
from bed.sshd import SshHost
from bed.state import Bed
from fairlead.domain.cluster.address import Address, Credentials, HostKeys
from fairlead.ssh.profile import read_profiles
from fairlead.ssh.resolver import Resolver
from fairlead.ssh.service import LoginService

_AT_ONCE = 4


def start_hosts(bed: Bed, count: int) -> list[SshHost]:
    """So many hosts, about a tenth of a second each. They end with the bed."""
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        return list(threads.map(lambda _: SshHost.start(bed), range(count)))


def addresses_of(hosts: Sequence[LoginNode]) -> list[Address]:
    """How a Cluster would reach them."""
    return [Address(host.host, host.port, host.user, Credentials(host.private_key.encode()), HostKeys(known_hosts=host.known_hosts))
            for host in hosts]


def dial_real() -> Callable[[Address], Awaitable[asyncssh.SSHClientConnection]]:
    """What makes one connection, as the product makes it: for a peer that differs in nothing else."""
    resolver = Resolver()

    async def dial(address: Address) -> asyncssh.SSHClientConnection:
        return await LoginService(read_profiles(address)).connect(resolver)

    return dial
