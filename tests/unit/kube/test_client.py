"""The client against a server that misbehaves as real ones do: a write must never be sent twice, and every call must end."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from itertools import count

import pytest
from aiohttp import web
from kube_servers import access

from fairlead.domain.errors import Conflict, Unavailable
from fairlead.kube.client import CLUSTERS_A_SECOND, CLUSTERS_BURST, STANDARD, KubeClient, Redirected
from fairlead.kube.kubeconfig import Access
from fairlead.kube.limits import KubeLimits

OK = {"kind": "Pod", "metadata": {"uid": "u"}}
Play = Callable[[int, web.Request], web.StreamResponse]


@dataclass
class Stage:
    """A server whose answers a test writes: the n-th request (from 1) is answered by `play`."""

    url: str = ""
    play: Play = lambda _, __: web.json_response(OK)
    seen: list[web.Request] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    hang: bool = False

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.seen.append(request)
        self.bodies.append(await request.read())
        if self.hang:
            await asyncio.Event().wait()
        return self.play(len(self.seen), request)


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    stage = Stage()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", stage.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    stage.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield stage
    await runner.cleanup()


@pytest.fixture
async def client(stage: Stage) -> AsyncIterator[KubeClient]:
    async with KubeClient(access(stage.url, "s3cret"), limits=KubeLimits(request_seconds=5)) as client:
        yield client


def renewed(url: str) -> Access:
    """A way in whose token changes when it is refused."""
    made, numbers = access(url, "token-0"), count(1)

    def refused(_: str) -> bool:
        made.api.configuration.api_key["BearerToken"] = f"Bearer token-{next(numbers)}"
        return True

    made.refused = refused
    return made


def cut(_: int, request: web.Request) -> web.StreamResponse:
    """Close the connection without an answer."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


@pytest.mark.parametrize("method", ["GET", "PATCH"])
@pytest.mark.parametrize("status", [429, 503])
async def test_a_server_that_asks_to_wait_is_not_asked_again(client: KubeClient, stage: Stage, method: str, status: int) -> None:
    stage.play = lambda *_: web.Response(status=status, headers={"Retry-After": "17"})
    with pytest.raises(Unavailable) as raised:
        await client.request(method, "/api/v1/pods")
    assert raised.value.retry_after_seconds == 17
    assert len(stage.seen) == 1


async def test_a_read_whose_connection_breaks_is_tried_again(client: KubeClient, stage: Stage) -> None:
    stage.play = lambda number, request: cut(number, request) if number < 3 else web.json_response(OK)
    assert await client.request("GET", "/api/v1/pods") == OK


@pytest.mark.parametrize("method", ["POST", "PATCH"])
async def test_a_write_whose_connection_breaks_is_not_sent_again(client: KubeClient, stage: Stage, method: str) -> None:
    stage.play = cut
    with pytest.raises(Unavailable):
        await client.request(method, "/api/v1/pods", body={"a": 1})
    assert len(stage.seen) == 1


async def test_a_server_that_never_answers_costs_the_time_out_and_no_more(stage: Stage) -> None:
    stage.hang = True
    async with KubeClient(access(stage.url), limits=KubeLimits(request_seconds=0.2)) as client:
        with pytest.raises(Unavailable, match=r"no answer within 0\.2 s"):
            await client.request("GET", "/api/v1/pods")


async def test_a_server_that_is_not_there(stage: Stage) -> None:
    async with KubeClient(access("http://127.0.0.1:1"), limits=KubeLimits(request_seconds=5)) as client:
        with pytest.raises(Unavailable, match=r"no answer from http://127\.0\.0\.1:1"):
            await client.request("PATCH", "/api/v1/pods")


async def test_a_page_of_a_proxy_is_no_answer(client: KubeClient, stage: Stage) -> None:
    stage.play = lambda *_: web.Response(text="<html>Log in</html>")
    with pytest.raises(Unavailable, match="is no JSON"):
        await client.request("GET", "/api/v1/pods")


async def test_a_redirect_takes_our_token_nowhere(client: KubeClient, stage: Stage) -> None:
    stage.play = lambda *_: web.Response(status=302, headers={"Location": f"{stage.url}/elsewhere"})
    with pytest.raises(Unavailable, match="302"):
        await client.request("GET", "/api/v1/pods")
    info = client.connection_info()
    async with info.session:
        with pytest.raises(Redirected):
            await info.session.get(f"{info.server}/api/v1/pods")
    assert [request.path for request in stage.seen] == ["/api/v1/pods"] * 2


async def test_a_refused_token_is_renewed_once_and_the_same_write_sent(stage: Stage) -> None:
    stage.play = lambda number, _: web.Response(status=401) if number == 1 else web.json_response(OK)
    async with KubeClient(renewed(stage.url)) as client:
        assert await client.request("PATCH", "/api/v1/pods", body={"a": 1}) == OK
    assert [request.headers["Authorization"] for request in stage.seen] == ["Bearer token-0", "Bearer token-1"]
    assert stage.bodies == [b'{"a": 1}'] * 2


async def test_a_token_that_stays_refused_is_a_fault_and_not_a_loop(stage: Stage) -> None:
    stage.play = lambda *_: web.Response(status=401)
    async with KubeClient(renewed(stage.url)) as client:
        with pytest.raises(Unavailable, match="401"):
            await client.request("GET", "/api/v1/pods")
    assert len(stage.seen) == 2


