"""What goes through the lanes of a site: batches for the far end, and what their answers change."""

from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from fairlead.api.v1alpha1.reasons import ClusterReason, JobReason
from fairlead.domain.errors import ApiFault, FairleadError, Unanswered, UserFault
from fairlead.domain.run import settle
from fairlead.domain.run.answers import CancelAnswer, SubmitAnswer, SubmitWord
from fairlead.domain.run.memory import Buried, Closing
from fairlead.domain.run.news import Waiting
from fairlead.domain.run.observation import Observation
from fairlead.domain.run.owner import RunOwner
from fairlead.domain.run.request import Submission
from fairlead.domain.run.run import RunKey, StopWord
from fairlead.domain.run.steps import Cancel, Submit, Watch
from fairlead.domain.run.token import NotYet
from fairlead.domain.run.watched import WatchedOwner
from fairlead.engine.far_end.lanes import Lanes
from fairlead.engine.far_end.link import Link
from fairlead.engine.far_end.scripts import request_of
from fairlead.engine.ports import World
from fairlead.engine.writer import Writer
from fairlead.schedulers.seam import Cancellation, Driver, Query, Removal, Removed
from fairlead.telemetry import metrics


@dataclass(frozen=True, slots=True)
class Work:
    """What the exchanges of one site work with. `current` gives an owner as it is known now, None once it has left."""

    world: World
    link: Link
    writer: Writer
    current: Callable[[str], RunOwner | None]
    driver: Callable[[], Driver]


