"""kopf, told to do nothing but watch: no peering, no scanning, no finalizers or annotations of its own, our HTTP session.

It runs in a thread with a loop of its own: in ours it would take the process's signals, and at its end it waits for and cancels every task
that was started after it, lanes and connections among them. Events come over to our loop one by one. Its end is ours to make, too: once a
watch has broken off, as when the definitions of our resources are gone, it may wait for ever, and has SIGKILL sent to the process then.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
import kopf
import structlog

from fairlead.api.v1alpha1 import names
from fairlead.domain.errors import ApiFault
from fairlead.domain.kinds import Kinds
from fairlead.domain.scope import EVERYWHERE, Scope
from fairlead.engine.ports import Services
from fairlead.engine.registry import Registry
from fairlead.handlers import feed
from fairlead.kube.client import KubeClient
from fairlead.kube.limits import KubeLimits
from fairlead.kube.lists import Lists
from fairlead.kube.services import SELECTORS

log = structlog.get_logger()


HandOver = Callable[..., object]
"""Calls a function with arguments, in the loop that watches."""


@dataclass(frozen=True, slots=True)
class Feed:
    """What a program watches: `register` puts its handlers into kopf's, `relist` has it know all that is there, or raises `ApiFault`.

    `selectors` are those by labels, for a resource as kopf names it.
    """

    register: Callable[[kopf.OperatorRegistry, HandOver], None]
    relist: Callable[[], Coroutine[Any, Any, object]]
    selectors: Mapping[Any, str]


def controllers(client: KubeClient, registry: Registry, kinds: Kinds, scope: Scope, services: Services | None) -> Feed:
    """What a controller watches."""
    lists = Lists(client, scope)

    def register(handlers: kopf.OperatorRegistry, hand_over: HandOver) -> None:
        feed.register(handlers, registry, kinds, hand_over)
        if services is not None:
            feed.register_services(handlers, registry, services, hand_over)

    unfinished: dict[Any, str] = {(names.GROUP, kind.plural): names.UNFINISHED_SELECTOR for kind in kinds}
    children: dict[Any, str] = {(child.group, child.version, child.plural): selector for child, selector in SELECTORS.items()}
    return Feed(register, lambda: feed.relist(lists, registry, kinds, grace_seconds=0), {**unfinished, **children})


async def watch(client: KubeClient, fed: Feed, scope: Scope = EVERYWHERE) -> None:
    """Feed it with what is in `scope` until cancelled. A watch that ends by itself is begun again once the lists can be read."""
    limits, pause_seconds = client.limits, client.limits.again_seconds
    while True:
        began = time.monotonic()
        try:
            await _watch_once(client, fed, scope)
        except Exception as error:  # noqa: BLE001  whatever ends it: without a watch nothing is seen but by the lists
            log.error("watch_ended", error=str(error) or repr(error))  # noqa: TRY400  kopf has told more
        was_soon = time.monotonic() - began <= limits.again_limit_seconds
        pause_seconds = min(2 * pause_seconds, limits.again_limit_seconds) if was_soon else limits.again_seconds
        while (why := await _why_blind(fed)) is not None:
            log.warning("watch_waits", error=why, advice="are the CustomResourceDefinitions installed? See crds/")
            await asyncio.sleep(limits.again_seconds)
        await asyncio.sleep(pause_seconds)
        log.info("watching_again")


async def _why_blind(fed: Feed) -> str | None:
    """Why our objects cannot be listed, as when their definitions were deleted; None once what was missed is known."""
    try:
        await fed.relist()
    except ApiFault as error:
        return str(error)
    return None


async def _watch_once(client: KubeClient, fed: Feed, scope: Scope) -> None:
    """Watch until cancelled; kopf's thread is then told to stop and not waited for. Raises what ended kopf by itself."""
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[None] = loop.create_future()
    stop = threading.Event()
    handlers = kopf.OperatorRegistry()
    settings = kopf.OperatorSettings()
    _configure(settings, fed.selectors, client.limits)
    sessions: list[aiohttp.ClientSession] = []

    @kopf.on.login(registry=handlers)
    async def login(**_: Any) -> kopf.AiohttpSession:
        info = client.connection_info(scope.watches)
        sessions.append(info.session)
        return kopf.AiohttpSession(server=info.server, default_namespace=info.default_namespace, aiohttp_session=info.session)

    fed.register(handlers, loop.call_soon_threadsafe)

    def tell(fault: BaseException | None) -> None:
        if not stop.is_set():
            loop.call_soon_threadsafe(ended.set_exception, fault or RuntimeError("kopf ended by itself"))

    async def turn() -> None:
        tasks = await kopf.spawn_tasks(registry=handlers, settings=settings, clusterwide=scope.is_all, namespaces=scope.namespaces,
                                       standalone=True, stop_flag=stop)
        first, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        tell(next((fault for each in first if not each.cancelled() and (fault := each.exception())), None))
        rest = asyncio.all_tasks() - {asyncio.current_task()}    # some may wait for ever, as for a login that nobody begins any more
        for each in rest:
            each.cancel()
        if rest:
            await asyncio.wait(rest, timeout=client.limits.end_seconds)
        for session in sessions:
            await session.close()

    threading.Thread(target=_run, args=(turn, tell), name="kopf", daemon=True).start()
    try:
        await ended
    finally:
        stop.set()


def _run(turn: Callable[[], Coroutine[Any, Any, None]], tell: Callable[[BaseException | None], None]) -> None:
    """Run it in a loop of this thread. Unlike asyncio.run, wait for no task that is left."""
    loop = asyncio.new_event_loop()
    try:
        loop.run_until_complete(turn())
    except Exception as error:  # noqa: BLE001  handed over to the loop that waits
        tell(error)
    finally:
        loop.close()


def _configure(settings: kopf.OperatorSettings, selectors: Mapping[Any, str], limits: KubeLimits) -> None:
    """Each of these has a default that hurts: what is written to objects, what is held back, how long a blind spot lasts."""
    settings.persistence.finalizer = f"{names.GROUP}/unused"
    settings.persistence.progress_storage = kopf.AnnotationsProgressStorage(prefix=names.GROUP, v1=False)
    settings.persistence.diffbase_storage = kopf.AnnotationsDiffBaseStorage(prefix=names.GROUP, v1=False)
    settings.posting.enabled = False
    settings.scanning.disabled = True
    settings.queueing.idle_timeout = 1
    settings.queueing.error_delays = (1, 5, 15, 60)
    settings.execution.default_backoff = 5
    settings.networking.request_timeout = limits.request_seconds
    settings.networking.connect_timeout = limits.connect_seconds
    settings.watching.chunk_size = feed.PAGE_SIZE
    settings.watching.server_timeout = limits.watch_seconds
    settings.watching.client_timeout = limits.watch_seconds + limits.request_seconds
    settings.watching.label_selectors.update(selectors)
    settings.process.ultimate_exiting_timeout = None     # else it ends the whole process with SIGKILL, whoever else lives in it
