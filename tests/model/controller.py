"""The controller: what it does with the object as it reads it, and what follows from a script's answer.

    reads -> runs a script -> answer -> rests | runs another script | writes

What follows is a value, so that an answer which needs no API call is worked on as it arrives: nobody could see the difference.
"""

from dataclasses import dataclass

from model import objects
from model.draft import Draft, Here
from model.state import (
    ASKING,
    DELETING,
    GONE,
    LIVE,
    QUEUED,
    REVOKED,
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


@dataclass(frozen=True, slots=True)
class Rest:
    """Nothing follows but another look; what is remembered for it."""

    claim: int = 0
    again: bool = False


@dataclass(frozen=True, slots=True)
class Run:
    """A script follows."""

    kind: str
    flow: str
    attempt: int
    ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Write:
    """A write to the API server follows."""

    why: str


@dataclass(frozen=True, slots=True)
class Ask:
    """The API server is asked whether the object is there; if not, these attempts are swept."""

    attempts: tuple[int, ...]


Next = Rest | Run | Write | Ask
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
                if here.state.object == GONE:
                    _follow(draft, here, controller, Run("cancel", "sweep", controller.attempts[0]))
                else:
                    draft.rest(controller)


def _reads(here: Here, controller: Controller) -> None:
    state = here.state
    if here.scenario.sweeps and ("ASK" in here.rules or state.object in {UNBORN, GONE}):
        _begin(here, controller, "reads: time to sweep", Run("tree", "sweep", 1))
    if state.object == GONE:
        _cleans_up(here, controller)
    elif state.end:
        if state.held:
            objects.releases_ended(here, controller)
    elif state.object == LIVE and not state.held and not state.suspended:
        here.step(controller, "puts the finalizer on").held = True
    elif state.object == LIVE and state.held:
        _carries_out(here, controller)
    elif state.object == DELETING:
        _deletes(here, controller)


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
    kind, flow = ("orphan", "orphan") if here.scenario.orphan else ("cancel", "delete")
    _begin(here, controller._replace(attempts=attempts), "reads: deleted", Run(kind, flow, attempts[0]))
    if here.may("deadline"):
        draft = here.fault("deadline", controller, "reads: deleted long ago")
        draft.set(controller._replace(at=WRITING, why="debt", read=status.attempt, attempt=status.attempt or 1))


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
        following: Next = Rest(controller.claim, controller.again) if controller.flow in {"submit", "observe"} else Rest()
    else:
        following = _AFTER[controller.flow](here, controller, answer)
    _follow(draft, here, controller, following)


def _after_submit(here: Here, controller: Controller, answer: Answer) -> Next:
    match answer.word:
        case "revoked":
            return Write("never ran")
        case "never":
            return Run("revoke", "refused", controller.attempt) if "CLOSE" in here.rules else Write("refused")
        case "not yet" | "later":
            return Rest(again=True)
        case "alive":
            return Rest(again=controller.again)
        case _:
            return Write("id")


def _after_observe(here: Here, controller: Controller, answer: Answer) -> Next:
    """What the Run is, from one whole look: the claim says which id counts, then the listing, then the sentinels."""
    claim, ids, finished = answer.claim, answer.ids, answer.finished
    if claim and claim != REVOKED:
        if others := tuple(each for each in ids if each != claim.id):
            return Run("only", "duplicate", controller.attempt, others)
        if ids:
            return Rest(claim.id)
        if finished and finished.id == claim.id and ("FINRC" not in here.rules or finished.number == answer.started):
            return Write("done" if finished.code == 0 else "suspended" if controller.withdrawing else "failed")
        if "RELIST" in here.rules and controller.claim != claim.id:
            return Rest(claim.id)
        return Run("cancel", "lost", controller.attempt) if "CLOSE" in here.rules else Write("lost")
    if ids:
        return Run("only", "duplicate", controller.attempt, ids[1:]) if "DUP" not in here.rules and ids[1:] else Rest()
    if answer.word == "COMPLETED" and "WORD" not in here.rules:
        return Write("done")
    if claim == REVOKED:
        return Write("suspended" if controller.withdrawing else "never ran")
    return Run("revoke", "revoke", controller.attempt)


def _after_rest(_here: Here, _controller: Controller, _answer: Answer) -> Next:
    return Rest()


def _after_revoke(here: Here, controller: Controller, answer: Answer) -> Next:
    """Revoked, the next look will say so. Claimed after all: it has to be listed again before it counts as gone."""
    if answer.claim == REVOKED or "RELIST" in here.rules:
        return Rest()
    return Run("cancel", "lost", controller.attempt)


def _after_refused(_here: Here, controller: Controller, answer: Answer) -> Next:
    """The key is revoked, so that nothing more can run, and then what is in the queue goes; or it is claimed after all."""
    return Run("cancel", "close", controller.attempt) if answer.claim == REVOKED else Write("claimed after all")


def _after_close(_here: Here, _controller: Controller, _answer: Answer) -> Next:
    return Write("refused")


def _after_lost(_here: Here, controller: Controller, answer: Answer) -> Next:
    if answer.claim == REVOKED:
        return Write("suspended" if controller.withdrawing else "never ran")
    return Write("stopped" if controller.withdrawing else "lost")


def _after_suspend(here: Here, controller: Controller, answer: Answer) -> Next:
    if "SUSPEND" not in here.rules or answer.claim == REVOKED:
        return Write("suspended")
    return Run("observe", "observe", controller.attempt)


def _after_orphan(_here: Here, controller: Controller, _answer: Answer) -> Next:
    following = _following(controller)
    return Run("orphan", "orphan", following) if following else Write("release, orphaned")


def _after_cancelling(here: Here, controller: Controller, answer: Answer) -> Next:
    """Deletion, debt, sweep: the cancel script for each attempt, one listing, then the directories."""
    flow, first = controller.flow, controller.attempts[:1]
    if answer.word == "tree":
        if not answer.ids:
            return Rest()
        return Ask(answer.ids) if "ASK" in here.rules else Run("cancel", flow, first[0])
    following = _following(controller)
    match answer.word:
        case "cancelled" if following:
            return Run("cancel", flow, following)
        case "cancelled":
            return Run("listing", flow, first[0], controller.attempts)
        case "listed" | "orphaned":
            return Rest()
        case "not listed":
            return Run("remove", flow, first[0])
        case _ if following:
            return Run("remove", flow, following)
        case _:
            return {"delete": Write("release"), "debt": Write("paid")}.get(flow, Rest())


def _following(controller: Controller) -> int:
    """The attempt after the current one, in a flow through all of them; or 0."""
    place = controller.attempts.index(controller.attempt) + 1
    return controller.attempts[place] if place < len(controller.attempts) else 0


_AFTER = {"submit": _after_submit, "observe": _after_observe, "revoke": _after_revoke, "duplicate": _after_rest, "refused": _after_refused,
          "close": _after_close, "lost": _after_lost, "suspend": _after_suspend, "orphan": _after_orphan, "delete": _after_cancelling,
          "debt": _after_cancelling, "sweep": _after_cancelling}
