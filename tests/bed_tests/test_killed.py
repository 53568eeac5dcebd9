"""The demo and a test run, ended at any moment: nothing of them stays on the machine, and the next run works.

The moments are drawn from the seed that pytest prints at its beginning; `--randomly-seed=N` draws them again. `make test` plays a share of
the stages, another with each seed.
"""

import random
import signal
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

import pytest

from bed_tests.runs import Run
from bed_tests.waiting import until

SIDE_BY_SIDE = 4
DEMO = ("-m", "demo")
SESSION = ("-m", "pytest", "tests/job/test_first.py", "-k", "runs_once", "--setup-show", "-p", "no:cacheprovider")
STOPPED = ("demo: stopped, and everything taken down\n", "demo: stopped before anything was started\n")


@dataclass(frozen=True, slots=True)
class Stage:
    """A part of a run: what is said when it begins ("": nothing yet, Python has started), and about how long it lasts."""

    program: tuple[str, ...]
    begins: str
    seconds: float


START = Stage(DEMO, "", 0.6)
PARTS = Stage(DEMO, "Test bed:", 3.0)
CONTROLLER = Stage(DEMO, "Fairlead:", 2.0)
JOB = Stage(DEMO, "conditions, as they change", 4.0)
LOGS = Stage(DEMO, "$ fairlead logs", 0.5)
REMOVAL = Stage(DEMO, "$ kubectl delete", 0.3)
TAKE_DOWN = Stage(DEMO, "Taking the test bed down", 0.3)
TAKE_DOWN_BEGINS = Stage(DEMO, "Taking the test bed down", 0.05)
SESSION_PARTS = Stage(SESSION, "collected", 3.5)
SESSION_CONTROLLER = Stage(SESSION, "SETUP    S plane", 1.5)
SESSION_JOB = Stage(SESSION, "SETUP    F scene", 2.5)
SESSION_END = Stage(SESSION, "TEARDOWN F scene", 0.5)

TWENTY = (
    START, PARTS, CONTROLLER, JOB, LOGS, REMOVAL, TAKE_DOWN, START, PARTS, CONTROLLER, JOB, LOGS, REMOVAL, TAKE_DOWN,
    SESSION_PARTS, SESSION_PARTS, SESSION_CONTROLLER, SESSION_JOB, SESSION_JOB, SESSION_END,
)


@dataclass(frozen=True, slots=True)
class Moment:
    """When a run is ended, and whether its whole process group is, as a terminal or a container does it, or its first process alone."""

    stage: Stage
    seconds: float
    whole_group: bool

    def __str__(self) -> str:
        whose = "the group" if self.whole_group else "the process alone"
        return f"{' '.join(self.stage.program[:2])}, {whose}, {self.seconds:.2f} s after {self.stage.begins or 'its start'!r}"


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    """The seed of this session."""
    return int(request.config.getoption("randomly_seed", 0))


def drawn(stages: Sequence[Stage], number: int, seed: int) -> list[Moment]:
    """A moment in each of so many stages; two of three end the whole group."""
    dice = random.Random(seed)
    return [Moment(stage, dice.uniform(0, stage.seconds), dice.random() < 2 / 3) for stage in dice.sample(stages, number)]


def ended_at(moment: Moment, folder: Path, number: signal.Signals) -> Run:
    """A run that was sent a signal at its moment; at half the time where the machine was quick and the run over."""
    for tries in count():
        run = Run(moment.stage.program, folder / str(tries))
        run.reach(moment.stage.begins)
        time.sleep(moment.seconds / 2**tries)  # the moment is what the test is about
        if run.send(number, whole_group=moment.whole_group):
            return run
        run.ended()
    raise AssertionError  # count() does not end


def killed(moment: Moment, folder: Path) -> list[str]:
    """What stays after a kill -9 at this moment; half a minute is far more than the guardian takes on a busy machine."""
    run = ended_at(moment, folder, signal.SIGKILL)
    run.ended()
    try:
        until(lambda: not run.left(), "the end of all that the run had started")
    except AssertionError:
        return run.left()
    return []


def interrupted(moment: Moment, folder: Path) -> list[str]:
    """What is wrong after Ctrl-C at this moment, once the run has ended."""
    run = ended_at(replace(moment, whole_group=True), folder, signal.SIGINT)
    code, said = run.ended()
    orderly = (code == 130 and said.endswith(STOPPED)) if moment.stage.program == DEMO else (code == 2 and "KeyboardInterrupt" in said)
    orderly = orderly and "Traceback" not in said
    return run.left() + ([] if orderly else [f"exit code {code} after: {said[-2000:]}"])


def side_by_side(end: Callable[[Moment, Path], list[str]], moments: Sequence[Moment], folder: Path) -> list[str]:
    """What each moment was followed by, with the moment."""
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        followed = pool.map(end, moments, [folder / str(number) for number in range(len(moments))])
        return [f"{moment}: {sentence}" for moment, sentences in zip(moments, followed, strict=True) for sentence in sentences]


@pytest.mark.long
@pytest.mark.timeout(300)
def test_kill_9_at_any_stage_leaves_nothing_and_the_next_run_works(seed: int, rounds: Callable[[int], int], tmp_path: Path) -> None:
    """A person who killed a run would find servers, namespaces and files on the machine, or could not run it again."""
    moments = drawn(TWENTY, rounds(len(TWENTY)), seed)
    assert side_by_side(killed, moments, tmp_path) == [], f"--randomly-seed={seed} draws the same moments"
    run = Run(DEMO, tmp_path / "next")
    code, said = run.ended()
    assert code == 0, said
    assert run.left() == []


@pytest.mark.long
@pytest.mark.timeout(300)
def test_ctrl_c_at_any_stage_takes_everything_down_and_says_so(seed: int, rounds: Callable[[int], int], tmp_path: Path) -> None:
    """A person who stopped the demo or the tests would see a traceback, or would have to clean up."""
    stages = (START, PARTS, CONTROLLER, JOB, LOGS, REMOVAL, TAKE_DOWN_BEGINS, SESSION_PARTS, SESSION_JOB)
    moments = drawn(stages, rounds(len(stages)), seed)
    assert side_by_side(interrupted, moments, tmp_path) == [], f"--randomly-seed={seed} draws the same moments"
