"""A Cluster of bare hosts writes its status when something has changed, as every other does. In virtual time."""

import asyncio
import random
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from structlog.testing import capture_logs

from fairlead.api.v1alpha1.reasons import ClusterReason
from fairlead.domain.cluster.address import Address
from fairlead.domain.errors import Unavailable, Unreachable
from fairlead.domain.objects import ObjectRef
from fairlead.domain.run.run import Tree
from fairlead.engine.controller import Controller
from fairlead.engine.registry import Registry
from fairlead.engine.settings import EngineSettings
from fairlead.schedulers.seam import Exchange, Removed
from fairlead.web.health import Heartbeats
from product.objects import a_cluster
from unit.engine.virtual import GOOD_PROBE, NOTHING, ONE, LoopClock, Virtual, driver_of, in_virtual_time

HEARTBEAT = "lastHeartbeatTime"


class Hosts:
    """A controller with one Cluster of bare hosts, which differ in what they say of themselves."""

    def __init__(self, count: int) -> None:
        self.virtual = Virtual()
        self.virtual.remote.exchange = self._exchange  # type: ignore[method-assign,assignment]
        self.refused, self.dark_at = 0, float("inf")
        self._write = self.virtual.store.write_status
        self.virtual.store.write_status = self._refuse_some  # type: ignore[method-assign]
        keys = {"fingerprints": ["SHA256:" + "A" * 43]}
        hosts = [{"host": f"box{number}", "port": 22, "slots": 1, "hostKeys": keys} for number in range(count)]
        registry = Registry()
        registry.put_cluster(a_cluster(process={"hosts": hosts}))
        world = replace(self.virtual.world, jitter=random.Random(7).random, clock=LoopClock(), settings=EngineSettings())
        self.controller = Controller(world, registry, ONE, driver_of, Heartbeats(world.clock.monotonic))

    async def writes(self, seconds: float) -> list[dict[str, Any]]:
        """What is written in so many seconds after the first minute."""
        with capture_logs():
            running = asyncio.create_task(self.controller.run())
            await asyncio.sleep(60)
            before = len(self.virtual.store.statuses)
            await asyncio.sleep(seconds)
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running
        return [dict(each) for each in self.virtual.store.statuses[before:]]

    async def _exchange(self, address: Address, exchange: Exchange[Any]) -> Any:
        if asyncio.get_running_loop().time() > self.dark_at:
            raise Unreachable("there is no route", ClusterReason.CONNECTION_FAILED)
        tree = Tree(f"/home/{address.host}", f"{address.host:0>32}")
        answers = {"probe": replace(GOOD_PROBE, version=f"Linux-{address.host}", tree=tree), "observe": NOTHING}
        return answers.get(exchange.verb, Removed(frozenset(), (), complete=True))

    async def _refuse_some(self, ref: ObjectRef, status: Mapping[str, Any], *, expected_attempt: int | None = None) -> str:
        if self.refused and status["phase"] == "NotReady":
            self.refused -= 1
            raise Unavailable("not now")
        return await self._write(ref, status, expected_attempt=expected_attempt)


@pytest.mark.parametrize("count", [1, 5])
def test_hosts_at_rest_write_a_heartbeat_and_nothing_else(count: int) -> None:
    """One Cluster wrote its status 41 times in two minutes, of which an API server has to keep each."""
    written = in_virtual_time(Hosts(count).writes(1200))
    assert 3 <= len(written) <= 5
    assert len({str({name: value for name, value in each.items() if name != HEARTBEAT}) for each in written}) == 1


def test_what_could_not_be_written_is_written_later() -> None:
    """What a host says would be missing until the next heartbeat."""
    hosts = Hosts(1)
    hosts.refused, hosts.dark_at = 1, 61.0
    written = in_virtual_time(hosts.writes(60))
    assert hosts.refused == 0
    assert [each["phase"] for each in written] == ["NotReady"]
