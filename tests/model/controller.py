"""The controller: what it does with the object as it reads it, and when an answer arrives; `following` says what follows from that.

    reads -> runs a script -> answer -> rests | runs another script | writes

What follows is a value, so that an answer which needs no API call is worked on as it arrives: nobody could see the difference.
"""

from model import objects, properties
from model.draft import Draft, Here
from model.following import AFTER, Ask, Next, Rest, Run, Write
from model.state import (
    ASKING,
    DELETING,
    GONE,
    LIVE,
    OPEN,
    QUEUED,
    SETTLED,
    SUBMIT,
    UNBORN,
    WAITING,
    WITHDRAW,
    WRITING,
    Answer,
    Controller,
    Script,
    State,
)

_FIRST_STEP = {"submit": "mkdir", "cancel": "mkdir", "revoke": "mkdir", "only": "squeue", "listing": "squeue", "observe": "squeue",
               "remove": "mv claim", "tree": "ls", "orphan": "mkdir"}


def acts(here: Here) -> None:
    """What each controller may do now."""
    for controller in here.state.controllers:
        match controller.at:
            case "idle":
                _reads(here, controller)
            case "writing":
                objects.writes(here, controller)
            case "asking":
                draft = here.step(controller, "asks the API server for the owner")
                if ("KIND" not in here.rules) if _is_older(here, controller) else here.state.object == GONE:
                    _follow(draft, here, controller, Run("cancel", "sweep", controller.attempts[0]))
                else:
                    draft.rest(controller)


def _reads(here: Here, controller: Controller) -> None:
    state = here.state
    if _is_older(here, controller):
        _begin(here, controller, "reads: time to sweep, for what it knows", Run("tree", "sweep", 1))
        return
    if here.scenario.sweeps and ("ASK" in here.rules or state.object in {UNBORN, GONE}):
        _begin(here, controller, "reads: time to sweep", Run("tree", "sweep", 1))
    if state.object == GONE:
        _cleans_up(here, controller)
    elif state.end:
        if state.held:
            objects.releases_ended(here, controller)
    elif state.object == LIVE and not _is_begun(here):
        if state.admission == OPEN and not state.suspended:
            _takes_up(here, controller)
    elif state.object == LIVE and state.held:
        _carries_out(here, controller)
    elif state.object == DELETING:
        _deletes(here, controller)


def _is_older(here: Here, controller: Controller) -> bool:
    """Whether it is of a release that does not know the object's kind: it sees no such object, whatever it asks for."""
    return here.scenario.older and controller.number == 0


def _is_begun(here: Here) -> bool:
    """Whether the intent of an attempt is written. Our finalizer alone may be anybody's."""
    return here.state.held and (here.state.status.attempt > 0 or "ADMIT" not in here.rules)


def _takes_up(here: Here, controller: Controller) -> None:
    if not here.state.held:
        here.step(controller, "puts the finalizer on").held = True
        return
    draft = here.step(controller, "reads: to be begun")
    draft.set(controller._replace(at=WRITING, why="intent", read=0, attempt=1))


def _attempts(here: Here) -> tuple[int, ...]:
    """Those that a deletion goes for."""
    return tuple(range(1, here.scenario.attempts + 1)) if "ALL" in here.rules else (here.state.status.attempt or 1,)


def _cleans_up(here: Here, controller: Controller) -> None:
    """The object is gone."""
    attempts = _attempts(here)
    if here.state.ledger:
        _begin(here, controller._replace(attempts=attempts), "reads: a debt", Run("cancel", "debt", attempts[0]))
    elif not here.scenario.sweeps and _has_remains(here.state):
        _begin(here, controller, "reads: time to sweep", Run("tree", "sweep", 1))


def _deletes(here: Here, controller: Controller) -> None:
    attempts, status = _attempts(here), here.state.status
    if not status.attempt and (here.state.admission != OPEN or here.may("deadline")):
        _lets_go(here, controller)
        return
    kind, flow = ("orphan", "orphan") if here.scenario.orphan else ("cancel", "delete")
    _begin(here, controller._replace(attempts=attempts), "reads: deleted", Run(kind, flow, attempts[0]))
    if here.may("deadline"):
        draft = here.fault("deadline", controller, "reads: deleted long ago")
        draft.set(controller._replace(at=WRITING, why="debt", read=status.attempt, attempt=status.attempt or 1))


