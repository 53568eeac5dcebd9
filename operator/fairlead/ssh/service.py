"""A login service: several endpoints that are as good as each other, of which one is kept to while it answers."""

import asyncio
from collections.abc import Sequence

import asyncssh

from fairlead.domain.errors import Unreachable
from fairlead.ssh.connect import connect
from fairlead.ssh.profile import Profile
from fairlead.ssh.resolver import Resolver


class LoginService:
    """Connects to the endpoint that answered last, or to the next one in their order that answers."""

    def __init__(self, profiles: Sequence[Profile]) -> None:
        self._profiles = tuple(profiles)
        self._kept: Profile | None = None

    async def connect(self, resolver: Resolver, over: asyncssh.SSHClientConnection | None = None,
                      seconds: float | None = None) -> asyncssh.SSHClientConnection:
        """Connect within so many seconds, by default the address's connect time-out, through `over`, if it lies behind a jump host.

        Each endpoint has an equal share of what is left of the time.

        Only what cannot be reached is passed over: a host key that is not trusted, or a login that is refused, is for a person to see.
        Raises `Refused`, and `Unreachable` with what was wrong at each endpoint.
        """
        failures: list[Unreachable] = []
        loop = asyncio.get_running_loop()
        until = loop.time() + (self._profiles[0].address.connect_timeout_seconds if seconds is None else seconds)
        order = sorted(self._profiles, key=lambda profile: profile is not self._kept)
        for left, profile in zip(range(len(order), 0, -1), order, strict=True):
            try:
                connection = await connect(profile, over or resolver, max(until - loop.time(), 0.0) / left)
            except Unreachable as failure:
                failures.append(failure)
            else:
                self._kept = profile
                return connection
        if len(failures) == 1:
            raise failures[0]
        raise Unreachable(f"none of the {len(failures)} endpoints can be connected to: {'; '.join(map(str, failures))}", failures[0].reason,
                          silent=all(each.silent for each in failures))
