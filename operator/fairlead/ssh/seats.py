"""How many connections are taken at once: a seat for each; without a free one there is a wait.

    take: a seat is free, and more are free or idle than the namespace uses -> taken
          else -> an idle connection closes to make room; wait in turn -> taken, or `Unreachable` after a while

While more wait than connections are about to close, a connection on which an exchange ends takes no further one and closes: else busy
clusters would keep the others out for ever. Room is made by the namespace that holds the most.
"""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

from fairlead.domain.cluster.address import Address
from fairlead.sharing.turns import NOBODY, Turns, Waited, ignored
from fairlead.ssh.limits import PoolLimits, none_free


class Holder(Protocol):
    """What takes a seat: one connection, from before it is made until after it is closed."""

    users: int
    """Exchanges that run on it, or wait until it is made."""
    retired: bool
    """It takes no more of them, and closes when the last has ended."""

    def retire(self) -> None:
        """Retire it; it gives its seat back by itself."""
        ...


class Seats(Turns[Holder]):
    """The seats of one process. None of its methods but `seat` waits; `taken` and `waiting` are counts for a metric."""

    def __init__(self, limits: PoolLimits, waited: Waited = ignored) -> None:
        super().__init__(limits.wait_seconds, none_free, waited)
        self._most = limits.connections
        self._where: dict[Holder, str] = {}      # to which address each leads that waits
        self._taken: dict[Holder, str] = {}       # whose each is; the least recently used first

    @property
    def taken(self) -> int:
        """Connections that stand, are being made or are being closed."""
        return len(self._taken)

    @asynccontextmanager
    async def seat(self, holder: Holder, where: Address) -> AsyncIterator[None]:
        """Hold a seat. Raises `Unreachable`, naming `where`, when none came free in time."""
        self._where[holder] = str(where)
        try:
            await self._come_by(where.namespace, holder)
        finally:
            del self._where[holder]
        try:
            yield
        finally:
            self._taken.pop(holder, None)
            self._hand_out()
            self._make_room()

    def used(self, holder: Holder) -> None:
        """An exchange begins on it."""
        if holder in self._taken:
            self._taken[holder] = self._taken.pop(holder)

    def rested(self, holder: Holder) -> None:
        """An exchange on it has ended, which gives the others more: it closes if more wait than are about to close already."""
        self._hand_out()
        if not self._queues:
            return
        self._make_room()
        lacking = self._wanted() - sum(each.retired for each in self._taken)
        is_candidate = holder in self._taken and not holder.retired
        if lacking > 0 and is_candidate and self._makes_room(self._taken[holder], Counter(self._taken.values())):
            holder.retire()

    def _may_take(self, owner: str) -> bool:
        return len(self._taken) < self._most and self._has_share(owner)

    def _take(self, owner: str, taker: Holder) -> None:
        self._taken[taker] = owner

    def _give_back(self, owner: str, taker: Holder) -> None:   # noqa: ARG002  its seat is known by who took it
        self._taken.pop(taker, None)

    def _none_free(self, taker: Holder) -> str:
        return (f"no connection for {self._where[taker]} came free within {self._wait_seconds:g} s: all {self._most} that this controller "
                "may hold, or all that one namespace may have of them, are in use; raise its setting ssh.connections, or its limit of open "
                "files")

    def _is_waited_for(self) -> None:
        self._make_room()

    def _has_share(self, owner: str) -> bool:
        """Whether a namespace uses fewer seats than others could have: those that are free, and those of idle connections."""
        if owner == NOBODY:
            return True
        used = sum(whose == owner and bool(holder.users) for holder, whose in self._taken.items())
        return used < self._most - sum(bool(holder.users) for holder in self._taken)

    def _wanted(self) -> int:
        """How many of those that wait could be seated by their namespaces' shares."""
        return sum(self._queued(owner) for owner in self._queues if self._has_share(owner))

    def _make_room(self) -> None:
        """Close an idle connection for one that waits, the least recently used of the namespace that holds the most of them."""
        if not self._queues or self._wanted() <= sum(holder.retired and not holder.users for holder in self._taken):
            return
        counts = Counter(self._taken.values())
        idle = [holder for holder, whose in self._taken.items()
                if not holder.users and not holder.retired and self._makes_room(whose, counts)]
        if idle:
            max(idle, key=lambda holder: counts[self._taken[holder]]).retire()    # the first of equals

    def _makes_room(self, owner: str, counts: Counter[str]) -> bool:
        """Whether some namespace that waits, and may have more, holds no more seats than this one."""
        return counts[owner] >= min((counts[each] for each in self._queues if self._has_share(each)), default=self._most + 1)
