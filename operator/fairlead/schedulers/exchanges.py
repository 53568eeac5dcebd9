"""The exchanges, as far as they are the same for every scheduler: what goes into their variables, and the bounds of their answers.

A scheduler gives each a `Part`: its own variables and scripts, and how long its commands may hang.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from fairlead.api.v1alpha1 import names
from fairlead.domain.run.answers import CancelAnswer, CancelPhase, Probe, SubmitAnswer
from fairlead.domain.run.installation import Installation
from fairlead.domain.run.observation import Observation
from fairlead.domain.run.request import Submission
from fairlead.domain.run.run import RunKey, Tree
from fairlead.schedulers import answers, sh
from fairlead.schedulers.answers import Vocabulary
from fairlead.schedulers.fence import MOST_ROWS, Answer, last_row, read
from fairlead.schedulers.seam import Cancellation, Exchange, Place, Query, Removal, Removed, TreeRemoval, TreeRemoved

T = TypeVar("T")

_KILL_SECONDS: Final = 2                 # `timeout -k`: what ignores TERM is killed after so long
_SPARE_SECONDS: Final = 10               # for the shell itself, on a busy login node
_SECONDS_PER_KEY: Final = 0.5
_TICK_SECONDS: Final = 2                 # between two looks of who listens
_TREE_SECONDS: Final = 60                # to look through a whole tree
_REMOVE_SECONDS: Final = 20              # to take one away, in one exec
_KIB: Final = 1024
_SPARE_BYTES: Final = 64 * _KIB          # for what a login shell prints in front of the script's rows
_ANSWER_PER_KEY: Final = 12 * _KIB       # of a submission or cancellation: 2,000 bytes of the scheduler's words, 64 ids, and a claim's link
_LOOK_PER_KEY: Final = 72 * _KIB         # of a poll: 30 of its directory (paths, a log's end), 17 of squeue, 17 of scontrol, 4 of sacct
_SPARE_ROWS: Final = 1024
_ROWS_PER_KEY: Final = 256               # of a poll: those rows are 60 bytes and more, so by bytes there can be no more
_TREE_BYTES: Final = 24 * _KIB * _KIB    # 20,000 directories of 730 bytes, as many claims of 90, as many marks of listed jobs of 180


@dataclass(frozen=True, slots=True)
class Part:
    """A scheduler's part in one exchange: variables, scripts in their order, and seconds for which each of its commands may hang."""

    variables: Mapping[str, str]
    scripts: Sequence[str]
    hangs: Sequence[int]

    def exchange(self, verb: str, fence: str, parse: Callable[[Answer], T], most_bytes: int = _SPARE_BYTES, *,
                 keys: int = 0, calls: str = "", payload: bytes = b"") -> Exchange[T]:
        """The exchange, with time and rows for so many keys: after one command hung, none of its kind is called again."""
        seconds = sum(self.hangs) + _KILL_SECONDS * len(self.hangs) + _SPARE_SECONDS + _SECONDS_PER_KEY * keys
        code = sh.program({"FENCE": fence, **self.variables}, *self.scripts, calls=calls)
        most_rows = MOST_ROWS if verb == "sweep" else _SPARE_ROWS + _ROWS_PER_KEY * keys
        return Exchange(verb, code, payload, float(seconds), most_bytes, lambda output: parse(read(output, fence, most_rows)),
                        last_row(fence))

    def having(self, **variables: str) -> "Part":
        """The part with further variables."""
        return replace(self, variables={**self.variables, **variables})

    def within(self, tree: Tree) -> "Part":
        """The part with the tree that its scripts enter."""
        return self.having(TREE=tree.path, MARKER=tree.marker)


def probe(part: Part, fence: str, place: Place) -> Exchange[Probe]:
    """Make or find the tree, and look at the site."""
    whole = part.having(
        WORK_DIR=place.work_dir, INSTALLATION=place.installation.name, SERVER=place.installation.api_server, KNOWN=place.marker,
        FRESH=place.fresh_marker, LAYOUT=str(names.REMOTE_LAYOUT), WHO=place.installation.word,
    )
    return whole.exchange("probe", fence, answers.probe)


