"""One run of the controller, from the first connection to the release of the Lease.

    load settings -> API server -> installation's name -> Lease -> first complete list -> engine -> kopf's watch
                                                            lost: exit 1          SIGTERM: stop, abandon calls, release the Lease, exit 0

The engine's loops are tasks of our own, in our own loop: kopf runs beside them and only feeds (`watching`).
"""

import asyncio
import os
import random
import secrets
import signal
import socket
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import structlog

from fairlead.app.counting import beside, kube_told, place_awaited
from fairlead.app.descriptors import shared_out
from fairlead.app.kinds import KINDS
from fairlead.app.relisting import relist_again
from fairlead.app.settings import Settings
from fairlead.app.waiting import until_done
from fairlead.app.watching import controllers, watch
from fairlead.domain.cluster.cluster import Cluster
from fairlead.domain.errors import Forbidden
from fairlead.domain.kinds import Kinds
from fairlead.domain.scope import EVERYWHERE, Scope
from fairlead.engine.clock import SteadyClock, SystemClock
from fairlead.engine.controller import Controller
from fairlead.engine.ports import Services, World
from fairlead.engine.registry import Registry
from fairlead.handlers import feed
from fairlead.kube.client import KubeClient
from fairlead.kube.events import EventRecorder
from fairlead.kube.finished import KubeFinishedJobs
from fairlead.kube.installation import installation_of
from fairlead.kube.lease import Lease, LeaseSettings
from fairlead.kube.ledger import Ledger
from fairlead.kube.lists import Lists
from fairlead.kube.references import KubeReferences
from fairlead.kube.services import KubeServices
from fairlead.kube.store import KubeStore
from fairlead.kube.tokens import KubeTokens
from fairlead.schedulers.process.preparer import ProcessPreparer
from fairlead.schedulers.process.scheduler import Process
from fairlead.schedulers.seam import Driver
from fairlead.schedulers.slurm.preparer import SlurmPreparer
from fairlead.schedulers.slurm.scheduler import Slurm
from fairlead.ssh.remote import SshRemote
from fairlead.ssh.told import Told
from fairlead.telemetry import metrics, traces
from fairlead.telemetry.journeys import Journeys
from fairlead.telemetry.lag import watch_lag
from fairlead.web.health import Heartbeats, serve_health

log = structlog.get_logger()

STOP_SECONDS = 8.0
"""After SIGTERM everything of ours ends within this; with kopf's own end it stays inside 10 seconds."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says: where the API server is, which namespace is the installation's, where health is served."""

    settings: Settings
    kubeconfig: str | None = None
    context: str | None = None
    namespace: str | None = None
    installation: str | None = None
    health_host: str = "0.0.0.0"  # noqa: S104  the kubelet asks from outside the pod
    health_port: int | None = 8080
    scope: Scope = EVERYWHERE


@dataclass(frozen=True, slots=True)
class Namespaces:
    """The installation's own namespace, and those that it works in."""

    namespace: str
    scope: Scope


def compose(client: KubeClient, lease: Lease, remote: SshRemote, place: Namespaces, kinds: Kinds) -> World:
    """The engine's ports on the real world."""
    store = KubeStore(client, EventRecorder(client, kinds, socket.gethostname()))
    data, ledger = KubeReferences(client, kinds, place.scope), Ledger(client, place.namespace, kinds)
    metrics.ledger_filled.set_function(lambda: ledger.filled_ratio)
    return World(remote, store, data, ledger, lease, SteadyClock(), lambda: secrets.token_hex(16), random.random,
                 KubeFinishedJobs(client, kinds, place.scope), kinds, place.scope, services=KubeServices(client, place.scope),
                 tokens=KubeTokens(client))


@dataclass(frozen=True, slots=True)
class Parts:
    """Of what a program is made: whose Runs it sees to, and what puts the engine's ports together."""

    kinds: Kinds = KINDS
    compose: Callable[[KubeClient, Lease, SshRemote, Namespaces, Kinds], World] = compose


Means = tuple[asyncio.Event, Heartbeats, Parts, Journeys]
"""What one run works with: who tells it to stop, where it shows that it lives, what it is made of, who follows Jobs to an id."""


