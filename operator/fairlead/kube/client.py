"""The HTTP client to the Kubernetes API: a few dozen lines over aiohttp, which kopf brings anyway.

Why not the official `kubernetes` package: importing any part of it, its asyncio client included, loads all of it (measured with
release 37: 0.5 s and 22 MB more than aiohttp alone, and kopf imports it too as soon as it is installed), it keeps the user's key in
temporary files for as long as the process lives, and what we send are a dozen JSON requests that need none of its models. All use goes
through `KubeClient`, so that another client can take this one's place here.
"""

import asyncio
import json
import random
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp

from fairlead.api.v1alpha1 import names
from fairlead.domain.errors import ApiFault, Conflict, Forbidden, Unavailable
from fairlead.kube import kubeconfig as access_sources
from fairlead.kube.faults import Answer, NotFound
from fairlead.kube.kubeconfig import Access
from fairlead.sharing.shares import Shares
from fairlead.sharing.turns import NOBODY, Waited, ignored

JsonObject = dict[str, Any]
Body = Mapping[str, Any] | Sequence[Mapping[str, Any]]

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"
METADATA_ONLY = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
METADATA_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"

CONNECTION_LIMIT = 12
"""Connections of one session, and requests at a time: of these one namespace has no more than half. An API server that is at its limit
gives each request in flight an equal part of itself, so one namespace's 32 would leave another's Job a thirtieth
(`make bench ARGS=tenants`). Six at 10 ms each are 600 a second, far above what Jobs are submitted at. kopf's default has no limit: 1,395
were seen in a start with 10,000 objects."""
CLUSTERS_REQUESTS = 2
"""Requests about one namespace's Clusters and their Secrets at a time: whoever applies 200 Clusters at once has them looked at one after
the other, and the API server is free for what others wait for. A Cluster needs two until it is ready: at 10 ms each, 100 of them a
second."""
REQUEST_TIMEOUT_SECONDS = 30.0
CONNECT_TIMEOUT_SECONDS = 10.0
PLACE_SHARE = 0.5
"""Of the time-out: a request waits no longer for its place, so that it is told what it lacked, and has the rest for the answer."""
RESOURCES = frozenset({"clusters", "configmaps", "events", "jobs", "leases", "namespaces", "secrets"})
"""What is told by its name when a request ended."""
_READ_ATTEMPTS = 3
_READ_RETRY_SECONDS = 0.25           # doubled each time, with jitter; all attempts share the request's time-out


@dataclass(frozen=True, slots=True)
class Told:
    """Whom the client tells what it does, so that somebody can count it.

    `ended` of every request: its method, the resource (one of `RESOURCES`, with `/status`, or `other`), how it ended (`ok`, `missing`,
    `conflict`, `forbidden`, `unavailable` or `invalid`) and its seconds. `waited` of every wait for a place that is over.
    """

    ended: Callable[[str, str, str, float], None] = lambda _method, _resource, _outcome, _seconds: None
    waited: Waited = ignored


class NoPlace(Unavailable):
    """All places that one namespace may have were in use for too long. Nothing was sent."""


_OUTCOMES: Mapping[type[ApiFault], str] = {
    NotFound: "missing", Conflict: "conflict", Forbidden: "forbidden", Unavailable: "unavailable",
}
"""The first that fits."""


def path_of(*segments: str) -> str:
    """An API path from plain segments, each quoted: names come from users' manifests.

    Raises `NotFound` for a segment that can name no object and would change the path.
    """
    for segment in segments:
        if segment in {"", ".", ".."} or "/" in segment or "%" in segment:  # what the API server lets no name be
            raise NotFound(f"There is no object named {segment!r}")
    return "/" + "/".join(quote(segment, safe="") for segment in segments)


@dataclass(frozen=True, slots=True)
class ConnectionInfo:
    """What kopf's login handler needs: the server, the namespace of its Events, and a session that authenticates by itself."""

    server: str
    default_namespace: str
    session: aiohttp.ClientSession


