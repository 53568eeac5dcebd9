"""Waiting for an API server that does not answer yet, as the programs do when they begin."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import structlog

from fairlead.domain.errors import ApiFault

T = TypeVar("T")

log = structlog.get_logger()


async def until_done(stop: asyncio.Event, work: Callable[[], Coroutine[Any, Any, T]], pause_seconds: float) -> T | None:
    """Try again and again while the API server does not answer; None when `stop` came first."""
    while not stop.is_set():
        try:
            return await work()
        except ApiFault as error:
            log.warning("api_server_not_ready", error=str(error))
            try:
                async with asyncio.timeout(pause_seconds):
                    await stop.wait()
            except TimeoutError:
                pass
    return None
