"""Slurm behind the seam: which script is sent with which variables, and which reader takes its answer."""

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from shlex import quote
from typing import Final, TypeVar

from fairlead.api.v1alpha1 import names
from fairlead.domain.errors import UserFault
from fairlead.domain.run import CancelAnswer, Observation, Probe, RunKey, RunState, Submission, SubmitAnswer, Tree
from fairlead.schedulers import sh
from fairlead.schedulers.fence import Answer, read
from fairlead.schedulers.seam import Cancellation, Exchange, Place, Query, Removal, Removed
from fairlead.schedulers.slurm import accounting, answers, listing, refusals, states

T = TypeVar("T")

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_KILL_SECONDS: Final = 2                 # `timeout -k`: what ignores TERM is killed after so long
_SPARE_SECONDS: Final = 10               # for the shell itself, on a busy login node
_SECONDS_PER_KEY: Final = 0.5
_KIB: Final = 1024
_OUTPUT_PER_KEY: Final = 12 * _KIB       # 4 KiB of a log as hexadecimal digits, and the rest
_LISTING_BYTES: Final = 16 * _KIB * _KIB  # squeue -o of 100,000 jobs

_EXPLAINED = frozenset({RunState.PENDING, RunState.STARTING, RunState.HELD, RunState.RUNNING, RunState.SUSPENDED, RunState.FINISHING})
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

    def __init__(self, installation: str, bin_path: str = "", accounting: str = "Auto", timeouts: SlurmTimeouts = SlurmTimeouts()) -> None:
        self._installation = installation
        self._bin_path = bin_path
        self._accounting = accounting
        self._timeouts = timeouts

    def probe(self, fence: str, place: Place) -> Exchange[Probe]:
        """Make or find the tree, install the wrapper, and ask sbatch, slurmctld and sacct whether they are there."""
        limits = self._timeouts
        variables = self._variables(fence) | {
            "WORK_DIR": place.work_dir, "INSTALLATION": place.installation, "KNOWN": place.marker, "FRESH": place.fresh_marker,
            "LAYOUT": str(names.REMOTE_LAYOUT), "WRAPPER": sh.WRAPPER, "ENTER": sh.ENTER, "BUILD": sh.BUILD,
        }
        code = sh.program(variables, "install", "probe")
        seconds = _bound(limits.scontrol_seconds, limits.sacct_seconds, 10)
        return Exchange("probe", code, b"", seconds, 64 * _KIB, _reader(fence, answers.probe))

    def submit(self, fence: str, tree: Tree, submissions: Sequence[Submission]) -> Exchange[Mapping[RunKey, SubmitAnswer]]:
        """Submit each once.

        Raises `UserFault` for what no shell can be given: NUL, a variable name that is no identifier, a path with control characters.
        """
        limits = self._timeouts
        variables = self._variables(fence, tree) | {
            "WRAPPER": sh.WRAPPER, "ENTER": sh.ENTER, "BUILD": sh.BUILD, "WATCH_SECONDS": str(limits.watch_seconds),
            "LOST_WORDS": refusals.LOST_WORDS,
        }
        calls = "\n".join([*map(self._call, submissions), "finish"])
        payload = b"".join(submission.script for submission in submissions)
        keys = [submission.key for submission in submissions]
        seconds = _bound(limits.sbatch_seconds, limits.squeue_seconds, limits.scancel_seconds) + _SECONDS_PER_KEY * len(keys)
        return Exchange(
            "submit", sh.program(variables, "install", "submit", calls=calls), payload, seconds, 64 * _KIB + 4 * _KIB * len(keys),
            _reader(fence, lambda answer: answers.submitted(answer, keys)),
        )

    def observe(self, fence: str, tree: Tree, query: Query) -> Exchange[Observation]:
        """The listing, then directories, scontrol and sacct for the keys that it does not explain."""
        limits = self._timeouts
        live = [word for word, state in states.WORDS.items() if state in _EXPLAINED]
        variables = self._variables(fence, tree) | {
            "KEYS": "\n".join(f"{key} {job_id}".strip() for key, job_id in query.keys.items()),
            "FORMAT": listing.SQUEUE_FORMAT, "LIVE": f" {' '.join(live)} ",
            "STATE_FIELD": str(listing.SQUEUE_FORMAT.split(listing.SEPARATOR).index("%T") + 3),   # behind fence and kind, from 1
            "SACCT_FORMAT": accounting.SACCT_FORMAT, "TOUCH": "1" if query.touch else "",
        }
        count = len(query.keys)
        seconds = _bound(limits.squeue_seconds, limits.scontrol_seconds, limits.sacct_seconds) + _SECONDS_PER_KEY * count
        return Exchange(
            "observe", sh.program(variables, "observe"), b"", seconds, _LISTING_BYTES + _OUTPUT_PER_KEY * count,
            _reader(fence, lambda answer: answers.observation(answer, self._installation, query.keys)),
        )

    def cancel(self, fence: str, tree: Tree, cancellations: Sequence[Cancellation]) -> Exchange[Mapping[RunKey, CancelAnswer]]:
        """Revoke, then cancel what one listing shows under the keys."""
        limits = self._timeouts
        keys = [cancellation.key for cancellation in cancellations]
        variables = self._variables(fence, tree) | {
            "KEYS": "\n".join(_cancel_line(cancellation) for cancellation in cancellations),
        }
        hangs = (limits.squeue_seconds, limits.squeue_seconds, limits.scontrol_seconds, limits.scancel_seconds)
        seconds = _bound(*hangs) + _SECONDS_PER_KEY * len(keys)
        return Exchange(
            "cancel", sh.program(variables, "cancel"), b"", seconds, 64 * _KIB + 4 * _KIB * len(keys),
            _reader(fence, lambda answer: answers.cancelled(answer, keys)),
        )

    def remove(self, fence: str, tree: Tree, removal: Removal) -> Exchange[Removed]:
        """Directories down to tombstones; with `sweep`, what the tree holds and what the scheduler lists."""
        variables = self._variables(fence, tree) | {
            "KEYS": "\n".join(str(key) for key in removal.keys), "DAYS": str(removal.tombstone_days), "SWEEP": "1" if removal.sweep else "",
        }
        seconds = _bound(self._timeouts.squeue_seconds) + 60 * removal.sweep + _SECONDS_PER_KEY * len(removal.keys)
        return Exchange(
            "sweep" if removal.sweep else "remove", sh.program(variables, "remove"), b"", seconds, _LISTING_BYTES,
            _reader(fence, lambda answer: answers.removed(answer, self._installation)),
        )

    def _variables(self, fence: str, tree: Tree | None = None) -> dict[str, str]:
        limits = self._timeouts
        variables = {
            "FENCE": fence, "BIN_PATH": self._bin_path, "ACCOUNTING": self._accounting, "MARK": f"fairlead:{self._installation}:",
            "SBATCH_SECONDS": str(limits.sbatch_seconds), "SQUEUE_SECONDS": str(limits.squeue_seconds),
            "SCANCEL_SECONDS": str(limits.scancel_seconds), "SCONTROL_SECONDS": str(limits.scontrol_seconds),
            "SACCT_SECONDS": str(limits.sacct_seconds),
        }
        return variables | ({"TREE": tree.path, "MARKER": tree.marker} if tree else {})

    def _call(self, submission: Submission) -> str:
        key, owner = submission.key, submission.owner
        settings = {
            "KEY": str(key), "PREVIOUS": str(key.previous or ""), "LOST": "1" if submission.previous_is_lost else "",
            "AGAIN": "1" if submission.resubmit else "", "REQUEUE": "--requeue" if submission.requeue else "--no-requeue",
            "NAME": listing.run_name(owner.name, key), "COMMENT": listing.mark(self._installation, key),
            "OWNER": f"{owner.namespace} {owner.name} {owner.uid}",
            "SETTINGS": _settings(submission), "ENVIRONMENT": _environment(submission),
            "BYTES": str(len(submission.script)), "SHA256": hashlib.sha256(submission.script).hexdigest(),
        }
        for option in submission.options:
            _require_no_nul("an sbatch option", option)
        return "\n".join((
            " ".join(f"{name}={quote(value)}" for name, value in settings.items()),
            " ".join(map(quote, ("submit", *submission.options))),
        ))


