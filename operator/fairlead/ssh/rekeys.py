"""How often a login node may ask for new keys: each time costs us milliseconds of CPU, in the loop that all clusters share."""

import asyncio
from typing import Final

import asyncssh

BURST: Final = 32
"""New keys at once: a site may ask for them after each MiB (sshd's RekeyLimit), and one exec carries some."""
SECONDS_EACH: Final = 10.0
"""After a burst, one in so many seconds. A site that asks by the clock does so each hour, or each minute."""
TOO_OFTEN: Final = f"it asked for new keys more than {BURST} times, and then more often than each {SECONDS_EACH:g} s"


class Allowance:
    """What one endpoint may ask of all connections to it, so that connecting anew is no way around it."""

    def __init__(self) -> None:
        self._left = float(BURST)
        self._counted_at = 0.0

    def is_spent(self, now: float) -> bool:
        """Whether it may not at this moment (monotonic seconds)."""
        self._left = min(BURST, self._left + (now - self._counted_at) / SECONDS_EACH)
        self._counted_at = now
        return self._left < 1

    def take(self, now: float) -> bool:
        """Whether it may, and count it."""
        if self.is_spent(now):
            return False
        self._left -= 1
        return True


def bound(connection: asyncssh.SSHClientConnection, allowance: Allowance) -> None:
    """Cut a connection off that asks for new keys too often; the first ones, with which it begins, do not count.

    asyncssh has no hook for an exchange of keys. Of each it asks this method once, after the other side's answer and before what is costly.
    """
    validate, is_first, loop = connection.validate_server_host_key, True, asyncio.get_running_loop()

    def validate_if_allowed(key_data: bytes) -> asyncssh.SSHKey:
        nonlocal is_first
        if not is_first and not allowance.take(loop.time()):
            raise asyncssh.ProtocolError(TOO_OFTEN)
        is_first = False
        return validate(key_data)

    connection.validate_server_host_key = validate_if_allowed  # type: ignore[method-assign]
