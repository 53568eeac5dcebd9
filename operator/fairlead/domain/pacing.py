"""Every grace and time-out of the rules, as settings. The defaults are for production; a test bed lowers them."""

from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class Now:
    """One moment on both clocks: `monotonic` seconds for waiting, `wall` epoch seconds for people."""

    monotonic: float
    wall: float


@dataclass(frozen=True, slots=True)
class Pacing:
    """How long each wait lasts, in seconds."""

    not_yet_seconds: float = 180.0
    """A directory with nothing in it is submitted again after this: sbatch itself may retry for 120 s."""
    absence_seconds: float = 90.0
    """How long a missing `finished` may be an NFS client's stale view (acdirmax is 60 s by default)."""
    ask_again_seconds: float = 5.0
    """Between two questions about a key while the far end says *unknown*, *busy*, *not yet* or *alive*."""
    refusal_seconds: float = 30.0
    """After the scheduler said `not now`; doubled each time up to `refusal_limit_seconds`."""
    refusal_limit_seconds: float = 600.0
    """The longest of these waits."""
    unsure_seconds: float = 3600.0
    """A Job that the scheduler goes on to refuse for so long, in words that Fairlead does not know, fails with these words."""
    retry_seconds: float = 10.0
    """Before an attempt follows another; doubled each time up to `retry_limit_seconds`, and up to a quarter longer by chance."""
    retry_limit_seconds: float = 360.0
    """The longest of these pauses, as for Jobs of Kubernetes itself."""
    unseen_end_seconds: float = 75.0
    """At least so long before an attempt follows one whose end nobody saw: its wrapper looks each 60 s whether it was closed, and then
    takes up to 10 s to end its script."""
    detail_seconds: float = 60.0
    """Pending reason and expected start are written at most this often."""
    forsaken_seconds: float = 3600.0
    """A Cluster that goes with its namespace, which has taken its Secret, waits so long for an answer of the cluster, if its key is still
    known; then it goes, and what is owed stays written down."""
    cancel_again_seconds: float = 10.0
    """Between two cancels of a key that is still listed."""


class Turn(NamedTuple):
    """By what one look decides: the moment, and how long each wait lasts."""

    now: Now
    pacing: Pacing
