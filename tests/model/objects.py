"""People, the API server, and the elections of controllers. A write counts only if object and attempt are as the controller read them."""

from model import properties
from model.draft import BOUND, Draft, Here, put
from model.state import (
    ABSENT,
    DELETING,
    GONE,
    IDLE,
    LIVE,
    OFF,
    OPEN,
    SETTLED,
    SHUT,
    SUBMIT,
    UNBORN,
    WATCH,
    WITHDRAW,
    Controller,
    Status,
)


def people_act(here: Here) -> None:
    """What users and administrators may do now."""
    state = here.state
    if here.may("cluster") and state.object == GONE and not state.ledger and all(each in SETTLED for each in state.directories):
        draft = here.fault("cluster", "a person", "deletes the Cluster, and its tree goes")
        draft.directories = (ABSENT,) * len(state.directories)
    if here.may("apply") and state.object == UNBORN:
        here.fault("apply", "a person", "kubectl apply").object = LIVE
    if state.object != LIVE and state.object != DELETING:
        return
    if here.may("delete") and state.object == LIVE:
        draft = here.fault("delete", "a person", "kubectl delete")
        draft.object = DELETING if state.held else GONE
        if not state.held:
            draft.history = draft.history._replace(released=True)
    if here.may("wipe") and state.status.attempt:
        here.fault("wipe", "a person", "empties the status").status = Status()
    if here.may("ahead") and state.held and state.status.attempt < here.scenario.attempts:
        here.fault("ahead", "a person", "writes a status that is an attempt ahead").status = Status(here.scenario.attempts)
    if here.may("forge") and not state.held:
        here.fault("forge", "a person", "puts our finalizer on").held = True
    if here.may("shut") and state.admission == OPEN:
        here.fault("shut", "a person", "closes the Cluster to the Job's namespace").admission = SHUT
    if here.may("suspend") and not state.suspended:
        here.fault("suspend", "a person", "suspends the Job").suspended = True
    if here.may("resume") and state.suspended:
        here.fault("resume", "a person", "resumes the Job").suspended = False


def controllers_come_and_go(here: Here) -> None:
    """The second is elected while the first goes on; either dies."""
    state = here.state
    two = here.scenario.leaders == 2
    if two and state.controllers[1].at == OFF:
        draft = here.step("controller 1", "is elected")
        draft.set(Controller(1, IDLE))
        if state.controllers[0].at == IDLE:
            draft.set(Controller(0, OFF))
    if here.may("crash"):
        for controller in state.controllers:
            if controller.at != OFF and controller.at != IDLE:
                draft = here.fault("crash", controller, "dies")
                draft.set(Controller(controller.number, OFF if two and controller.number == 0 else IDLE))
                draft.abandon(controller.number)


def _is_as_read(here: Here, controller: Controller) -> bool:
    state = here.state
    if "INTENT" in here.rules and (state.status.phase == WITHDRAW) != controller.withdrawing:
        return False
    return state.object in {LIVE, DELETING} and state.held and not state.end and state.status.attempt == controller.read


def writes(here: Here, controller: Controller) -> None:
    """The write that a controller has decided on; a write on an old view changes nothing."""
    draft = here.step(controller, f"writes {controller.why}")
    fresh = _is_as_read(here, controller)
    attempt, status = controller.attempt, draft.status
    if controller.why == "debt" and fresh:
        draft.ledger = attempt
        draft.set(controller._replace(why="release, unpaid"))
        return
    draft.rest(controller)
    match controller.why:
        case "paid":
            if draft.ledger:
                draft.ledger = 0
                properties.is_released(draft)
        case _ if not fresh:
            pass
        case "intent":
            draft.status = Status(attempt)
        case "id" | "claimed after all":
            draft.status = Status(attempt, WITHDRAW if status.phase == WITHDRAW else WATCH, status.why)
        case "withdrawal":
            draft.status = Status(attempt, WITHDRAW, status.why)
        case "release" | "release, unpaid" | "release, orphaned":
            if draft.object == DELETING:
                draft.held, draft.object = False, GONE
                if controller.why == "release":
                    properties.is_released(draft)
        case _:
            _close(here, draft, attempt, controller.why)


def _close(here: Here, draft: Draft, attempt: int, why: str) -> None:
    """The status write that ends an attempt: the next one's intent, or the Job's end."""
    scenario, history, place = here.scenario, draft.history, attempt - 1
    if why == "done":
        _end(draft, "Complete", attempt)
        return
    if why == "never ran":
        properties.never_ran(draft, attempt, scenario.tasks)
    if why in {"lost", "stopped"}:
        draft.history = history = history._replace(judged_lost=put(history.judged_lost, place, True))
    another = why in {"never ran", "suspended", "stopped"} or (why != "refused" and scenario.backoff)
    if why in {"suspended", "stopped"} and attempt == scenario.attempts:
        draft.broken = BOUND
    elif another and attempt < scenario.attempts:
        draft.history = history._replace(closed=put(history.closed, place, True))
        draft.status = Status(attempt + 1, SUBMIT, why)
    else:
        _end(draft, "Failed", attempt)


def _end(draft: Draft, end: str, attempt: int) -> None:
    properties.ends(draft, end, attempt)
    draft.end = end


def releases_ended(here: Here, controller: Controller) -> None:
    """A Job that has ended gives its finalizer back at once; deleting it never waits."""
    draft = here.step(controller, "takes the finalizer off: the Job has ended")
    draft.held = False
    if draft.object == DELETING:
        draft.object = GONE
        properties.is_released(draft)
