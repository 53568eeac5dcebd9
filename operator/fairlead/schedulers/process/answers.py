"""What the scripts print for a bare host, read into the words of a Run."""

from collections.abc import Mapping
from typing import Final

from fairlead.api.v1alpha1.texts import LATEST_TIME, clean
from fairlead.domain.run.answers import SubmitWord
from fairlead.domain.run.observation import LastWord, Listed, Observation
from fairlead.domain.run.run import RunKey, RunState
from fairlead.schedulers.answers import (
    ID,
    MOST_EXIT_CODE,
    TEXT_CHARACTERS,
    Vocabulary,
    by_key,
    number,
    require_tree,
    sentinels,
)
from fairlead.schedulers.fence import Answer, Row

SOURCE: Final = "host"

_WORDS: Final = {
    "PENDING": RunState.PENDING, "RUNNING": RunState.RUNNING, "COMPLETED": RunState.COMPLETED, "FAILED": RunState.FAILED,
    "TIMEOUT": RunState.TIMED_OUT, "NODE_FAIL": RunState.NODE_FAILED,
}
"""The host's words are Slurm's for the same thing, so that people need no second vocabulary."""


def _read(word: str) -> RunState:
    return _WORDS.get(word, RunState.UNKNOWN)


_TRACKING: Final = frozenset({"SystemdScope", "Cgroup", "LinuxProc"})
"""How the host finds a Run's processes: words like those of Slurm's ProctrackType (slurm.conf(5))."""


VOCABULARY: Final = Vocabulary(lambda _, __: SubmitWord.UNSURE, lambda text: clean(text, TEXT_CHARACTERS), _read)
"""The queue refuses nothing: what can never fit is refused before it is sent."""


def observation(answer: Answer, keys: Mapping[RunKey, str]) -> Observation:
    """One whole poll. Raises `RemoteFault` when the tree was not there."""
    require_tree(answer)
    listed = {key: (_listed(key, row),) for key, row in by_key(answer.of("job")).items() if key in keys and ID.fullmatch(row.field(1))}
    found = {key: each for key, each in sentinels(answer, VOCABULARY).items() if key in keys}
    records = {key: record for key, row in by_key(answer.of("outcome")).items() if key in keys and (record := _record(row))}
    return Observation(listed, found, records, later=frozenset(by_key(answer.of("later"))))


def _listed(key: RunKey, row: Row) -> Listed:
    _, job_id, word, since, reason, node, tracking = (row.field(index) for index in range(7))
    return Listed(
        key, job_id, _read(word), clean(word, TEXT_CHARACTERS), clean(reason, TEXT_CHARACTERS), clean(node, TEXT_CHARACTERS),
        starts=number(since, LATEST_TIME), source=SOURCE, tracking=_tracking(tracking),
    )


def _record(row: Row) -> LastWord | None:
    """How a Run came out: `id word code time`."""
    words = row.field(1)[:TEXT_CHARACTERS].split()
    if len(words) != 4 or not ID.fullmatch(words[0]) or (code := number(words[2], MOST_EXIT_CODE)) is None:
        return None
    job_id, word, *_ = words
    return LastWord(job_id, _read(word), clean(word, TEXT_CHARACTERS), exit_code=code, source=SOURCE, tracking=_tracking(row.field(2)))


def _tracking(word: str) -> str:
    return word if word in _TRACKING else ""
