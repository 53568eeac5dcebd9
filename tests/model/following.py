"""What follows from a script's answer, for each flow that a controller can be in: another look, another script, or a write."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from model.draft import Here
from model.state import REVOKED, UNBEGUN, Answer, Controller


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
            if finished.code == UNBEGUN:
                return Write("suspended" if controller.withdrawing else "never ran")
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


def _after_look(here: Here, controller: Controller, answer: Answer) -> Next:
    """What a submission has left of which no answer is known, when nothing more may be handed in."""
    if answer.ids or (answer.claim and answer.claim != REVOKED):
        return Write("id")
    return Rest() if answer.word == "nothing" else _after_observe(here, controller, answer)


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


AFTER: Final[Mapping[str, Callable[[Here, Controller, Answer], Next]]] = MappingProxyType({
    "submit": _after_submit, "observe": _after_observe, "look": _after_look, "revoke": _after_revoke, "duplicate": _after_rest,
    "refused": _after_refused,
    "close": _after_close, "lost": _after_lost, "suspend": _after_suspend, "orphan": _after_orphan, "delete": _after_cancelling,
    "debt": _after_cancelling, "sweep": _after_cancelling,
})
"""What follows from an answer, for each flow."""