async def run(options: Options, parts: Parts = Parts()) -> int:
    """Run until SIGTERM or SIGINT (0), or until the Lease is lost (1).

    Raises `UserFault` when the settings or the kubeconfig cannot be used.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    heartbeats = Heartbeats()
    with traces.exporting(os.environ) as sink:
        return await _run(options, (stop, heartbeats, parts, Journeys(sink)))


async def _run(options: Options, means: Means) -> int:
    stop, heartbeats, _, _ = means
    shares = shared_out(options.settings.ssh, options.scope.watches)
    options = replace(options, settings=options.settings.model_copy(update={"ssh": shares.ssh}))
    metrics.loops_stuck.set_function(lambda: len(heartbeats.stale()))
    api = options.settings.kube
    limits = replace(api, connections=min(api.connections, shares.api))
    async with KubeClient.load(options.kubeconfig, options.context, limits, kube_told()) as client, serve_health(
            heartbeats, options.health_host, options.health_port, metrics.exposition), beside(watch_lag()):
        metrics.places_awaited.labels("request").set_function(lambda: client.waiting)
        namespace = options.namespace or client.namespace
        times = options.settings.lease
        lease_settings = LeaseSettings(
            namespace, duration_seconds=times.duration_seconds, renew_interval_seconds=times.renew_interval_seconds,
            margin_seconds=times.margin_seconds,
        )
        lease = Lease(client, lease_settings, SystemClock())
        log.info("waiting_for_lease", namespace=namespace)
        heartbeats.ready()   # a standby is ready: else no rolling update would ever end
        if not await _unless(stop, lease.acquire()):
            return 0
        try:
            return await _lead(options, client, lease, means)
        finally:
            await lease.release()


async def _lead(options: Options, client: KubeClient, lease: Lease, means: Means) -> int:
    stop, heartbeats, parts, journeys = means
    registry, scope, kinds = Registry(), options.scope, parts.kinds
    listing = Lists(client, scope)
    namespace, pause_seconds = options.namespace or client.namespace, client.limits.first_seconds
    installation = await until_done(stop, lambda: installation_of(client, namespace, options.installation), pause_seconds)
    if installation is None:
        return 0
    if not await until_done(stop, lambda: _first_list(listing, registry, kinds), pause_seconds):
        return 0
    lost = asyncio.create_task(lease.lost(), name="lease-lost")
    async with SshRemote(options.settings.ssh, lease.leads, _told(journeys)) as remote:
        for place, waiting in remote.queues.items():
            metrics.places_awaited.labels(place).set_function(waiting)
        metrics.connections_held.set_function(lambda: remote.seats.taken)
        metrics.connections_awaited.set_function(lambda: remote.seats.waiting)
        world = parts.compose(client, lease, remote, Namespaces(namespace, scope), kinds)
        settings = options.settings
        world = replace(world, journeys=journeys, settings=settings.engine)
        if world.services is not None and not await until_done(stop, partial(_first_services, world.services), pause_seconds):
            return 0

        def driver_of(cluster: Cluster) -> Driver:
            slurm, process = cluster.spec.slurm, cluster.spec.process
            if process:
                scheduler = Process(installation, cluster.host or process.hosts[0], settings.process)
                return Driver(scheduler, ProcessPreparer(process.hosts, cluster.host))
            return Driver(Slurm(installation, slurm.bin_path or "", slurm.accounting, settings.slurm), SlurmPreparer(slurm))

        controller = Controller(world, registry, installation, driver_of, heartbeats)
        engine = asyncio.create_task(controller.run(), name="engine")
        lists = asyncio.create_task(_relist((listing, registry, kinds), settings.engine.relist_seconds, heartbeats), name="relist")
        watcher = asyncio.create_task(watch(client, controllers(client, registry, kinds, scope, world.services), scope), name="kopf")
        metrics.leading.set(1)
        log.info("leading", installation=installation.name, identity=lease.identity, namespaces=scope.namespaces or "all")
        stopped = asyncio.create_task(stop.wait(), name="stop")
        waiters = {stopped, lost, engine, lists, watcher}
        done, _ = await asyncio.wait(waiters, return_when=asyncio.FIRST_COMPLETED)
        log.info("stopping", why=sorted(task.get_name() for task in done))
        for task in waiters:
            task.cancel()
        await asyncio.wait(waiters, timeout=STOP_SECONDS)
        for task in done - {stopped, lost}:
            log.error("ended_by_itself", task=task.get_name(), error=repr(task.exception()))
        return 0 if done == {stopped} else 1


def _told(journeys: Journeys) -> Told:
    """Who counts what the SSH side does."""
    def exec_ended(verb: str, outcome: str, seconds: float) -> None:
        metrics.exec_ended.labels(verb, outcome).observe(seconds)
        journeys.passed("exec", outcome, seconds)

    def connect_ended(outcome: str, seconds: float) -> None:
        metrics.connect_ended.labels(outcome).observe(seconds)
        journeys.passed("connect", outcome, seconds)

    return Told(exec_ended, connect_ended, place_awaited)


async def _first_list(lists: Lists, registry: Registry, kinds: Kinds) -> bool:
    await feed.relist(lists, registry, kinds, grace_seconds=0)
    return True


async def _first_services(services: Services) -> bool:
    """Know what gateways say before the first look: else each Session would be told that nobody reaches it, or one in use be ended."""
    with suppress(Forbidden):            # one namespace may not be listed: what the watch tells of the others has to do
        await services.refresh()
    return True


async def _relist(fed: tuple[Lists, Registry, Kinds], seconds: float, heartbeats: Heartbeats) -> None:
    """List everything now and then. A watch that missed what the list shows has no heartbeat: three times, and /livez says so."""
    def watches_miss_nothing() -> None:
        heartbeats.beat("watches", 3 * seconds + 120)

    async def relist() -> None:
        missed = await feed.relist(*fed)
        metrics.watch_missed.inc(missed)
        if missed:
            log.warning("watch_missed", objects=missed)
        else:
            watches_miss_nothing()

    watches_miss_nothing()
    await relist_again(relist, seconds, heartbeats, 2 * seconds + 120)


async def _unless(stop: asyncio.Event, work: Coroutine[Any, Any, None]) -> bool:
    """Do `work` unless `stop` comes first; whether it was done."""
    task, stopped = asyncio.create_task(work), asyncio.create_task(stop.wait())
    await asyncio.wait({task, stopped}, return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if not task.done():
        task.cancel()
        await asyncio.wait({task})
        return False
    await task
    return True
