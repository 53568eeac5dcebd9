"""Connects at once: bounded over all hosts, few to one host, and of both no namespace has all."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass

from fairlead.domain.cluster.address import Address
from fairlead.sharing.shares import Shares
from fairlead.ssh.limits import PoolLimits, none_free
from fairlead.ssh.told import Told


@dataclass(slots=True)
class _Host:
    """The places of one host, as long as somebody holds one or waits for one."""

    connects: Shares
    repeated: Shares
    users: int = 0


class Gate:
    """Lets so many connects through at once, in order, and only a few of them to one host, those apart by a random moment."""

    def __init__(self, limits: PoolLimits, told: Told) -> None:
        self._limits, self._told = limits, told
        what = "no place among the connects that this controller makes at a time"
        self._all = Shares(limits.connects, what, limits.wait_seconds, none_free, told.waited_for("connect"))
        self._hosts: dict[tuple[str, int], _Host] = {}

    @property
    def waiting(self) -> int:
        """How many wait for one of all places."""
        return self._all.waiting

    @property
    def waiting_for_hosts(self) -> int:
        """How many wait for one of their host's."""
        return sum(each.connects.waiting + each.repeated.waiting for each in self._hosts.values())

    @asynccontextmanager
    async def passed(self, address: Address, *, is_repeated: bool = False) -> AsyncIterator[None]:
        """Hold a place of the host and one of all. The host's comes first, so that hosts that hang keep nobody else waiting.

        Connects that are repeated, since the host dropped them while others logged in, go one at a time: side by side they would be dropped
        again. Raises `Unreachable` when a place did not come free in time.
        """
        key = (address.host, address.port)
        host = self._hosts.get(key) or self._hosts.setdefault(key, self._made(address))
        crowded = host.users > 0
        host.users += 1
        try:
            async with host.repeated.place(address.namespace) if is_repeated else nullcontext(), host.connects.place(address.namespace):
                if crowded:
                    await asyncio.sleep(random.uniform(0, self._limits.jitter_seconds))   # noqa: S311  # not for secrets
                async with self._all.place(address.namespace):
                    yield
        finally:
            host.users -= 1
            if not host.users:
                del self._hosts[key]

    def _made(self, address: Address) -> _Host:
        what = f"no place among the connects to {address.host}:{address.port}, which answers slowly or not at all,"
        waited = self._told.waited_for("connect_to_host")
        connects, repeated = (Shares(places, what, self._limits.wait_seconds, none_free, waited)
                              for places in (self._limits.connects_per_host, 1))
        return _Host(connects, repeated)
