"""What became of a job under a fault, and whether that is right. Pure: what was looked at goes in, a sentence comes out.

How often a job ran is what its own script has written down, and never what a peer says.
"""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """The faults, in the order of the page."""

    HANGS = "`sbatch` accepts the job and hangs"
    KILLED = "the client is killed with -9 between the acceptance and the id, and started again"
    EMPTY = "`squeue` lists nothing and exits with 0 while the job runs"
    HOST_KEY = "the host key changes before the job is asked for, and changes back"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was looked at, once it was over or the time was up."""

    kind: Kind
    starts: int                          # lines that the script has written
    ended: bool                          # the script came to its end
    said: bool                           # the peer told an end
    good: bool                           # and called it a success
    said_after: float                    # seconds from the asking until it told; without an end, how long was waited
    early: bool = False                  # it told an end while the script still ran
    while_changed: int = 0               # starts while the host key was another


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the job ran exactly once, no other host was trusted, and the peer told the truth; and what happened, in words."""

    right: bool | None                   # None: the fault could not be played
    words: str


def judge(outcome: Outcome) -> Verdict:
    """One outcome."""
    words = [_ran(outcome.starts), _told(outcome)]
    if outcome.kind is Kind.HOST_KEY:
        words.insert(0, "**took the new key**" if outcome.while_changed else "refused the new key")
    once = outcome.starts == 1 and outcome.ended
    true = outcome.said and outcome.good and not outcome.early
    if outcome.kind is Kind.HOST_KEY and outcome.starts == 0:      # to give up is right, too: nothing ran, and it says so
        return Verdict(outcome.said and not outcome.good, ", ".join(words))
    return Verdict(once and true and not outcome.while_changed, ", ".join(words))


def _ran(starts: int) -> str:
    return "did not run" if starts == 0 else "ran once" if starts == 1 else f"**ran {starts} times**"


def _told(outcome: Outcome) -> str:
    if outcome.early:
        return f"**told as {'finished' if outcome.good else 'failed'} while it ran**"
    if not outcome.said:
        return f"**no end told after {outcome.said_after:.0f} s**"
    if outcome.good:
        return "told as finished" + _after(outcome)
    return f"{'**told as failed**, though it ended well,' if outcome.ended else 'told as failed'}{_after(outcome)}"


def _after(outcome: Outcome) -> str:
    """How long it took; nothing where the fault itself lasted so long."""
    return f" after {outcome.said_after:.0f} s" if outcome.kind in {Kind.HANGS, Kind.KILLED} else ""
