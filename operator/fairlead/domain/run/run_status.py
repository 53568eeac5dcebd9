"""The parts of a status that every kind of owner writes alike: its run, its attempts, and the end of its output.

Each takes an owner as it was last read, and gives values for `OwnerStatus`; a kind's report adds what is its own.
"""

from typing import Final

from fairlead.api.v1alpha1.meta import AttemptStatus, RunStatus
from fairlead.domain.conditions import moment
from fairlead.domain.pacing import Now
from fairlead.domain.plain_text import PlainText
from fairlead.domain.run.evidence import Ended
from fairlead.domain.run.memory import Closing
from fairlead.domain.run.observation import LogTail
from fairlead.domain.run.watched import WatchedOwner

ATTEMPTS_KEPT: Final = 5
_LETTER_ENDS: Final = bytes(range(0x80, 0xC0))   # UTF-8: bytes that are not a letter's first


def current(owner: WatchedOwner) -> RunStatus:
    """The current attempt as it is known."""
    run = owner.status.run
    return run if run and run.key == str(owner.key) else RunStatus(key=str(owner.key), attempt=owner.key.attempt)


def fresh(owner: WatchedOwner, **fields: str | int | None) -> RunStatus:
    """The current attempt with these fields alone, and those that a newer release has written of it."""
    return RunStatus.model_validate({**current(owner).of_others, "key": str(owner.key), "attempt": owner.key.attempt, **fields})


def closed(owner: WatchedOwner, closing: Closing) -> RunStatus:
    """The attempt as it was left; what the listing showed before its end is no longer said."""
    run = current(owner)
    return run.having(
        state=closing.word or None, reason=None, exit_code=closing.exit_code, signal=closing.signal,
        process_tracking=closing.tracking or run.process_tracking,
    )


def over(owner: WatchedOwner, ended: Ended, exit_code: int | None, signal: int | None) -> RunStatus:
    """The attempt as its end shows it."""
    run = current(owner)
    return run.having(
        id=ended.finished.id, state=ended.word or None, reason=None, exit_code=exit_code, signal=signal,
        node=ended.started.host or None, process_tracking=ended.tracking or run.process_tracking,
    )


def times(ended: Ended, now: Now) -> dict[str, object]:
    """By the node's clock. What is no time is left out; then it ended when that was seen."""
    started, finished = ended.started.at, ended.finished.at
    return {"start_time": None if started is None else moment(started), "end_time": moment(now.wall if finished is None else finished)}


def following(owner: WatchedOwner, closing: Closing, now: Now, ended: Ended | None) -> dict[str, object]:
    """The fields by which an attempt is closed and the next one's intent is written."""
    end: dict[str, object] = {"outcome": closing.reason, "end_time": moment(now.wall), "without_end": closing.without_end or None}
    run = closed(owner, closing)
    if ended is not None:
        run = over(owner, ended, closing.exit_code, closing.signal)
        end |= times(ended, now)
    attempt, following_key = AttemptStatus.model_validate(run.model_dump() | end), owner.key.next
    return {
        "run": RunStatus(key=str(following_key), attempt=following_key.attempt),
        "attempts": (*owner.status.attempts, attempt)[-ATTEMPTS_KEPT:],
    }


def tail_of(log: LogTail) -> str:
    """The tail as text that is safe in a terminal; a letter that the cut has parted is left out."""
    plain, tail = PlainText(), log.tail
    if log.size is not None and log.size > len(tail):
        tail = tail.lstrip(_LETTER_ENDS) if tail[:4].lstrip(_LETTER_ENDS) else tail
    return plain.feed(tail) + plain.end()
