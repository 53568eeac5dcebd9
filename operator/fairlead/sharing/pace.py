"""A pace for each namespace: some at once, then so many a second, whatever the others ask for."""

import asyncio
from collections.abc import Callable

from fairlead.sharing.turns import NOBODY, Waited, ignored


class Pace:
    """`burst` at once, and `a_second` from then on. `what` begins the sentence for who would wait too long; `fault` is made of it."""

    def __init__(
        self, a_second: float, burst: int, what: str, wait_seconds: float, fault: Callable[[str], Exception], waited: Waited = ignored,
    ) -> None:
        self._each_seconds, self._ahead_seconds = 1 / a_second, (burst - 1) / a_second
        self._what, self._wait_seconds, self._fault, self._waited = what, wait_seconds, fault, waited
        self._next: dict[str, float] = {}    # when the next one would be due of who had asked evenly; only of those who are ahead of that
        self.waiting = 0

    async def turn(self, owner: str) -> None:
        """Wait for a turn. Raises the fault at once when it would not come within `wait_seconds`. `NOBODY` never waits."""
        if owner == NOBODY:
            return
        now = asyncio.get_running_loop().time()
        self._next = {each: due for each, due in self._next.items() if due > now}
        due = self._next.get(owner, now)
        pause_seconds = due - self._ahead_seconds - now
        if pause_seconds > self._wait_seconds:
            raise self._fault(f"{self._what} comes within {self._wait_seconds:g} s: too many are asked for in this namespace")
        self._next[owner] = due + self._each_seconds
        if pause_seconds > 0:
            self.waiting += 1
            try:
                await asyncio.sleep(pause_seconds)
            finally:
                self.waiting -= 1
                self._waited(pause_seconds)
