"""Leadership by a coordination.k8s.io Lease: one process at a time acts.

    waiting --(Lease missing, released, or unrenewed for its duration by our clock)--> ours --(somebody else has it)--> lost
                                                                                        |
                                                                                        release() on SIGTERM

Every write carries the resourceVersion it was decided on, so that two contenders cannot both succeed. `leads()` is true only until our
Lease may have run out, counted from *before* the renewal was sent, less a margin, by CLOCK_BOOTTIME and by the wall clock: a leader that
slept (laptop lid, SIGSTOP, a paused machine) sees that before it acts. It leads on after that only if its next renewal succeeds on the
resourceVersion that it wrote last: then nobody had the Lease in between. Another's renewals are timed by our clock, from when we saw them;
its timestamps are never compared with ours.
"""

import asyncio
import os
import random
import secrets
import socket
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar

import structlog

from fairlead.api.v1alpha1 import names
from fairlead.domain.errors import ApiFault, Conflict, Unavailable
from fairlead.kube.client import MERGE_PATCH, JsonObject, KubeClient, path_of
from fairlead.kube.faults import NotFound

T = TypeVar("T")

LOOKS = 4
"""Looks at another's Lease in the time of one renewal. A renewal counts from when it is seen: a dead leader is replaced so much later."""

NOBODY = "nobody-until-it-runs-out"
IDLE = (None, "", NOBODY)
"""Holders that do not act."""

_log = structlog.get_logger(__name__)


class LeaseClock(Protocol):
    """The two clocks a Lease is judged by."""

    def monotonic(self) -> float:
        """Seconds that count on during sleep."""
        ...

    def wall(self) -> float:
        """Epoch seconds."""
        ...


@dataclass(frozen=True, slots=True)
class LeaseSettings:
    """Where the Lease is and how long it lasts. Margin and interval together must stay below the duration."""

    namespace: str
    name: str = names.LEASE_NAME
    duration_seconds: int = 15       # client-go's values: 15, renewed well within 10
    renew_interval_seconds: float = 4.0
    margin_seconds: float = 3.0      # for clocks that do not run alike, and for an action that has just been begun
    annotations: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.renew_interval_seconds + self.margin_seconds >= self.duration_seconds:
            raise ValueError("A Lease must last longer than its renewal interval and its margin together")


@dataclass(frozen=True, slots=True)
class _Written:
    """Our last successful write, and until when it surely counts."""

    resource_version: str
    until_monotonic: float
    until_wall: float


@dataclass(frozen=True, slots=True)
class _Seen:
    """Another holder's Lease as last seen to change, by our clock."""

    resource_version: str
    at_monotonic: float


