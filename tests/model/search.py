"""The search: every state that can be reached, breadth first, so that the first trace to a violation is a shortest one."""

import gc
from array import array
from collections import deque
from dataclasses import dataclass, field
from typing import Final

from model import cancel, controller, far_end, objects, observe, properties, remove, scheduler, submit, wrapper
from model.draft import BOUND, Here
from model.rules import RULES
from model.scenario import Scenario
from model.state import (
    ABSENT,
    IDLE,
    LIVE,
    NEVER_OPEN,
    OFF,
    OPEN,
    UNBORN,
    Controller,
    History,
    State,
    Status,
)

_SCRIPTS: Final = {"submit": submit.steps, "cancel": cancel.steps, "revoke": cancel.steps, "only": cancel.steps,
                   "orphan": cancel.orphan_steps, "observe": observe.steps, "listing": observe.listing_steps, "remove": remove.steps,
                   "tree": remove.tree_steps}
MOST_STATES: Final = 1_200_000


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a trace: who, what it does, and the fault in it, if any."""

    who: object
    does: str
    fault: str = ""

    def __str__(self) -> str:
        return f"{self.who}: {self.does}" + (f"   [{self.fault}]" if self.fault else "")


@dataclass(frozen=True, slots=True)
class Found:
    """What a search has found. `broken`: each property that breaks, with a shortest trace to it. `endings`: how often it was settled."""

    states: int
    steps: int
    broken: dict[str, tuple[Step, ...]] = field(default_factory=dict)
    endings: dict[str, int] = field(default_factory=dict)
    whole: bool = True

    @property
    def violations(self) -> dict[str, tuple[Step, ...]]:
        """What no protocol may do; the limits, which none can close, left out."""
        return {what: trace for what, trace in self.broken.items() if not what.startswith(properties.LIMIT)}


def first(scenario: Scenario) -> State:
    """The state in which everything begins."""
    n = scenario.attempts
    none, no = (0,) * n, (False,) * n
    history = History((0,) * n * scenario.tasks, no, no, none, (-1,) * n, (-1,) * n, no, no)
    start = UNBORN if "apply" in scenario.may else LIVE
    admission = NEVER_OPEN if scenario.outsider else OPEN
    return State(start, False, "", Status(), False, admission, 0, (Controller(0, IDLE), Controller(1, OFF)), (), (ABSENT,) * n, (), (),
                 scenario.may, scenario.faults, 1, 1, 0, False, history)


def steps(state: State, scenario: Scenario, rules: frozenset[str]) -> Here:
    """Every step that is possible in a state."""
    here = Here(state, scenario, rules)
    objects.people_act(here)
    objects.controllers_come_and_go(here)
    controller.acts(here)
    for script in dict.fromkeys(state.scripts):
        far_end.enters(here, script)
        if not far_end.lacks_tree(here, script):
            _SCRIPTS[script.kind](here, script)
    scheduler.acts(here)
    for start in state.starts:
        wrapper.steps(here, start)
    return here


class _Graph:
    """The states that were reached, and from where."""

    def __init__(self, scenario: Scenario, rules: frozenset[str]) -> None:
        self.scenario, self.rules = scenario, rules
        self.states = [first(scenario)]
        self.numbers = {self.states[0]: 0}
        self.parents = array("l", [-1])
        self.sources, self.targets = array("l"), array("l")

    def reach(self, source: int, state: State) -> int:
        """The number of a state."""
        known = self.numbers.get(state)
        if known is None:
            known = self.numbers[state] = len(self.states)
            self.states.append(state)
            self.parents.append(source)
        return known

    def trace(self, number: int, *last: Step) -> tuple[Step, ...]:
        """A shortest way to a state, found again step by step."""
        way = list(last)
        while number > 0:
            parent = self.parents[number]
            found = steps(self.states[parent], self.scenario, self.rules).found
            way.insert(0, next(Step(who, does, fault) for who, does, fault, draft in found if draft.freeze() == self.states[number]))
            number = parent
        return tuple(way)

    def stuck(self, good: set[int]) -> int | None:
        """A state from which no good one can be reached without further faults."""
        heads: list[list[int]] = [[] for _ in self.states]
        for source, target in zip(self.sources, self.targets, strict=True):
            heads[target].append(source)
        reached, waiting = bytearray(len(self.states)), deque(good)
        for number in good:
            reached[number] = 1
        while waiting:
            for source in heads[waiting.popleft()]:
                if not reached[source]:
                    reached[source] = 1
                    waiting.append(source)
        return next((number for number, known in enumerate(reached) if not known), None)


def search(scenario: Scenario, without: frozenset[str] = frozenset(), *, until: str | None = None) -> Found:
    """Search a scenario with all rules but those in `without`. With `until`, no further than the first trace to that violation."""
    gc.disable()                             # states hold no cycles, and are looked through again and again otherwise
    try:
        return _search(scenario, frozenset(RULES) - without, until)
    finally:
        gc.enable()


def _search(scenario: Scenario, rules: frozenset[str], until: str | None) -> Found:
    graph = _Graph(scenario, rules)
    broken: dict[str, tuple[Step, ...]] = {}
    endings: dict[str, int] = {}
    good: set[int] = set()
    number = 0
    while number < len(graph.states) and number < MOST_STATES:
        state = graph.states[number]
        if properties.is_settled(state):
            good.add(number)
            ending = state.end or state.object
            endings[ending] = endings.get(ending, 0) + 1
        for who, does, fault, draft in steps(state, scenario, rules).found:
            if draft.broken:
                good.add(number)                 # what lies behind is cut off: no word about a way to an end
                if draft.broken != BOUND and draft.broken not in broken:
                    broken[draft.broken] = graph.trace(number, Step(who, does, fault))
                    if draft.broken == until:
                        return Found(len(graph.states), len(graph.sources), broken, endings, whole=False)
                continue
            known = graph.reach(number, draft.freeze())
            if not fault:
                graph.sources.append(number)
                graph.targets.append(known)
        number += 1
    whole = number == len(graph.states)
    stuck = graph.stuck(good) if whole else None
    if stuck is not None:
        what = properties.REMAINS if graph.states[stuck].object == "gone" else properties.NO_END
        broken[what] = graph.trace(stuck)
    return Found(len(graph.states), len(graph.sources), broken, endings, whole)
