"""The wrapper on the compute node, and the user's script below it: who may run it, and what is written down around it."""

from model import properties
from model.draft import Draft, Here, put
from model.state import REVOKED, UNBEGUN, Claim, Finished, Start


def steps(here: Here, start: Start) -> None:
    """What this start may do next."""
    match start.at:
        case "claim":
            _claims(here, start)
        case "readlink":
            _reads_claim(here, start)
        case "begun":
            _takes_task(here, start)
        case "readlink begun":
            _reads_task(here, start)
        case "stop":
            draft = here.step(start, "looks for `stop`")
            _goes(draft, start, "" if draft.directory(start.attempt).stop else "started")
        case "started":
            _writes_started(here, start)
        case "script":
            _starts_script(here, start)
        case "end":
            for code in here.scenario.codes:
                draft = here.step(start, f"its script ends with {code}")
                _replaces(draft, start, start._replace(at="finished", code=_said(here, start, code)))
        case "finished":
            _writes_finished(here, start)


def _claim(here: Here, start: Start) -> Claim:
    """What it claims with: an array's tasks claim together."""
    return Claim(start.id, start.nonce if "NONCE" in here.rules and here.scenario.tasks == 1 else 0)


def _claims(here: Here, start: Start) -> None:
    if "TREE" in here.rules and here.tree_is_gone:
        _goes(here.step(start, "finds no tree"), start, "")
        return
    draft = here.step(start, "ln -s claim")
    if draft.directory(start.attempt).claim is None:
        draft.write(start.attempt, claim=_claim(here, start))
    _goes(draft, start, "readlink")
    if here.may("swap"):
        _goes(here.fault("swap", start, "finds no marker"), start, "")


def _reads_claim(here: Here, start: Start) -> None:
    claim = here.state.directories[start.attempt - 1].claim
    draft = here.step(start, "readlink claim")
    if claim is None or claim == REVOKED or claim.id != start.id:
        _goes(draft, start, "")
    elif here.scenario.tasks > 1:
        _goes(draft, start, "begun" if "ONESHOT" in here.rules else "started")
    else:
        again = claim != _claim(here, start) if "NONCE" in here.rules else start.restart > 0
        _goes(draft, start, "started" if not again else "stop" if here.scenario.requeue else "")
    if here.may("unseen"):
        _goes(here.fault("unseen", start, "readlink claim"), start, "")


def _takes_task(here: Here, start: Start) -> None:
    draft = here.step(start, f"ln -s begun.{start.task}")
    begun = draft.directory(start.attempt).begun
    if all(task != start.task for task, _ in begun):
        draft.write(start.attempt, begun=tuple(sorted((*begun, (start.task, start.nonce)))))
    _goes(draft, start, "readlink begun")


def _reads_task(here: Here, start: Start) -> None:
    draft = here.step(start, f"readlink begun.{start.task}")
    begun = draft.directory(start.attempt).begun
    again = (start.task, start.nonce) not in begun
    taken = any(task == start.task for task, _ in begun)
    _goes(draft, start, "started" if not again else "stop" if taken and here.scenario.requeue else "")


def _writes_started(here: Here, start: Start) -> None:
    """Its number is above every earlier one, also when the scheduler has lost count."""
    draft = here.step(start, "mv started")
    directory = draft.directory(start.attempt)
    number = max(start.restart, directory.started + 1)
    draft.write(start.attempt, started=number)
    _replaces(draft, start, start._replace(at="script", number=number) if directory.there else None)


def _said(here: Here, start: Start, code: int) -> int:
    """What the wrapper says of an end: without the mark of its begin it is no success."""
    if start.marked or code:
        return code
    return 1 if "BEGUN" in here.rules else UNBEGUN


def _starts_script(here: Here, start: Start) -> None:
    if here.may("profile"):
        draft = here.fault("profile", start, "its login shell ends")
        _replaces(draft, start, start._replace(at="finished", code=UNBEGUN))
    draft = here.step(start, "STARTS THE USER'S SCRIPT")
    properties.starts(draft, start, here.scenario.tasks, here.scenario.requeue)
    _goes(draft, start, "end")
    if here.may("unmark"):
        draft = here.fault("unmark", start, "STARTS THE USER'S SCRIPT, without its mark")
        properties.starts(draft, start, here.scenario.tasks, here.scenario.requeue)
        _replaces(draft, start, start._replace(at="end", marked=False))


def _writes_finished(here: Here, start: Start) -> None:
    draft = here.step(start, f"mv finished ({start.code})")
    place, directory = start.attempt - 1, draft.directory(start.attempt)
    if start.code == 0:
        good = draft.history.good
        draft.history = draft.history._replace(good=put(good, place, max(start.number, good[place])))
    over = tuple(sorted({*directory.over, start.task}))
    if len(over) == here.scenario.tasks:
        finished = Finished(start.id, start.number, start.code)
        earlier = directory.finished
        draft.write(start.attempt, over=over, finished=earlier if earlier and earlier.number > start.number else finished)
    else:
        draft.write(start.attempt, over=over)
    draft.end_start(start)


def _goes(draft: Draft, start: Start, at: str) -> None:
    """It goes on, or ends with a code of its own when there is nothing that it may do."""
    _replaces(draft, start, start._replace(at=at) if at else None)


def _replaces(draft: Draft, start: Start, after: Start | None) -> None:
    if after is None:
        draft.end_start(start)
    else:
        draft.starts = tuple(after if each is start else each for each in draft.starts)
