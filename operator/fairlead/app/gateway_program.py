"""One run of a gateway, from the first connection to its last stream.

API server -> first complete list -> the ports that it had -> doors, and the watch; beside that its Lease, with which it takes others
SIGTERM: Lease back -> others take, or the slices say that nobody is there -> all cut, exit 0
"""

import asyncio
import os
import signal
import socket
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any

import kopf
import structlog

from fairlead.api.v1alpha1 import names
from fairlead.app.counting import beside, kube_told, place_awaited
from fairlead.app.kinds import KINDS
from fairlead.app.relisting import relist_again
from fairlead.app.settings import Settings
from fairlead.app.waiting import until_done
from fairlead.app.watching import Feed, HandOver, watch
from fairlead.domain.errors import UserFault
from fairlead.domain.scope import EVERYWHERE, Scope
from fairlead.domain.session.session_kind import SESSION
from fairlead.engine.clock import SystemClock
from fairlead.gateway.gateway import Gateway, Me
from fairlead.gateway.gauges import GatewayGauges
from fairlead.gateway.port_range import PortRange
from fairlead.gateway.ports import Outside
from fairlead.handlers import gateway_feed
from fairlead.kube.client import KubeClient
from fairlead.kube.gateways import KubeGatewayLeases, KubeSlices
from fairlead.kube.lease import Lease, LeaseSettings
from fairlead.kube.lists import Lists
from fairlead.kube.references import KubeReferences
from fairlead.kube.services import SELECTORS, SLICES
from fairlead.ssh.told import Told
from fairlead.ssh.tunnel import Tunnels
from fairlead.telemetry import metrics
from fairlead.telemetry.lag import watch_lag
from fairlead.web.health import Heartbeats, serve_health

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class GatewayOptions:
    """What the command line says. `name` None: the host's, which is the pod's."""

    address: str
    ports: tuple[int, int] = names.GATEWAY_PORTS
    name: str | None = None
    kubeconfig: str | None = None
    context: str | None = None
    namespace: str | None = None
    health_host: str = "0.0.0.0"  # noqa: S104  the kubelet asks from outside the pod
    health_port: int | None = 8080
    scope: Scope = EVERYWHERE
    settings: Settings = field(default_factory=Settings)


def checked_address(address: str | None) -> str:
    """The address that goes into slices. Raises `UserFault` when it is missing, or none that could be reached from elsewhere."""
    try:
        found = ip_address(address or "")
    except ValueError as error:
        msg = f"{address!r} is no IP address: write with --address, or into POD_IP, on which one this gateway is reached"
        raise UserFault(msg) from error
    if found.is_loopback or found.is_unspecified or found.is_link_local or found.is_multicast:
        msg = f"{address} cannot be reached from other nodes: write with --address on which one this gateway is"
        raise UserFault(msg)
    return str(found)


async def run(options: GatewayOptions) -> int:
    """Run until SIGTERM or SIGINT (0), or until another process has our Lease (1). Raises `UserFault` when an option cannot be used."""
    address, settings = checked_address(options.address), options.settings
    try:
        ports = PortRange(*options.ports, settings.gateway.ports)
    except ValueError as error:
        raise UserFault(str(error)) from error
    me = Me(options.name or socket.gethostname(), address, ports)
    stop, loop, heartbeats = asyncio.Event(), asyncio.get_running_loop(), Heartbeats()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    metrics.loops_stuck.set_function(lambda: len(heartbeats.stale()))
    async with (KubeClient.load(options.kubeconfig, options.context, settings.kube, kube_told()) as client,
                Tunnels(settings.tunnels, _told()) as tunnels, beside(watch_lag()), AsyncExitStack() as until_end):
        metrics.places_awaited.labels("request").set_function(lambda: client.waiting)
        namespace = options.namespace or client.namespace
        times = settings.gateway_lease
        lease_settings = LeaseSettings(
            namespace, f"{names.GATEWAY_LEASE}{me.name}", times.duration_seconds, times.renew_interval_seconds, times.margin_seconds,
            {names.GATEWAY_ADDRESS_ANNOTATION: me.address})
        lease = Lease(client, lease_settings, SystemClock(), f"{me.name}_{os.getpid()}")
        slices, leases = KubeSlices(client, options.scope), KubeGatewayLeases(client, namespace, lease)
        gateway = Gateway(Outside(tunnels, slices, leases, KubeReferences(client, KINDS, options.scope), settings.gateway), me)
        page = GatewayGauges(gateway.seen, lambda: tunnels.carried_bytes).page
        await until_end.enter_async_context(serve_health(heartbeats, options.health_host, options.health_port, page))
        lists = Lists(client, options.scope)

        async def relist() -> None:
            await gateway_feed.relist(lists, gateway, slices, SESSION)

        def register(handlers: kopf.OperatorRegistry, hand_over: HandOver) -> None:
            gateway_feed.register(handlers, gateway, slices, SESSION, hand_over)

        async def take_back() -> bool:
            await relist()
            gateway.take_back(lived_before=any(me.name == each.gateway or me.address == each.address for each in await leases.list()))
            return True

        if not await until_done(stop, take_back, client.limits.first_seconds):
            return 0
        selectors: dict[Any, str] = {
            (names.GROUP, SESSION.plural): names.UNFINISHED_SELECTOR,
            (SLICES.group, SLICES.version, SLICES.plural): SELECTORS[SLICES],
        }

        def serves() -> None:                # an upgrade that stops the gateway before us may go on: we take what it had
            heartbeats.ready()
            log.info("serving", gateway=me.name, address=address, ports=options.ports)

        relist_seconds = settings.gateway.relist_seconds
        work = {asyncio.create_task(each, name=name) for name, each in {
            "gateway": gateway.run(), "kopf": watch(client, Feed(register, relist, selectors), options.scope),
            "relist": relist_again(relist, relist_seconds, heartbeats, 3 * relist_seconds + 120), "lease": _hold(lease, serves),
        }.items()}
        stopped = asyncio.create_task(_stopped(stop), name="stop")
        done, _ = await asyncio.wait({*work, stopped}, return_when=asyncio.FIRST_COMPLETED)
        log.info("stopping", why=sorted(task.get_name() for task in done))
        await lease.release()
        for task in work:
            if task.get_name() in {"gateway", "lease"}:
                task.cancel()
        await gateway.stop()
        for task in {*work, stopped}:
            task.cancel()
        await asyncio.wait({*work, stopped}, timeout=settings.gateway.stop_seconds)
        for task in done - {stopped}:
            log.error("ended_by_itself", task=task.get_name(), error=repr(task.exception()) if not task.cancelled() else "")
        return 0 if done == {stopped} else 1


def _told() -> Told:
    """Who counts what the SSH side does."""
    return Told(connect_ended=lambda outcome, seconds: metrics.connect_ended.labels(outcome).observe(seconds), waited=place_awaited,
                stream_opened=lambda outcome: metrics.stream_opened.labels(outcome).inc())


async def _stopped(stop: asyncio.Event) -> None:
    await stop.wait()


async def _hold(lease: Lease, acquired: Callable[[], None]) -> None:
    """Have the Lease, until somebody else does."""
    await lease.acquire()
    acquired()
    await lease.lost()
