"""Slurm behind the seam: which script is sent with which variables, and which reader takes its answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from fairlead.domain.run.answers import CancelAnswer, Probe, SubmitAnswer
from fairlead.domain.run.installation import Installation
from fairlead.domain.run.observation import Observation
from fairlead.domain.run.request import Submission
from fairlead.domain.run.run import RunKey, RunState, Tree
from fairlead.schedulers import exchanges, payload, sh
from fairlead.schedulers.exchanges import Part
from fairlead.schedulers.seam import Cancellation, Exchange, Place, Query, Removal, Removed, TreeRemoval, TreeRemoved
from fairlead.schedulers.slurm import accounting, answers, files, listing, refusals, states

_PING_SECONDS: Final = 10                # scontrol --version

BUILD: Final = sh.build(sh.WRAPPER, sh.ENTER)
"""Names the files that jobs find on the cluster."""

_FILES: Final = {"BUILD": BUILD, "WRAPPER": sh.WRAPPER, "ENTER": sh.ENTER}

_LISTING: Final = ("slurm/slurm", "slurm/listing")

_EXPLAINED = frozenset({
    RunState.PENDING, RunState.STARTING, RunState.HELD, RunState.STUCK,
    RunState.RUNNING, RunState.SUSPENDED, RunState.FINISHING,
})
"""States of the listing that need no second source."""


@dataclass(frozen=True, slots=True)
class SlurmTimeouts:
    """How long each of Slurm's commands may take, and how often a wrapper looks at its claim. Whole seconds.

    sbatch retries for 120 s when the queue is full, squeue hangs for 10 s on a stopped controller, sacct for 45 s on a stopped database.
    """

    sbatch_seconds: int = 20
    """For one submission."""
    squeue_seconds: int = 15
    """For one listing."""
    scancel_seconds: int = 20
    """For one call of scancel."""
    scontrol_seconds: int = 15
    """For one call of scontrol."""
    sacct_seconds: int = 20
    """For one look into the accounting."""
    watch_seconds: int = 60
    """A wrapper looks this often whether its claim still stands, and ends the script if it does not."""


class Slurm:
    """A Slurm cluster at the far end. `bin_path` goes in front of PATH there; `accounting` is Auto, Required or None (never ask sacct)."""

    def __init__(
        self, installation: Installation, bin_path: str = "", accounting: str = "Auto", timeouts: SlurmTimeouts = SlurmTimeouts(),
    ) -> None:
        self._installation = installation
        self._bin_path = bin_path
        self._accounting = accounting
        self._timeouts = timeouts

    def probe(self, fence: str, place: Place) -> Exchange[Probe]:
        """Make or find the tree, install the wrapper, and ask sbatch, slurmctld and sacct whether they are there."""
        limits = self._timeouts
        hangs = (limits.scontrol_seconds, limits.sacct_seconds, _PING_SECONDS)
        part = self._part("common/install", "slurm/install", "slurm/slurm", "slurm/probe", "common/probe", hangs=hangs)
        return exchanges.probe(part.having(**_FILES), fence, place)

    def submit(self, fence: str, tree: Tree, submissions: Sequence[Submission]) -> Exchange[Mapping[RunKey, SubmitAnswer]]:
        """Submit each once.

        Raises `UserFault` for what no shell can be given: NUL, a variable name that is no identifier, a path with control characters.
        """
        limits = self._timeouts
        hangs = (limits.sbatch_seconds, limits.squeue_seconds, limits.scancel_seconds)
        scripts = ("common/install", "slurm/install", *_LISTING, "slurm/submit", "common/submit")
        part = self._part(*scripts, hangs=hangs).within(tree).having(
            WATCH_SECONDS=str(limits.watch_seconds), LOST_WORDS=refusals.LOST_WORDS, **_FILES)
        return exchanges.submit(part, fence, submissions, [self._call(each) for each in submissions], answers.VOCABULARY)

    def observe(self, fence: str, tree: Tree, query: Query) -> Exchange[Observation]:
        """The listing, then directories, scontrol and sacct for the keys that it does not explain."""
        limits = self._timeouts
        live = [word for word, state in states.WORDS.items() if state in _EXPLAINED]
        ending = [word for word, state in states.WORDS.items() if state is RunState.FINISHING]
        hangs = (limits.squeue_seconds, limits.scontrol_seconds, limits.sacct_seconds)
        part = self._part(*_LISTING, "common/fold", "common/sentinels", "slurm/observe", hangs=hangs).within(tree).having(
            FORMAT=listing.SQUEUE_FORMAT, LIVE=f" {' '.join(live)} ",
            ENDING=f" {' '.join(ending)} ",
            SACCT_FORMAT=accounting.SACCT_FORMAT,
            STATE_FIELD=str(listing.SQUEUE_FORMAT.split(listing.SEPARATOR).index("%T") + 3),   # behind fence and kind, from 1
        )
        return exchanges.observe(part, fence, query, lambda answer: answers.observation(answer, self._installation.name, query.keys))

    def listen(self, fence: str, tree: Tree, known: str, seconds: int) -> Exchange[str]:
        """Wait for a Run's begin or end."""
        return exchanges.listen(self._part("common/listen", hangs=()).within(tree), fence, known, seconds)

    def cancel(self, fence: str, tree: Tree, cancellations: Sequence[Cancellation]) -> Exchange[Mapping[RunKey, CancelAnswer]]:
        """Revoke, then cancel what one listing shows under the keys."""
        limits = self._timeouts
        hangs = (limits.squeue_seconds, limits.scontrol_seconds, limits.scancel_seconds)
        part = self._part(*_LISTING, "slurm/cancel", "common/cancel", hangs=hangs).within(tree)
        return exchanges.cancel(part, fence, cancellations, self._installation)

    def remove(self, fence: str, tree: Tree, removal: Removal) -> Exchange[Removed]:
        """Directories down to tombstones; with `sweep`, what the tree holds and what the scheduler lists."""
        part = self._part(*_LISTING, "slurm/remove", "common/remove", hangs=(self._timeouts.squeue_seconds,)).within(tree)
        return exchanges.remove(part, fence, removal, self._installation, answers.VOCABULARY)

    def remove_tree(self, fence: str, removal: TreeRemoval) -> Exchange[TreeRemoved]:
        """The whole tree away. Nothing is asked of the scheduler: what stands in the tree says whether it is needed."""
        return exchanges.remove_tree(self._part("common/remove_tree", hangs=()), fence, removal)

    def _part(self, *scripts: str, hangs: Sequence[int]) -> Part:
        limits = self._timeouts
        return Part({
            "BIN_PATH": self._bin_path, "ACCOUNTING": self._accounting, "MARK": f"fairlead:{self._installation.name}:",
            "SBATCH_SECONDS": str(limits.sbatch_seconds), "SQUEUE_SECONDS": str(limits.squeue_seconds),
            "SCANCEL_SECONDS": str(limits.scancel_seconds), "SCONTROL_SECONDS": str(limits.scontrol_seconds),
            "SACCT_SECONDS": str(limits.sacct_seconds),
        }, scripts, hangs)

    def _call(self, submission: Submission) -> str:
        return payload.call(submission, {
            "REQUEUE": "--requeue" if submission.requeue else "--no-requeue",
            "NAME": submission.job_name or submission.owner.name,
            "FORMER": listing.former_name(submission.owner.name, submission.key),
            "COMMENT": "" if _has_a_comment(submission) else listing.mark(self._installation.name, submission.key),
            **files.as_slurm_opens_them(submission),
        }, self._installation)


def _has_a_comment(submission: Submission) -> bool:
    return any(option.startswith("--comment=") for option in submission.options)
