"""What a site starts at the far end, and when the next is due: submissions, cancellations, burials, polls and sweeps."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from fairlead.domain.cluster.cluster import Cluster
from fairlead.domain.pacing import Now
from fairlead.domain.run.owner import RunOwner
from fairlead.domain.run.steps import Bury, Cancel, Rest, Step, Submit, Watch, wakes_at
from fairlead.domain.run.watched import WatchedOwner
from fairlead.engine.context import Overseer, SiteContext
from fairlead.engine.far_end.exchanges import Exchanges, Work
from fairlead.engine.far_end.lanes import Lanes
from fairlead.engine.far_end.listening import Listening
from fairlead.engine.site.limits import Bucket
from fairlead.engine.site.polls import PollPace


class Starter(Overseer, Protocol):
    """The site for which something is started."""

    @property
    def cluster(self) -> Cluster:
        """The Cluster as it is known now."""
        ...

    @property
    def is_cleaning(self) -> bool:
        """Whether what is left of anything is being cleaned up."""
        ...

    def wake(self) -> None:
        """Something changed: look at it at once."""
        ...


class Starts:
    """Those of one site. What is started wakes it when it is done."""

    def __init__(self, work: Work, context: SiteContext, site: Starter) -> None:
        cluster, clock = site.cluster, work.world.clock
        self._work = work
        self._context = context
        self._site = site
        self._world = work.world
        self._settings = work.world.settings
        self.lanes = Lanes(clock, self._lane_done)
        self._exchanges = Exchanges(work, self.lanes)
        self._listening = Listening(work, self._called, site.wake)
        self._bucket = Bucket.of(cluster.spec.limits, clock.monotonic())
        self._pace = _pace_of(cluster)
        self._touched_at = clock.monotonic()
        self._swept_at = self._sweep_at = float("-inf")

    def changed(self, cluster: Cluster) -> None:
        """The Cluster's spec was changed: what was started goes on."""
        self._pace = replace(_pace_of(cluster), began=self._pace.began)
        self._bucket = self._bucket.after(cluster.spec.limits, self._world.clock.monotonic())

    def sweep_now(self) -> None:
        """The next look starts a sweep."""
        self._sweep_at = self._world.clock.monotonic()

    async def close(self) -> None:
        """Give up what is in flight."""
        await self._listening.close()
        await self.lanes.close()

    def start(self, steps: Sequence[tuple[RunOwner, Step]]) -> float:
        """Start what the lanes have room for; when the next look is due (monotonic)."""
        now = self._world.now()
        submits = [(job, step) for job, step in steps if isinstance(step, Submit) and isinstance(job, WatchedOwner)]
        cancels = [(job, step) for job, step in steps if isinstance(step, Cancel)]
        burials = [job for job, step in steps if isinstance(step, Bury)]
        watched = [(job, step) for job, step in steps if isinstance(step, Watch)]
        if submits and self.lanes.is_free("submit") and not self._work.link.full:
            batch = submits[:self._bucket.allows(now.monotonic)][:self._settings.submit_batch]
            if batch:
                self._bucket = self._bucket.taken(len(batch), now.monotonic)
                self._exchanges.submit(batch)
        if self.lanes.is_free("cancel"):
            if cancels:
                self._exchanges.cancel(cancels[:self._settings.cancel_batch])
            elif burials:
                self._exchanges.bury(burials[:self._settings.bury_batch])
        due = min(self._poll(watched), self._sweep())
        rests = [step.at for _, step in steps if isinstance(step, Rest) and step.at is not None]
        waits = [job for job, step in steps if isinstance(step, Watch | Rest)]
        moments = [self._wakes_at(job, now) for job in waits]
        if submits and self._work.link.full:
            moments.append(self._work.link.looks_again_at)
        elif submits and self.lanes.is_free("submit"):
            moments.append(self._bucket.next_at(now.monotonic))
        return min([due, *rests, *moments])

    def _wakes_at(self, job: RunOwner, now: Now) -> float:
        def moment() -> float:
            return wakes_at(job, self._work.writer.memory(job), now, self._settings.pacing)

        return self._work.writer.mishaps.ask(job, "followed", moment, float("inf"))

    def _sweep(self) -> float:
        """Start the sweep if it is due: after a start, then seldom; when the next is."""
        now, last = self._world.clock.monotonic(), self._work.link.health.sweep
        if not self.lanes.is_free("sweep"):
            return now + self._settings.idle_seconds
        if not self._context.debts.known:       # what is in the ledger is not suspicious
            return now + self._settings.first_ledger_seconds
        if last is not None and last.ruling.by_agreement and not self._site.is_cleaning:   # done: see soon that the agreement is used up
            self._sweep_at = min(self._sweep_at, self._swept_at + self._settings.pacing.ask_again_seconds)
        if now >= self._sweep_at:
            self._swept_at, self._sweep_at = now, now + self._settings.sweep_seconds
            self._exchanges.sweep(lambda removed: self._context.swept(self._site, removed))
        return self._sweep_at

    def _poll(self, watched: list[tuple[RunOwner, Watch]]) -> float:
        """Start the poll if it is due; when the next is."""
        if not self.lanes.is_free("observe"):
            return self._world.clock.monotonic() + self._settings.idle_seconds
        now = self._world.clock.monotonic()
        if watched and self._pace.interval > self._settings.listening.above_seconds:
            self._listening.listen()
        pace = self._pace if watched or self._is_in_trouble else replace(self._pace, interval=self._pace.longest)
        due = pace.due(self._world.jitter())
        if due > now:
            return due
        self._pace = self._pace.started(now)
        touch = now - self._touched_at >= self._settings.touch_seconds
        if touch:
            self._touched_at = now
        self._exchanges.observe(watched, touch=touch)
        return now + self._settings.idle_seconds

    @property
    def _is_in_trouble(self) -> bool:
        """Whether something is wrong with it that the next poll may see mended."""
        return self._work.link.health.trouble is not None and not self._work.link.full

    def _lane_done(self, lane: str, changed: bool) -> None:
        if lane == "observe":
            self._listening.saw(changed=changed)
        if lane == "cancel" and changed:
            self._pace = self._pace.called()
        elif lane == "observe" or changed:
            self._pace = self._pace.after(changed=changed or self._is_in_trouble, is_called=self._listening.is_proven)
        self._site.wake()

    def _called(self) -> None:
        """A Run has begun or ended."""
        self._pace = self._pace.called()
        self._site.wake()


def _pace_of(cluster: Cluster) -> PollPace:
    return PollPace.of(cluster.spec.polling.interval_seconds, cluster.spec.polling.max_interval_seconds)
