"""Takes an installation's hold off its objects, so that none of them waits for a controller that is gone.

    look -> (Cancel: suspend, until nothing runs) -> Lease taken, so that nobody begins anything -> look again -> (Orphan: write it down)
         -> finalizers off -> Lease kept until it runs out                    still busy: Lease given back, nothing was taken away

The Lease is what makes this safe beside a controller: a controller that does not hold it does nothing. It lasts long enough for the caller
to end the controllers, and no longer: if they are not ended, they take everything up again.
"""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from fairlead.api.v1alpha1 import names
from fairlead.app.kinds import KINDS
from fairlead.domain.cluster.cluster import Cluster
from fairlead.domain.cluster.reading import read_cluster
from fairlead.domain.errors import Conflict, FairleadError, UserFault
from fairlead.domain.kinds import Kind
from fairlead.domain.leaving import Standing, farewell, handed_over, is_under_way
from fairlead.domain.objects import ObjectRef
from fairlead.domain.run.watched import WatchedOwner
from fairlead.domain.scope import Scope
from fairlead.engine.clock import SystemClock
from fairlead.kube.client import MERGE_PATCH, JsonObject, KubeClient
from fairlead.kube.events import EventRecorder
from fairlead.kube.faults import NotFound
from fairlead.kube.lease import Lease, LeaseSettings
from fairlead.kube.ledger import Ledger
from fairlead.kube.lists import Lists
from fairlead.kube.store import KubeStore, object_path

Item = TypeVar("Item")

QUIET_SECONDS = 300
"""So long nobody leads after a success: time for the controllers to be ended."""
LOOK_SECONDS = 1.0
"""Between two looks at whether what was told to end has ended."""
PAGE_SIZE, METADATA_PAGE_SIZE = 50, 500                  # a script may have 1 MiB
AT_ONCE = 16
"""Writes in flight."""
ROUNDS = 3
"""Looks for finalizers that somebody put on meanwhile."""


class Policy(StrEnum):
    """What becomes of what runs."""

    REFUSE = "Refuse"
    ORPHAN = "Orphan"
    CANCEL = "Cancel"


class StillNeeded(FairleadError):
    """The controller is still needed; `why` says by what, a sentence for each. Nothing was taken away."""

    def __init__(self, message: str, why: Sequence[str]) -> None:
        super().__init__(message)
        self.why = tuple(why)


@dataclass(frozen=True, slots=True)
class LeftBehind:
    """What was done: Jobs handed over, finalizers taken off, and Jobs that wait and stay as they are."""

    handed_over: int
    taken_off: int
    waiting: int


