"""Reading answers beside the event loop: what a login node prints may be long, and no other cluster waits while it is read.

A small answer is read at once, since a thread costs more than it. A big one goes to one of two threads. Threads share the interpreter: it
changes hands every five milliseconds, but not within one search or one decoding. So the readers (`schedulers.fence`) do those in bounded
pieces; without that a thread would hold the loop up as the loop itself did. Reading in slices on the loop would need no thread, and would
need every reader to be cut up.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from fairlead.api.v1alpha1.reasons import ClusterReason
from fairlead.domain.errors import Unanswered
from fairlead.schedulers.seam import Exchange
from fairlead.sharing.shares import Shares
from fairlead.sharing.turns import NOBODY, Waited, ignored

T = TypeVar("T")

AT_ONCE_BYTES: Final = 32 * 1024         # of the worst text: some milliseconds
THREADS: Final = 2                       # one that reads long, and one beside it


class Reader:
    """Reads answers; `close` lets go of its threads."""

    def __init__(self, wait_seconds: float = 30.0, waited: Waited = ignored) -> None:
        self._shares = Shares(THREADS, "no thread for reading a long answer", wait_seconds, _not_read, waited)
        self._threads = ThreadPoolExecutor(THREADS, "answers")
        self._closed = False

    @property
    def waiting(self) -> int:
        """Answers that wait for a thread."""
        return self._shares.waiting

    async def read(self, exchange: Exchange[T], output: bytes, owner: str = NOBODY) -> T:
        """What `exchange` makes of `output`, in the share of the namespace `owner`.

        Raises what its reader raises; `Unanswered` once closed, and when other answers of its namespace are read for too long.
        """
        if len(output) <= AT_ONCE_BYTES:
            return exchange.parse(output)
        if self._closed:
            raise Unanswered("The answer was not read: this controller is ending", ClusterReason.CONNECTION_LOST)
        await self._shares.take(owner)
        reading = asyncio.get_running_loop().run_in_executor(self._threads, exchange.parse, output)
        reading.add_done_callback(lambda done: self._done(owner, done))
        return await asyncio.shield(reading)         # who gives up leaves its thread to its end

    def close(self) -> None:
        """Take nothing more; what is under way ends by itself, and nobody waits for it."""
        self._closed = True
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _done(self, owner: str, done: "asyncio.Future[T]") -> None:
        self._shares.give_back(owner)
        if not done.cancelled():
            done.exception()             # seen: its caller may have given up


def _not_read(words: str) -> Unanswered:
    return Unanswered(words, ClusterReason.NO_FREE_CONNECTION)
