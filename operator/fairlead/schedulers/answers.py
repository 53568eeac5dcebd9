"""What the scripts print of run directories, read into the words of a Run; what a scheduler itself says is read with its `Vocabulary`.

A remote host prints what it likes: a row that is not as our scripts write it counts as not there, and what is not there decides nothing.
Each row is looked at once, numbers are in range or none, and of one key so many rows count as a key can have.
"""

import re
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hmac import compare_digest
from typing import Final, TypeVar

from fairlead.api.v1alpha1.reasons import ClusterReason
from fairlead.api.v1alpha1.texts import LATEST_TIME, NODES_CHARACTERS, PATH_CHARACTERS, WORD_CHARACTERS, clean
from fairlead.domain.errors import RemoteFault, Unanswered
from fairlead.domain.run.answers import AccountingState, CancelAnswer, Probe, ProbeProblem, Remnant, SubmitAnswer, SubmitWord
from fairlead.domain.run.installation import Installation
from fairlead.domain.run.observation import Finished, LastWord, LogTail, Sentinels, Started
from fairlead.domain.run.run import Owner, RunKey, RunState, StopWord, Tree
from fairlead.schedulers.fence import Answer, Row
from fairlead.schedulers.seam import Removed, TreeRemoved, TreeState

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
S = TypeVar("S", Started, Finished)

ID = re.compile(r"[1-9][0-9]{0,9}")
NUMBER = re.compile(r"[0-9]{1,12}")
TEXT_CHARACTERS = 1000
ROWS_PER_KEY: Final = 64                 # of one kind: jobs listed under one key, starts of a Run
_MOST_RESTARTS: Final = 999_999
MOST_EXIT_CODE: Final = 255
_TAIL_BYTES: Final = 4096
_END_WORDS: Final = 16
_STATE = re.compile(r"[A-Z_]{1,32}")
_MARKER = re.compile(r"[0-9a-f]{32}")
_OWNER_NAME = re.compile(r"[a-z0-9](?:[-.a-z0-9]{0,251}[a-z0-9])?")
_KIND = re.compile(r"[A-Z][A-Za-z0-9]{0,62}")
_LINE_END = "\x1e"                       # what the scripts make of a newline in a program's words
_WITH_ID = frozenset({SubmitWord.SUBMITTED, SubmitWord.CLAIMED, SubmitWord.ALIVE})
_BARE = frozenset({SubmitWord.REVOKED, SubmitWord.NOT_YET})


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """A scheduler's own words: what a refusal means (exit code and text) and how it is said to people, and which state a word is."""

    classify: Callable[[int, str], SubmitWord]
    sentence: Callable[[str], str]
    read: Callable[[str], RunState]


def heard(answer: Answer) -> str:
    """The last line of `changes`, perhaps empty. Raises `Unanswered` without one."""
    require_tree(answer)
    row = answer.first("changes")
    if row is None:
        raise Unanswered("who listens has not said what it heard", ClusterReason.POLL_FAILED)
    return row.field(0)[:TEXT_CHARACTERS]


def probe(answer: Answer) -> Probe:
    """What the probe said: the tree if there is one, and the last problem: behind one that does not end the probe comes a worse one."""
    tree, books = answer.first("tree"), answer.first("accounting")
    trouble = next(iter(reversed(answer.of("problem"))), None)
    problem = next((known for known in ProbeProblem if trouble and trouble.field(0) == known), None)
    if (trouble and problem is None) or (tree and not (_MARKER.fullmatch(tree.field(1)) and _is_path(tree.field(0)))):
        problem = ProbeProblem.NOT_OURS
    version = answer.first("version")
    return Probe(
        tree=Tree(tree.field(0), tree.field(1)) if tree and problem is not ProbeProblem.NOT_OURS else None,
        version=clean(version.field(0), WORD_CHARACTERS).rpartition(" ")[2] if version else "",
        accounting=next((state for state in AccountingState if books and books.field(0) == state), AccountingState.ABSENT),
        problem=problem,
        text=clean(trouble.field(1), TEXT_CHARACTERS) if trouble else "",
    )


def _is_path(text: str) -> bool:
    return len(text) <= PATH_CHARACTERS and text.isprintable()


def submitted(answer: Answer, keys: Sequence[RunKey], vocabulary: Vocabulary) -> dict[RunKey, SubmitAnswer]:
    """Each key's answer; a key without one is UNKNOWN, all of them NO_TREE when the tree was not there."""
    lost = answer.first("no-tree")
    if lost:
        return {key: SubmitAnswer(SubmitWord.NO_TREE, text=clean(lost.field(0), TEXT_CHARACTERS)) for key in keys}
    told = by_key(answer.of("submit"))
    silent = SubmitAnswer(SubmitWord.UNKNOWN, text="no answer for this key")
    return {key: _submitted(told[key], vocabulary) if key in told else silent for key in keys}


