"""The observe script, and the listing that proves a cancellation: what is there, first in the queue and then in the directory."""

from model import far_end
from model.controller import answered
from model.draft import Draft, Here
from model.state import Answer, Script


def steps(here: Here, script: Script) -> None:
    """What the script may do next."""
    if script.at == "squeue":
        far_end.misses_tree(here, script)
        far_end.lists(here, script, lambda draft: draft.replaces(script, script._replace(at="look", ids=draft.listed(script.attempt))))
        return
    directory = here.state.directories[script.attempt - 1]
    word = "COMPLETED" if here.state.completed else "" if directory.there else "nothing"
    whole = Answer(word, directory.claim, script.ids, directory.finished, directory.started)
    answered(here.step(script, script.at), here, script, whole)
    if directory.claim and here.may("unseen"):
        answered(here.fault("unseen", script, script.at), here, script, whole._replace(claim=None, finished=None, started=-1))
    if directory.finished and here.may("unseen"):
        answered(here.fault("unseen", script, "look, but for `finished`"), here, script, whole._replace(finished=None))


def listing_steps(here: Here, script: Script) -> None:
    """One listing for all attempts of a deletion, begun after the last cancellation."""
    def then(draft: Draft) -> None:
        listed = any(draft.listed(attempt) for attempt in script.ids)
        answered(draft, here, script, Answer("listed" if listed else "not listed"))

    far_end.lists(here, script, then)