def _lets_go(here: Here, controller: Controller) -> None:
    """No intent was written: nothing was handed in, and nothing is owed."""
    draft = here.step(controller, "takes the finalizer off: nothing was handed in")
    draft.held, draft.object = False, GONE
    properties.is_released(draft)


def _carries_out(here: Here, controller: Controller) -> None:
    """The object is there and is to stay."""
    state, attempt = here.state, here.state.status.attempt or 1
    asked = state.suspended and not _is_withdrawn(state)
    if state.status.phase == WITHDRAW or (asked and "INTENT" not in here.rules):
        kind = "cancel" if "SUSPEND" in here.rules else "only"
        _begin(here, controller, "reads: to be withdrawn", Run(kind, "suspend", attempt))
    elif asked:
        draft = here.step(controller, "reads: suspended")
        draft.set(controller._replace(at=WRITING, why="withdrawal", read=state.status.attempt, attempt=attempt))
    elif state.suspended:
        pass
    elif state.status.phase == SUBMIT and state.admission != OPEN and "ADMIT" in here.rules:
        _begin(here, controller, "reads: not admitted", Run("observe", "look", attempt))
    elif state.status.phase == SUBMIT:
        _begin(here, controller, "reads: to be submitted" + " again" * controller.again, Run("submit", "submit", attempt))
    else:
        _begin(here, controller, "reads: to be watched", Run("observe", "observe", attempt))


def _is_withdrawn(state: State) -> bool:
    """Whether nothing of the Job is on the cluster, by its status."""
    return state.status.phase == SUBMIT and state.status.why in {"suspended", "stopped"}


def _has_remains(state: State) -> bool:
    return any(each not in SETTLED for each in state.directories) or any(job.attempt and job.state != QUEUED for job in state.jobs)


def _begin(here: Here, controller: Controller, does: str, run: Run) -> None:
    """A flow begins with a read of the object."""
    draft = here.step(controller, does)
    status = here.state.status
    read = here.state.ledger if run.flow == "debt" else status.attempt
    withdrawing = status.phase == WITHDRAW if "INTENT" in here.rules else here.state.suspended
    _follow(draft, here, controller._replace(read=read, withdrawing=withdrawing), run, lost=status.why in {"lost", "stopped"})


def _follow(draft: Draft, here: Here, controller: Controller, following: Next, *, lost: bool = False) -> None:
    """Turn what follows into what the controller is at."""
    match following:
        case Rest():
            draft.rest(controller, following.claim, following.again)
        case Write():
            draft.set(controller._replace(at=WRITING, why=following.why))
        case Ask():
            draft.set(controller._replace(at=ASKING, attempts=following.attempts))
        case Run():
            draft.set(controller._replace(at=WAITING, flow=following.flow, attempt=following.attempt))
            first = _first_step(here, following)
            again = controller.again and following.kind == "submit"
            draft.scripts += (Script(controller.number, following.kind, following.attempt, following.flow, first, again=again,
                                     lost=lost, ids=following.ids),)


def _first_step(here: Here, run: Run) -> str:
    if run.kind == "submit" and run.attempt > 1 and "PREV" in here.rules:
        return "mkdir previous"
    if run.kind == "cancel" and run.flow == "sweep" and here.scenario.orphan and "RELOOK" in here.rules:
        return "look"
    return _FIRST_STEP[run.kind]


def answered(draft: Draft, here: Here, script: Script, answer: Answer) -> None:
    """A script has ended with an answer; if a controller still waits for it, it goes on."""
    draft.scripts = tuple(each for each in draft.scripts if each is not script)
    if script.owner < 0:
        return
    controller = draft.controllers[script.owner]
    if answer.word == "tree":
        controller = controller._replace(attempts=answer.ids)
    if answer.word == "unknown":
        following: Next = Rest(controller.claim, controller.again) if controller.flow in {"submit", "observe", "look"} else Rest()
    else:
        following = AFTER[controller.flow](here, controller, answer)
    _follow(draft, here, controller, following)