def _environment(submission: Submission) -> str:
    """The file `env`: `export` lines."""
    for name, value in submission.env.items():
        if _IDENTIFIER.fullmatch(name) is None:
            raise UserFault(f"The environment variable name {name!r} is not an identifier: use letters, digits and underscores.")
        _require_no_nul(f"the environment variable {name}", value)
    return "".join(f"export {name}={quote(value)}\n" for name, value in submission.env.items())


def _settings(submission: Submission) -> str:
    """The file `job`: what the wrapper does for this Run, and the script's arguments."""
    paths = {"workingDir": submission.working_dir, "stdoutPath": submission.stdout_path, "stderrPath": submission.stderr_path}
    for what, path in paths.items():
        if _CONTROL.search(path):
            raise UserFault(f"{what} holds a control character: write a plain path.")
    for argument in submission.arguments:
        _require_no_nul("an argument", argument)
    settings = {
        "fl_name": submission.owner.name, "fl_dir": submission.working_dir, "fl_out": submission.stdout_path or names.DEFAULT_OUTPUT,
        "fl_err": submission.stderr_path, "fl_login": "1" if submission.login_shell else "0",
    }
    arguments = " ".join(map(quote, ("set", "--", *submission.arguments)))
    return "\n".join([*(f"{name}={quote(value)}" for name, value in settings.items()), arguments, ""])


def _require_no_nul(what: str, value: str) -> None:
    if "\0" in value:
        raise UserFault(f"{what[0].upper()}{what[1:]} holds a NUL character, which no program can be given: remove it.")


def _cancel_line(cancellation: Cancellation) -> str:
    phase = "only" if cancellation.only_ids else str(cancellation.phase)
    return " ".join((str(cancellation.key), phase, str(cancellation.why), *cancellation.only_ids))


def _bound(*seconds: int) -> float:
    """Enough for commands that each hang for so long: after one hung, none of its kind is called again."""
    return float(sum(seconds) + _KILL_SECONDS * len(seconds) + _SPARE_SECONDS)


def _reader(fence: str, parse: Callable[[Answer], T]) -> Callable[[bytes], T]:
    return lambda output: parse(read(output, fence))
