"""What has happened to an owner of Runs, as data: what `settle` and the engine find out. Each kind's report says it in its own words.

Of each answer there is one piece of news at most, so that there is one status write at most.
"""

from dataclasses import dataclass

from fairlead.api.v1alpha1.reasons import JobReason, Word
from fairlead.domain.run.evidence import Ended
from fairlead.domain.run.memory import Closing
from fairlead.domain.run.observation import Finished, Listed
from fairlead.domain.run.retry import Again, Over


@dataclass(frozen=True, slots=True)
class Waiting:
    """Not handed in yet, and why."""

    reason: Word
    message: str


@dataclass(frozen=True, slots=True)
class Begun:
    """The intent of its current attempt: from here on something of it may be on the cluster."""


@dataclass(frozen=True, slots=True)
class KeptOut:
    """Its Cluster does not admit it any more, and nothing of the current attempt is there."""

    why: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """The scheduler has it under `run_id`; `after_refusal`: since an earlier submission, though this one was refused."""

    run_id: str
    after_refusal: bool = False


@dataclass(frozen=True, slots=True)
class Live:
    """The listing shows it. `detailed`: all that changes is told; else only a change of its state, and its script's end."""

    row: Listed
    detailed: bool
    over: Finished | None = None         # its script has ended, and the scheduler clears up behind it


@dataclass(frozen=True, slots=True)
class Duplicated:
    """Jobs with these ids carry its attempt, too, and cannot run it: they are cancelled."""

    others: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unexplained:
    """It left the queue, and its end is not seen yet."""

    message: str


@dataclass(frozen=True, slots=True)
class Vanished:
    """Its run directory is gone. Not an end."""

    why: str


@dataclass(frozen=True, slots=True)
class Completed:
    """It ended with 0, and nothing speaks against it."""

    ended: Ended


@dataclass(frozen=True, slots=True)
class Retried:
    """The attempt is closed, and the next one's intent goes with that. `ended`: what its node wrote, if it did."""

    closing: Closing
    again: Again
    ended: Ended | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """The attempt is closed, and no other follows."""

    closing: Closing
    over: Over
    ended: Ended | None = None


@dataclass(frozen=True, slots=True)
class SetAside:
    """The attempt was ended by a suspension; the next one's key is there for when it goes on, after a pause at the soonest."""

    closing: Closing
    pause_seconds: float
    ended: Ended | None = None


@dataclass(frozen=True, slots=True)
class Parking:
    """What it has on the cluster is about to be told to end, since it is suspended."""


@dataclass(frozen=True, slots=True)
class Parked:
    """Nothing of it is on the cluster, and nothing is begun until it is resumed."""


@dataclass(frozen=True, slots=True)
class Resumed:
    """It is to be handed in again."""


@dataclass(frozen=True, slots=True)
class ToldToEnd:
    """What runs was told to end: `ids` as a text; `why` is empty for a deletion."""

    ids: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class LeftAlone:
    """By its deletion policy `what` stays on the cluster."""

    what: str


@dataclass(frozen=True, slots=True)
class DeletionWaits:
    """It is being deleted, and something keeps it from being gone."""

    why: str
    reason: JobReason = JobReason.CLUSTER_UNREACHABLE


@dataclass(frozen=True, slots=True)
class LetGo:
    """It goes, though something may be left: that was written into the ledger as `key`, to be cleaned up when Cluster `cluster` answers."""

    why: str
    key: str
    cluster: str


@dataclass(frozen=True, slots=True)
class Beset:
    """Something went wrong with it that nobody has foreseen. What else is known of it stays as it is."""

    reason: JobReason
    message: str


Turn = Completed | Retried | Failed | SetAside | Parking | Parked | Resumed
"""An attempt ends or is set aside, or the next one is to begin."""
Aside = Duplicated | ToldToEnd | LeftAlone | LetGo
"""What is told beside a status that stays as it is."""
News = Waiting | Begun | KeptOut | Accepted | Live | Unexplained | Vanished | Turn | Aside | DeletionWaits | Beset
