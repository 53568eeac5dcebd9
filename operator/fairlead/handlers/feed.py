"""Feeds the registry: kopf's watch events, and a complete list now and then, since a watch that was cut tells of no deletions."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

import kopf
import structlog

from fairlead.api.v1alpha1 import names
from fairlead.domain.cluster.reading import read_cluster
from fairlead.domain.errors import UserFault
from fairlead.domain.kinds import Kind, Kinds
from fairlead.engine.failures.mishaps import contained
from fairlead.engine.ports import Services
from fairlead.engine.registry import Registry
from fairlead.kube.lists import Lists
from fairlead.kube.services import SELECTORS

log = structlog.get_logger()

T = TypeVar("T")

PAGE_SIZE = 500


def register(handlers: kopf.OperatorRegistry, registry: Registry, kinds: Kinds, hand_over: Callable[..., object]) -> None:
    """Put the watch handlers of Clusters and of each kind into kopf's. `hand_over(function, *arguments)` calls in the registry's loop."""

    @kopf.on.event(names.GROUP, names.VERSION, names.CLUSTER_PLURAL, registry=handlers)
    async def cluster_event(event: kopf.RawEvent, **_: Any) -> None:
        hand_over(take_cluster, registry, event["type"], event["object"])

    for kind in kinds:
        _register(handlers, registry, kind, hand_over)


def _register(handlers: kopf.OperatorRegistry, registry: Registry, kind: Kind[Any], hand_over: Callable[..., object]) -> None:
    @kopf.on.event(names.GROUP, names.VERSION, kind.plural, registry=handlers)
    async def owner_event(event: kopf.RawEvent, **_: Any) -> None:
        hand_over(take_owner, registry, kind, event["type"], event["object"])


def register_services(handlers: kopf.OperatorRegistry, registry: Registry, services: Services, hand_over: Callable[..., object]) -> None:
    """Put the watch handlers of what belongs to owners into kopf's."""
    for kind in SELECTORS:
        _register_service(handlers, registry, services, kind.group, kind.plural, hand_over)


def _register_service(
    handlers: kopf.OperatorRegistry, registry: Registry, services: Services, group: str, plural: str, hand_over: Callable[..., object],
) -> None:
    @kopf.on.event(group, "v1", plural, registry=handlers)
    async def service_event(event: kopf.RawEvent, **_: Any) -> None:
        hand_over(take_service, registry, services, plural, event["type"], event["object"])


def take_service(registry: Registry, services: Services, plural: str, event: str | None, body: Mapping[str, Any]) -> None:
    """One watch event about a Service or an EndpointSlice."""
    with contained("watch", of=plural):
        registry.touched(services.take(plural, event, body))


def take_cluster(registry: Registry, event: str | None, body: Mapping[str, Any]) -> None:
    """One watch event about a Cluster."""
    if event == "DELETED":
        registry.drop_cluster(str(body["metadata"]["uid"]))
        return
    for cluster in readable([body], read_cluster):
        with contained("watch", cluster=str(cluster.ref)):
            registry.put_cluster(cluster)


def has_left(event: str | None, body: Mapping[str, Any]) -> bool:
    """Whether an event says that its object is watched no more. DELETED also says that it got the finished label and left the watch."""
    return event == "DELETED" or (body["metadata"].get("labels") or {}).get(names.FINISHED_LABEL) == names.FINISHED_VALUE


def take_owner(registry: Registry, kind: Kind[Any], event: str | None, body: Mapping[str, Any]) -> None:
    """One watch event about an owner of Runs."""
    if has_left(event, body):
        registry.drop_job(str(body["metadata"]["uid"]))
        return
    for job in readable([body], kind.read):
        with contained("watch", job=str(job.ref)):
            registry.put_job(job)


async def relist(lists: Lists, registry: Registry, kinds: Kinds, grace_seconds: float = 2.0) -> int:
    """Make the registry what the API server has; how many objects the watches had not told of `grace_seconds` after the list.

    Raises `ApiFault`; the registry is then as before.

    An object that came or changed while the list was read is newer than the list: it stays. So does what is known of a namespace that could
    not be listed.
    """
    known = registry.begin_list()
    listed = [(kind, body) for kind in kinds for body in await _list(lists, kind.plural, names.UNFINISHED_SELECTOR)]
    listed.sort(key=lambda each: _created(each[1]))      # the registry keeps the order in which they came
    clusters = await _list(lists, names.CLUSTER_PLURAL, "")
    bodies = [*(body for _, body in listed), *clusters]
    present = {str(body["metadata"]["uid"]) for body in bodies} | registry.uids_in(lists.dark)
    await asyncio.sleep(grace_seconds)
    missed = sum(1 for body in bodies if _is_missed(registry, body))
    owners = [owner for kind, body in listed for owner in readable([body], kind.read)]
    registry.replace(readable(clusters, read_cluster), owners, present, known)
    return missed


def _created(body: Mapping[str, Any]) -> str:
    return str(body["metadata"].get("creationTimestamp", ""))


def _is_missed(registry: Registry, body: Mapping[str, Any]) -> bool:
    uid, listed = str(body["metadata"]["uid"]), int(body["metadata"]["resourceVersion"])
    version = registry.version(uid)
    return version < listed and not registry.has_left(uid)   # gone since: the watch told


def readable(bodies: Iterable[Mapping[str, Any]], read: Callable[[Mapping[str, Any]], T]) -> list[T]:
    """What can be read; the others are named in the log, and keep nobody from his turn."""
    found: list[T] = []
    for body in bodies:
        try:
            found.append(read(body))
        except UserFault as error:
            log.error("object_unreadable", error=str(error))  # noqa: TRY400  the sentence says it all
        except Exception:
            meta = body.get("metadata") or {}
            log.exception("object_unreadable", namespace=meta.get("namespace"), name=meta.get("name"))
    return found


async def _list(lists: Lists, plural: str, selector: str) -> list[Mapping[str, Any]]:
    return [body async for body in lists.objects(plural, selector, PAGE_SIZE)]
