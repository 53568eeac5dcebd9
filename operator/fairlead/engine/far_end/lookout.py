"""While a site's breaker is open: looks at its port, which cost it nothing, so that it is used soon after it is back.

    a try failed -> look, look, ... silent -> speaks: tell, once
                        '-- speaks, and was never silent: logins fail for another reason, and wait as long as they must
"""  # noqa: D208  a drawing

import asyncio
from collections.abc import Callable

import structlog

from fairlead.api.v1alpha1.reasons import ClusterReason
from fairlead.domain.cluster.address import Address, Port
from fairlead.domain.errors import FairleadError, Refused, RemoteFault, Unreachable
from fairlead.engine.ports import World

log = structlog.get_logger()

PORT_REASONS = frozenset({
    ClusterReason.NAME_NOT_RESOLVED, ClusterReason.CONNECTION_REFUSED, ClusterReason.CONNECT_TIMEOUT, ClusterReason.CONNECTION_LOST,
    ClusterReason.CONNECTION_FAILED, ClusterReason.POLL_TIMED_OUT,
})
"""What a network or a server that is away ends in. For all else the port answers, or only a person can help."""


class Lookout:
    """Looks for one site. `tell` is called when its port, which was silent, speaks again."""

    def __init__(self, world: World, tell: Callable[[], None]) -> None:
        self._world = world
        self._tell = tell
        self._task: asyncio.Task[None] | None = None

    def begin(self, address: Address, error: FairleadError) -> None:
        """A try has failed with `error`: look from now on, if that can show when the next one has a chance."""
        self.end()
        if isinstance(error, RemoteFault) and not isinstance(error, Refused) and error.reason in PORT_REASONS:
            silent = isinstance(error, Unreachable) and error.silent
            self._task = asyncio.create_task(self._look(address, silent))

    def end(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()
            self._task = None

    async def _look(self, address: Address, silent: bool) -> None:
        pause_seconds = self._world.settings.port_first_seconds
        while True:
            await asyncio.sleep(pause_seconds)
            try:
                port = await self._world.remote.look(address)
            except FairleadError as error:       # no place for a look: nothing is known
                log.debug("look_failed", error=str(error))
            else:
                if port is not Port.SILENT:
                    break
                silent = True
            pause_seconds = self._world.settings.port_seconds * (1 - self._world.jitter() / 3)
        if silent and port is Port.SPEAKS:
            log.info("port_speaks_again", where=str(address.first_hop))
            self._tell()
