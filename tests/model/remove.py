"""The remove script, which brings a directory down to its tombstone, and the list of the tree that a sweep begins with."""

from model import far_end
from model.controller import answered
from model.draft import Draft, Here
from model.state import REVOKED, SETTLED, TOMBSTONE, Answer, Directory, Script


def steps(here: Here, script: Script) -> None:
    """What the script may do next."""
    attempt = script.attempt
    match script.at:
        case "mv claim" if script.why == "sweep" and "TOMB" not in here.rules:
            draft = here.step(script, "rm -r")
            draft.remove(attempt)
            answered(draft, here, script, Answer("removed"))
        case "mv claim" if "RENAME" not in here.rules:
            draft = here.step(script, "rm all but the claim")
            draft.remove(attempt, Directory(there=True, claim=draft.directory(attempt).claim))
            draft.goes(script, "rm claim")
        case "mv claim":
            draft = here.step(script, script.at)
            draft.make(attempt)
            draft.write(attempt, claim=REVOKED)
            draft.goes(script, "rm")
        case "rm":
            draft = here.step(script, "rm the rest")
            draft.remove(attempt, TOMBSTONE)
            answered(draft, here, script, Answer("removed"))
        case "rm claim":
            draft = here.step(script, script.at)
            if draft.directory(attempt).claim != REVOKED:
                draft.write(attempt, claim=None)
            draft.goes(script, "ln")
        case "ln":
            draft = here.step(script, "ln -s revoked claim")
            if draft.directory(attempt).claim is None:
                draft.write(attempt, claim=REVOKED)
            answered(draft, here, script, Answer("removed"))


def tree_steps(here: Here, script: Script) -> None:
    """The directories that are not down to tombstones nor orphaned, then the jobs that are listed under a key of ours."""
    if script.at == "ls":
        found = tuple(number for number, each in enumerate(here.state.directories, 1) if each not in SETTLED and not each.orphaned)
        here.step(script, "ls runs").replaces(script, script._replace(at="squeue", ids=found))
        return

    def then(draft: Draft) -> None:
        settled = [number for number, each in enumerate(draft.directories, 1) if each.orphaned]
        jobs = [number for number in range(1, len(draft.directories) + 1) if draft.listed(number) and number not in settled]
        answered(draft, here, script, Answer("tree", ids=tuple(sorted({*script.ids, *jobs}))))

    far_end.lists(here, script, then)
