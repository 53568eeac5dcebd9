"""/livez, /readyz and /metrics.

A turning event loop proves little: a watch may have ended and a site's loop may hang in it. So each of them beats its own heart here, and
/livez names those that have missed their time.
"""

import math
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web

MetricsPage = Callable[[], tuple[bytes, str]]
"""The metrics as text, and its content type."""


@dataclass(frozen=True, slots=True)
class _Beat:
    due: float                       # on the clock of `Heartbeats`
    within_seconds: float


class Heartbeats:
    """What has to show signs of life, and whether we are ready. The clock stands still while the machine sleeps, and so do they."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._beats: dict[str, _Beat] = {}
        self.is_ready = False

    def beat(self, name: str, expect_within_seconds: float) -> None:
        """`name` lives, and will be heard from again within so many seconds (infinity: it need not be)."""
        self._beats[name] = _Beat(self._now() + expect_within_seconds, expect_within_seconds)

    def forget(self, name: str) -> None:
        """`name` has ended as it should, and will not be heard from again."""
        self._beats.pop(name, None)

    def ready(self) -> None:
        """The start is over. Nothing makes us unready again."""
        self.is_ready = True

    def stale(self) -> list[str]:
        """A sentence for each that has missed its time."""
        now = self._now()
        return [
            f"{name}: silent for {math.floor(now - beat.due + beat.within_seconds)} s, expected within {beat.within_seconds:g} s"
            for name, beat in sorted(self._beats.items()) if now > beat.due
        ]


def health_app(heartbeats: Heartbeats, metrics: MetricsPage | None = None) -> web.Application:
    """The three pages; without `metrics` there is no /metrics."""
    async def livez(_: web.Request) -> web.Response:
        return _verdict(heartbeats.stale())

    async def readyz(_: web.Request) -> web.Response:
        return _verdict([] if heartbeats.is_ready else ["starting"])

    app = web.Application()
    app.add_routes([web.get("/livez", livez), web.get("/readyz", readyz)])
    if metrics is not None:
        page = metrics

        async def scrape(_: web.Request) -> web.Response:
            body, content_type = page()
            return web.Response(body=body, headers={"Content-Type": content_type})

        app.add_routes([web.get("/metrics", scrape)])
    return app


@asynccontextmanager
async def serve_health(
    heartbeats: Heartbeats, host: str, port: int | None, metrics: MetricsPage | None = None,
) -> AsyncIterator[tuple[str, int] | None]:
    """Serve the pages while inside; gives the address in use (port 0 takes a free one). Without a port nothing is served.

    Raises `OSError` when the port is taken.
    """
    if port is None:
        yield None
        return
    runner = web.AppRunner(health_app(heartbeats, metrics), access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        bound = runner.addresses[0]
        yield bound[0], bound[1]
    finally:
        await runner.cleanup()


def _verdict(complaints: list[str]) -> web.Response:
    return web.Response(status=503 if complaints else 200, text="\n".join(complaints or ["ok"]) + "\n")
