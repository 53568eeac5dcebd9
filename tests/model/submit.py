"""The submit script: for one attempt, the first question that has an answer gives it."""

from typing import Final

from model import far_end
from model.controller import answered
from model.draft import Draft, Here
from model.state import ABSENT, PENDING, QUEUED, REVOKED, Answer, Claim, Directory, Script


def steps(here: Here, script: Script) -> None:
    """What the script may do next."""
    _STEPS[script.at](here, script)


def _makes_previous(here: Here, script: Script) -> None:
    far_end.misses_tree(here, script)
    far_end.makes(here, script, script.attempt - 1, "ln previous")


def _revokes_previous(here: Here, script: Script) -> None:
    far_end.revokes(here, script, script.attempt - 1, "readlink previous")


def _asks_for_previous(here: Here, script: Script) -> None:
    before = here.state.directories[script.attempt - 2]

    def then(draft: Draft, claim: Claim | None) -> None:
        finished = before.finished
        ended = finished is not None and claim is not None and finished.id == claim.id
        if "FINRC" in here.rules:
            ended = ended and finished is not None and finished.number == before.started
        if claim == REVOKED or (claim and (script.lost or ended)):
            draft.goes(script, "mkdir")
        else:
            answered(draft, here, script, Answer("alive" if claim else "unknown"))

    far_end.looks(here, script, script.at, before.claim, then)


def _makes_directory(here: Here, script: Script) -> None:
    if script.attempt == 1 or "PREV" not in here.rules:
        far_end.misses_tree(here, script)
    there = here.state.directories[script.attempt - 1].there
    draft = here.step(script, script.at)
    draft.make(script.attempt)
    draft.goes(script, "look" if there else _next_after_mkdir(here))
    if not there and here.may("lostreply"):
        draft = here.fault("lostreply", script, script.at)
        draft.make(script.attempt)
        draft.goes(script, "look")


def _next_after_mkdir(here: Here) -> str:
    """What is put into the directory matters to others only where a Run may be orphaned: `owner` is among it."""
    return "mv owner" if here.scenario.orphan else "sbatch"


def _looks(here: Here, script: Script) -> None:
    """Somebody has begun with this attempt: what is there answers."""
    directory = here.state.directories[script.attempt - 1]
    _judges(here.step(script, script.at), here, script, directory)
    if (directory.claim or directory.refused or directory.id) and here.may("unseen"):
        _judges(here.fault("unseen", script, script.at), here, script, ABSENT)


def _judges(draft: Draft, here: Here, script: Script, directory: Directory) -> None:
    if directory.claim:
        answered(draft, here, script, Answer("revoked" if directory.claim == REVOKED else "claimed"))
    elif directory.refused and not (script.again and "REFUSED" in here.rules):
        answered(draft, here, script, Answer(directory.refused))
    elif directory.id and not directory.refused:
        answered(draft, here, script, Answer("submitted"))
    else:
        draft.goes(script, "squeue")


def _lists(here: Here, script: Script) -> None:
    far_end.lists(here, script, lambda draft: _listed(draft, here, script))


def _listed(draft: Draft, here: Here, script: Script) -> None:
    ids = draft.listed(script.attempt)
    if ids:
        draft.replaces(script, script._replace(at="mv id", id=ids[0]))
    elif script.again:
        draft.goes(script, _next_after_mkdir(here))
    else:
        answered(draft, here, script, Answer("not yet"))


def _writes_owner(here: Here, script: Script) -> None:
    draft = here.step(script, script.at)
    if "MARK" not in here.rules:
        draft.write(script.attempt, orphaned=False)
    draft.goes(script, "sbatch")


def _hands_in(here: Here, script: Script) -> None:
    attempt, limit, tasks = script.attempt, here.scenario.submissions, here.scenario.tasks
    draft = here.step(script, "sbatch")
    draft.submitted(attempt, limit)
    draft.replaces(script, script._replace(at="mv id", id=draft.next_id, own=True))
    draft.enqueue(attempt, draft.next_id, PENDING, tasks)
    draft.next_id += 1
    if here.may("late"):
        draft = here.fault("late", script, "sbatch")
        draft.submitted(attempt, limit)
        draft.enqueue(attempt, 0, QUEUED, 1)
        answered(draft, here, script, Answer("unknown"))
    for fault in ("refuse", "defer"):
        if here.may(fault):
            draft = here.fault(fault, script, "sbatch")
            draft.submitted(attempt, limit)
            draft.replaces(script, script._replace(at="mv refused", again=fault == "defer"))


def _writes_id(here: Here, script: Script) -> None:
    draft = here.step(script, script.at)
    draft.write(script.attempt, id=script.id)
    if draft.directory(script.attempt).refused:
        draft.goes(script, "rm refused")
    else:
        _accepted(draft, here, script)


def _removes_refusal(here: Here, script: Script) -> None:
    draft = here.step(script, script.at)
    draft.write(script.attempt, refused="")
    _accepted(draft, here, script)


def _writes_refusal(here: Here, script: Script) -> None:
    words = "later" if script.again else "never"
    draft = here.step(script, script.at)
    draft.write(script.attempt, refused=words)
    answered(draft, here, script, Answer(words))


def _accepted(draft: Draft, here: Here, script: Script) -> None:
    """Revoked meanwhile: what was just submitted is cancelled."""
    if script.own:
        draft.goes(script, "readlink")
    else:
        answered(draft, here, script, Answer("submitted"))


def _looks_again(here: Here, script: Script) -> None:
    claim = here.state.directories[script.attempt - 1].claim
    far_end.looks(here, script, "readlink claim", claim, lambda draft, seen: _looked_again(draft, here, script, seen))


def _looked_again(draft: Draft, here: Here, script: Script, claim: Claim | None) -> None:
    if claim == REVOKED:
        draft.goes(script, "scancel")
    else:
        answered(draft, here, script, Answer("submitted"))


def _takes_back(here: Here, script: Script) -> None:
    draft = here.step(script, script.at)
    far_end.cancel(draft, here, script, script.id)
    answered(draft, here, script, Answer("revoked"))


_STEPS: Final = {
    "mkdir previous": _makes_previous, "ln previous": _revokes_previous, "readlink previous": _asks_for_previous, "mkdir": _makes_directory,
    "look": _looks, "squeue": _lists, "mv owner": _writes_owner, "sbatch": _hands_in, "mv id": _writes_id, "rm refused": _removes_refusal,
    "mv refused": _writes_refusal, "readlink": _looks_again, "scancel": _takes_back,
}
