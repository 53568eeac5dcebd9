"""Listing everything now and then, beside the watch, as both programs do: a watch may have missed something."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import structlog

from fairlead.domain.errors import ApiFault
from fairlead.web.health import Heartbeats

log = structlog.get_logger()


async def relist_again(
    relist: Callable[[], Coroutine[Any, Any, object]], seconds: float, heartbeats: Heartbeats, alive_seconds: float,
) -> None:
    """Wait `seconds`, list, and so on for good. What fails is logged, and comes up with the next; each beats for `alive_seconds`."""
    while True:
        heartbeats.beat("relist", alive_seconds)
        await asyncio.sleep(seconds)
        try:
            await relist()
        except ApiFault as error:
            log.info("relist_failed", error=str(error))
        except Exception:
            log.exception("relist_failed")
