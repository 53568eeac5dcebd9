"""While a site does not answer its port is looked at, and it is used again soon after. In virtual time."""

import asyncio
import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from structlog.testing import capture_logs

from fairlead.api.v1alpha1.reasons import ClusterReason
from fairlead.domain.cluster.address import Address, Port
from fairlead.domain.errors import Refused, RemoteFault, Unanswered, Unreachable
from fairlead.domain.objects import ObjectRef
from fairlead.engine.controller import Controller
from fairlead.engine.registry import Registry
from fairlead.engine.settings import EngineSettings
from fairlead.schedulers.seam import Exchange, Removed
from fairlead.web.health import Heartbeats
from product.objects import a_cluster
from unit.engine.virtual import GOOD_PROBE, NOTHING, ONE, LoopClock, Virtual, driver_of, in_virtual_time

CONNECT_SECONDS, LOGIN_SECONDS = 10.0, 0.3
DARK_SECONDS = 240.0
SILENT = Unreachable("did not answer", ClusterReason.CONNECT_TIMEOUT, silent=True)
DROPPED = Unreachable("broke off", ClusterReason.CONNECTION_LOST)


@dataclass
class Night:
    """A controller by the settings of production, with some sites whose network somebody turns off and on."""

    sites: int = 1
    fault: RemoteFault | None = None             # how a login fails
    port: Port = Port.SPEAKS
    logins: list[float] = field(default_factory=list)
    virtual: Virtual = field(default_factory=Virtual)

    def __post_init__(self) -> None:
        self.chance = random.Random(7)
        self.virtual.remote.exchange = self._exchange  # type: ignore[method-assign,assignment]
        self.virtual.remote.port = lambda _address: self.port
        registry = Registry()
        for number in range(self.sites):
            cluster = a_cluster(uid=f"99999999-2222-4333-8444-{number:012d}", endpoints=[{"host": f"login{number}", "port": 22}])
            registry.put_cluster(replace(cluster, ref=ObjectRef("clusters", "lab", f"hpc{number}", cluster.ref.uid)))
        world = replace(self.virtual.world, jitter=self.chance.random, clock=LoopClock(), settings=EngineSettings())
        self.controller = Controller(world, registry, ONE, driver_of, Heartbeats(world.clock.monotonic))

    async def play(self, *acts: tuple[float, Callable[[], None]]) -> None:
        """Run, and do something each time so many seconds have passed."""
        with capture_logs():
            running = asyncio.create_task(self.controller.run())
            for seconds, act in acts:
                await asyncio.sleep(seconds)
                act()
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running

    def fails(self, fault: RemoteFault, port: Port) -> None:
        """From now on."""
        self.fault, self.port = fault, port

    def heals(self) -> None:
        """From now on."""
        self.fault, self.port = None, Port.SPEAKS

    def reached(self) -> int:
        """How many sites are used."""
        return sum(site.is_reached for site in self.controller._sites.values())

    async def _exchange(self, address: Address, exchange: Exchange[Any]) -> Any:
        if self.fault is not None:
            self.logins.append(asyncio.get_running_loop().time())
            await asyncio.sleep(CONNECT_SECONDS if self.port is Port.SILENT else LOGIN_SECONDS)
        if self.fault is not None:
            raise self.fault
        return {"probe": GOOD_PROBE, "observe": NOTHING}.get(exchange.verb, Removed(frozenset(), (), complete=True))


@pytest.mark.parametrize("sites", [1, 30])
def test_a_cluster_whose_network_is_back_is_used_within_seconds(sites: int) -> None:
    """Else Jobs would wait for most of a minute after each outage, though the cluster is there."""
    night, back = Night(sites), []
    moments: list[tuple[float, Callable[[], None]]] = [(0.5, lambda: back.append(night.reached()))] * 60
    in_virtual_time(night.play((60, lambda: night.fails(SILENT, Port.SILENT)), (DARK_SECONDS, night.heals), *moments))
    late = [0.5 * sum(each <= number for each in back) for number in range(sites)]
    assert sorted(late)[int(sites * 0.95)] <= 10, late


def test_a_dark_site_is_tried_no_more_often_than_without_looks() -> None:
    """Else looks would be bought with logins, which a login node's administrators count."""
    night = Night()
    in_virtual_time(night.play((60, lambda: night.fails(SILENT, Port.SILENT)), (DARK_SECONDS, lambda: None)))
    dark = Night()
    dark.virtual.remote.port = lambda _address: Port.MUTE
    in_virtual_time(dark.play((60, lambda: dark.fails(SILENT, Port.SILENT)), (DARK_SECONDS, lambda: None)))
    assert len(night.logins) <= len(dark.logins) + 1
    assert night.virtual.remote.looks < DARK_SECONDS / 2


@pytest.mark.parametrize(("fault", "port"), [
    (DROPPED, Port.SPEAKS),                      # MaxStartups, a firewall, a full process table
    (Unanswered("did not end", ClusterReason.POLL_TIMED_OUT), Port.SPEAKS),
    (Unreachable("took the connection", ClusterReason.CONNECT_TIMEOUT), Port.MUTE),
])
def test_a_port_that_answers_while_logins_fail_leads_to_no_further_login(fault: RemoteFault, port: Port) -> None:
    """Else a login node in trouble would be logged in to again and again, just when it can bear it least."""
    night = Night()
    in_virtual_time(night.play((60, lambda: night.fails(fault, port)), (DARK_SECONDS, lambda: None)))
    pauses = [after - before for before, after in zip(night.logins, night.logins[1:], strict=False)]
    assert all(pause >= 14 for pause in pauses[6:]), pauses
    assert night.virtual.remote.looks <= len(night.logins), "one look after each try, and none after that"


def test_a_port_that_comes_and_goes_hastens_one_try_in_each_pause() -> None:
    """Else a flapping switch would multiply the logins."""
    night = Night()
    ports = iter([Port.SILENT, Port.SPEAKS] * 500)
    night.virtual.remote.port = lambda _address: next(ports)
    in_virtual_time(night.play((60, lambda: night.fails(DROPPED, Port.SPEAKS)), (DARK_SECONDS, lambda: None)))
    assert len([at for at in night.logins if at > 120]) <= 2 * (DARK_SECONDS - 60) / 15


@pytest.mark.parametrize("fault", [
    Refused("another key", ClusterReason.HOST_KEY_MISMATCH), Refused("no", ClusterReason.AUTHENTICATION_FAILED),
    Refused("talks without end", ClusterReason.CONNECTION_FAILED), RemoteFault("down", ClusterReason.SCHEDULER_DOWN),
])
def test_nothing_is_looked_at_where_a_port_says_nothing(fault: RemoteFault) -> None:
    """Else a site would be knocked at for weeks for what only a person, or its scheduler, can mend."""
    night = Night()
    in_virtual_time(night.play((60, lambda: night.fails(fault, Port.SILENT)), (DARK_SECONDS, lambda: None)))
    assert night.logins
    assert night.virtual.remote.looks == 0


def test_nobody_looks_for_a_cluster_that_was_suspended_or_has_gone() -> None:
    """Else a host that somebody has taken away would be knocked at for ever."""
    night = Night()
    controller = night.controller

    def go() -> None:
        [cluster] = controller._registry.clusters
        controller._registry.drop_cluster(cluster.ref.uid)
        night.virtual.remote.looks = 0

    in_virtual_time(night.play((60, lambda: night.fails(SILENT, Port.SILENT)), (60, go), (60, lambda: None)))
    assert night.virtual.remote.looks == 0
