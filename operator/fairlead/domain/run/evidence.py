"""What a Run is, from evidence: one whole observation of a key in, one verdict out.

The order of evidence: the claim says which id counts; then the listing, then that id's sentinels, then the scheduler's record. Two rules
guard the ends. *Silence is never Complete*: only the `finished` of the last start ends a Run well. *Relist*: a claim that is newer than the
listing is unexplained, not gone. And one guards the attempts. *Begun*: that a script never ran is said only when it is proved.
"""

from dataclasses import dataclass, replace

from fairlead.api.v1alpha1.names import WrapperExit
from fairlead.domain.run.observation import EndWord, Finished, LastWord, Listed, LogTail, Observation, Sentinels, Started, Unopened
from fairlead.domain.run.run import RunKey, RunState


@dataclass(frozen=True, slots=True)
class Live:
    """The scheduler has it: pending, starting, running, held, suspended or finishing."""

    row: Listed


@dataclass(frozen=True, slots=True)
class Duplicated:
    """`row` has claimed the key, and these other ids under it can only end themselves: cancel them."""

    row: Listed | None
    others: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ended:
    """The user's script ended.

    `state` says why, where the scheduler has a word that refines an exit code; `word` is its own, empty if it has none any more.
    """

    finished: Finished
    started: Started
    state: RunState
    word: str
    log: LogTail | None
    source: str
    tracking: str = ""
    began: bool = True               # False: it is proved that the user's script has not begun under this key
    asked: bool = False              # the scheduler was asked why the script was told to end; `state` is UNKNOWN: it was not its wish


@dataclass(frozen=True, slots=True)
class NeverRan:
    """Revoked before any claim: it never ran and never will. `word` and `reason` are the scheduler's last, if any.

    `left_no_sign`: the node has no tree of ours. `unopened`: the scheduler could not open the output there, and has started nothing.
    """

    state: RunState
    word: str = ""
    reason: str = ""
    left_no_sign: bool = False
    unopened: Unopened | None = None


@dataclass(frozen=True, slots=True)
class Unclaimed:
    """Not live in the listing and no claim: revoke it, then it is decided.

    `emptied` says what else could be known if its directory were as it was left: what was there, a script or a site may have removed.
    """

    state: RunState
    emptied: "Broken | None" = None


@dataclass(frozen=True, slots=True)
class Broken:
    """Claimed, gone from the listing, and no `finished`: close it with the whole cancel script, then judge by `state`.

    `began` is whether the user's script may have begun; `word` and `reason` are the scheduler's own for people.
    """

    claim: str
    state: RunState
    word: str
    reason: str
    exit_code: int
    signal: int
    began: bool
    started: Started | None
    tracking: str = ""
    emptied: bool = False            # nothing is in its directory, not even what was there before it was handed in


@dataclass(frozen=True, slots=True)
class Unexplained:
    """Nothing is decided: look again. `claim` is what was read now, so that the next listing may count as newer."""

    why: str
    claim: str = ""
    vanished: bool = False


Verdict = Live | Duplicated | Ended | NeverRan | Unclaimed | Broken | Unexplained


def judge(key: RunKey, observation: Observation, claim_read_before: str) -> Verdict:
    """Say what `key` is.

    `claim_read_before` is the claim that was read before this observation's listing began (empty: none), see rule RELIST.
    """
    rows = observation.listed.get(key, ())
    live = tuple(row for row in rows if row.state.may_run)
    sentinels = observation.sentinels.get(key)
    if sentinels is None:
        return Live(_eldest(live)) if live else Unexplained("no look into its directory yet")
    if not sentinels.present:
        return Live(_eldest(live)) if live else Unexplained("its directory is gone", vanished=True)
    if not live and contradicts(observation.records.get(key)):
        return Unexplained("the listing lacks a job that scontrol shows as live", claim=sentinels.claim)
    sentinels = _with_claim(sentinels)
    if sentinels.claim:
        return _judge_claimed(sentinels, rows, observation.records.get(key), claim_read_before)
    if live:
        return Live(_eldest(live))
    record = observation.records.get(key)
    last_word = _last_word(rows, record, "")
    if sentinels.revoked:
        unopened = record.unopened if record else None
        is_our_log = unopened is not None and f"/{key}/" in unopened.path
        left_no_sign = is_our_log or (record is not None and record.exit_code == WrapperExit.ENVIRONMENT)
        return NeverRan(*last_word, left_no_sign, unopened)
    code, signal = (record.exit_code, record.signal) if record else (0, 0)
    return Unclaimed(last_word[0], Broken("", *last_word, code, signal, True, None, emptied=True) if sentinels.bare else None)


