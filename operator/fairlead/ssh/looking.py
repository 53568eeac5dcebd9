"""A look at a port: does an SSH server answer there? No login, and no more than one at a time at each port."""

import asyncio
from collections.abc import Sequence

from fairlead.domain.cluster.address import Address, Endpoint, Port
from fairlead.sharing.shares import Shares
from fairlead.ssh.limits import PoolLimits, none_free
from fairlead.ssh.resolver import Resolver

READ_BYTES = 1024


class Looking:
    """Looks at ports for all sites. Who looks at the same one meanwhile gets the same answer; no namespace has all places."""

    def __init__(self, resolver: Resolver, limits: PoolLimits) -> None:
        self._resolver = resolver
        self._places = Shares(limits.looks, "no place among the looks at ports", limits.wait_seconds, none_free)
        self._look_seconds = limits.look_seconds
        self._under_way: dict[tuple[Endpoint, ...], asyncio.Task[Port]] = {}

    async def look(self, address: Address) -> Port:
        """Look at what a login would connect to first: of several endpoints, and addresses of a name, the best answer counts.

        Raises `Unreachable` when there was no place for a look, and when too many names hang.
        """
        hop = address.first_hop
        task = self._under_way.get(hop.endpoints)
        if task is None:
            task = self._under_way[hop.endpoints] = asyncio.create_task(self._look(hop.endpoints, address.namespace))
            task.add_done_callback(lambda done: self._ended(hop.endpoints, done))
        return await asyncio.shield(task)

    def close(self) -> None:
        """Give up what is under way."""
        for task in self._under_way.values():
            task.cancel()

    def _ended(self, endpoints: tuple[Endpoint, ...], task: asyncio.Task[Port]) -> None:
        del self._under_way[endpoints]
        if not task.cancelled():
            task.exception()             # seen: those who asked may all have gone

    async def _look(self, endpoints: Sequence[Endpoint], owner: str) -> Port:
        seen = set()
        async with self._places.place(owner):
            for endpoint in endpoints:
                seen.add(await self._at(endpoint, owner, self._look_seconds / len(endpoints)))
        return next((each for each in (Port.SPEAKS, Port.MUTE) if each in seen), Port.SILENT)

    async def _at(self, endpoint: Endpoint, owner: str, seconds: float) -> Port:
        """Look at the addresses of a name in turn, until one answers."""
        try:
            async with asyncio.timeout(seconds):
                addresses = await self._resolver.addresses(endpoint.host, endpoint.port, owner)
        except OSError:                  # TimeoutError and socket.gaierror, too
            return Port.SILENT
        for address in addresses:
            seen = await _at_address(address, endpoint.port, seconds / len(addresses))
            if seen is not Port.SILENT:
                return seen
        return Port.SILENT


async def _at_address(address: str, port: int, seconds: float) -> Port:
    """Connect, and wait for a first byte: an SSH server speaks first."""
    try:
        async with asyncio.timeout(seconds):
            reader, writer = await asyncio.open_connection(address, port, limit=READ_BYTES)
    except OSError:
        return Port.SILENT
    try:
        async with asyncio.timeout(seconds):
            return Port.SPEAKS if await reader.read(1) else Port.MUTE
    except OSError:
        return Port.MUTE
    finally:
        writer.transport.abort()
