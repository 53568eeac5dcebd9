"""What the measures ask of each peer, and what they see of a job through it."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(slots=True)
class Seen:
    """A job as its peer shows it, in epoch seconds; None: not yet."""

    asked: float | None = None
    submitted: float | None = None       # the scheduler's id is known
    ended: float | None = None
    good: bool = False                   # with `ended`: the peer calls it a success
    says: str = ""


class Peer(Protocol):
    """Something that runs jobs on a Slurm over SSH. A tag names one job."""

    def begin(self, tag: str, script: str) -> None:
        """Ask for a job; returns at once."""

    def seen(self, tag: str) -> Seen:
        """What there is to be seen of it."""

    def kill(self) -> None:
        """End with SIGKILL whatever of the peer brings jobs to the cluster."""

    def again(self, tag: str) -> None:
        """Do what is done then: its supervisor starts it again, or a person asks once more."""

    def close(self) -> None:
        """End it."""