def _submitted(row: Row, vocabulary: Vocabulary) -> SubmitAnswer:
    word, said, text = row.field(1), row.field(2), row.field(3)
    if word in _WITH_ID and ID.fullmatch(said):
        return SubmitAnswer(SubmitWord(word), id=said)
    if word in _BARE:
        return SubmitAnswer(SubmitWord(word))
    code = number(said, None)
    if word == SubmitWord.REFUSED and code is not None:
        text = text.replace(_LINE_END, "\n")
        return SubmitAnswer(vocabulary.classify(code, text), text=vocabulary.sentence(text))
    known = SubmitWord.BUSY if word == SubmitWord.BUSY else SubmitWord.UNKNOWN
    return SubmitAnswer(known, text=clean(text, TEXT_CHARACTERS))


def sentinels(answer: Answer, vocabulary: Vocabulary) -> dict[RunKey, Sentinels]:
    """What each run directory holds of which the answer speaks."""
    starts, ends = _by_restart(answer.rows, "started-", _started), _by_restart(answer.rows, "finished-", _finished)
    logs = by_key(answer.of("log"))
    found = {}
    for key, row in by_key(answer.of("run")).items():
        _, present, claim, job_id, refused, stop, never, word, bare = (row.field(index) for index in range(9))
        claimed = claim.split(".", 1)[0]
        found[key] = Sentinels(
            present=present == "present",
            claim=claimed if ID.fullmatch(claimed) else "",
            revoked=claim == "revoked",
            id=job_id if ID.fullmatch(job_id) else "",
            refused=vocabulary.sentence(refused.partition(" ")[2].replace(_LINE_END, "\n")),
            stop=next((word for word in StopWord if stop.split(" ", 1)[0] == word), None),
            started=_latest(starts.get(key, ())),
            finished=_latest(ends.get(key, ())),
            log=_log_tail(logs[key]) if key in logs else None,
            never=never != "" and never == claim,
            word=_witnessed(word, vocabulary),
            bare=bare == "bare",
        )
    return found


def _witnessed(text: str, vocabulary: Vocabulary) -> LastWord | None:
    """The scheduler's word as a wrapper has heard it: `id.WORD`."""
    job_id, _, word = text.partition(".")
    return LastWord(job_id, vocabulary.read(word), word, source="node") if ID.fullmatch(job_id) and _STATE.fullmatch(word) else None


def _latest(found: Iterable[S]) -> tuple[S, ...]:
    """Only the last start of a Run and its end count."""
    return tuple(sorted(found, key=lambda each: each.restart)[-ROWS_PER_KEY:])


def _by_restart(rows: Iterable[Row], kind: str, read: Callable[[Sequence[str]], V | None]) -> Mapping[RunKey, Sequence[V]]:
    """What the files of one kind say, whose name ends with the number that stands in them."""
    told = ((RunKey.parse(row.field(0)), row.kind, row.field(1)[:TEXT_CHARACTERS].split()) for row in rows if row.kind.startswith(kind))
    return gathered((key, found) for key, name, words in told
                    if key and len(words) >= 4 and name == f"{kind}{words[1]}" and (found := read(words)))


def _started(words: Sequence[str]) -> Started | None:
    restart, at = number(words[1], _MOST_RESTARTS), number(words[2], None)
    if len(words) != 4 or restart is None or at is None or not ID.fullmatch(words[0]):
        return None
    return Started(words[0], restart, clean(words[3], NODES_CHARACTERS), at if at <= LATEST_TIME else None)


def _finished(words: Sequence[str]) -> Finished | None:
    restart, code, at = number(words[1], _MOST_RESTARTS), number(words[2], MOST_EXIT_CODE), number(words[3], None)
    if restart is None or code is None or at is None or not ID.fullmatch(words[0]):
        return None
    more = frozenset(words[4].split(",")[:_END_WORDS]) if len(words) > 4 else frozenset()   # a later release may add fields
    return Finished(words[0], restart, code, at if at <= LATEST_TIME else None, more)


def number(text: str, most: int | None) -> int | None:
    """The number that `text` spells in digits, None if it spells none from 0 to `most`, and for one of more than twelve digits."""
    found = int(text) if NUMBER.fullmatch(text) else None
    return None if found is None or (most is not None and found > most) else found


def gathered(pairs: Iterable[tuple[K, V]]) -> Mapping[K, Sequence[V]]:
    """The values of each key, in their order."""
    found: dict[K, list[V]] = {}
    for key, value in pairs:
        found.setdefault(key, []).append(value)
    return found


def _log_tail(row: Row) -> LogTail:
    size, out, err, digits = (row.field(index) for index in range(1, 5))
    try:
        tail = bytes.fromhex(digits[:2 * _TAIL_BYTES])
    except ValueError:
        tail = b""
    return LogTail(out[:PATH_CHARACTERS], err[:PATH_CHARACTERS], number(size, None), tail)


