"""A bare host behind the seam: which script is sent with which variables, and which reader takes its answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from fairlead.api.v1alpha1.cluster import ProcessHost
from fairlead.domain.run.answers import CancelAnswer, Probe, SubmitAnswer
from fairlead.domain.run.installation import Installation
from fairlead.domain.run.observation import Observation
from fairlead.domain.run.request import Submission
from fairlead.domain.run.run import RunKey, Tree
from fairlead.schedulers import exchanges, payload, sh
from fairlead.schedulers.exchanges import Part
from fairlead.schedulers.process import answers
from fairlead.schedulers.seam import Cancellation, Exchange, Place, Query, Removal, Removed, TreeRemoval, TreeRemoved

BUILD: Final = sh.build(sh.WRAPPER, sh.ENTER, sh.LIBRARY, sh.RUNNER, sh.KEEPER)
"""Names the files that Runs find on the host."""

_FILES: Final = {
    "BUILD": BUILD, "WRAPPER": sh.WRAPPER, "ENTER": sh.ENTER, "LIBRARY": sh.LIBRARY, "RUNNER": sh.RUNNER, "KEEPER": sh.KEEPER,
}
_HIGHEST_PRIORITY: Final = 1_000_000     # as the Job's schema has it
_LOCK_SECONDS: Final = 10                # the scripts wait so long for the queue's lock
_START_SECONDS: Final = 15               # and so long for one Run to begin: 5 for a scope that is not to be had
_END_SECONDS: Final = 15                 # and so long for one to be gone


@dataclass(frozen=True, slots=True)
class ProcessTimeouts:
    """What a host goes by while nobody is connected. Whole seconds."""

    watch_seconds: int = 60
    """A wrapper looks this often whether its claim still stands, and ends the script if it does not."""
    kill_seconds: int = 30
    """Between TERM and the end by force at a time limit; Slurm's KillWait."""


class Process:
    """A bare host at the far end, with its slots and GPUs."""

    def __init__(self, installation: Installation, host: ProcessHost, timeouts: ProcessTimeouts = ProcessTimeouts()) -> None:
        self._installation = installation
        self._variables = {
            "BIN_PATH": "", "SLOTS": str(host.slots), "GPUS": str(host.gpus),
            "WATCH_SECONDS": str(timeouts.watch_seconds), "KILL_SECONDS": str(timeouts.kill_seconds),
        }

    def probe(self, fence: str, place: Place) -> Exchange[Probe]:
        """Make or find the tree, install what a Run needs, and see whether the host can hold Runs."""
        part = self._part("host/host", "common/install", "host/install", "host/probe", "common/probe", hangs=(_LOCK_SECONDS,))
        return exchanges.probe(part.having(**_FILES), fence, place)

    def submit(self, fence: str, tree: Tree, submissions: Sequence[Submission]) -> Exchange[Mapping[RunKey, SubmitAnswer]]:
        """Put each into the queue once, and hand out what is free.

        Raises `UserFault` for what no shell can be given: NUL, a variable name that is no identifier, a path with control characters.
        """
        hangs = (_LOCK_SECONDS, _START_SECONDS)
        part = self._part("host/host", "common/install", "host/install", "host/submit", "common/submit", hangs=hangs)
        calls = [*(payload.call(each, {"RANK": _rank(each)}, self._installation) for each in submissions), "hand_out"]
        return exchanges.submit(part.within(tree).having(**_FILES), fence, submissions, calls, answers.VOCABULARY)

    def observe(self, fence: str, tree: Tree, query: Query) -> Exchange[Observation]:
        """Hand out what is free, then look at each key's queue entry, process and directory."""
        hangs = (_LOCK_SECONDS, _START_SECONDS, _END_SECONDS)
        part = self._part("host/host", "common/fold", "common/sentinels", "host/observe", hangs=hangs).within(tree)
        return exchanges.observe(part, fence, query, lambda answer: answers.observation(answer, query.keys))

    def listen(self, fence: str, tree: Tree, known: str, seconds: int) -> Exchange[str]:
        """Wait for a Run's begin or end."""
        return exchanges.listen(self._part("common/listen", hangs=()).within(tree), fence, known, seconds)

    def cancel(self, fence: str, tree: Tree, cancellations: Sequence[Cancellation]) -> Exchange[Mapping[RunKey, CancelAnswer]]:
        """Revoke, take out of the queue, and end processes."""
        hangs = (_LOCK_SECONDS, *[_END_SECONDS] * min(len(cancellations), 4))
        part = self._part("host/host", "host/cancel", "common/cancel", hangs=hangs).within(tree)
        return exchanges.cancel(part, fence, cancellations, self._installation)

    def remove(self, fence: str, tree: Tree, removal: Removal) -> Exchange[Removed]:
        """Directories down to tombstones; with `sweep`, what the tree holds."""
        part = self._part("host/remove", "common/remove", hangs=(_LOCK_SECONDS,)).within(tree)
        return exchanges.remove(part, fence, removal, self._installation, answers.VOCABULARY)

    def remove_tree(self, fence: str, removal: TreeRemoval) -> Exchange[TreeRemoved]:
        """The whole tree away. The locks of slots stay, which are of all trees of the user."""
        return exchanges.remove_tree(self._part("common/remove_tree", hangs=()), fence, removal)

    def _part(self, *scripts: str, hangs: Sequence[int]) -> Part:
        return Part(self._variables, scripts, hangs)


def _rank(submission: Submission) -> str:
    """Where in the queue it goes, in digits of which the lowest come first."""
    return f"{_HIGHEST_PRIORITY - submission.priority:07d}"
