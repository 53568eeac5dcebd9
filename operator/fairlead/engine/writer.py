"""Writes outcomes to the API server: one status write at most, then Events. What a failed write was about is decided again."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace

import structlog

from fairlead.api.v1alpha1.meta import OwnerStatus
from fairlead.domain.errors import ApiFault, Conflict, Unavailable
from fairlead.domain.kinds import Report
from fairlead.domain.objects import EventNote
from fairlead.domain.run.memory import Memory
from fairlead.domain.run.news import Begun, Beset, DeletionWaits, Waiting
from fairlead.domain.run.owner import RunOwner
from fairlead.domain.run.settle import Outcome
from fairlead.domain.run.watched import WatchedOwner
from fairlead.engine.failures.mishaps import Mishaps, Said
from fairlead.engine.failures.pauses import REFUSALS, Pauses, is_refusal
from fairlead.engine.ports import World
from fairlead.engine.registry import Registry
from fairlead.telemetry import metrics

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of an outcome: whether all of it is done, and whether it changed the status, or would have."""

    done: bool = True
    changed: bool = False


class Writer:
    """The writes of one site, a bounded number in flight; and the memories of its Jobs, which change only once the write has succeeded.

    `mishaps` are those of its Jobs. `went_on` is called after each write: many take long, and each is a sign of life.
    """

    def __init__(self, world: World, registry: Registry, went_on: Callable[[], None] = lambda: None) -> None:
        self._world = world
        self._registry = registry
        self._went_on = went_on
        self._slots = asyncio.Semaphore(world.settings.api_writes)
        self._memories: dict[str, Memory] = {}
        self._pauses = Pauses(world)
        self._writing: dict[str, asyncio.Event] = {}     # by uid: the status is being written; set once it is
        self.mishaps = Mishaps(world.clock, world.settings.pauses)

    def rests_until(self, job: RunOwner) -> float | None:
        """Until when nothing is to be done for a Job (monotonic), since something went wrong with it; None: it does not rest."""
        until = max(self.mishaps.rests_until(job) or 0.0, self._pauses.ends(job.ref.uid))
        return until if until > self._world.clock.monotonic() else None

    def is_at_rest(self, job: RunOwner) -> bool:
        """Whether nothing is to be done for a Job now: something went wrong with it, or it is asked about again only later."""
        return self._world.clock.monotonic() < self.memory(job).retry_at or self.rests_until(job) is not None

    def memory(self, job: RunOwner) -> Memory:
        """What is remembered of the Job's current attempt."""
        return self._memories.get(job.ref.uid, Memory(job.key.attempt)).of(job.key.attempt)

    def remember(self, job: RunOwner, memory: Memory) -> None:
        """Change a memory without a write."""
        self._memories[job.ref.uid] = memory

    def forget(self, uid: str) -> None:
        """The Job is no longer ours to watch."""
        self._memories.pop(uid, None)
        self._pauses.taken(uid)
        self.mishaps.forget(uid)

    def keep(self, is_known: Callable[[str], bool]) -> None:
        """Forget the Jobs that nobody knows any more: they may have left without our doing."""
        for uid in {*self._memories, *self._pauses.uids, *self.mishaps.uids}:
            if not is_known(uid):
                self.forget(uid)

    async def apply(self, job: RunOwner, outcome: Outcome) -> Applied:
        """Write what follows from an answer. What is told of one that has left is only remembered."""
        if not isinstance(job, WatchedOwner) or self._registry.job(job.ref.uid) is None:
            self.remember(job, outcome.memory)
            return Applied()
        now = self._world.now()
        told = self._world.kinds.of(job).report(job, outcome.news, now) if outcome.news else Report()
        if told.status is not None and not await self._is_written(job, told.status):
            return Applied(done=False, changed=True)
        self.remember(job, outcome.memory if told.status is None else outcome.told(now))
        await self._tell(job, told.events)
        return Applied(changed=told.status is not None)

    async def tell_waiting(self, job: WatchedOwner, told: Waiting | DeletionWaits) -> None:
        """Tell a Job what it waits for, unless it is at rest: then that, too, can wait."""
        if not self.is_at_rest(job):
            await self.apply(job, Outcome(self.memory(job), told))

    async def tell(self, uid: str, told: Callable[[WatchedOwner], Report]) -> None:
        """Write what is told of an object as it is once nothing of it is being written: what others have said meanwhile stays."""
        while before := self._writing.get(uid):
            await before.wait()
        job = self._registry.job(uid)
        if job is None or job.ended:
            return
        report = told(job)
        if report.status is None or await self._is_written(job, report.status):
            await self._tell(job, report.events)

    async def tell_mishaps(self, is_busy: Callable[[str], bool] = lambda _uid: False) -> None:
        """Say in the conditions of the Jobs that rest by a mishap why they do. Who `is_busy`, by uid, is told later."""
        await asyncio.gather(*(self._tell_mishap(uid, said, is_busy) for uid, said in self.mishaps.take_untold().items()))

    async def _tell_mishap(self, uid: str, said: Said, is_busy: Callable[[str], bool]) -> None:
        job = self._registry.job(uid)
        if job is None or job.ended:
            return
        if is_busy(uid) or uid in self._writing:
            self.mishaps.tell_again(uid, said)
            return
        try:
            told = self._world.kinds.of(job).report(job, Beset(said.reason, said.message), self._world.now())
            if told.status is not None:
                await self._write(job, told.status)
        except ApiFault as error:        # a policy may refuse the status and take an Event
            log.warning("mishap_not_told", job=str(job.ref), error=str(error))
            if not isinstance(error, Conflict) and not error.unanswered:
                await self._tell(job, (EventNote("Warning", said.reason, said.message, "Write"),))
        except Exception as error:   # noqa: BLE001  nothing is left to tell it by but the log
            log.warning("mishap_not_told", job=str(job.ref), error=str(error))

    async def _is_written(self, job: WatchedOwner, status: OwnerStatus) -> bool:
        """Write the whole status; whether that was done, or else the Job waits."""
        try:
            await self._write(job, status)
        except ApiFault as error:
            self._failed(job, error)
            return False
        self._pauses.taken(job.ref.uid)
        return True

    async def _write(self, job: WatchedOwner, status: OwnerStatus) -> None:
        """Write the whole status, once what is being written of the same Job is there: the last one counts. Raises `ApiFault`."""
        uid = job.ref.uid
        while before := self._writing.get(uid):
            await before.wait()
        body = status.model_dump(mode="json", by_alias=True, exclude_none=True)
        written = self._writing[uid] = asyncio.Event()
        try:
            with self._world.journeys.step("write status", uid):
                async with self._slots:
                    version = await self._world.store.write_status(job.ref, body, expected_attempt=job.written_attempt)
        finally:
            del self._writing[uid]
            written.set()
            self._went_on()
        self._registry.job_written(job, int(version), status=status)
        self._count(job, status)

    async def take_up(self, job: WatchedOwner, host: str = "") -> bool:
        """Put the finalizer on and write the intent of the first attempt, with its bare host, if there are any; whether both are there.

        The intent is what counts: the finalizer may have been put on by anybody.
        """
        with self._world.journeys.step("take up", job.ref.uid):
            return await self._take_up(job, host)

    async def _take_up(self, job: WatchedOwner, host: str) -> bool:
        if not job.has_finalizer:
            try:
                async with self._slots:
                    version = await self._world.store.add_finalizer(job.ref, host=host)
                self._went_on()
            except ApiFault as error:
                self._failed(job, error)
                return False
            self._registry.job_written(job, int(version), has_finalizer=True)
            self._pauses.taken(job.ref.uid)
        if job.is_begun:
            return True
        return (await self.apply(job.given(host), Outcome(self.memory(job), Begun()))).done

    async def release(self, job: RunOwner, *, finished: bool) -> bool:
        """Take the finalizer off; whether it is off."""
        if self._registry.job(job.ref.uid) is not None:
            try:
                async with self._slots:
                    await self._world.store.release(job.ref, finished=finished)
                self._went_on()
            except ApiFault as error:
                self._failed(job, error)
                return False
            self._registry.drop_job(job.ref.uid, released=True)
        self.forget(job.ref.uid)
        return True

    async def _tell(self, job: WatchedOwner, events: tuple[EventNote, ...]) -> None:
        for event in events:
            log.info("told", job=str(job.ref), key=str(job.key), attempt=job.key.attempt, reason=str(event.reason), said=event.message)
            async with self._slots:
                await self._world.store.record_event(job.ref, event)
            self._went_on()
            metrics.event_recorded.labels(event.type).inc()

    def _count(self, job: WatchedOwner, status: OwnerStatus) -> None:
        """Count what a status that was just written says for the first time."""
        metrics.status_written.labels(job.kind, "ok").inc()
        cluster, uid, key, now = self._registry.cluster_named(job.cluster), job.ref.uid, str(job.key), replace(job, status=status)
        scheduler, of_kind = cluster.spec.type if cluster else metrics.OTHER, metrics.of_kind(job.ref.plural, job.kind)
        if now.run_id and not job.run_id:
            metrics.job_submitted.inc()
            if (seconds := self._world.journeys.arrived(uid, key, scheduler)) is not None:
                of_kind.handed_in.labels(scheduler).observe(seconds)
        if now.ended and not job.ended:
            of_kind.ended.labels(now.end_reason).inc()
            if now.script_ended_at is not None:
                of_kind.end_seen.observe(max(self._world.clock.wall() - now.script_ended_at, 0.0))
            self._world.journeys.ended(uid, key, scheduler, now.end_reason)

    def _failed(self, job: RunOwner, error: ApiFault) -> None:
        """The Job waits, longer each time; what no later try alone would mend, for longest."""
        metrics.status_written.labels(job.kind, "conflict" if isinstance(error, Conflict) else "unavailable").inc()
        times = self._pauses.not_taken(job.ref.uid, error)
        if is_refusal(error, times):
            self.mishaps.note(job, "written down", error)
            return
        if isinstance(error, Unavailable) and times == REFUSALS and not error.unanswered:
            self.mishaps.tell(job, "written down", error)    # such as a webhook that is down; what it lets pass later is done soon
        whose = {"job": str(job.ref), "key": str(job.key), "attempt": job.key.attempt}
        log.info("write_not_done", **whose, stale=isinstance(error, Conflict), error=str(error))
