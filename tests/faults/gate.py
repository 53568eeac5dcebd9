"""A gate in front of the API server: it passes requests on, or answers them itself as a server in trouble would.

Its event loop has a thread of its own, so that the controller behind it is served whatever its owner waits for. Methods return at once.
"""

import asyncio
import json
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import aiohttp
import yaml
from aiohttp import web

from fairlead.kube.kubeconfig import from_kubeconfig

_HOP = {"host", "connection", "transfer-encoding", "content-length", "content-encoding", "accept-encoding"}
_START_SECONDS = 10.0
_GOODBYE_SECONDS = 0.25   # TLS connections end in their own time: https://docs.aiohttp.org/en/stable/client_advanced.html#graceful-shutdown
_NO_LIMIT = 64 * 1024**2
REASONS = {409: "Conflict", 422: "Invalid", 429: "TooManyRequests", 500: "InternalError"}
GONE = {"type": "ERROR", "object": {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "reason": "Expired",
                                    "message": "too old resource version", "code": 410}}


@dataclass(slots=True, eq=False)
class _Watch:
    """One open watch, and how it is to end."""

    ended: asyncio.Event = field(default_factory=asyncio.Event)
    is_gone: bool = False


class Gate:
    """Plain HTTP on a loopback port; behind it the API server that a kubeconfig names. `kubeconfig` is one for whoever goes through it."""

    def __init__(self, upstream: Path, folder: Path) -> None:
        self._access = from_kubeconfig(str(upstream))
        self._watches: set[_Watch] = set()
        self._refuse: Callable[[str, str], int] = lambda _method, _path: 0
        self._blind = False
        self._loop = asyncio.new_event_loop()
        self._ended = asyncio.Event()
        self._ready = threading.Event()
        self.refused = 0
        self.port = 0
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),), name="gate", daemon=True)
        self._thread.start()
        if not self._ready.wait(_START_SECONDS):
            raise TimeoutError("the gate does not get ready")
        self.kubeconfig = folder / "gate.kubeconfig"
        self.kubeconfig.write_text(yaml.safe_dump({
            "apiVersion": "v1", "kind": "Config", "current-context": "gate",
            "clusters": [{"name": "gate", "cluster": {"server": f"http://127.0.0.1:{self.port}"}}],
            "users": [{"name": "gate", "user": {}}],
            "contexts": [{"name": "gate", "context": {"cluster": "gate", "user": "gate"}}],
        }))

    def refuse(self, status: int, methods: str) -> None:
        """From now on requests about our objects are answered with an HTTP status, if their method is one of `methods` (words)."""
        self.refused = 0
        self._refuse = lambda method, path: status if method in methods.split() and "/fairlead.dev/" in path else 0

    def cut_watches(self) -> None:
        """Breaks every open watch off in mid-stream; new ones pass."""
        self._loop.call_soon_threadsafe(self._end_watches)

    def blind(self) -> None:
        """Open and new watches say nothing more. What they missed is told by `pass_through` as 410 Gone."""
        self._blind = True

    def pass_through(self) -> None:
        """All faults off. Watches that were blind end with 410 Gone."""
        self._refuse = lambda _method, _path: 0
        self._loop.call_soon_threadsafe(self._sight)

    def close(self) -> None:
        """End it. A second call does nothing."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._ended.set)
            self._thread.join()
            self._loop.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _sight(self) -> None:
        if self._blind:
            self._blind = False
            self._end_watches(gone=True)

    def _end_watches(self, *, gone: bool = False) -> None:
        for each in self._watches:
            each.is_gone = gone
            each.ended.set()

    async def _serve(self) -> None:
        tls = self._access.tls if self._access.server.startswith("https") else None
        connector = aiohttp.TCPConnector(ssl=tls or True, limit=0)

        async def answer(request: web.Request) -> web.StreamResponse:
            return await self._answer(session, request)

        async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=None), auto_decompress=False) as session:
            application = web.Application(client_max_size=_NO_LIMIT)
            application.router.add_route("*", "/{path:.*}", answer)
            runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
            await runner.setup()
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            self.port = runner.addresses[0][1]
            self._ready.set()
            await self._ended.wait()
            self._end_watches()
            await runner.cleanup()
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)
        await asyncio.sleep(_GOODBYE_SECONDS)

    async def _answer(self, session: aiohttp.ClientSession, request: web.Request) -> web.StreamResponse:
        status = self._refuse(request.method, request.path)
        if status:
            self.refused += 1
            return _refusal(status)
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _HOP}
        if authorization := await self._access.authorization():
            headers["Authorization"] = authorization
        url = f"{self._access.server}{request.raw_path}"
        try:
            async with session.request(request.method, url, data=await request.read() or None, headers=headers) as answer:
                if "watch" in request.query:
                    return await self._pass_watch(request, answer)
                return web.Response(status=answer.status, body=await answer.read(), headers=_passed(answer))
        except (aiohttp.ClientError, OSError):
            if request.transport is not None:
                request.transport.abort()   # as the server that we stand for: gone
            return web.Response(status=502)

    async def _pass_watch(self, request: web.Request, answer: aiohttp.ClientResponse) -> web.StreamResponse:
        response = web.StreamResponse(status=answer.status, headers=_passed(answer))
        watch = _Watch()
        self._watches.add(watch)   # before its first byte: who has seen it open may have it ended
        try:
            await response.prepare(request)
            lines, cut = asyncio.create_task(self._pass_lines(answer, response, watch)), asyncio.create_task(watch.ended.wait())
            try:
                await asyncio.wait({lines, cut}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                lines.cancel()
                cut.cancel()
        finally:
            self._watches.discard(watch)
        if watch.is_gone:
            with suppress(OSError):
                await response.write(json.dumps(GONE).encode() + b"\n")
        elif watch.ended.is_set() and request.transport is not None:
            request.transport.abort()
        return response

    async def _pass_lines(self, answer: aiohttp.ClientResponse, response: web.StreamResponse, watch: _Watch) -> None:
        with suppress(aiohttp.ClientError, OSError):
            async for line in answer.content:
                if not self._blind and not watch.ended.is_set():
                    await response.write(line)


def _passed(answer: aiohttp.ClientResponse) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name.lower() not in _HOP - {"content-encoding"}}


def _refusal(status: int) -> web.Response:
    body = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "code": status, "reason": REASONS[status],
            "message": "a fault of the test bed"}
    return web.json_response(body, status=status, headers={"Retry-After": "1"} if status == 429 else {})
