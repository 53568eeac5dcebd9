"""Connects at once: bounded over all hosts, few to one host, and of both no namespace has all."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fairlead.domain.cluster.address import Address
from fairlead.sharing.shares import Shares
from fairlead.ssh.limits import PoolLimits, none_free
from fairlead.ssh.told import Told


class Gate:
    """Lets so many connects through at once, in order, and only a few of them to one host, those apart by a random moment."""

    def __init__(self, limits: PoolLimits, told: Told) -> None:
        self._limits, self._told = limits, told
        what = "no place among the connects that this controller makes at a time"
        self._all = Shares(limits.connects, what, limits.wait_seconds, none_free, told.waited_for("connect"))
        self._hosts: dict[tuple[str, int], Shares] = {}
        self._users: Counter[tuple[str, int]] = Counter()

    @property
    def waiting(self) -> int:
        """How many wait for one of all places."""
        return self._all.waiting

    @property
    def waiting_for_hosts(self) -> int:
        """How many wait for one of their host's."""
        return sum(each.waiting for each in self._hosts.values())

    @asynccontextmanager
    async def passed(self, address: Address) -> AsyncIterator[None]:
        """Hold a place of the host and one of all. The host's comes first, so that hosts that hang keep nobody else waiting.

        Raises `Unreachable` when one did not come free in time.
        """
        host = (address.host, address.port)
        crowded = self._users[host] > 0
        self._users[host] += 1
        if host not in self._hosts:
            what = f"no place among the connects to {address.host}:{address.port}, which answers slowly or not at all,"
            self._hosts[host] = Shares(self._limits.connects_per_host, what, self._limits.wait_seconds, none_free,
                                       self._told.waited_for("connect_to_host"))
        try:
            async with self._hosts[host].place(address.namespace):
                if crowded:
                    await asyncio.sleep(random.uniform(0, self._limits.jitter_seconds))   # noqa: S311  # not for secrets
                async with self._all.place(address.namespace):
                    yield
        finally:
            self._users[host] -= 1
            if not self._users[host]:
                del self._users[host], self._hosts[host]