class Exchanges:
    """Starts execs in `lanes`, and settles their answers."""

    def __init__(self, work: Work, lanes: Lanes) -> None:
        self._work = work
        self.lanes = lanes
        self._later: frozenset[RunKey] = frozenset()         # what the last poll had no time for

    def submit(self, items: Sequence[tuple[WatchedOwner, Submit]]) -> None:
        """Start the submit lane."""
        self.lanes.start("submit", self._submit(items), (job for job, _ in items))

    def cancel(self, items: Sequence[tuple[RunOwner, Cancel]]) -> None:
        """Start the cancel lane with cancels."""
        self.lanes.start("cancel", self._cancel(items), (job for job, _ in items))

    def bury(self, jobs: Sequence[RunOwner]) -> None:
        """Start the cancel lane with burials."""
        self.lanes.start("cancel", self._bury(jobs), jobs)

    def observe(self, items: Sequence[tuple[RunOwner, Watch]], *, touch: bool) -> None:
        """Start the observe lane; its Jobs stay free for the others."""
        self.lanes.start("observe", self._observe(items, touch))

    def sweep(self, found: Callable[[Removed], Coroutine[Any, Any, Sequence[RunKey]]]) -> None:
        """List everything that the tree holds, and hand it to `found`; the directories that this names go down to tombstones."""
        self.lanes.start("sweep", self._sweep(found))

    async def _submit(self, items: Sequence[tuple[WatchedOwner, Submit]]) -> bool:
        work, mishaps = self._work, self._work.writer.mishaps
        prepared = await mishaps.each("prepared", ((job, self._prepared(job, step)) for job, step in items))
        submissions = [(job, submission) for job, submission in prepared if submission is not None]
        tree = work.link.tree
        if not submissions or tree is None or not work.world.leadership.leads():
            return False
        for job, _ in submissions:
            work.writer.remember(job, work.writer.memory(job).somewhere)
        answers: dict[RunKey, SubmitAnswer] = {}

        async def hand_in(part: Sequence[tuple[WatchedOwner, Submission]]) -> None:
            exchange = work.driver().scheduler.submit(work.world.token(), tree, [submission for _, submission in part])
            with work.world.journeys.step("hand in", *(job.ref.uid for job, _ in part)):
                answered = await work.link.exchange(exchange)
            answers.update(answered)
            for each in answered.values():
                metrics.submission_answered.labels(each.word).inc()

        jobs = [job for job, _ in submissions]
        try:
            await mishaps.in_parts("submitted", submissions, hand_in)
        except FairleadError as error:
            await self._settle_submits(jobs, answers, f"the answer of a submission was lost: {error}")
            raise
        lost = next((each.text for each in answers.values() if each.word is SubmitWord.NO_TREE), None)
        if lost is not None:
            work.link.failed(Unanswered(lost, ClusterReason.WORK_DIR_NOT_OURS))
        await self.lanes.leave("submit")
        await self._settle_submits(jobs, answers, "the cluster gave no answer for this attempt")
        return True

    async def _settle_submits(self, jobs: Iterable[WatchedOwner], answers: Mapping[RunKey, SubmitAnswer], silence: str) -> None:
        work = self._work
        turn = work.world.turn

        async def one(old: WatchedOwner) -> None:
            job = work.current(old.ref.uid)
            if not isinstance(job, WatchedOwner) or job.key != old.key or job.ended:
                return
            if job.key not in answers and work.writer.rests_until(job):
                return
            answer = answers.get(job.key, SubmitAnswer(SubmitWord.UNKNOWN, text=silence))
            await work.writer.apply(job, settle.submitted(job, work.writer.memory(job), answer, turn))

        await work.writer.mishaps.each("followed after its submission", ((job, one(job)) for job in jobs))

    async def _prepared(self, job: WatchedOwner, step: Submit) -> tuple[WatchedOwner, Submission | None]:
        """What to submit, or None after the Job was told what is wrong with it."""
        work = self._work
        memory, now = work.writer.memory(job), work.world.now()
        try:
            with work.world.journeys.step("prepare", job.ref.uid):
                submission = work.driver().preparer.prepare(await request_of(job, work.world))
            return job, replace(submission, resubmit=step.resubmit, previous_is_lost=step.previous_is_lost)
        except NotYet as error:
            later = memory.later(now, work.world.settings.pacing.ask_again_seconds)
            outcome = settle.Outcome(later, Waiting(error.reason, str(error)))
        except UserFault as error:   # an earlier release may have submitted it all the same: close the attempt first
            outcome = settle.Outcome(replace(memory, closing=Closing(JobReason.INVALID_SCRIPT, str(error), refused=True)))
        except ApiFault:
            outcome = settle.Outcome(memory.later(now, work.world.settings.pacing.ask_again_seconds))
        await work.writer.apply(job, outcome)
        return job, None

    async def _cancel(self, items: Sequence[tuple[RunOwner, Cancel]]) -> bool:
        work = self._work
        tree = work.link.tree
        if tree is None or not work.world.leadership.leads():
            return False

        async def tell(part: Sequence[tuple[RunOwner, Cancel]]) -> None:
            cancellations = [Cancellation(key, step.phase, step.only_ids, step.why) for _, step in part for key in step.keys]
            answers = await work.link.exchange(work.driver().scheduler.cancel(work.world.token(), tree, cancellations))
            settling = ((job, self._cancelled(job, step, answers)) for job, step in part)
            await work.writer.mishaps.each("followed after it was told to end", settling)

        await work.writer.mishaps.in_parts("cancelled", items, tell)
        return True

    async def _cancelled(self, old: RunOwner, step: Cancel, answers: Mapping[RunKey, CancelAnswer]) -> None:
        work = self._work
        job, turn = work.current(old.ref.uid), work.world.turn
        if job is None or job.key != old.key or job.ended:
            return
        memory = work.writer.memory(job)
        if step.why is StopWord.DELETE:
            await work.writer.apply(job, settle.cancel_asked(job, memory, step, answers, turn))
        elif isinstance(job, WatchedOwner) and not job.deleting:
            answer = answers.get(job.key, CancelAnswer(False, text="no answer for this key"))
            await work.writer.apply(job, settle.cancelled(job, memory, step, answer, turn))

    async def _bury(self, jobs: Sequence[RunOwner]) -> bool:
        work = self._work
        tree = work.link.tree
        if tree is None or not work.world.leadership.leads():
            return False

        async def bury(part: Sequence[tuple[RunOwner]]) -> None:
            keys = [key for (job,) in part for key in job.keys]
            removed = await work.link.exchange(work.driver().scheduler.remove(work.world.token(), tree, Removal(keys)))
            for (job,) in part:
                memory = work.writer.memory(job)
                done = all(key in removed.keys for key in job.keys)
                later = memory.later(work.world.now(), work.world.settings.pacing.ask_again_seconds)
                work.writer.remember(job, memory.at(Buried(memory.unaccounted)) if done else later)

        await work.writer.mishaps.in_parts("buried", [(job,) for job in jobs], bury)
        return False                     # there is nothing more to be seen of them

    async def _sweep(self, found: Callable[[Removed], Coroutine[Any, Any, Sequence[RunKey]]]) -> bool:
        work = self._work
        tree, scheduler = work.link.tree, work.driver().scheduler
        if tree is None or not work.world.leadership.leads():
            return False
        strays = await found(await work.link.exchange(scheduler.remove(work.world.token(), tree, Removal((), sweep=True))))
        if strays and work.world.leadership.leads():
            await work.link.exchange(scheduler.remove(work.world.token(), tree, Removal(strays)))
        return False

    async def _observe(self, items: Sequence[tuple[RunOwner, Watch]], touch: bool) -> bool:
        work = self._work
        tree = work.link.tree
        if tree is None:
            return False
        changed: list[bool] = []
        first = work.world.clock.monotonic()
        before, self._later = self._later, frozenset()

        async def look(part: Sequence[tuple[RunOwner, Watch]]) -> None:
            wanted = {key: job.run_id if key == job.key else "" for job, step in part for key in step.keys}
            query = Query(wanted, touch, work.link.look_seconds)
            began = work.world.clock.monotonic()
            observation = await work.link.poll(work.driver().scheduler.observe(work.world.token(), tree, query))
            self._later |= observation.later & wanted.keys()
            seen = ((job, self._observed(job, observation, began)) for job, step in part if observation.later.isdisjoint(step.keys))
            changed.extend(await work.writer.mishaps.each("followed", seen))

        ordered = sorted(items, key=lambda item: before.isdisjoint(item[1].keys))    # who had to wait comes first
        await work.writer.mishaps.in_parts("looked at on the cluster", ordered, look)
        self.lanes.forget_before(first)
        return any(changed) or bool(self._later)

    async def _observed(self, old: RunOwner, observation: Observation, began: float) -> bool:
        """Whether anything has changed. What was seen counts only for a Job that no other lane had since."""
        work = self._work
        job = work.current(old.ref.uid)
        if job is None or job.key != old.key or job.ended or work.writer.rests_until(job):
            return False
        if self.lanes.was_busy_since(job.ref.uid, began):
            return False
        memory, turn = work.writer.memory(job), work.world.turn
        if job.deleting or not isinstance(job, WatchedOwner):
            after = settle.cancel_observed(job, memory, observation, began)
            work.writer.remember(job, after)
            await work.writer.apply(job, settle.cancel_outlasted(job, after, observation, turn))
            return after != memory
        outcome = settle.observed(job, memory, observation, turn)
        applied = await work.writer.apply(job, outcome)
        return applied.changed or outcome.memory.plan != memory.plan
