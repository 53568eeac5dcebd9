"""One row of a listing, and the marks by which a job is known as ours: the path of its command (`runs/KEY/wrapper.sh`), or its comment.

Names and comments of other jobs may hold newlines and separators, so a row counts only behind the fence of its exchange, the name is not
asked for, and the comment comes last. The script at the far end finds the key in what squeue prints, and puts our mark with it in the
place of command and comment. A row that is not exactly what it prints is nobody's.
"""

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from fairlead.api.v1alpha1.texts import LATEST_TIME, clean
from fairlead.domain.run.observation import Listed
from fairlead.domain.run.run import RunKey
from fairlead.schedulers.answers import number
from fairlead.schedulers.slurm import states

SEPARATOR = "\x1f"
SOURCE = "squeue"

SQUEUE_FORMAT = SEPARATOR.join(("%i", "%T", "%S", "%V", "%N", "%r", "%o", "%k"))
"""Id, state, start (expected or real), submission, nodes, reason, command, comment, for `squeue --noheader --all --states=all -o`; times
are epoch seconds under `SLURM_TIME_FORMAT=%s`."""

_FIELDS = SQUEUE_FORMAT.count(SEPARATOR)     # of a row: our mark stands for two
_ID = re.compile(r"[1-9][0-9]{0,9}")
_NODES = re.compile(r"[A-Za-z0-9._,\[\]-]{1,1000}")
_REASON_CHARACTERS = 256
_NOTHING = frozenset({"(null)", "None", "N/A"})


def mark(installation: str, key: RunKey) -> str:
    """What a row says of a job of ours, and the comment of one that has no other: `fairlead:<installation>:<key>`."""
    return f"fairlead:{installation}:{key}"


def former_name(job_name: str, key: RunKey) -> str:
    """The name that releases gave to a job of ours before it was the user's own: such jobs may be in the queue."""
    return f"{job_name}-{key}"


def parse_row(fields: Sequence[str], installation: str, remarked: Mapping[str, RunKey] = MappingProxyType({})) -> Listed | None:
    """The job that one row shows, without the fence: the fields of `SQUEUE_FORMAT`, with our mark in the place of the last two.

    `remarked` are ids whose key a second source has shown: a site's plugin may have rewritten the comment of a job of an earlier release.
    None for another row without the mark of `installation` and for a malformed one. Never an exception: the text comes from a remote host.
    """
    if len(fields) != _FIELDS:
        return None
    job_id, word, starts, submitted, node, reason, marked = fields
    prefix = f"fairlead:{installation}:"
    key = RunKey.parse(marked[len(prefix):]) if marked.startswith(prefix) else remarked.get(job_id)
    if key is None or _ID.fullmatch(job_id) is None:
        return None
    why = "" if reason in _NOTHING else clean(reason, _REASON_CHARACTERS)
    return Listed(
        key=key, id=job_id, state=states.read(word, why), word=clean(word, _REASON_CHARACTERS), reason=why,
        node=node if _NODES.fullmatch(node) else "", submitted=_epoch(submitted), starts=_epoch(starts), source=SOURCE,
    )


def _epoch(text: str) -> int | None:
    """Seconds, or None for `N/A` and anything else that is no time; 0 is Slurm's word for not set."""
    return number(text, LATEST_TIME) or None
