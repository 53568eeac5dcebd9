"""Writes to our own objects. Each is a compare-and-set on the uid (and the attempt), so that a stale view cannot repeat a decision.

Nothing here touches another controller's finalizers: ours is found by a read, and the write tests that it still stands where it was seen.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from fairlead.api.v1alpha1 import names
from fairlead.domain.errors import Conflict
from fairlead.domain.objects import EventNote, ObjectRef
from fairlead.kube import jsonpatch
from fairlead.kube.client import JsonObject, KubeClient, path_of
from fairlead.kube.events import EventRecorder
from fairlead.kube.faults import NotFound

_TRIES = 4
"""Reads and writes of one finalizer change before others' writes in between are reported as a conflict."""


def object_path(ref: ObjectRef) -> str:
    """The API path of one of our objects."""
    return path_of("apis", names.GROUP, names.VERSION, "namespaces", ref.namespace, ref.plural, ref.name)


class KubeStore:
    """The engine's `Store` on the real API server. Faults: `Conflict`, `Unavailable`; `ApiFault` when what we wrote is invalid."""

    def __init__(self, client: KubeClient, events: EventRecorder) -> None:
        self._client = client
        self._events = events

    async def add_finalizer(self, ref: ObjectRef, *, host: str = "") -> str:
        """Put our finalizer on, in the same write with the annotation that names a bare host; no change if it is there.

        Raises `Conflict` when the object is being deleted, gone or another, and when another host was chosen for it.
        """
        if host:
            return await self._again(lambda: self._add_finalizer_to_others(ref, host))
        untouched = [*_same_living(ref), jsonpatch.test("/metadata/finalizers", None)]
        try:  # the common case, an object without any finalizer, takes no read
            return await self._patch(ref, [*untouched, jsonpatch.add("/metadata/finalizers", [names.FINALIZER])])
        except NotFound:
            raise
        except Conflict:
            return await self._again(lambda: self._add_finalizer_to_others(ref))

    async def write_status(self, ref: ObjectRef, status: Mapping[str, Any], *, expected_attempt: int | None = None) -> str:
        """Replace the whole status, if uid (and status.run.attempt; 0: there is no status.run) are as expected. Else `Conflict`."""
        write = jsonpatch.add("/status", dict(status))
        if expected_attempt is None:
            return await self._patch(ref, [_same(ref), write], "status")
        if expected_attempt:
            return await self._patch(ref, [_same(ref), jsonpatch.test("/status/run/attempt", expected_attempt), write], "status")
        try:
            return await self._patch(ref, [_same(ref), jsonpatch.test("/status/run", None), write], "status")
        except NotFound:
            raise
        except Conflict:   # no status at all: the API server has an older definition of the resource, without a default
            return await self._patch(ref, [_same(ref), jsonpatch.test("/status", None), write], "status")

    async def release(self, ref: ObjectRef, *, finished: bool) -> str:
        """Take our finalizer off, with the finished label in the same write when `finished`. A gone object is a success (empty version)."""
        if not finished:
            try:  # the common case, of many that are deleted at once: ours is the first, which takes no read
                return await self._patch(ref, [_same(ref), *_take_finalizer({"finalizers": [names.FINALIZER]})])
            except NotFound:
                return ""
            except Conflict:
                pass
        return await self._again(lambda: self._release(ref, finished=finished))

    async def unlabel(self, ref: ObjectRef) -> str:
        """Take the finished label off. Raises `Conflict` when it is not there, or the object is gone or another."""
        place = jsonpatch.pointer("metadata", "labels", names.FINISHED_LABEL)
        return await self._patch(ref, [_same(ref), jsonpatch.test(place, names.FINISHED_VALUE), jsonpatch.remove(place)])

    async def record_event(self, ref: ObjectRef, note: EventNote) -> None:
        """Write an Event about the object; a failure is logged, never raised."""
        await self._events.record(ref, note)

    async def uid_of(self, ref: ObjectRef) -> str | None:
        """The uid that lives under this name now, None if there is none. Anything else raises: unknown is not gone."""
        try:
            return str((await self._client.metadata(object_path(ref)))["uid"])
        except NotFound:
            return None

    async def _add_finalizer_to_others(self, ref: ObjectRef, host: str = "") -> str:
        metadata = await self._client.metadata(object_path(ref))
        if metadata["uid"] != ref.uid:
            raise _Settled(f"{ref} is another object now: uid {metadata['uid']} instead of {ref.uid}")
        if metadata.get("deletionTimestamp"):
            raise _Settled(f"{ref} is being deleted; nothing new may be started for it")
        finalizers = metadata.get("finalizers")
        if names.FINALIZER in (finalizers or ()):
            chosen = (metadata.get("annotations") or {}).get(names.HOST_ANNOTATION)
            if host and chosen != host:
                raise _Settled(f"{ref} was given another host: {chosen} instead of {host}")
            return str(metadata["resourceVersion"])
        write = jsonpatch.add("/metadata/finalizers", [*(finalizers or ()), names.FINALIZER])
        place = _add_to_map(metadata, "annotations", names.HOST_ANNOTATION, host) if host else []
        return await self._patch(ref, [*_same_living(ref), jsonpatch.test("/metadata/finalizers", finalizers), write, *place])

    async def _release(self, ref: ObjectRef, *, finished: bool) -> str:
        try:
            metadata = await self._client.metadata(object_path(ref))
            if metadata["uid"] != ref.uid:
                return ""  # a namesake; ours is gone
            label = _add_to_map(metadata, "labels", names.FINISHED_LABEL, names.FINISHED_VALUE) if finished else []
            changes = [*_take_finalizer(metadata), *label]
            return await self._patch(ref, [_same(ref), *changes]) if changes else str(metadata["resourceVersion"])
        except NotFound:
            return ""

    async def _patch(self, ref: ObjectRef, operations: list[jsonpatch.Operation], *subresource: str) -> str:
        path = object_path(ref) + "".join(f"/{name}" for name in subresource)
        answer = await self._client.request("PATCH", path, body=operations, content_type=jsonpatch.CONTENT_TYPE)
        return str(answer["metadata"]["resourceVersion"])

    async def _again(self, change: Callable[[], Awaitable[str]]) -> str:
        """Read and write until nobody else wrote in between."""
        for _ in range(_TRIES - 1):
            try:
                return await change()
            except (NotFound, _Settled):
                raise
            except Conflict:
                continue
        return await change()


