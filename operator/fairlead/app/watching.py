"""kopf, told to do nothing but watch: no peering, no scanning, no finalizers or annotations of its own, our HTTP session.

It runs in a thread with a loop of its own: in ours it would take the process's signals, and at its end it waits for and cancels every task
that was started after it, lanes and connections among them. Events come over to our loop one by one.
"""

import asyncio
import threading
from typing import Any

import kopf

from fairlead.api.v1alpha1 import names
from fairlead.domain.scope import EVERYWHERE, Scope
from fairlead.engine.registry import Registry
from fairlead.handlers import feed
from fairlead.kube.client import KubeClient

SERVER_TIMEOUT_SECONDS = 300


async def watch(client: KubeClient, registry: Registry, scope: Scope = EVERYWHERE) -> None:
    """Feed the registry with what is in `scope` until cancelled; the thread is then told to stop and not waited for.

    Raises what ended kopf by itself.
    """
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[None] = loop.create_future()
    stop = threading.Event()
    handlers = kopf.OperatorRegistry()
    settings = kopf.OperatorSettings()
    _configure(settings)

    @kopf.on.login(registry=handlers)
    async def login(**_: Any) -> kopf.AiohttpSession:
        info = client.connection_info(scope.watches)
        return kopf.AiohttpSession(server=info.server, default_namespace=info.default_namespace, aiohttp_session=info.session)

    feed.register(handlers, registry, loop.call_soon_threadsafe)

    def turn() -> None:
        fault: BaseException | None = None
        try:
            asyncio.run(kopf.operator(registry=handlers, settings=settings, clusterwide=scope.is_all, namespaces=scope.namespaces,
                                      standalone=True, stop_flag=stop))
        except Exception as error:  # noqa: BLE001  handed over to the loop that waits
            fault = error
        if not stop.is_set():
            loop.call_soon_threadsafe(ended.set_exception, fault or RuntimeError("kopf ended by itself"))

    threading.Thread(target=turn, name="kopf", daemon=True).start()
    try:
        await ended
    finally:
        stop.set()


def _configure(settings: kopf.OperatorSettings) -> None:
    """Each of these has a default that hurts: what is written to objects, what is held back, how long a blind spot lasts."""
    settings.persistence.finalizer = f"{names.GROUP}/unused"
    settings.persistence.progress_storage = kopf.AnnotationsProgressStorage(prefix=names.GROUP, v1=False)
    settings.persistence.diffbase_storage = kopf.AnnotationsDiffBaseStorage(prefix=names.GROUP, v1=False)
    settings.posting.enabled = False
    settings.scanning.disabled = True
    settings.queueing.idle_timeout = 1
    settings.queueing.error_delays = (1, 5, 15, 60)
    settings.execution.default_backoff = 5
    settings.networking.request_timeout = 30
    settings.networking.connect_timeout = 10
    settings.watching.chunk_size = feed.PAGE_SIZE
    settings.watching.server_timeout = SERVER_TIMEOUT_SECONDS
    settings.watching.client_timeout = SERVER_TIMEOUT_SECONDS + 30
    settings.watching.label_selectors[names.GROUP, names.JOB_PLURAL] = names.UNFINISHED_SELECTOR
    settings.process.ultimate_exiting_timeout = 10
