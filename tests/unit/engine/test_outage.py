"""An ordinary outage: all hosts dark for ten minutes. In virtual time."""

import asyncio
import heapq
import random
from dataclasses import replace
from typing import Any

from structlog.testing import capture_logs

from fairlead.api.v1alpha1.reasons import ClusterReason
from fairlead.domain.errors import Unreachable
from fairlead.domain.objects import ObjectRef
from fairlead.engine.controller import Controller
from fairlead.engine.registry import Registry
from fairlead.engine.settings import EngineSettings
from fairlead.schedulers.seam import Exchange, Removed
from fairlead.web.health import Heartbeats
from product.objects import a_cluster
from unit.engine.virtual import GOOD_PROBE, NOTHING, ONE, Virtual, driver_of

LOGINS, HOSTS, PER_HOST = 300, 30, 4
CONNECT_SECONDS, LOGIN_SECONDS = 10.0, 0.3
DARK_SECONDS = 600


class Night:
    """A controller with many logins, by the settings of production, whose hosts go dark; each takes a few connects at a time."""

    def __init__(self) -> None:
        self.virtual = Virtual()
        self.chance = random.Random(7)
        self.dark = False
        self.hearts = Heartbeats(self.virtual.clock.monotonic)
        self._alarms: list[tuple[float, int, asyncio.Future[None]]] = []
        self._gates = [asyncio.Semaphore(PER_HOST) for _ in range(HOSTS)]
        self._connected: set[str] = set()
        self.virtual.remote.exchange = self._exchange  # type: ignore[method-assign,assignment]
        registry = Registry()
        for number in range(LOGINS):
            cluster = a_cluster(uid=f"99999999-2222-4333-8444-{number:012d}", user=f"user{number}",
                                endpoints=[{"host": f"login{number % HOSTS}", "port": 22}])
            registry.put_cluster(replace(cluster, ref=ObjectRef("clusters", "lab", f"hpc{number}", cluster.ref.uid)))
        world = replace(self.virtual.world, jitter=self.chance.random, settings=EngineSettings())
        self.controller = Controller(world, registry, ONE, driver_of, self.hearts)

    async def pass_time(self, seconds: float, step: float = 1.0) -> None:
        """Let so much time pass, and everything happen that can; the whole time everybody shows signs of life."""
        until = self.virtual.clock.seconds + seconds
        while self.virtual.clock.seconds < until:
            self.virtual.clock.seconds += step
            while self._alarms and self._alarms[0][0] <= self.virtual.clock.seconds:
                _, _, alarm = heapq.heappop(self._alarms)
                if not alarm.done():
                    alarm.set_result(None)
            for site in self.controller._sites.values():
                site.wake()
            for _ in range(12):
                await asyncio.sleep(0)
            assert [each for each in self.hearts.stale() if each.startswith("site ")] == []   # the other loops pause in real time

    def reached(self) -> int:
        return sum(site.is_reached for site in self.controller._sites.values())

    async def _exchange(self, address: Any, exchange: Exchange[Any]) -> Any:
        if self.dark or address.user not in self._connected:
            await self._connect(address)
        return {"probe": GOOD_PROBE, "observe": NOTHING}.get(exchange.verb, Removed(frozenset(), (), complete=True))

    async def _connect(self, address: Any) -> None:
        self._connected.discard(address.user)
        async with self._gates[int(address.host.removeprefix("login"))]:
            was_dark = self.dark
            await self._wait(CONNECT_SECONDS if was_dark else LOGIN_SECONDS)
            if was_dark:
                raise Unreachable(f"{address} took the connection and did not finish the SSH login", ClusterReason.CONNECT_TIMEOUT)
            self._connected.add(address.user)

    async def _wait(self, seconds: float) -> None:
        alarm: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._alarms, (self.virtual.clock.seconds + seconds, id(alarm), alarm))
        await alarm


async def test_after_ten_minutes_in_the_dark_all_logins_are_back_within_a_minute_and_nobody_was_taken_for_dead() -> None:
    """Else the kubelet would end the controller in each outage, again and again; or a short one would be a long one."""
    night = Night()
    with capture_logs():
        running = asyncio.create_task(night.controller.run())
        await night.pass_time(60, 3.0)
        assert night.reached() == LOGINS
        night.dark = True
        await night.pass_time(DARK_SECONDS, 10.0)
        assert night.reached() == 0
        night.dark = False
        await night.pass_time(60, 2.0)
        assert night.reached() == LOGINS
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