class Uninstall:
    """One uninstallation of the installation in `namespace`."""

    def __init__(self, client: KubeClient, namespace: str, scope: Scope) -> None:
        self._client = client
        self._lists = Lists(client, scope)
        self._store = KubeStore(client, EventRecorder(client, KINDS, socket.gethostname()))
        self._ledger = Ledger(client, namespace, KINDS)
        settings = LeaseSettings(namespace, duration_seconds=QUIET_SECONDS)
        self._lease = Lease(client, settings, SystemClock(), f"fairlead-uninstall_{socket.gethostname()}")
        self._suspended = 0

    async def run(self, policy: Policy, seconds: float) -> LeftBehind | None:
        """Do it within so many seconds; None where our resources are not installed. Raises `StillNeeded`, `ApiFault`."""
        if not await self._is_there():
            return None
        try:
            async with asyncio.timeout(seconds):
                left = await self._run(policy)
        except TimeoutError:
            await self._lease.release()
            why = (await self._look()).busy
            raise StillNeeded(f"after {seconds:g} s not all is done that {policy} asks for{self._said_of_suspended()}", why) from None
        except BaseException:
            await self._lease.release()
            raise
        await self._lease.leave_to_nobody()
        return left

    async def _is_there(self) -> bool:
        """Whether the API server knows our kinds at all."""
        groups = await self._client.request("GET", "/apis")
        return any(each["name"] == names.GROUP for each in groups["groups"])

    async def _run(self, policy: Policy) -> LeftBehind:
        standing = await self._look()
        if policy is Policy.CANCEL and standing.busy:
            standing = await self._cancel(standing)
        if policy is not Policy.ORPHAN or standing.unreadable:
            _refuse_if_busy(standing)
        await self._lease.seize()
        standing = await self._look()
        if policy is not Policy.ORPHAN:
            _refuse_if_busy(standing)
        handed = await self._hand_over([job for job in standing.jobs if is_under_way(job)])
        taken_off = 0
        for _ in range(ROUNDS):
            taken_off += await self._take_off(standing.with_finalizer)
            standing = await self._look()
            if not standing.with_finalizer and not standing.unreadable:
                return LeftBehind(handed, taken_off, standing.waiting)
        raise StillNeeded("these still have our finalizer", [*(str(each.ref) for each in standing.with_finalizer), *standing.unreadable])

    async def _look(self) -> Standing:
        """Everything as it is now."""
        unreadable = list[str]()
        jobs = [job for kind in KINDS async for body in self._owners(kind)
                for job in _readable(_slim(kind, body), kind.read, unreadable) if job.has_finalizer or not job.ended]
        clusters = [cluster async for body in self._lists.objects(names.CLUSTER_PLURAL, "", PAGE_SIZE)
                    for cluster in _readable(body, read_cluster, unreadable)]
        unreadable += [f"namespace {each} may not be listed: name it no more if it is gone" for each in sorted(self._lists.dark)]
        return Standing(tuple(jobs), tuple(clusters), tuple(await self._ledger.list()), tuple(unreadable))

    async def _owners(self, kind: Kind[Any]) -> AsyncIterator[JsonObject]:
        """Those of a kind without the label of finished ones, and those with it that have our finalizer."""
        async for body in self._lists.objects(kind.plural, names.UNFINISHED_SELECTOR, PAGE_SIZE):
            yield body
        for found in await self._lists.metadata(kind.plural, names.FINISHED_SELECTOR, METADATA_PAGE_SIZE):
            if names.FINALIZER in (found.get("finalizers") or ()):
                ref = ObjectRef(kind.plural, found["namespace"], found["name"], found["uid"])
                with suppress(NotFound):
                    yield await self._client.request("GET", object_path(ref))

    async def _cancel(self, standing: Standing) -> Standing:
        """Suspend all Jobs, so that their controller ends what runs; what is left when that has an end, or none is to be had."""
        if not await self._lease.is_renewed():
            raise StillNeeded("no controller runs that could end this: start it, or use the policy Orphan", standing.busy)
        while True:
            await _each(standing.may_begin, self._suspend)
            if not standing.busy and not standing.may_begin:
                return standing
            await asyncio.sleep(LOOK_SECONDS)
            standing = await self._look()

    async def _suspend(self, job: WatchedOwner) -> None:
        marks = {"uid": job.ref.uid, "annotations": {names.SUSPENDED_ANNOTATION: "true"}}
        change = {"metadata": marks, "spec": {"suspend": True}}
        try:
            await self._client.request("PATCH", object_path(job.ref), body=change, content_type=MERGE_PATCH)
        except Conflict:             # gone, or another by now: the next look tells
            return
        self._suspended += 1

    def _said_of_suspended(self) -> str:
        return f" ({self._suspended} Jobs were suspended, and have the annotation {names.SUSPENDED_ANNOTATION})" if self._suspended else ""

    async def _hand_over(self, jobs: Sequence[WatchedOwner]) -> int:
        """Write down what goes on without us, all of it before any finalizer comes off; tell each Job."""
        wall = time.time()
        await self._ledger.add([handed_over(job, wall) for job in jobs])
        await _each(jobs, lambda job: self._store.record_event(job.ref, farewell(job)))
        return len(jobs)

    async def _take_off(self, objects: Sequence[WatchedOwner | Cluster]) -> int:
        await _each(objects, self._release)
        return len(objects)

    async def _release(self, each: WatchedOwner | Cluster) -> None:
        await self._store.release(each.ref, finished=isinstance(each, WatchedOwner) and each.ended)


async def _each(items: Sequence[Item], do: Callable[[Item], Awaitable[object]]) -> None:
    """Do it to all, some at a time."""
    for first in range(0, len(items), AT_ONCE):
        await asyncio.gather(*(do(item) for item in items[first:first + AT_ONCE]))


def _readable(body: JsonObject, read: Callable[[JsonObject], Item], unreadable: list[str]) -> tuple[Item, ...]:
    """The object as it is read. One that cannot be read, and has our finalizer, is told of."""
    try:
        return (read(body),)
    except UserFault as error:
        if names.FINALIZER in (body["metadata"].get("finalizers") or ()):
            unreadable.append(str(error))
        return ()


def _slim(kind: Kind[Any], body: JsonObject) -> JsonObject:
    """Without what it runs, which may be long."""
    return {**body, "spec": {name: value for name, value in body["spec"].items() if name not in kind.long_fields}}


def _refuse_if_busy(standing: Standing) -> None:
    if standing.busy:
        raise StillNeeded("the controller is still needed, so nothing was taken away", standing.busy)