class _Settled(Conflict):
    """A conflict that reading again does not change."""


def _same(ref: ObjectRef) -> jsonpatch.Operation:
    return jsonpatch.test("/metadata/uid", ref.uid)


def _same_living(ref: ObjectRef) -> list[jsonpatch.Operation]:
    return [_same(ref), jsonpatch.test("/metadata/deletionTimestamp", None)]


def _take_finalizer(metadata: JsonObject) -> list[jsonpatch.Operation]:
    finalizers: list[str] = metadata.get("finalizers") or []
    if names.FINALIZER not in finalizers:
        return []
    place = jsonpatch.pointer("metadata", "finalizers", finalizers.index(names.FINALIZER))
    return [jsonpatch.test(place, names.FINALIZER), jsonpatch.remove(place)]


def _add_to_map(metadata: JsonObject, field: str, key: str, value: str) -> list[jsonpatch.Operation]:
    """What adds one entry to the labels or annotations, as they were seen; nothing if it is there."""
    entries: Mapping[str, str] | None = metadata.get(field)
    if entries is None:
        place = jsonpatch.pointer("metadata", field)
        return [jsonpatch.test(place, None), jsonpatch.add(place, {key: value})]
    return [] if entries.get(key) == value else [jsonpatch.add(jsonpatch.pointer("metadata", field, key), value)]
