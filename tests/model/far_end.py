"""What the scripts have in common: a look that an NFS client may spoil, a listing that may fail, a revocation, a cancellation."""

from collections.abc import Callable

from model import properties
from model.controller import answered
from model.draft import Draft, Here, put
from model.state import ENDING, PENDING, QUEUED, REVOKED, Answer, Claim, Script


def enters(here: Here, script: Script) -> None:
    """A script may be cut off before any step, and its first finds the tree, or does not."""
    if here.may("die"):
        answered(here.fault("die", script, "is cut off"), here, script, Answer("unknown"))


def lacks_tree(here: Here, script: Script) -> bool:
    """Whether the tree has gone with its Cluster: then nothing that a script does there has an effect."""
    if "TREE" not in here.rules or not here.tree_is_gone:
        return False
    answered(here.step(script, "finds no tree"), here, script, Answer("unknown"))
    return True


def misses_tree(here: Here, script: Script) -> None:
    """The first step of a script: it finds another tree than ours, or none."""
    if here.may("swap"):
        answered(here.fault("swap", script, "finds no marker"), here, script, Answer("unknown"))


def looks(here: Here, script: Script, does: str, seen: Claim | None, then: Callable[[Draft, Claim | None], None]) -> None:
    """One look at a claim. It may be there, unseen."""
    then(here.step(script, does), seen)
    if seen and here.may("unseen"):
        then(here.fault("unseen", script, does), None)


def lists(here: Here, script: Script, then: Callable[[Draft], None]) -> None:
    """One call of squeue. No answer is no empty one."""
    then(here.step(script, "squeue"))
    if here.may("nolist"):
        answered(here.fault("nolist", script, "squeue"), here, script, Answer("unknown"))


def makes(here: Here, script: Script, attempt: int, then: str) -> None:
    """`mkdir`, whose failure says that the directory is there."""
    draft = here.step(script, script.at)
    draft.make(attempt)
    draft.goes(script, then)


def revokes(here: Here, script: Script, attempt: int, then: str) -> None:
    """`ln -s revoked claim`, whose failure says nothing."""
    draft = here.step(script, script.at)
    if here.state.directories[attempt - 1].claim is None:
        properties.revokes(draft, script)
        draft.write(attempt, claim=REVOKED)
    draft.goes(script, then)


def cancel(draft: Draft, here: Here, script: Script, job_id: int) -> None:
    """`scancel --name`: a running job ends some time later. By id alone it would reach who has that id now, whatever its name."""
    looked = "NAME" in here.rules
    for job in draft.jobs:
        if job.id == job_id and job.state != QUEUED and (job.attempt == script.attempt or job.namesake or not looked):
            properties.cancels(draft, script, job.attempt, job_id, looked)
            if job.state == PENDING:
                draft.jobs = tuple(each for each in draft.jobs if each is not job)
            else:
                draft.jobs = tuple(each._replace(state=ENDING) if each is job else each for each in draft.jobs)
                if script.why == "suspend":
                    draft.history = draft.history._replace(stopped=put(draft.history.stopped, script.attempt - 1, True))