class Lease:
    """The engine's `Leadership` on the real API server. One use: acquire, then lost or released."""

    def __init__(self, client: KubeClient, settings: LeaseSettings, clock: LeaseClock, identity: str | None = None) -> None:
        self._client = client
        self._settings = settings
        self._clock = clock
        self.identity = identity or f"{socket.gethostname()}_{os.getpid()}_{secrets.token_hex(4)}"
        self._path = path_of("apis", "coordination.k8s.io", "v1", "namespaces", settings.namespace, "leases")
        self._written: _Written | None = None
        self._seen: _Seen | None = None
        self._lost = asyncio.Event()
        self._renewals: asyncio.Task[None] | None = None

    def leads(self) -> bool:
        """True while the Lease is surely ours, by both clocks."""
        written = self._written
        if written is None or self._lost.is_set():
            return False
        return self._clock.monotonic() < written.until_monotonic and self._clock.wall() < written.until_wall

    async def acquire(self) -> None:
        """Wait until the Lease is ours, then keep renewing it. API faults are waited out."""
        while True:
            try:
                wait_seconds = await self._bounded(self._try_to_take())
            except Conflict:
                wait_seconds = 0.0   # somebody was faster: look again
            except Unavailable as fault:
                _log.warning("lease_not_reachable", lease=self._settings.name, error=str(fault))
                wait_seconds = fault.retry_after_seconds or self._settings.renew_interval_seconds
            if self._written is not None:
                break
            pause_seconds = min(max(wait_seconds, 0.05), self._settings.renew_interval_seconds / LOOKS)
            await asyncio.sleep(pause_seconds * random.uniform(1.0, 1.2))  # noqa: S311  jitter, no secret
        self._begin_to_renew()

    async def seize(self) -> None:
        """Take the Lease from whoever holds it, and return when they surely act no more. Raises `ApiFault`.

        They see it at their next renewal; who cannot reach the API server stops when the time is over for which they had it.
        """
        seconds = 0.0
        while self._written is None:
            seconds = await self._bounded(self._try_to_seize())
        self._begin_to_renew()
        await asyncio.sleep(seconds)

    async def is_renewed(self) -> bool:
        """Whether somebody else holds the Lease now: looks on for as long as it lasts. Raises `ApiFault`."""
        first = await self._read()
        if first is None or first["spec"].get("holderIdentity") in IDLE:
            return False
        until = self._clock.monotonic() + float(first["spec"].get("leaseDurationSeconds") or 0)
        while self._clock.monotonic() < until:
            await asyncio.sleep(self._settings.renew_interval_seconds / LOOKS)
            now = await self._read()
            if now is None or now["spec"].get("holderIdentity") in IDLE:
                return False
            if now["metadata"]["resourceVersion"] != first["metadata"]["resourceVersion"]:
                return True
        return False

    async def lost(self) -> None:
        """Wait until somebody else may lead. The process must then end: it cannot lead again."""
        await self._lost.wait()

    async def leave_to_nobody(self) -> None:
        """Stop leading, and let nobody lead until the Lease has run out by itself; never raises."""
        await self._end(NOBODY)

    async def release(self) -> None:
        """Stop leading and let another start at once; never raises. Without an answer in time the Lease runs out by itself."""
        await self._end("")

    async def _end(self, holder: str) -> None:
        if self._renewals is not None:
            self._renewals.cancel()
            await asyncio.wait({self._renewals})
        written, self._written = self._written, None  # first of all we do not lead any more
        if written is None or self._lost.is_set():
            return
        try:
            await self._bounded(self._put(written.resource_version, holder=holder))
        except ApiFault as fault:
            _log.warning("lease_not_released", lease=self._settings.name, error=str(fault))

    def _begin_to_renew(self) -> None:
        _log.info("lease_acquired", lease=self._settings.name, identity=self.identity)
        self._renewals = asyncio.create_task(self._keep(), name="lease")
        self._renewals.add_done_callback(self._ended)

    async def _keep(self) -> None:
        interval_seconds = wait_seconds = self._settings.renew_interval_seconds
        while not self._lost.is_set():
            await asyncio.sleep(wait_seconds)
            wait_seconds = interval_seconds
            try:
                await self._bounded(self._renew())
            except ApiFault as fault:
                wait_seconds = interval_seconds / 4
                # not lost: nobody can take it before it has run out, and leads() says no from then on
                _log.warning("lease_not_renewed", lease=self._settings.name, error=str(fault))

    async def _renew(self) -> None:
        """Write a renewal on our last version. Whoever else holds the Lease now: it is lost."""
        if self._written is None:
            return
        try:
            await self._take(self._written.resource_version)
        except Conflict:
            lease = await self._read() or {"metadata": {}, "spec": {}}
            if lease["spec"].get("holderIdentity") != self.identity:
                self._lost.set()
                _log.error("lease_lost", lease=self._settings.name, holder=lease["spec"].get("holderIdentity"))
                return
            # our own write whose answer was lost, or a foreign edit of something else: still ours
            await self._take(lease["metadata"]["resourceVersion"])

    async def _try_to_take(self) -> float:
        """Take the Lease if it is free; else say in how many seconds to look again."""
        lease = await self._read()
        if lease is None:
            await self._take(None)
            return 0.0
        spec, version = lease["spec"], str(lease["metadata"]["resourceVersion"])
        holder = spec.get("holderIdentity")
        if holder and holder != self.identity:
            now = self._clock.monotonic()
            if self._seen is None or self._seen.resource_version != version:
                self._seen = _Seen(version, now)
            remaining_seconds = self._seen.at_monotonic + float(spec.get("leaseDurationSeconds") or 0) - now
            if remaining_seconds > 0:
                return remaining_seconds
        await self._take(version, transitions=int(spec.get("leaseTransitions") or 0) + 1)
        return 0.0

    async def _try_to_seize(self) -> float:
        """Take the Lease, whoever has it; for how many seconds they may still act. Not taken: they wrote in between."""
        lease = await self._read()
        try:
            if lease is None:
                await self._take(None)
                return 0.0
            spec = lease["spec"]
            await self._take(str(lease["metadata"]["resourceVersion"]), transitions=int(spec.get("leaseTransitions") or 0) + 1)
        except Conflict:
            return 0.0
        return 0.0 if spec.get("holderIdentity") in IDLE else float(spec.get("leaseDurationSeconds") or 0)

    async def _read(self) -> JsonObject | None:
        """The Lease as it is; None if there is none."""
        try:
            lease = await self._client.request("GET", f"{self._path}/{self._settings.name}")
        except NotFound:
            return None
        return {**lease, "spec": lease.get("spec") or {}}

    async def _take(self, resource_version: str | None, transitions: int | None = None) -> None:
        """Create or overwrite the Lease with us as holder. Time counts from before the request."""
        lasts_seconds = self._settings.duration_seconds - self._settings.margin_seconds
        until_monotonic, until_wall = self._clock.monotonic() + lasts_seconds, self._clock.wall() + lasts_seconds
        lease = await self._put(resource_version, holder=self.identity, transitions=transitions)
        self._written = _Written(str(lease["metadata"]["resourceVersion"]), until_monotonic, until_wall)

    async def _put(self, resource_version: str | None, *, holder: str, transitions: int | None = None) -> JsonObject:
        now = datetime.fromtimestamp(self._clock.wall(), UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        spec: dict[str, Any] = {
            "holderIdentity": holder, "leaseDurationSeconds": self._settings.duration_seconds, "renewTime": now,
        }
        if transitions is not None or resource_version is None:
            spec |= {"acquireTime": now, "leaseTransitions": transitions or 0}
        if resource_version is None:
            metadata = {"name": self._settings.name, "annotations": dict(self._settings.annotations)}
            lease = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": spec}
            try:
                return await self._client.request("POST", self._path, body=lease)
            except NotFound as error:
                raise Unavailable(f"The namespace {self._settings.namespace} for the Lease does not exist") from error
        change = {"metadata": {"resourceVersion": resource_version, "annotations": dict(self._settings.annotations)}, "spec": spec}
        return await self._client.request(
            "PATCH", f"{self._path}/{self._settings.name}", body=change, content_type=MERGE_PATCH,
        )

    async def _bounded(self, work: Coroutine[Any, Any, T]) -> T:
        """Give up on a call that hangs before the next one is due. Raises `Unavailable`."""
        try:
            async with asyncio.timeout(self._settings.renew_interval_seconds):
                return await work
        except TimeoutError as error:
            raise Unavailable(f"lease {self._settings.name}: no answer within {self._settings.renew_interval_seconds:g} s") from error

    def _ended(self, renewals: asyncio.Task[None]) -> None:
        """A renewal loop that broke renews nothing: say so to whoever waits in `lost`."""
        if not renewals.cancelled() and (error := renewals.exception()):
            self._lost.set()
            _log.error("lease_renewal_broke", lease=self._settings.name, error=repr(error))