@dataclass(frozen=True, slots=True)
class _Call:
    method: str
    path: str
    body: Body | None = None
    content_type: str = JSON
    params: Mapping[str, str] = field(default_factory=dict)
    accept: str = JSON
    of_all: bool = False             # a part of a list of all that is watched

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def namespace(self) -> str:
        """In whose share it counts: of one about an object, its namespace. Lists of all are nobody's."""
        if self.of_all:
            return NOBODY
        _, is_namespaced, rest = self.path.partition("/namespaces/")
        return rest.partition("/")[0] if is_namespaced else NOBODY

    @property
    def is_about_clusters(self) -> bool:
        """Whether it is about one of a namespace's Clusters, or a Secret, which Clusters need."""
        return self.namespace != NOBODY and self.resource in {"clusters", "clusters/status", "secrets"}

    @property
    def resource(self) -> str:
        """What it is about, in one of few words."""
        segments = self.path.strip("/").split("/")
        segments = segments[2 if segments[0] == "api" else 3:]
        if segments[:1] == ["namespaces"] and len(segments) > 2:
            segments = segments[2:]
        if not segments or segments[0] not in RESOURCES:
            return "other"
        return f"{segments[0]}/status" if segments[2:] == ["status"] else segments[0]


def _selected(page_size: int, label_selector: str, field_selector: str) -> dict[str, str]:
    """The parameters of a list."""
    params = {"limit": str(page_size), "labelSelector": label_selector, "fieldSelector": field_selector}
    return {name: value for name, value in params.items() if value}


