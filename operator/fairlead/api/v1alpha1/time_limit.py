"""A Job's time limit: as sbatch writes it, or as a length with units.

sbatch's forms: minutes:seconds, hours:minutes:seconds, days-hours, days-hours:minutes, days-hours:minutes:seconds
(https://slurm.schedmd.com/sbatch.html#OPT_time). Its sixth form, a bare number of minutes, is refused: many mean hours by it.
"""

from __future__ import annotations

import re
from typing import Final

from fairlead.api.v1alpha1.schema import Rule

_NUMBER: Final = "([0-9]+)"
_DAYS: Final = f"{_NUMBER}-{_NUMBER}(?::{_NUMBER})?(?::{_NUMBER})?"
_CLOCK: Final = f"(?:{_NUMBER}:)?{_NUMBER}:{_NUMBER}"
_UNITS: Final = f"(?:{_NUMBER}d)?(?:{_NUMBER}h)?(?:{_NUMBER}m)?(?:{_NUMBER}s)?"
_LONGEST: Final = 16
SENTENCE: Final = (
    'timeLimit is a length of time above zero with its unit: write 90m, 36h or 1d12h, or as sbatch does "12:00:00" or "1-12:00:00"; '
    "a bare number is refused"
)
# The API server takes the field for a string of any length when it estimates a rule's cost: hence short patterns, and three rules.
RULES: Final = (
    Rule(
        "type(self) == string && "
        "self.matches(r'^([0-9]+-[0-9]+(:[0-9]+){0,2}|([0-9]+:){1,2}[0-9]+|([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?)$')",
        SENTENCE,
    ),
    Rule("type(self) != string || self.matches('[1-9]')", SENTENCE),
    Rule(f"type(self) != string || size(self) <= {_LONGEST}", f"timeLimit is at most {_LONGEST} characters long: write it in larger units"),
)
_SECONDS: Final = (86400, 3600, 60, 1)
MOST_SECONDS: Final = 100_000 * 86400
"""Slurm keeps minutes in 32 bits, shells and time-outs seconds in 63: a longer one would be none, or a short one."""
TOO_LONG: Final = "the time limit is longer than 100000 days: write a shorter one, or none"


def time_limit_seconds(text: str) -> int:
    """Convert a time limit (`90m`, `36h`, `1-12:00:00`) to seconds.

    Raises:
        ValueError: it is not a time limit that the Job's schema accepts; the message says what to write.
    """
    if len(text) > _LONGEST:
        raise ValueError(RULES[-1].sentence)
    parts: tuple[str | None, ...] = ()
    if found := re.fullmatch(_DAYS, text) or re.fullmatch(_UNITS, text):
        parts = found.groups()
    elif found := re.fullmatch(_CLOCK, text):
        parts = (None, *found.groups())
    seconds = sum(int(part or 0) * unit for part, unit in zip(parts, _SECONDS, strict=False))
    if not seconds:
        raise ValueError(SENTENCE)
    if seconds > MOST_SECONDS:
        raise ValueError(TOO_LONG)
    return seconds


def slurm_time(text: str) -> str:
    """Write a time limit in sbatch's longest form, days-hours:minutes:seconds; Slurm itself rounds up to minutes.

    Raises:
        ValueError: as `time_limit_seconds`.
    """
    minutes, seconds = divmod(time_limit_seconds(text), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    return f"{days}-{hours:02}:{minutes:02}:{seconds:02}"
