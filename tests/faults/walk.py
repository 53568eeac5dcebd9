"""A random walk: Jobs, what people do to them, and faults, in an order that a seed gives, healed at random; judged at the end.

What comes next depends on the seed and on the steps before, never on what the cluster does: the same seed walks the same way again.
"""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from bed.errors import BedError
from faults import table
from faults.fault import Fault, nothing
from faults.ledger import Ledger
from faults.play import ENDS, SPEC, Play, open_play, result_of
from faults.stage import Stage
from product.scene import Thing
from product.waiting import until

AT_ONCE = 2
MOST_JOBS = 12
LONGEST_PAUSE_SECONDS = 2.0
END_SECONDS = 150.0
_NEEDS_ONE_JOB = (
    "by hand", "status", "job ", "410", "run directory", "last seconds", "two controllers", "for 30 s", "queue full", "hidden", "clock",
)
"""Words in the names of faults that are about one Job, cannot be taken back, or ask for more patience than a walk has."""


@dataclass
class Walker:
    """One Job of the walk, as the walk itself remembers it."""

    name: str
    ledger: Ledger
    backoff: int
    resumes: int = 0
    is_suspended: bool = False
    may_go: bool = False
    uid: str = ""

    @property
    def attempts(self) -> int:
        """How many starts are right."""
        return 1 + self.backoff + self.resumes


