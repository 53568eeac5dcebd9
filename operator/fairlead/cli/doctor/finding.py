"""What one check has found: a word, and a sentence that says what is there, or what is wrong and what to change."""

from dataclasses import dataclass
from enum import StrEnum


class Result(StrEnum):
    """How a check came out."""

    OK = "ok"
    NOTE = "note"                    # it works, and could be better, or cannot be known
    WRONG = "wrong"                  # somebody must change something
    SKIPPED = "skipped"              # not looked at, since an earlier one has failed


@dataclass(frozen=True, slots=True)
class Finding:
    """One line."""

    check: str
    verdict: Result
    words: str


@dataclass(frozen=True, slots=True)
class RuleFinding:
    """Why a rule is content or not: a finding that does not know the name of its check yet."""

    verdict: Result
    words: str


def ok(words: str) -> RuleFinding:
    """All is well."""
    return RuleFinding(Result.OK, words)


def note(words: str) -> RuleFinding:
    """It works, and a person should know this."""
    return RuleFinding(Result.NOTE, words)


def wrong(words: str) -> RuleFinding:
    """Somebody must change something."""
    return RuleFinding(Result.WRONG, words)
