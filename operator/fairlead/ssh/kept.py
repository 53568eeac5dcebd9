"""One kept connection, from the wait for its seat until it is closed and the seat given back.

    the jump host's, if there is one -> seat -> connect
        -> in use, or idle -> retired: no new exchange; closed when the last has ended -> seat given back, jump host let go
              '--- lost, or cut off by us: its exchanges end as unanswered -----------------'
"""  # noqa: D208  a drawing

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Self

import asyncssh

from fairlead.api.v1alpha1.reasons import ClusterReason
from fairlead.domain.cluster.address import Address
from fairlead.domain.errors import Unreachable
from fairlead.ssh.limits import PoolLimits
from fairlead.ssh.seats import Seats

AGE_JITTER = 0.2                     # of the greatest age: connections that were made together are not made again together

Connection = asyncssh.SSHClientConnection


@dataclass(frozen=True, slots=True)
class Way:
    """How one address is connected to: with `dial`, through the connection that `over` lends, if it lies behind a jump host."""

    address: Address
    dial: Callable[[Connection | None], Awaitable[Connection]]
    over: "Callable[[], AbstractAsyncContextManager[KeptConnection]] | None" = None


class KeptConnection:
    """A connection that is being made, or stands. It retires by itself when nobody has used it for a while, and at its greatest age.

    One to a jump host retires as soon as nobody uses it, and one that leads through a jump host not after that one's.
    """

    def __init__(self, way: Way, seats: Seats, limits: PoolLimits) -> None:
        self._way, self._seats, self._limits = way, seats, limits
        self._loop = asyncio.get_running_loop()
        self._connection: Connection | None = None
        self._failure: BaseException | None = None
        self._known = asyncio.Event()            # whether it came about
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._used_at = self._loop.time()
        self.retires_at = self._used_at + limits.age_seconds * random.uniform(1 - AGE_JITTER, 1)   # noqa: S311  # not for secrets
        self.users = 0
        self.retired = False
        self._life = asyncio.create_task(self._live())
        self._life.add_done_callback(self._ended)

    @property
    def connection(self) -> Connection:
        """The connection, for who uses it. Raises why there is none."""
        if self._connection is None:
            raise self._failure or closed_by_us()
        return self._connection

    @property
    def is_usable(self) -> bool:
        """Whether an exchange may begin on it, as far as is known."""
        return not self.retired and not (self._connection and self._connection.is_closed())

    @property
    def stands(self) -> bool:
        """Whether it is made, and takes exchanges."""
        return self._connection is not None and self.is_usable

    @property
    def is_gone(self) -> bool:
        """Whether it is closed, or never came about, and its seat is given back."""
        return self._life.done()

    def when_gone(self, tell: "Callable[[KeptConnection], None]") -> None:
        """Have `tell` called with it then."""
        self._life.add_done_callback(lambda _: tell(self))

    @asynccontextmanager
    async def used(self) -> AsyncIterator[Self]:
        """Use it; waits until it is made. All who wait share one connect, and none of them ends it by giving up. Raises why it was not."""
        self.users += 1
        self._seats.used(self)
        try:
            if not self._connection:
                await self._known.wait()
                if self._failure:
                    raise self._failure
            yield self
        finally:
            self.users -= 1
            self._used_at = self._loop.time()
            if self._way.address.hop is None:
                self._seats.rested(self)
            elif not self.users:         # others who lead through it need it more than those who wait for a seat
                self.retired = True
            self._close_if_done()

    def retire(self) -> None:
        """Take no new exchange; close once those that run have ended."""
        self.retired = True
        self._close_if_done()

    async def cut(self) -> None:
        """Close it at once, whatever runs on it, within the bound for a clean close; never raises."""
        self.retired = True
        self._close()
        await asyncio.wait([self._life])

    async def _live(self) -> None:
        try:
            if self._way.over:
                async with self._way.over() as jump:
                    self.retires_at = min(self.retires_at, jump.retires_at)
                    await self._stand(jump.connection)
            else:
                await self._stand(None)
        finally:
            self.retired = True
            for timer in self._timers.values():
                timer.cancel()

    async def _stand(self, over: Connection | None) -> None:
        """Connect, and hold the connection until it is closed."""
        async with self._seats.seat(self, self._way.address):
            connection = self._connection = await self._way.dial(over)
            self._known.set()
            self._look_for_age()
            self._close_if_done()
            await connection.wait_closed()

    def _ended(self, life: asyncio.Task[None]) -> None:
        """Tell those who wait why there is no connection, if none was made."""
        failure = closed_by_us() if life.cancelled() else life.exception()
        if not self._connection:
            self._failure = failure
            self._known.set()

    def _look_for_age(self) -> None:
        """One timer for both bounds of its life: an exchange only writes down when it ended."""
        now, idle_at = self._loop.time(), self._used_at + self._limits.idle_seconds
        if now >= self.retires_at or (now >= idle_at and not self.users):
            self.retire()
        else:
            look_at = idle_at if idle_at > now else now + self._limits.idle_seconds
            self._timers["age"] = self._loop.call_at(min(look_at, self.retires_at), self._look_for_age)

    def _close_if_done(self) -> None:
        if self.retired and not self.users:
            self._close()

    def _close(self) -> None:
        """Cleanly if the far end plays along, else by cutting off."""
        if not self._connection:
            self._life.cancel()
        elif "close" not in self._timers:
            self._connection.close()
            self._timers["close"] = self._loop.call_later(self._limits.close_seconds, self._connection.abort)


async def close_connection(connection: Connection, seconds: float) -> None:
    """Close a connection that nobody else holds, by cutting it off if the far end has not let go in time."""
    connection.close()
    try:
        async with asyncio.timeout(seconds):
            await connection.wait_closed()
    except TimeoutError:
        connection.abort()
        await connection.wait_closed()


def closed_by_us() -> Unreachable:
    """The error for an exchange that had not begun when everything was closed."""
    return Unreachable("the connection was closed by Fairlead before anything was sent: Fairlead is stopping",
                       ClusterReason.CONNECTION_LOST)
