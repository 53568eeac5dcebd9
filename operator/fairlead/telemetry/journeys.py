"""The way of each Job from `kubectl apply` to its scheduler's id: how long it takes, and by which steps, for metrics and traces.

    begin -> step, step in step ... -> arrived   (or: ended without an id, left)

Without a `sink` for the steps only the beginning is kept, a number for each Job that has no id yet.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

MOST_STEPS = 200
"""Of one Job: a refused one is tried again for days. Those after it are left out, and counted."""


@dataclass(eq=False, slots=True)
class JourneyStep:
    """One step on the way, of one Job or of several that go together. Times are monotonic seconds."""

    name: str
    began: float
    parent: "JourneyStep | None"
    jobs: int = 1
    ended: float = 0.0
    outcome: str = "failed"
    travellers: tuple["Journey", ...] = ()


@dataclass(slots=True)
class Journey:
    """One Job's way. `key` names its Run, `outcome` is `ok` for an id, else why there is none.

    Times are monotonic seconds; with `offset` they are epoch seconds.
    """

    began: float
    steps: list[JourneyStep] = field(default_factory=list)
    left_out: int = 0
    ended: float = 0.0
    offset: float = 0.0
    key: str = ""
    scheduler: str = ""
    outcome: str = "ok"

    def add(self, step: JourneyStep) -> None:
        """Keep a step, within bounds."""
        if len(self.steps) < MOST_STEPS:
            self.steps.append(step)
        else:
            self.left_out += 1


Sink = Callable[[Journey], None]
_current: ContextVar[JourneyStep | None] = ContextVar("step", default=None)


class Journeys:
    """The ways of all Jobs without an id, by uid. `sink` is given each that is over, and must not wait."""

    def __init__(
        self, sink: Sink | None = None, monotonic: Callable[[], float] = time.monotonic, wall: Callable[[], float] = time.time,
    ) -> None:
        self._sink, self._monotonic, self._wall = sink, monotonic, wall
        self._journeys: dict[str, Journey] = {}

    def __len__(self) -> int:
        return len(self._journeys)

    def begin(self, uid: str, age_seconds: float = 0.0) -> None:
        """A Job wants to be handed in, for so long already; no change if that is known."""
        if uid not in self._journeys:
            self._journeys[uid] = Journey(self._monotonic() - age_seconds)

    def forget(self, uid: str) -> None:
        """It wants that no more, or has left."""
        self._journeys.pop(uid, None)

    @contextmanager
    def step(self, name: str, *uids: str) -> Iterator[None]:
        """A step of these Jobs, as far as they are on their way, within the step that surrounds it."""
        travellers = tuple(self._journeys[uid] for uid in uids if uid in self._journeys) if self._sink else ()
        if not travellers:
            yield
            return
        step = JourneyStep(name, self._monotonic(), _current.get(), len(uids), travellers=travellers)
        for each in travellers:
            each.add(step)
        token = _current.set(step)
        try:
            yield
            step.outcome = "ok"
        finally:
            step.ended = self._monotonic()
            _current.reset(token)

    def passed(self, name: str, outcome: str, seconds: float) -> None:
        """A step inside the one that surrounds this, which took so long and is over."""
        surrounding = _current.get()
        if surrounding is None:
            return
        now = self._monotonic()
        step = JourneyStep(name, now - seconds, surrounding, surrounding.jobs, now, outcome)
        for each in surrounding.travellers:
            each.add(step)

    def arrived(self, uid: str, key: str, scheduler: str) -> float | None:
        """The id is in the Job's status: how long that took, in seconds; None if nobody knows since when it wanted one."""
        journey = self._journeys.pop(uid, None)
        if journey is None:
            return None
        seconds = self._monotonic() - journey.began
        self._over(journey, key, scheduler, "ok")
        return seconds

    def ended(self, uid: str, key: str, scheduler: str, why: str) -> None:
        """The Job has ended without an id; `why` is a word of ours."""
        if journey := self._journeys.pop(uid, None):
            self._over(journey, key, scheduler, why)

    def _over(self, journey: Journey, key: str, scheduler: str, outcome: str) -> None:
        if self._sink is None:
            return
        journey.key, journey.scheduler, journey.outcome = key, scheduler, outcome
        journey.ended, journey.offset = self._monotonic(), self._wall() - self._monotonic()
        self._sink(journey)
