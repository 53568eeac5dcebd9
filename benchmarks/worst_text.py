"""Texts that a login node could print in the place of an answer, made to cost its reader as much as they can; the same ones each time.

A text is a few bricks, repeated up to its size: rows as our scripts print them, with what is long, repeated, unfinished or forged in their
fields. The search climbs: it keeps what costs most, and changes that.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from fairlead.domain.run.installation import Installation
from fairlead.domain.run.observation import Observation
from fairlead.domain.run.run import RunKey, Tree
from fairlead.schedulers.fence import SEPARATOR
from fairlead.schedulers.seam import Exchange, Query
from fairlead.schedulers.slurm.scheduler import Slurm

FENCE: Final = "0f" * 16
INSTALLATION: Final = "here"
_HERE: Final = Installation(INSTALLATION, "6e1a7b9c-0000-4000-8000-000000000001", b"s" * 32)
_UID: Final = "0123abcd-0000-4000-8000-{:012x}"
_LONGEST: Final = 16 * 1024

_WORDS: Final = (
    "QOSMax", "AssocMax", "QOSMaxx", "AssocGrp", "Invalid --", "No cluster '", "sbatch: error: ", "slurm", "\x1e", "\x1b[", "\x1b]0;",
    "\x9d", " ", "\t", "x", "é", "\u202e", "JobState=COMPLETED ", " ExitCode=0:0", " Reason=", "0123abcd-0000-", "[", "9", ",", "\r", "\0",
    "(", "_",
)
"""What repeats in a field: beginnings of what the readers look for, and letters that they take out."""


def keys(count: int) -> tuple[RunKey, ...]:
    """So many keys as a poll asks for."""
    return tuple(RunKey(_UID.format(number), 1) for number in range(count))


def poll(count: int) -> Exchange[Observation]:
    """A poll for so many Jobs of which each has an id."""
    query = Query({key: str(number + 1) for number, key in enumerate(keys(count))})
    return Slurm(_HERE).observe(FENCE, Tree("/w/here", "ab" * 16), query)


def keys_for(size: int) -> int:
    """For how many keys an answer of that size is not too long."""
    return next(count for count in range(1, 10_000) if poll(count).max_output_bytes >= size)


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one text is made."""

    bricks: tuple[int, ...]
    word: str
    repeats: int
    same_key: bool

    def text(self, size: int, count: int) -> bytes:
        """The text in at most `size` bytes, in no more rows than a poll for so many keys may have."""
        field = (self.word * self.repeats)[:_LONGEST]
        most_rows = 1024 + 64 * count
        rows, length, number = [_row("begin", "1700000000")], 100, 0
        while len(rows) < most_rows:
            brick = _BRICKS[self.bricks[number % len(self.bricks)]]
            row = brick(0 if self.same_key else number % count, number, field)
            length += len(row)
            if length > size:
                break
            rows.append(row)
            number += 1
        end = _row("end")
        noise = ((f"{FENCE} {self.word}\n" * 64).encode() * (size // 64))[:max(0, size - sum(map(len, rows)) - len(end) - 1)]
        return b"".join((*rows, noise, b"\n" if noise else b"", end))


def recipe(chance: random.Random) -> Recipe:
    """Any one."""
    bricks = tuple(chance.randrange(len(_BRICKS)) for _ in range(chance.randint(1, 3)))
    return Recipe(bricks, chance.choice(_WORDS), 2 ** chance.randint(0, 13), chance.random() < 0.5)


def worst(cost: Callable[[Recipe], float], seed: int, tries: int) -> Recipe:
    """The recipe of the greatest cost that a climb of so many tries comes to."""
    chance = random.Random(seed)
    best = recipe(chance)
    most = cost(best)
    for number in range(tries):
        tried = recipe(chance) if number % 3 == 0 else _changed(best, chance)
        if (its := cost(tried)) > most:
            best, most = tried, its
    return best


def _changed(old: Recipe, chance: random.Random) -> Recipe:
    new = recipe(chance)
    one: Sequence[Callable[[], Recipe]] = (
        lambda: replace(old, bricks=new.bricks), lambda: replace(old, word=new.word),
        lambda: replace(old, repeats=new.repeats), lambda: replace(old, same_key=not old.same_key),
    )
    return chance.choice(one)()


def _row(kind: str, *fields: str) -> bytes:
    return (SEPARATOR.join((FENCE, kind, *fields)) + "\n").encode()


def _job(key: int, number: int, field: str) -> bytes:
    comment = f"fairlead:{INSTALLATION}:{_UID.format(key)}-1"
    return _row("job", str(number + 1), field, "N/A", "9" * 12, "n" + field, field, comment)


def _remarked(key: int, number: int, field: str) -> bytes:
    return _row("job", str(key + 1), "RUNNING", "N/A", "N/A", "n1", str(number), field)


def _sentinel(kind: str, words: str, key: int, number: int, field: str) -> bytes:
    return _row(f"{kind}-{number}", f"{_UID.format(key)}-1", f"7 {number} {words} {field}")


def _run(key: int, _number: int, field: str) -> bytes:
    return _row("run", f"{_UID.format(key)}-1", "present", f"7.{field}", "7", f"1 {field}", field)


def _log(key: int, _number: int, field: str) -> bytes:
    return _row("log", f"{_UID.format(key)}-1", "9" * 12, field, field, "6" * len(field))


def _scontrol(key: int, _number: int, field: str) -> bytes:
    name = f"{_UID.format(key)}-1"
    return _row("scontrol", name, f"JobId={key + 1} JobName=x-{name} JobState=RUNNING ExitCode=0:0 {field}")


def _sacct(key: int, _number: int, field: str) -> bytes:
    return _row("sacct", f"{key + 1}|COMPLETED|0:0|{field}|{field}|{_UID.format(key)}-12 {_UID.format(key)}-1")


def _many_fields(key: int, number: int, field: str) -> bytes:
    return _row("job", *(SEPARATOR * (len(field) + 1)), str(key + number))


def _broken(_key: int, number: int, field: str) -> bytes:
    return f"{FENCE}{SEPARATOR}x{number}".encode() + b"\xff\xc3" * len(field) + b"\n"


_BRICKS: Final = (
    _job, _remarked, partial(_sentinel, "started", "9999999999"), partial(_sentinel, "finished", "1 999999999999"), _run, _log, _scontrol,
    _sacct, _many_fields, _broken,
)
