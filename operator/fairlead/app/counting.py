"""What both programs count in the same way: requests to the API server, and how late their event loop is."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from fairlead.kube.client import KubeTold
from fairlead.telemetry import metrics


def kube_told() -> KubeTold:
    """Who counts requests to the API server."""
    return KubeTold(_request_ended, metrics.place_awaited.labels("request").observe)


def place_awaited(place: str, seconds: float) -> None:
    """A wait for one of a bounded number of places is over."""
    metrics.place_awaited.labels(place).observe(seconds)


@asynccontextmanager
async def beside(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Have it done while inside."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()


def _request_ended(method: str, resource: str, outcome: str, seconds: float) -> None:
    metrics.api_request_ended.labels(method, resource, outcome).inc()
    metrics.api_request.labels(method).observe(seconds)