def submit(part: Part, fence: str, submissions: Sequence[Submission], calls: Sequence[str],
           vocabulary: Vocabulary) -> Exchange[Mapping[RunKey, SubmitAnswer]]:
    """Submit each once, by its call (see `payload`) and the script that goes along."""
    keys = [submission.key for submission in submissions]
    return part.having(KEYS=" ".join(map(str, keys))).exchange(
        "submit", fence, lambda answer: answers.submitted(answer, keys, vocabulary), _SPARE_BYTES + _ANSWER_PER_KEY * len(keys),
        keys=len(keys), calls="\n".join([*calls, "leave"]), payload=b"".join(submission.script for submission in submissions),
    )


def observe(part: Part, fence: str, query: Query, parse: Callable[[Answer], Observation]) -> Exchange[Observation]:
    """One poll for all keys."""
    known = "\n".join(f"{key} {job_id}".strip() for key, job_id in query.keys.items())
    whole = part.having(KEYS=known, TOUCH="1" if query.touch else "", LOOK_SECONDS=str(query.look_seconds))
    return whole.exchange("observe", fence, parse, _SPARE_BYTES + _LOOK_PER_KEY * len(query.keys), keys=len(query.keys))


def listen(part: Part, fence: str, known: str, seconds: int) -> Exchange[str]:
    """Wait for news."""
    whole = part.having(KNOWN=known, LISTEN_SECONDS=str(seconds), TICK_SECONDS=str(_TICK_SECONDS))
    return replace(replace(whole, hangs=(seconds,)).exchange("listen", fence, answers.heard), aside=True)


def cancel(
    part: Part, fence: str, cancellations: Sequence[Cancellation], installation: Installation,
) -> Exchange[Mapping[RunKey, CancelAnswer]]:
    """Revoke, then end what is there."""
    keys = [cancellation.key for cancellation in cancellations]
    whole = part.having(KEYS="\n".join(_cancel_line(cancellation, installation) for cancellation in cancellations))
    most_bytes = _SPARE_BYTES + _ANSWER_PER_KEY * len(keys)
    return whole.exchange("cancel", fence, lambda answer: answers.cancelled(answer, keys), most_bytes, keys=len(keys))


def remove(part: Part, fence: str, removal: Removal, installation: Installation, vocabulary: Vocabulary) -> Exchange[Removed]:
    """Directories down to tombstones; with `sweep`, what the tree holds and what the scheduler lists."""
    def parse(answer: Answer) -> Removed:
        return answers.removed(answer, installation, vocabulary)

    whole = part.having(
        KEYS="\n".join(f"{key} {installation.check_of_leave(key)}" for key in removal.keys),
        DAYS=str(removal.tombstone_days), SWEEP="1" if removal.sweep else "",
    )
    if not removal.sweep:
        return whole.exchange("remove", fence, parse, _SPARE_BYTES + _ANSWER_PER_KEY * len(removal.keys), keys=len(removal.keys))
    return replace(whole, hangs=(*whole.hangs, _TREE_SECONDS)).exchange("sweep", fence, parse, _TREE_BYTES)


def remove_tree(part: Part, fence: str, removal: TreeRemoval) -> Exchange[TreeRemoved]:
    """The whole tree away: looked at twice, and then removed for as long as one exec may."""
    whole = part.within(removal.tree).having(
        LAYOUT=str(names.REMOTE_LAYOUT), WHO=removal.installation.word, OWED=" ".join(removal.owed),
        DAYS=str(removal.tombstone_days), REMOVE_SECONDS=str(_REMOVE_SECONDS))
    return replace(whole, hangs=(_TREE_SECONDS, _TREE_SECONDS, *[_REMOVE_SECONDS] * 4)).exchange("remove-tree", fence, answers.tree_removed)


def _cancel_line(cancellation: Cancellation, installation: Installation) -> str:
    """`key phase why leave ids`: `leave` is the proof to leave behind, or by what one is known."""
    key, phase = cancellation.key, "only" if cancellation.only_ids else str(cancellation.phase)
    leave = installation.proof_of_leave(key) if phase == CancelPhase.ORPHAN else installation.check_of_leave(key)
    return " ".join((str(key), phase, str(cancellation.why), leave, *cancellation.only_ids))
