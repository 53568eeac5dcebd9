"""A controller that hangs must be restarted, and one that works must be left alone."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import aiohttp
import pytest

from fairlead.web.health import Heartbeats, serve_health


@dataclass
class Hand:
    """A clock's hand that a test turns."""

    seconds: float = 0.0

    def __call__(self) -> float:
        return self.seconds


@dataclass
class Pages:
    hand: Hand
    hearts: Heartbeats
    session: aiohttp.ClientSession
    url: str
    metrics: list[bytes] = field(default_factory=list)

    async def get(self, path: str) -> tuple[int, str]:
        async with self.session.get(self.url + path) as response:
            return response.status, await response.text()


@pytest.fixture
async def pages() -> AsyncIterator[Pages]:
    hand = Hand()
    hearts = Heartbeats(hand)
    async with (
        serve_health(hearts, "127.0.0.1", 0, lambda: (b"polls 1\n", "text/plain; version=0.0.4; charset=utf-8")) as address,
        aiohttp.ClientSession() as session,
    ):
        assert address is not None
        yield Pages(hand, hearts, session, f"http://127.0.0.1:{address[1]}")


async def test_who_misses_its_time_is_named(pages: Pages) -> None:
    pages.hearts.beat("site science/hpc", 60)
    pages.hearts.beat("watch jobs", 600)
    pages.hand.seconds = 60
    assert await pages.get("/livez") == (200, "ok\n")
    pages.hand.seconds = 61
    assert await pages.get("/livez") == (503, "site science/hpc: silent for 61 s, expected within 60 s\n")


async def test_who_beats_again_is_well_again(pages: Pages) -> None:
    pages.hearts.beat("relist", 60)
    pages.hand.seconds = 100
    pages.hearts.beat("relist", 60)
    assert await pages.get("/livez") == (200, "ok\n")


async def test_a_site_whose_cluster_was_deleted_is_not_missed(pages: Pages) -> None:
    pages.hearts.beat("site science/hpc", 60)
    pages.hearts.forget("site science/hpc")
    pages.hearts.forget("site never/seen")
    pages.hand.seconds = 1000
    assert await pages.get("/livez") == (200, "ok\n")


async def test_nobody_is_ready_before_they_say_so(pages: Pages) -> None:
    assert await pages.get("/readyz") == (503, "starting\n")
    pages.hearts.ready()
    assert await pages.get("/readyz") == (200, "ok\n")


async def test_metrics_are_served_with_their_content_type(pages: Pages) -> None:
    async with pages.session.get(pages.url + "/metrics") as response:
        assert await response.read() == b"polls 1\n"
        assert response.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"


async def test_without_a_port_nothing_is_served() -> None:
    async with serve_health(Heartbeats(), "127.0.0.1", None) as address:
        assert address is None


async def test_a_taken_port_is_said_at_the_start(pages: Pages) -> None:
    port = int(pages.url.rpartition(":")[2])
    with pytest.raises(OSError, match="address already in use"):
        async with serve_health(Heartbeats(), "127.0.0.1", port):
            pass
