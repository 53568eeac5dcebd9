"""The client to the Kubernetes API: the library's `ApiClient` sends, and here stands what it has no word for.

That is: the shares of namespaces in the requests at a time, what is tried again and what never, the faults, and sessions that follow no
redirect and take nothing from the environment. Our requests are JSON without the library's models, which would only be made to be taken
apart again. What the library costs stands in docs/performance.md (`make bench ARGS=client`). All use goes through `KubeClient`.
"""

import asyncio
import json
import random
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote

import aiohttp

from fairlead.api.v1alpha1 import names
from fairlead.domain.errors import ApiFault, Conflict, Forbidden, Unavailable
from fairlead.kube import kubeconfig as access_sources
from fairlead.kube.faults import ErrorAnswer, NotFound
from fairlead.kube.kubeconfig import NOBODY_ELSE, Access, Acting
from fairlead.kube.limits import KubeLimits
from fairlead.sharing.pace import Pace
from fairlead.sharing.shares import Shares
from fairlead.sharing.turns import NOBODY, Waited, ignored

JsonObject = dict[str, Any]
Body = Mapping[str, Any] | Sequence[Mapping[str, Any]]

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"
METADATA_ONLY = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
METADATA_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
USER_AGENT = "fairlead"

STANDARD = KubeLimits()
CLUSTERS_A_SECOND, CLUSTERS_BURST = 20.0, 40
"""Requests about one namespace's Clusters and their Secrets. A Cluster needs two until it is ready: 20 Clusters are at once, then ten a
second. Whoever applies 200 of them has them looked at one after the other, and the API server is free for what others wait for
(`make bench ARGS=tenants`)."""
PLACE_SHARE = 0.5
"""Of the time-out: a request waits no longer for its place, so that it is told what it lacked, and has the rest for the answer."""
RESOURCES = frozenset({
    "clusters", "configmaps", "endpointslices", "events", "jobs", "leases", "namespaces", "secrets", "services", "sessions",
})
"""What is told by its name when a request ended."""
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_READ_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class KubeTold:
    """Whom the client tells what it does, so that somebody can count it.

    `ended` of every request: its method, the resource (one of `RESOURCES`, with `/status`, or `other`), how it ended (`ok`, `missing`,
    `conflict`, `forbidden`, `unavailable` or `invalid`) and its seconds. `waited` of every wait for a place that is over.
    """

    ended: Callable[[str, str, str, float], None] = lambda _method, _resource, _outcome, _seconds: None
    waited: Waited = ignored


class Redirected(aiohttp.ClientError):
    """The server sends us elsewhere, as a proxy does that wants a login. Our credentials do not go there."""


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

    Making one raises `Unreadable` when as whom to act is not said whole.
    """

    def __init__(self, access: Access, *, limits: KubeLimits = STANDARD, told: KubeTold | None = None) -> None:
        self._told = told or KubeTold()
        self.limits = limits
        self._access = access
        self._timeout = aiohttp.ClientTimeout(total=limits.request_seconds, sock_connect=limits.connect_seconds)
        heard = {"middlewares": (self._authenticate,), "headers": access.acting.headers()}
        self._ours: dict[str, Any] = {**heard, "timeout": self._timeout, "trust_env": False}
        access.api.user_agent = USER_AGENT
        access.api.rest_client.maxsize = limits.connections
        access.api.configuration.client_session_kwargs = self._ours
        what, wait_seconds = "no place among the requests that are made at a time", PLACE_SHARE * limits.request_seconds
        self._places = Shares(limits.connections, what, wait_seconds, NoPlace, self._told.waited)
        what = "no turn among the requests about Clusters"
        self._clusters = Pace(CLUSTERS_A_SECOND, CLUSTERS_BURST, what, wait_seconds, NoPlace, self._told.waited)

    @classmethod
    def load(
        cls, kubeconfig: str | None = None, context: str | None = None, limits: KubeLimits = STANDARD, told: KubeTold | None = None,
        acting: Acting = NOBODY_ELSE,
    ) -> "KubeClient":
        """A client for a context of one or more kubeconfigs; without any for the pod's service account. Raises `Unreadable`."""
        read = access_sources.from_kubeconfig(kubeconfig, context, acting) if kubeconfig else access_sources.in_cluster(acting=acting)
        return cls(read, limits=limits, told=told)

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
        connector = aiohttp.TCPConnector(limit=self.limits.connections + watches, ssl=self._access.tls)
        session = aiohttp.ClientSession(connector=connector, proxy=self._access.api.configuration.proxy, **self._ours)
        session.headers["User-Agent"] = USER_AGENT
        return ConnectionInfo(self._access.server, self._access.namespace, session)

    async def close(self) -> None:
        """Close the connections."""
        await self._access.api.close()
        self._access.api.rest_client.pool_manager = None     # who asks again has new ones

    async def __aenter__(self) -> "KubeClient":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _authenticate(self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
        """Add the credential of the moment; a 401 (nothing was done) is asked once more with a fresh one."""
        request.server_hostname = self._access.api.configuration.tls_server_name
        sent = await self._authorize(request)
        response = await handler(request)
        if response.status == 401 and sent and self._access.refused(sent):
            response.release()
            await self._authorize(request)
            response = await handler(request)
        if response.status in _REDIRECTS:
            response.close()
            raise Redirected(f"{response.status}, to elsewhere; our credentials do not go there")
        return response

    async def _authorize(self, request: aiohttp.ClientRequest) -> str | None:
        authorization = await self._access.authorization()
        if authorization:
            request.headers["Authorization"] = authorization
        return authorization

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
        await self._access.authorization()   # outside of the time-out: a person may have to log in
        try:
            async with asyncio.timeout(self.limits.request_seconds):
                for attempt in range(1, attempts):
                    try:
                        return await self._send_once(call)
                    except NoPlace:
                        raise
                    except Unavailable as fault:
                        if fault.retry_after_seconds is not None or not fault.unanswered:
                            raise  # the server has spoken; only a broken connection is worth the same question at once
                    await asyncio.sleep(self.limits.retry_seconds * 2**attempt * random.uniform(0.5, 1.0))  # noqa: S311  jitter, no secret
                return await self._send_once(call)
        except TimeoutError as error:
            raise Unavailable(f"{call}: no answer within {self.limits.request_seconds:g} s") from error

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

    async def _ask(self, call: _Call) -> JsonObject:
        api, server = self._access.api, self._access.server
        headers = {"Accept": call.accept, "Content-Type": call.content_type}
        body = list(call.body) if isinstance(call.body, Sequence) else call.body
        made = await api.param_serialize(call.method, call.path, query_params=list(call.params.items()), header_params=headers, body=body)
        try:
            if call.is_about_clusters:
                await self._clusters.turn(call.namespace)
            async with self._places.place(call.namespace):
                response = await api.call_api(*made, _request_timeout=self._timeout)
                payload = await response.read()
        except TimeoutError:
            raise
        except Redirected as error:
            raise Unavailable(f"{call}: {error}") from None
        except (aiohttp.ClientError, OSError) as error:
            raise Unavailable(f"{call}: no answer from {server}: {error or type(error).__name__}") from error
        if response.status >= 300:
            raise ErrorAnswer(str(call), response.status, response.headers.get("Retry-After"), payload).fault()
        try:
            parsed: JsonObject = json.loads(payload)
        except ValueError as error:
            raise Unavailable(f"{call}: the answer is no JSON; is {server} a Kubernetes API server?") from error
        return parsed
