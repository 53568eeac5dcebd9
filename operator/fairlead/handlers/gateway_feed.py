"""Feeds a gateway: kopf's watch events, and a complete list now and then, since a watch that was cut tells of no deletions."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import kopf

from fairlead.api.v1alpha1 import names
from fairlead.domain.cluster.reading import read_cluster
from fairlead.domain.kinds import Kind
from fairlead.engine.failures.mishaps import contained
from fairlead.gateway.gateway import Gateway
from fairlead.handlers.feed import PAGE_SIZE, has_left, readable
from fairlead.kube.lists import Lists
from fairlead.kube.services import SLICES


class SliceFeed(Protocol):
    """Where slices are known."""

    def take(self, event: str | None, body: dict[str, Any]) -> str:
        """One watch event; the uid of whose it is."""
        ...

    async def refresh(self) -> None:
        """List them. Raises `Unavailable`."""
        ...


def register(
    handlers: kopf.OperatorRegistry, gateway: Gateway, slices: SliceFeed, kind: Kind[Any], hand_over: Callable[..., object],
) -> None:
    """Put the watch handlers of Clusters, Sessions and slices into kopf's. `hand_over(function, *arguments)` calls in its loop."""

    @kopf.on.event(names.GROUP, names.VERSION, names.CLUSTER_PLURAL, registry=handlers)
    async def cluster_event(event: kopf.RawEvent, **_: Any) -> None:
        hand_over(take_cluster, gateway, event["type"], event["object"])

    @kopf.on.event(names.GROUP, names.VERSION, kind.plural, registry=handlers)
    async def session_event(event: kopf.RawEvent, **_: Any) -> None:
        hand_over(take_session, gateway, kind, event["type"], event["object"])

    @kopf.on.event(SLICES.group, SLICES.version, SLICES.plural, registry=handlers)
    async def slice_event(event: kopf.RawEvent, **_: Any) -> None:
        hand_over(take_slice, gateway, slices, event["type"], event["object"])


def take_cluster(gateway: Gateway, event: str | None, body: Mapping[str, Any]) -> None:
    """One watch event about a Cluster."""
    for cluster in readable([body], read_cluster):
        with contained("watch", cluster=str(cluster.ref)):
            if event == "DELETED":
                gateway.drop_cluster(cluster.name)
            else:
                gateway.put_cluster(cluster)


def take_session(gateway: Gateway, kind: Kind[Any], event: str | None, body: Mapping[str, Any]) -> None:
    """One watch event about a Session."""
    if has_left(event, body):
        gateway.drop(str(body["metadata"]["uid"]))
        return
    for session in readable([body], kind.read):
        with contained("watch", session=str(session.ref)):
            gateway.put(session)


def take_slice(gateway: Gateway, slices: SliceFeed, event: str | None, body: Mapping[str, Any]) -> None:
    """One watch event about an EndpointSlice of a gateway."""
    with contained("watch", of=SLICES.plural):
        gateway.look_at(slices.take(event, dict(body)))


async def relist(lists: Lists, gateway: Gateway, slices: SliceFeed, kind: Kind[Any]) -> None:
    """Have the gateway know what the API server has. Raises `ApiFault`; what was known then stays."""
    before = gateway.sessions
    clusters = [body async for body in lists.objects(names.CLUSTER_PLURAL, "", PAGE_SIZE)]
    bodies = [body async for body in lists.objects(kind.plural, names.UNFINISHED_SELECTOR, PAGE_SIZE)]
    await slices.refresh()
    listed = {str(body["metadata"]["uid"]) for body in bodies}
    for cluster in readable(clusters, read_cluster):
        gateway.put_cluster(cluster)
    for session in readable(bodies, kind.read):
        gateway.put(session)
    for uid, ref in before.items():
        if uid not in listed and ref.namespace not in lists.dark:
            gateway.drop(uid)
