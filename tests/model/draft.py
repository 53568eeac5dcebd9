"""A state that is being written: the one before, and what one step changes in it. And the steps that are possible in one state."""

from typing import Final, TypeVar

from model.scenario import USER_ACTS, Scenario
from model.state import (
    ABSENT,
    ENDING,
    IDLE,
    NOBODY,
    OFF,
    QUEUED,
    RUNNING,
    Controller,
    Directory,
    Job,
    Script,
    Start,
    State,
)

T = TypeVar("T")

_FREE: Final = USER_ACTS | {"part"}
"""What does not count among the faults: acts of people, and the detail of a fault."""


def put(items: tuple[T, ...], place: int, item: T) -> tuple[T, ...]:
    """`items` with `item` in one place."""
    return (*items[:place], item, *items[place + 1:])


class Draft:
    """What one step makes of a state. `broken`: the property that it breaks, if any."""

    __slots__ = (*State._fields, "broken")

    def __init__(self, state: State) -> None:
        (self.object, self.held, self.end, self.status, self.suspended, self.admission, self.ledger, self.controllers,
         self.scripts, self.directories, self.jobs, self.starts, self.left, self.faults, self.next_id, self.next_nonce,
         self.lost_id, self.completed, self.history) = state
        self.broken = ""

    def freeze(self) -> State:
        """The state. The order in which scripts were begun means nothing."""
        scripts = self.scripts if len(self.scripts) < 2 else tuple(sorted(self.scripts, key=repr))
        return State(self.object, self.held, self.end, self.status, self.suspended, self.admission, self.ledger, self.controllers,
                     scripts, self.directories, self.jobs, self.starts, self.left, self.faults, self.next_id, self.next_nonce, self.lost_id,
                     self.completed, self.history)

    def use(self, fault: str) -> None:
        """One of the faults has happened. When no more may, only people go on acting."""
        self.left -= {fault}
        if fault not in _FREE:
            self.faults -= 1
            if not self.faults:
                self.left &= USER_ACTS

    # The run directories.

    def directory(self, attempt: int) -> Directory:
        """That of an attempt."""
        return self.directories[attempt - 1]

    def make(self, attempt: int) -> None:
        """`mkdir`."""
        if not self.directories[attempt - 1].there:
            self.directories = put(self.directories, attempt - 1, Directory(there=True))

    def write(self, attempt: int, **entries: object) -> None:
        """Entries of a directory; nothing if it is not there."""
        directory = self.directories[attempt - 1]
        if directory.there:
            self.directories = put(self.directories, attempt - 1, directory._replace(**entries))  # type: ignore[arg-type]  # of each entry's type

    def remove(self, attempt: int, rest: Directory = ABSENT) -> None:
        """All of a directory but `rest`."""
        self.directories = put(self.directories, attempt - 1, rest)

    # The scheduler.

    def listed(self, attempt: int) -> tuple[int, ...]:
        """The ids that squeue shows under an attempt."""
        return tuple(dict.fromkeys(job.id for job in self.jobs if job.attempt == attempt and job.state != QUEUED))

    def enqueue(self, attempt: int, job_id: int, state: str, tasks: int) -> None:
        """A job, or each task of an array."""
        self.jobs += tuple(Job(attempt, job_id, state, 0, task) for task in range(tasks))

    def submitted(self, attempt: int, limit: int) -> None:
        """Count a call of sbatch. More than `limit` are not searched."""
        place = attempt - 1
        submissions = self.history.submissions
        self.history = self.history._replace(submissions=put(submissions, place, submissions[place] + 1))
        if submissions[place] >= limit:
            self.broken = BOUND

    def end_start(self, start: Start) -> None:
        """A wrapper is gone; its job ends, unless the scheduler had given it up."""
        self.starts = tuple(each for each in self.starts if each is not start)
        if not start.forgotten:
            self.jobs = tuple(job for job in self.jobs if not (
                job.attempt == start.attempt and job.id == start.id and job.task == start.task and job.state in {RUNNING, ENDING}))

    # Scripts and controllers.

    def goes(self, script: Script, at: str) -> None:
        """A script goes on to its next step, with nothing new in mind."""
        self.replaces(script, script._replace(at=at))

    def replaces(self, script: Script, after: Script) -> None:
        """A script goes on."""
        place = self.scripts.index(script)
        self.scripts = put(self.scripts, place, after)

    def set(self, controller: Controller) -> None:
        """What a controller is at."""
        self.controllers = put(self.controllers, controller.number, controller)  # type: ignore[assignment]  # there are two

    def rest(self, controller: Controller, claim: int = 0, again: bool = False) -> None:
        """A flow is over. Here the Lease is tested: who was deposed stops."""
        deposed = controller.number == 0 and self.controllers[1].at != OFF
        self.set(Controller(controller.number, OFF) if deposed else Controller(controller.number, IDLE, claim=claim, again=again))

    def abandon(self, number: int) -> None:
        """Nobody waits for the scripts of a controller any more; they go on."""
        self.scripts = tuple(script._replace(owner=NOBODY) if script.owner == number else script for script in self.scripts)


BOUND: Final = "the bound of the search"
Actor = object
"""Who makes a step: its `str` is shown in a trace."""


class Here:
    """One state, the scenario and the rules that hold, and the steps that were found in it."""

    __slots__ = ("found", "rules", "scenario", "state")

    def __init__(self, state: State, scenario: Scenario, rules: frozenset[str]) -> None:
        self.state = state
        self.scenario = scenario
        self.rules = rules
        self.found: list[tuple[Actor, str, str, Draft]] = []     # who, what it does, the fault in it, what comes of it

    def step(self, who: Actor, does: str) -> Draft:
        """One more step that is possible; the caller writes what it changes."""
        draft = Draft(self.state)
        self.found.append((who, does, "", draft))
        return draft

    def may(self, fault: str) -> bool:
        """Whether this can still go wrong."""
        return fault in self.state.left

    @property
    def tree_is_gone(self) -> bool:
        """Whether the Cluster was deleted, and its tree went with it."""
        return "cluster" in self.scenario.may and "cluster" not in self.state.left

    def fault(self, fault: str, who: Actor, does: str) -> Draft:
        """One more step that is possible, in which something goes wrong."""
        draft = Draft(self.state)
        self.found.append((who, does, fault, draft))
        draft.use(fault)
        return draft