def _judge_claimed(sentinels: Sentinels, rows: tuple[Listed, ...], record: LastWord | None, claim_read_before: str) -> Verdict:
    claim = sentinels.claim
    live = tuple(row for row in rows if row.state.may_run)
    claimed = next((row for row in live if row.id == claim), None)
    others = tuple(row.id for row in live if row.id != claim)
    if others:
        return Duplicated(claimed, others)
    if claimed:
        return Live(claimed)
    started, finished = last_start(sentinels)
    state, word, reason = _last_word(rows, record, claim)
    witness = sentinels.word if sentinels.word and sentinels.word.id == claim else None
    if state is RunState.UNKNOWN and witness and witness.state.is_terminal:
        state, word = witness.state, witness.word
    mine = record if record is not None and record.id == claim else None
    if started and finished:
        source = mine.source if mine else next((row.source for row in rows if row.id == claim), "sentinel")
        began = EndWord.UNBEGUN not in finished.words or started.restart > 0   # what became of the starts before it is not known here
        return Ended(finished, started, state, word, sentinels.log, source, mine.tracking if mine else "", began, witness is not None)
    if claim_read_before != claim:
        return Unexplained("its claim is newer than the listing", claim=claim)
    exit_code, signal = (mine.exit_code, mine.signal) if mine else (0, 0)
    never_began = started is None and sentinels.never
    return Broken(claim, state, word, reason, exit_code, signal, not never_began, started, mine.tracking if mine else "")


def end_of(key: RunKey, row: Listed, observation: Observation) -> Finished | None:
    """How the script of a listed job has ended while the scheduler clears up behind it; None if it has not, or nobody has looked."""
    sentinels = observation.sentinels.get(key)
    if sentinels is None or row.state is not RunState.FINISHING:
        return None
    _, finished = last_start(_with_claim(sentinels))
    return finished if finished and finished.id == row.id and EndWord.UNBEGUN not in finished.words else None


def is_accounted_for(key: RunKey, observation: Observation) -> bool:
    """Whether it is known that no script of this key runs any more: never claimed, `finished`, or the scheduler's word that it ended.

    NODE_FAIL is no such word: the scheduler has only lost sight of the node.
    """
    sentinels = observation.sentinels.get(key)
    if sentinels is None or not _with_claim(sentinels).claim:
        return True
    sentinels = _with_claim(sentinels)
    started, finished = last_start(sentinels)
    if started is None and sentinels.never:
        return True
    state, *_ = _last_word(observation.listed.get(key, ()), observation.records.get(key), sentinels.claim)
    return finished is not None or (state.is_terminal and state is not RunState.NODE_FAILED)


def contradicts(record: LastWord | None) -> bool:
    """Whether a second source knows as live what the listing lacks. sacct does not count: it lags, and keeps lost jobs running for ever."""
    return record is not None and record.source == "scontrol" and record.state.may_run


def hidden(observation: Observation) -> tuple[str, ...]:
    """Ids that scontrol shows as live and the listing lacks: a listing that cannot be trusted, and a person should know."""
    return tuple(record.id for key, record in observation.records.items()
                 if contradicts(record) and not any(row.state.may_run for row in observation.listed.get(key, ())))


def last_start(sentinels: Sentinels) -> tuple[Started | None, Finished | None]:
    """The claimed id's last start, and the `finished` that belongs to it (rule FINRC): an older start's `finished` says nothing."""
    starts = [each for each in sentinels.started if each.id == sentinels.claim]
    ends = [each for each in sentinels.finished if each.id == sentinels.claim]
    if not starts:
        return None, None
    started = max(starts, key=lambda each: each.restart)
    return started, next((each for each in ends if each.restart == started.restart), None)


def _with_claim(sentinels: Sentinels) -> Sentinels:
    """The same, claimed by whose start is written down there: a script may have removed the claim, or had somebody revoke it so."""
    if sentinels.claim or not sentinels.started:
        return sentinels
    last = max(sentinels.started, key=lambda each: each.restart)
    return replace(sentinels, claim=last.id, revoked=False)


def _eldest(rows: tuple[Listed, ...]) -> Listed:
    """Of several unclaimed ids any may win; show the one most likely to: furthest on, then the lowest id."""
    return min(rows, key=lambda row: (row.state is not RunState.RUNNING, len(row.id), row.id))


def _last_word(rows: tuple[Listed, ...], record: LastWord | None, claim: str) -> tuple[RunState, str, str]:
    """State, word and reason that the scheduler has for the id that counts: the claimed one, else any row of the key."""
    for row in rows:
        if not claim or row.id == claim:
            return row.state, row.word, row.reason
    if record is not None and (not claim or record.id == claim) and record.state.is_terminal:
        return record.state, record.word, record.reason
    return RunState.UNKNOWN, "", ""