@dataclass
class Walk:
    """The state of one walk. `say` is told each step."""

    play: Play
    lot: random.Random
    say: Callable[[str], None]
    jobs: list[Walker] = field(default_factory=list)
    gone: list[Walker] = field(default_factory=list)
    struck: dict[str, Fault] = field(default_factory=dict)
    count: int = 0

    def step(self) -> float:
        """Do the next step; the pause after it in seconds."""
        choices = self._choices()
        words, act = self.lot.choice(choices)
        pause = self.lot.uniform(0, LONGEST_PAUSE_SECONDS)
        self.say(words)
        act()
        self._keep_alive()
        time.sleep(pause)
        return pause

    def heal_all(self) -> None:
        """No fault any more."""
        for name in list(self.struck):
            self._heal(name)
        self.play.stage.calm()

    def _choices(self) -> list[tuple[str, Callable[[], None]]]:
        """Whatever makes sense now, each with its words. In a fixed order, so that the lot falls the same way."""
        choices: list[tuple[str, Callable[[], None]]] = []
        if len(self.jobs) < MOST_JOBS:
            choices += [(f"apply job-{self.count}", self._apply)] * 4
        for job in self.jobs:
            choices.append((f"delete {job.name}", lambda job=job: self._delete(job)))   # type: ignore[misc]
            if not job.may_go:
                choices += [(f"let {job.name} end", lambda job=job: self._let_go(job))] * 2   # type: ignore[misc]
            words, act = (f"resume {job.name}", self._resume) if job.is_suspended else (f"suspend {job.name}", self._suspend)
            choices.append((words, lambda job=job, act=act: act(job)))   # type: ignore[misc]
        groups = {each.group for each in self.struck.values()}
        if len(self.struck) < AT_ONCE:
            fault = self.lot.choice([each for each in walkable() if each.group not in groups])
            choices += [(f"strike: {fault.name}", lambda: self._strike(fault))] * 6
        choices += [(f"heal: {name}", lambda name=name: self._heal(name)) for name in self.struck for _ in range(3)]   # type: ignore[misc]
        return choices

    def _apply(self) -> None:
        job = Walker(f"job-{self.count}", Ledger(self.play.node, f"job-{self.count}"), backoff=self.lot.choice((0, 0, 1, 2)))
        self.count += 1
        spec: dict[str, Any] = {**SPEC, "backoffLimit": job.backoff}
        script = job.ledger.script(failures=self.lot.randint(0, job.backoff))
        job.uid = self.play.scene.job(job.name, script, **spec).uid
        self.jobs.append(job)

    def _delete(self, job: Walker) -> None:
        self.jobs.remove(job)
        self.gone.append(job)
        self._thing(job).delete(wait=False)

    def _let_go(self, job: Walker) -> None:
        job.may_go = True
        job.ledger.go()

    def _suspend(self, job: Walker) -> None:
        job.is_suspended = True
        self._merge(job)

    def _resume(self, job: Walker) -> None:
        job.is_suspended = False
        job.resumes += 1
        self._merge(job)

    def _merge(self, job: Walker) -> None:
        self.play.scene.api.merge(self._thing(job).path, {"spec": {"suspend": job.is_suspended}})

    def _thing(self, job: Walker) -> Thing:
        return Thing(self.play.scene, "jobs", job.name)

    def _strike(self, fault: Fault) -> None:
        self.struck[fault.name] = fault
        fault.strike(self.play)
        fault.during(self.play)

    def _heal(self, name: str) -> None:
        fault = self.struck.pop(name)
        fault.heal(self.play)
        self.play.stage.armed.unlink(missing_ok=True)
        self.play.stage.gate.pass_through()

    def _keep_alive(self) -> None:
        """As a kubelet does."""
        if not self.play.stage.controller.daemon.alive:
            self.say("the controller has ended; started again")
            self.play.stage.controller.start(wait=False)

    def finish(self) -> Iterator[str]:
        """Heal everything, let every Job end, and judge: a sentence for each broken promise."""
        self.heal_all()
        for job in self.jobs:
            job.ledger.go()
            if job.is_suspended:
                self._resume(job)
        for job in [*self.jobs]:
            with suppress(AssertionError):
                until(lambda job=job: result_of(self._thing(job)) in ENDS, f"the end of {job.name}", END_SECONDS)   # type: ignore[misc]
            yield from self._judged(job, ENDS)
        for job in self.gone:
            with suppress(AssertionError):
                until(lambda job=job: self._thing(job).read() is None, f"{job.name} to be gone", END_SECONDS)   # type: ignore[misc]
            yield from self._judged(job, ("gone",))
        try:
            self.play.scene.close()
        except AssertionError as error:
            yield f"something is left: {error}"

    def _judged(self, job: Walker, right: tuple[str, ...]) -> Iterator[str]:
        result, starts = result_of(self._thing(job)), job.ledger.lines("start")
        if job.ledger.lines("beside"):
            yield f"{job.name} ({job.uid}) ran twice at once"
        if len(starts) > job.attempts or len({line.key for line in starts}) < len(starts):
            yield f"{job.name} ({job.uid}) started {len(starts)} times; {job.attempts} would be right: {starts}"
        if result == "Complete" and not any(line.code == 0 for line in job.ledger.lines("end")):
            yield f"{job.name} ({job.uid}) is Complete, and no start of it ended with 0"
        if result not in right:
            yield f"{job.name} ({job.uid}) came to no end: {self._thing(job).status}"


def walkable() -> list[Fault]:
    """The faults that strike a whole cluster or controller, ask nothing of its configuration, and can be healed."""
    return [each for each in table.FAULTS
            if not (each.config or each.setup is not nothing or each.proxied or each.spec or each.script or each.impossible)
            and not any(words in each.name for words in _NEEDS_ONE_JOB)]


def walk(stage: Stage, minutes: float, seed: int, say: Callable[[str], None]) -> list[str]:
    """Walk for so many minutes of pauses; a sentence for each broken promise. Raises BedError when the bed itself breaks down."""
    stage.calm()
    play = open_play(stage, {"nodes": 2}, proxied=False)
    walking = Walk(play, random.Random(seed), say)
    try:
        play.join()
        left = minutes * 60
        while left > 0:
            left -= walking.step()
        say("heal everything, let every Job end, and judge")
        return list(walking.finish())
    except (AssertionError, OSError) as error:
        raise BedError(f"the walk with seed {seed} could not go on: {error}") from error
    finally:
        with suppress(AssertionError, BedError, OSError):
            walking.heal_all()
        play.close()
