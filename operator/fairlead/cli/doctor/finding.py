"""What one check has found: a word, and a sentence that says what is there, or what is wrong and what to change."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How a check came out."""

    OK = "ok"
    NOTE = "note"                    # it works, and could be better, or cannot be known
    WRONG = "wrong"                  # somebody must change something
    SKIPPED = "skipped"              # not looked at, since an earlier one has failed


@dataclass(frozen=True, slots=True)
class Finding:
    """One line."""

    check: str
    verdict: Verdict
    words: str


@dataclass(frozen=True, slots=True)
class Found:
    """Why a rule is content or not: a finding that does not know the name of its check yet."""

    verdict: Verdict
    words: str


def ok(words: str) -> Found:
    """All is well."""
    return Found(Verdict.OK, words)


def note(words: str) -> Found:
    """It works, and a person should know this."""
    return Found(Verdict.NOTE, words)


def wrong(words: str) -> Found:
    """Somebody must change something."""
    return Found(Verdict.WRONG, words)