def cancelled(answer: Answer, keys: Sequence[RunKey]) -> dict[RunKey, CancelAnswer]:
    """Each key's answer; a key without one is not known, and so are all when the tree was not there."""
    lost = answer.first("no-tree")
    why = clean(lost.field(0), TEXT_CHARACTERS) if lost else "no answer for this key"
    told, troubles = by_key(answer.of("cancel")), by_key(answer.of("trouble"))
    ended = gathered((row.field(0), row.field(1)) for row in answer.of("ended") if ID.fullmatch(row.field(1)))

    def one(key: RunKey) -> CancelAnswer:
        if key not in told:
            return CancelAnswer(known=False, text=why)
        trouble = troubles[key].field(1) if key in troubles else ""
        return _cancelled(told[key], tuple(ended.get(str(key), ())[:ROWS_PER_KEY]), trouble)

    return {key: one(key) for key in keys}


def _cancelled(row: Row, ended: tuple[str, ...], trouble: str) -> CancelAnswer:
    _, word, claim, text = (row.field(index) for index in range(4))
    claimed = claim.split(".", 1)[0]
    return CancelAnswer(
        known=word in {"done", "orphaned"},
        claim=claimed if ID.fullmatch(claimed) else "",
        revoked=claim == "revoked",
        ids=ended,
        text=clean(text or trouble, TEXT_CHARACTERS),
        orphaned=word == "orphaned",
    )


def removed(answer: Answer, installation: Installation, vocabulary: Vocabulary) -> Removed:
    """The tombstones made, and with a sweep all that the tree holds and all that is listed.

    Raises `RemoteFault` when the tree was not there.
    """
    require_tree(answer)
    prefix = f"fairlead:{installation.name}:"
    remnants: dict[RunKey, Remnant] = {}
    for row in answer.of("marked"):
        key = RunKey.parse(row.field(1).removeprefix(prefix)) if row.field(1).startswith(prefix) else None
        if key and vocabulary.read(row.field(0)).may_run:
            remnants[key] = Remnant(key, None, tombstone=False, listed=True)
    for key, row in by_key(answer.of("remnant")).items():
        listed = key in remnants
        is_left = compare_digest(row.field(3).encode(), installation.proof_of_leave(key).encode())
        is_stone, (owner, is_foreign) = row.field(2) == "1" and not listed, _owner(row.field(1), key, installation)
        remnants[key] = Remnant(key, owner, is_stone, is_left, listed, is_foreign)
    whole, strange = answer.first("listed"), answer.first("strange")
    return Removed(
        frozenset(by_key(answer.of("buried"))), tuple(remnants.values()), complete=whole is not None and whole.field(0) == "0",
        strange=int(strange.field(0)) if strange and NUMBER.fullmatch(strange.field(0)) else 0,
    )


def _owner(text: str, key: RunKey, installation: Installation) -> tuple[Owner | None, bool]:
    """Whose it is, if that was written by us for this key; scripts can write there too. And whether we did so in a form of another release.

    A Job's mark has three words and their proof, that of another kind one more; of whatever form, the last word proves those before it.
    """
    said, _, proof = text[:TEXT_CHARACTERS].rpartition(" ")
    words = said.split(" ")
    is_ours = len(words) in {3, 4} and words[2] == key.uid and all(_OWNER_NAME.fullmatch(word) for word in words[:2])
    owner = Owner(*words) if is_ours and all(_KIND.fullmatch(word) for word in words[3:]) else None
    if owner is not None and len(words) == 3 and compare_digest(proof.encode(), installation.proof_of_owner(key, owner).encode()):
        return owner, False
    if not compare_digest(proof.encode(), installation.proof_of_mark(key, said).encode()):
        return None, False
    return (owner, False) if len(words) == 4 and owner else (None, True)


def require_tree(answer: Answer) -> None:
    """Raise `RemoteFault` when the script found no tree of ours."""
    lost = answer.first("no-tree")
    if lost:
        seen = clean(lost.field(0), TEXT_CHARACTERS)
        raise RemoteFault(f"The work folder is not the one we know: {seen}.", ClusterReason.WORK_DIR_NOT_OURS)


def tree_removed(answer: Answer) -> TreeRemoved:
    """What has become of the tree. Raises `RemoteFault` when it is not there."""
    require_tree(answer)
    for state in (TreeState.GONE, TreeState.MORE):
        if answer.first(state):
            return TreeRemoved(state)
    row = answer.first(TreeState.STAYS)
    return TreeRemoved(TreeState.STAYS, clean(row.field(0), TEXT_CHARACTERS) if row else "the far end does not say why")


def by_key(rows: Sequence[Row]) -> dict[RunKey, Row]:
    """Rows by the key in their first field; what is no key is left out."""
    keyed = ((RunKey.parse(row.field(0)), row) for row in rows)
    return {key: row for key, row in keyed if key}