async def test_faults_do_not_tell_the_token(client: KubeClient, stage: Stage) -> None:
    stage.play = lambda *_: web.Response(status=409, text="conflict")
    with pytest.raises(Conflict) as raised:
        await client.request("PATCH", "/api/v1/pods")
    assert "s3cret" not in str(raised.value) + repr(client) + repr(vars(client))


async def test_writes_name_the_field_manager_and_reads_do_not(client: KubeClient, stage: Stage) -> None:
    await client.request("PATCH", "/a", params={"dryRun": "All"})
    await client.request("GET", "/a")
    assert [dict(request.query) for request in stage.seen] == [{"fieldManager": "fairlead", "dryRun": "All"}, {}]


async def test_kopfs_session_is_its_own_and_authenticates(client: KubeClient, stage: Stage) -> None:
    info = client.connection_info()
    async with info.session, info.session.get(f"{info.server}/api") as response:
        assert response.status == 200
    assert stage.seen[0].headers["Authorization"] == "Bearer s3cret"
    assert await client.request("GET", "/api") == OK, "closing kopf's session does not close ours"


async def test_requests_about_one_namespace_leave_room_for_those_about_another(stage: Stage, client: KubeClient) -> None:
    """Else a namespace with a thousand Jobs would keep the writes of all others waiting, and the renewal of the Lease."""
    stage.hang = True
    paths = [f"/apis/fairlead.dev/v1alpha1/namespaces/mean/jobs/{number}" for number in range(200)]
    mean = [asyncio.create_task(client.request("GET", path)) for path in paths]
    while len(stage.seen) < STANDARD.connections // 2:   # noqa: ASYNC110  the server counts
        await asyncio.sleep(0.01)
    stage.hang = False
    await client.request("PATCH", "/apis/coordination.k8s.io/v1/namespaces/default/leases/fairlead", body={})
    assert len(stage.seen) == STANDARD.connections // 2 + 1
    for task in mean:
        task.cancel()
    await asyncio.gather(*mean, return_exceptions=True)


async def test_many_clusters_of_one_namespace_are_seen_to_one_after_the_other(stage: Stage, client: KubeClient) -> None:
    """Else whoever applies 200 Clusters at once would have the API server for seconds, and others' Jobs would wait for it."""
    group, core = "/apis/fairlead.dev/v1alpha1/namespaces", "/api/v1/namespaces"
    paths = [path for number in range(50) for path in (f"{group}/mean/clusters/{number}/status", f"{core}/mean/secrets/{number}")]
    began = asyncio.get_running_loop().time()
    mean = [asyncio.create_task(client.request("GET", path)) for path in paths]
    while len(stage.seen) < CLUSTERS_BURST:   # noqa: ASYNC110  the server counts
        await asyncio.sleep(0.01)
    await client.request("GET", f"{group}/mean/jobs/one")
    await client.request("GET", f"{group}/honest/clusters/one")
    seen = sum("/mean/clusters/" in each.path or "/mean/secrets/" in each.path for each in stage.seen)
    assert seen <= CLUSTERS_BURST + CLUSTERS_A_SECOND * (asyncio.get_running_loop().time() - began) + 1
    for task in mean:
        task.cancel()
    await asyncio.gather(*mean, return_exceptions=True)


@pytest.mark.parametrize("method", ["GET", "PATCH"])
async def test_a_request_for_which_no_place_comes_free_says_so(stage: Stage, method: str) -> None:
    """Else a server that has not even been asked would be blamed for not answering."""
    stage.hang = True
    paths = [f"/apis/fairlead.dev/v1alpha1/namespaces/mean/jobs/{number}" for number in range(4)]
    async with KubeClient(access(stage.url), limits=KubeLimits(connections=4, request_seconds=3)) as client:
        first = [asyncio.create_task(client.request("GET", path)) for path in paths[:2]]
        while len(stage.seen) < 2:
            await asyncio.sleep(0.01)
            assert not any(each.done() for each in first), "the machine was too slow to ask before the time was over"
        with pytest.raises(Unavailable, match="no place among the requests"):
            await client.request(method, paths[2])
        await asyncio.gather(*first, return_exceptions=True)


async def test_few_connections_are_shared_out_as_many_are(stage: Stage) -> None:
    """Else where few files may be open one namespace would have them all, and the Lease could not be renewed."""
    stage.hang = True
    paths = [f"/apis/fairlead.dev/v1alpha1/namespaces/mean/jobs/{number}" for number in range(20)]
    async with KubeClient(access(stage.url), limits=KubeLimits(connections=4, request_seconds=5)) as client:
        mean = [asyncio.create_task(client.request("GET", path)) for path in paths]
        while len(stage.seen) < 2:   # noqa: ASYNC110  the server counts
            await asyncio.sleep(0.01)
        stage.hang = False
        await client.request("PATCH", "/apis/coordination.k8s.io/v1/namespaces/default/leases/fairlead", body={})
        assert len(stage.seen) == 3
        for task in mean:
            task.cancel()
        await asyncio.gather(*mean, return_exceptions=True)