class KubeClient:
    """Requests to one API server. All faults are `ApiFault`s: see `faults`; each call is bounded in time.

    `connections` bounds those of each session, and the requests at a time. Making one raises `Unreadable` when the certificates cannot be
    used.
    """

    def __init__(
        self, access: Access, *, connections: int = CONNECTION_LIMIT, told: Told | None = None,
        request_timeout_seconds: float = REQUEST_TIMEOUT_SECONDS, connect_timeout_seconds: float = CONNECT_TIMEOUT_SECONDS,
    ) -> None:
        self._told = told or Told()
        self._connections = connections
        self._access = access
        self._tls = access.ssl_context()
        self._timeout = aiohttp.ClientTimeout(total=request_timeout_seconds, sock_connect=connect_timeout_seconds)
        self._request_timeout_seconds = request_timeout_seconds
        self._session: aiohttp.ClientSession | None = None
        what, wait_seconds = "no place among the requests that are made at a time", PLACE_SHARE * request_timeout_seconds
        self._places = Shares(connections, what, wait_seconds, NoPlace, self._told.waited)
        self._clusters = Shares(connections, what, wait_seconds, NoPlace, self._told.waited, CLUSTERS_REQUESTS)

    @classmethod
    def load(
        cls, kubeconfig: str | None = None, context: str | None = None, connections: int = CONNECTION_LIMIT, told: Told | None = None,
    ) -> "KubeClient":
        """A client for a kubeconfig file's context; without a file for the pod's service account. Raises `Unreadable`."""
        if kubeconfig:
            return cls(access_sources.from_kubeconfig(Path(kubeconfig).expanduser(), context), connections=connections, told=told)
        return cls(access_sources.in_cluster(), connections=connections, told=told)

    @property
    def namespace(self) -> str:
        """The context's namespace, or the pod's own."""
        return self._access.namespace

    @property
    def waiting(self) -> int:
        """Requests that wait for a place."""
        return self._places.waiting + self._clusters.waiting

    async def request(
        self, method: str, path: str, *, body: Body | None = None, content_type: str = JSON, params: Mapping[str, str] | None = None,
    ) -> JsonObject:
        """Send one request and return the answer's JSON. Writes carry our field manager.

        A read is tried again when the connection breaks; PATCH and POST never are (aiohttp repeats what is idempotent: PUT, DELETE).
        """
        written_by = {} if method in {"GET", "DELETE"} else {"fieldManager": names.FIELD_MANAGER}
        return await self._send(_Call(method, path, body, content_type, {**written_by, **(params or {})}))

    async def metadata(self, path: str) -> JsonObject:
        """An object's metadata without the rest of it. Raises `NotFound` besides the other faults."""
        answer = await self._send(_Call("GET", path, accept=METADATA_ONLY))
        metadata: JsonObject = answer["metadata"]
        return metadata

    async def list_metadata(
        self, path: str, label_selector: str, page_size: int, field_selector: str = "", *, of_all: bool = False,
    ) -> list[JsonObject]:
        """The metadata of all objects that the selectors match, page by page. One `of_all` counts in no namespace's share."""
        call = _Call("GET", path, params=_selected(page_size, label_selector, field_selector), accept=METADATA_LIST, of_all=of_all)
        return [item["metadata"] async for item in self._items(call)]

    def objects(
        self, path: str, label_selector: str, page_size: int, field_selector: str = "", *, of_all: bool = False,
    ) -> AsyncGenerator[JsonObject, None]:
        """All objects that the selectors match, whole, page by page: no more than a page is held here. `of_all` as above."""
        return self._items(_Call("GET", path, params=_selected(page_size, label_selector, field_selector), of_all=of_all))

    def connection_info(self, watches: int = 0) -> ConnectionInfo:
        """A fresh session for kopf, which closes it itself; to be called in the event loop that uses it. `watches`: so many more."""
        return ConnectionInfo(self._access.server, self._access.namespace, self._open_session(watches))

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def __aenter__(self) -> "KubeClient":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def _open_session(self, watches: int = 0) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(limit=self._connections + watches, ssl=self._tls)
        return aiohttp.ClientSession(
            connector=connector, timeout=self._timeout, headers={"User-Agent": "fairlead"}, middlewares=(self._authenticate,),
            proxy=self._access.proxy_url, trust_env=False,       # neither ~/.netrc nor a proxy of the environment
        )

    async def _authenticate(self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
        """Add the token of the moment; a 401 (nothing was done) is asked once more with a fresh one."""
        token = await self._access.tokens.current()
        if token is None:
            return await handler(request)
        request.headers["Authorization"] = f"Bearer {token}"
        response = await handler(request)
        if response.status != 401 or not self._access.tokens.forget():
            return response
        response.release()
        request.headers["Authorization"] = f"Bearer {await self._access.tokens.current()}"
        return await handler(request)

    async def _items(self, call: _Call) -> AsyncGenerator[JsonObject, None]:
        """What a list call finds, over all its pages."""
        while True:
            page = await self._send(call)
            for item in page.get("items") or []:
                yield item
            if not (rest := page["metadata"].get("continue")):
                return
            call = replace(call, params={**call.params, "continue": rest})

    async def _send(self, call: _Call) -> JsonObject:
        attempts = _READ_ATTEMPTS if call.method == "GET" else 1
        try:
            async with asyncio.timeout(self._request_timeout_seconds):
                for attempt in range(1, attempts):
                    try:
                        return await self._send_once(call)
                    except NoPlace:
                        raise
                    except Unavailable as fault:
                        if fault.retry_after_seconds is not None or not fault.__cause__:
                            raise  # the server has spoken; only a broken connection is worth the same question at once
                    await asyncio.sleep(_READ_RETRY_SECONDS * 2**attempt * random.uniform(0.5, 1.0))  # noqa: S311  jitter, no secret
                return await self._send_once(call)
        except TimeoutError as error:
            raise Unavailable(f"{call}: no answer within {self._request_timeout_seconds:g} s") from error

    async def _send_once(self, call: _Call) -> JsonObject:
        began, outcome = time.monotonic(), "unavailable"     # also who is cancelled has no answer
        try:
            answer = await self._ask(call)
            outcome = "ok"
        except ApiFault as fault:
            outcome = next((word for kind, word in _OUTCOMES.items() if isinstance(fault, kind)), "invalid")
            raise
        finally:
            self._told.ended(call.method, call.resource, outcome, time.monotonic() - began)
        return answer

    @asynccontextmanager
    async def _place(self, call: _Call) -> AsyncIterator[None]:
        """A place for a call in its namespace's share. Raises `NoPlace`."""
        async with AsyncExitStack() as stack:
            if call.is_about_clusters:
                await stack.enter_async_context(self._clusters.place(call.namespace))
            await stack.enter_async_context(self._places.place(call.namespace))
            yield

    async def _ask(self, call: _Call) -> JsonObject:
        if self._session is None or self._session.closed:
            self._session = self._open_session()
        data = None if call.body is None else json.dumps(call.body).encode()
        headers = {"Accept": call.accept} | ({} if data is None else {"Content-Type": call.content_type})
        try:
            async with self._place(call), self._session.request(
                call.method, self._access.server + call.path, params=call.params, data=data, headers=headers,
                allow_redirects=False, server_hostname=self._access.server_name,
            ) as response:
                payload = await response.read()
        except TimeoutError:
            raise
        except (aiohttp.ClientError, OSError) as error:
            raise Unavailable(f"{call}: no answer from {self._access.server}: {error or type(error).__name__}") from error
        if response.status >= 300:
            raise Answer(str(call), response.status, response.headers.get("Retry-After"), payload).fault()
        try:
            parsed: JsonObject = json.loads(payload)
        except ValueError as error:
            raise Unavailable(f"{call}: the answer is no JSON; is {self._access.server} a Kubernetes API server?") from error
        return parsed
