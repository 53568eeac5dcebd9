"""Keys are read in few threads of their own: one that is slow to open holds its namespace's, never all."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from fairlead.domain.cluster.address import Address
from fairlead.sharing.shares import Shares
from fairlead.sharing.turns import Waited, ignored
from fairlead.ssh.limits import none_free
from fairlead.ssh.profile import Profile, read_profiles

THREADS = 4
A_NAMESPACE = 1
"""Threads of one namespace: a slow key holds a core for as long as it is read, and the others' work shares the cores with it
(`make bench ARGS=tenants`). A usual key takes 1 ms, one with a passphrase a third of a second."""


class Keyring:
    """Reads what an address needs to log in. `close` it at the end."""

    def __init__(self, wait_seconds: float, waited: Waited = ignored) -> None:
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="keys")
        self._shares = Shares(THREADS, "no thread for reading a key", wait_seconds, none_free, waited, A_NAMESPACE)

    @property
    def waiting(self) -> int:
        """Addresses whose keys wait for a thread."""
        return self._shares.waiting

    async def profiles(self, address: Address) -> tuple[Profile, ...]:
        """Read an address's key and host keys. Raises `Unreadable`, and `Unreachable` when other keys of its namespace take too long.

        A caller that gives up leaves its thread to its end: only then is the place another's.
        """
        owner = address.namespace
        await self._shares.take(owner)
        reading = asyncio.get_running_loop().run_in_executor(self._threads, read_profiles, address)
        reading.add_done_callback(lambda done: self._done(owner, done))
        return await asyncio.shield(reading)

    def close(self) -> None:
        """Begin nothing more."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _done(self, owner: str, done: "asyncio.Future[tuple[Profile, ...]]") -> None:
        self._shares.give_back(owner)
        if not done.cancelled():
            done.exception()             # seen: its caller may have given up
