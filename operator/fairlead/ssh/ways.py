"""The ways of one process to its login nodes: what makes, keeps and closes their connections, whatever they are used for.

Exchanges and tunnels each have ways of their own: neither can take the other's connections, connects or threads.
"""

import asyncio
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from weakref import WeakValueDictionary

import asyncssh

from fairlead.api.v1alpha1.reasons import ClusterReason
from fairlead.domain.cluster.address import Address
from fairlead.domain.errors import Unreachable
from fairlead.ssh.gate import Gate
from fairlead.ssh.kept import KeptConnection, Way, closed_by_us
from fairlead.ssh.keyring import Keyring
from fairlead.ssh.limits import PoolLimits
from fairlead.ssh.pool import Line
from fairlead.ssh.resolver import Resolver
from fairlead.ssh.seats import Seats
from fairlead.ssh.service import LoginService
from fairlead.ssh.told import Told


class Ways:
    """Makes connections to addresses, within the limits, and knows all that stand. Made and used in one event loop."""

    def __init__(self, limits: PoolLimits, told: Told) -> None:
        self._limits, self._told = limits, told
        self.gate = Gate(limits, told)
        self.seats = Seats(limits, told.waited_for("connection"))
        self.resolver = Resolver(wait_seconds=limits.wait_seconds, waited=told.waited_for("lookup"))
        self.keyring = Keyring(limits.wait_seconds, told.waited_for("key"))
        self._jumps: WeakValueDictionary[Address, Line] = WeakValueDictionary()      # as long as a way leads through them
        self._kept: set[KeptConnection] = set()
        self.is_closed = False

    def keeper(self, address: Address) -> Callable[[], KeptConnection]:
        """What makes a connection to one address each time it is called. It raises `Unreachable` once all is closed."""
        way = self.way(address)
        return lambda: self._keep(way)

    def way(self, address: Address) -> Way:
        """How to connect to one address, remembering what was read of its key and host keys, and which endpoint answered."""
        service: LoginService | None = None

        async def dial(over: asyncssh.SSHClientConnection | None) -> asyncssh.SSHClientConnection:
            nonlocal service
            if service is None:
                service = LoginService(await self.keyring.profiles(address))
            loop, left_seconds = asyncio.get_running_loop(), address.connect_timeout_seconds
            for tries, pause_seconds in enumerate((*self._limits.reconnect_seconds, 0.0)):
                async with self.gate.passed(address, is_repeated=tries > 0):
                    began = loop.time()
                    try:
                        with timed(self._told.connect_ended):
                            return await service.connect(self.resolver, over, left_seconds)
                    except Unreachable as failure:
                        left_seconds -= loop.time() - began + pause_seconds
                        if failure.reason is not ClusterReason.CONNECTION_LOST or not pause_seconds or left_seconds <= 0:
                            raise
                await asyncio.sleep(random.uniform(0, pause_seconds))   # noqa: S311  # not for secrets
            raise AssertionError("the last try returns or raises")

        return Way(address, dial, self._jump(address.via).kept if address.via else None)

    async def cut(self) -> None:
        """Close all connections at once, within the bound of one, and make none any more."""
        self.is_closed = True
        await asyncio.gather(*(kept.cut() for kept in self._kept))

    def _jump(self, address: Address) -> Line:
        """The connection to a jump host, shared by all who name the same one."""
        if line := self._jumps.get(address):
            return line
        return self._jumps.setdefault(address, Line(self.keeper(address)))

    def _keep(self, way: Way) -> KeptConnection:
        if self.is_closed:
            raise closed_by_us()
        kept = KeptConnection(way, self.seats, self._limits)
        self._kept.add(kept)
        kept.when_gone(self._kept.discard)
        return kept


@contextmanager
def timed(tell: Callable[[str, float], None]) -> Iterator[None]:
    """Tell how it ended, `ok` or `failed`, and how many seconds it took."""
    loop = asyncio.get_running_loop()
    began, outcome = loop.time(), "failed"
    try:
        yield
        outcome = "ok"
    finally:
        tell(outcome, loop.time() - began)
