"""Places that are shared by namespaces: however many one of them asks for, another finds one free.

A namespace gets another place while it holds fewer than are free. So one alone has half of them at most, the next one half of what is left;
and one that has none yet is served at once.
"""

from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fairlead.sharing.turns import NOBODY, Turns, Waited, ignored


class Shares(Turns[None]):
    """So many places, of which a namespace has `most` at most, however many are free.

    `what` begins the sentence that is said after a wait in vain, as in `no place for an exchange`; `fault` is made of it.
    """

    def __init__(
        self, places: int, what: str, wait_seconds: float, fault: Callable[[str], Exception], waited: Waited = ignored,
        most: int | None = None,
    ) -> None:
        super().__init__(wait_seconds, fault, waited)
        self._free, self._what = places, what
        self._most = places if most is None else most
        self._taken: Counter[str] = Counter()

    @asynccontextmanager
    async def place(self, owner: str) -> AsyncIterator[None]:
        """Hold a place for a namespace. Raises the fault when none came free in time."""
        await self.take(owner)
        try:
            yield
        finally:
            self.give_back(owner)

    async def take(self, owner: str) -> None:
        """Take a place, to be given back for the same `owner`. Raises the fault when none came free in time."""
        await self._come_by(owner, None)

    def give_back(self, owner: str) -> None:
        """Give a place back: the next in turn has it."""
        self._give_back(owner, None)
        self._hand_out()

    def _may_take(self, owner: str) -> bool:
        taken = 0 if owner == NOBODY else self._taken[owner]
        return taken < min(self._free, self._most)

    def _take(self, owner: str, taker: None) -> None:   # noqa: ARG002  there is nothing to know of who takes it
        self._free -= 1
        self._taken[owner] += 1

    def _give_back(self, owner: str, taker: None) -> None:   # noqa: ARG002  the same
        self._free += 1
        self._taken[owner] -= 1
        if not self._taken[owner]:
            del self._taken[owner]

    def _none_free(self, taker: None) -> str:   # noqa: ARG002  the same
        return f"{self._what} came free within {self._wait_seconds:g} s: as many as one namespace may have are in use"
