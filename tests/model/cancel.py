"""The cancel script: revoke, forbid a restart, end what is listed under the key.

Its parts alone: `revoke`; `only`, for jobs whose key is not to be revoked. And `orphan`: what lets a Run go on whose object goes.
"""

from model import far_end
from model.controller import answered
from model.draft import Draft, Here, put
from model.state import REVOKED, Answer, Claim, Script


def steps(here: Here, script: Script) -> None:
    """What the script may do next."""
    attempt = script.attempt
    match script.at:
        case "look":
            draft = here.step(script, "looks whether it is orphaned")
            if draft.directory(attempt).orphaned:
                answered(draft, here, script, Answer("orphaned"))
            else:
                draft.goes(script, "mkdir")
        case "mkdir":
            far_end.misses_tree(here, script)
            _makes(here, script)
        case "ln":
            far_end.revokes(here, script, attempt, "readlink")
        case "readlink":
            far_end.looks(here, script, "readlink claim", here.state.directories[attempt - 1].claim,
                          lambda draft, claim: _looked(draft, here, script, claim))
        case "touch stop":
            draft = here.step(script, script.at)
            draft.write(attempt, stop=True)
            draft.goes(script, "squeue" if "NAME" in here.rules else "scancel claimed")
        case "scancel claimed":
            draft = here.step(script, script.at)
            if script.claim:
                far_end.cancel(draft, here, script, script.claim.id)
            draft.goes(script, "squeue")
        case "squeue":
            far_end.lists(here, script, lambda draft: _listed(draft, here, script))
        case "scancel":
            draft = here.step(script, f"scancel {script.ids[0]}")
            far_end.cancel(draft, here, script, script.ids[0])
            _goes_on(draft, here, script, script.ids[1:])


def orphan_steps(here: Here, script: Script) -> None:
    """An attempt that has not begun never will; of any other the directory says that it is orphaned."""
    attempt = script.attempt
    draft = here.step(script, script.at)
    match script.at:
        case "mkdir":
            there = here.state.directories[attempt - 1].there
            draft.make(attempt)
            draft.goes(script, "mark" if there else "ln")
        case "ln":
            if draft.directory(attempt).claim is None:
                draft.write(attempt, claim=REVOKED)
            draft.goes(script, "readlink")
        case "readlink" if draft.directory(attempt).claim == REVOKED:
            answered(draft, here, script, Answer("orphaned"))
        case "readlink":
            draft.goes(script, "mark")
        case _:
            draft.history = draft.history._replace(orphaned=put(draft.history.orphaned, attempt - 1, True))
            if "ORPHAN" in here.rules:
                draft.write(attempt, orphaned=True)
            answered(draft, here, script, Answer("orphaned"))


def _makes(here: Here, script: Script) -> None:
    far_end.makes(here, script, script.attempt, "ln")
    if script.kind == "cancel" and here.may("swapmid"):
        draft = here.fault("swapmid", script, script.at)
        if "CD" in here.rules:
            draft.make(script.attempt)
            draft.goes(script, "ln")
        else:                        # it goes on in another tree, where its revocation finds nothing
            draft.replaces(script, script._replace(at="squeue", claim=REVOKED))


def _looked(draft: Draft, here: Here, script: Script, claim: Claim | None) -> None:
    if not claim:
        answered(draft, here, script, Answer("unknown"))
    elif script.kind == "revoke":
        answered(draft, here, script, Answer("cancelled", claim))
    else:
        draft.replaces(script, script._replace(at="squeue" if claim == REVOKED else "touch stop", claim=claim))


def _listed(draft: Draft, here: Here, script: Script) -> None:
    listed = draft.listed(script.attempt)
    only = script.kind == "only" and script.ids
    _goes_on(draft, here, script, tuple(each for each in listed if not only or each in script.ids))


def _goes_on(draft: Draft, here: Here, script: Script, ids: tuple[int, ...]) -> None:
    if ids:
        draft.replaces(script, script._replace(at="scancel", ids=ids))
    else:
        answered(draft, here, script, Answer("cancelled", script.claim))
