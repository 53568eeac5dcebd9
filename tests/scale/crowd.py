"""Many Jobs of a second each, while the controller is killed with -9 again and again: each must have run once, and be Complete."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from product.controller import Controller
from scale.grounds import LEDGER, Grounds

SCRIPT = f"#!/bin/sh\necho \"$SLURM_JOB_NAME $SLURM_JOB_ID\" >> ~/{LEDGER}\nsleep 1\n"
PATIENCE_SECONDS = 1500.0


@dataclass(frozen=True, slots=True)
class Crowd:
    """How it came out. Writes are those of the controller to Jobs, and its Events, a Job."""

    jobs: int
    seconds: float
    kills: int
    complete: int
    twice: int
    never: int
    execs: int
    writes_each: float
    events_each: float

    @property
    def broken(self) -> list[str]:
        """What a user would have lost, in words."""
        said = ((self.jobs - self.complete, "Jobs are not Complete"), (self.twice, "ran more than once"), (self.never, "never ran"))
        return [f"{count} {words}" for count, words in said if count]

    @property
    def says(self) -> str:
        """One paragraph."""
        return (f"{self.jobs} Jobs of a second, the controller killed with -9 {self.kills} times: {self.complete} Complete, {self.twice} "
                f"ran more than once, {self.never} never. {self.seconds:.0f} s; {self.execs} execs; {self.writes_each:.2f} API writes and "
                f"{self.events_each:.2f} Events a Job.")


def crowd(grounds: Grounds, count: int, kill_each_seconds: float, tell: Callable[[str], None]) -> Crowd:
    """Apply so many Jobs, kill the controller whenever it has led for so many seconds until all have ended, and count."""
    began, execs = time.monotonic(), grounds.cluster.sessions()
    before = grounds.writes()
    with _killer(grounds.controller, kill_each_seconds) as kills:
        for number in range(count):
            grounds.scene.job(f"one-{number}", SCRIPT)
        tell(f"{count} Jobs applied after {time.monotonic() - began:.0f} s")
        _until_ended(grounds, began, tell)
    seconds = time.monotonic() - began
    grounds.controller.ensure()
    grounds.await_sweep()
    _until_released(grounds)
    starts = Counter(line.split()[0] for line in grounds.starts())   # by the Job's name, under whatever attempt
    after = grounds.writes()
    phases = grounds.phases()
    return Crowd(
        count, seconds, len(kills), sum(phase == "Complete" for phase in phases.values()), sum(1 for each in starts.values() if each > 1),
        count - len(starts), grounds.cluster.sessions() - execs, (after[0] - before[0]) / count, (after[1] - before[1]) / count,
    )


def _until_ended(grounds: Grounds, began: float, tell: Callable[[str], None]) -> None:
    told = began
    while any(phase not in {"Complete", "Failed"} for phase in grounds.phases().values()):
        now = time.monotonic()
        if now - began > PATIENCE_SECONDS:
            return
        if now - told >= 15:
            told = now
            phases = Counter(grounds.phases().values())
            tell(f"{now - began:4.0f} s: " + ", ".join(f"{number} {phase}" for phase, number in sorted(phases.items())))
        time.sleep(1)


def _until_released(grounds: Grounds) -> None:
    """The last writes of an ended Job: its finalizer off, its label on."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and any("finalizers" in job["metadata"] for job in grounds.scene.jobs()):
        time.sleep(0.5)


@contextmanager
def _killer(controller: Controller, each_seconds: float) -> Iterator[list[float]]:
    """While open, the controller dies when it has led for so many seconds, and is started again at once; the moments of its deaths.

    One that died before it led, since its start takes longer on a busy machine, would never do anything.
    """
    over, kills = threading.Event(), list[float]()

    def turn() -> None:
        while not over.is_set():
            while not controller.leads() and not over.wait(0.1):
                pass
            if over.wait(each_seconds):
                return
            controller.daemon.kill()
            kills.append(time.monotonic())
            controller.start(wait=False)

    thread = threading.Thread(target=turn, name="killer")
    thread.start()
    try:
        yield kills
    finally:
        over.set()
        thread.join()
