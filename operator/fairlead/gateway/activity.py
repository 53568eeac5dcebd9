"""Whether bytes are carried for a Session's clients, and since when none are. Pure: times are arguments, in seconds.

    in use, or not known -> quiet for a while: told once -> a byte: in use, told at once

A gateway knows nothing of the time before it began to look: that counts as in use.
"""

from dataclasses import dataclass
from typing import Final

from fairlead.domain.pacing import Now
from fairlead.domain.run.quiet import Quiet

_SHARE: Final = 0.5
"""Of a short idleTimeoutSeconds: it has to be told while there is time to come back."""


def quiet_after(quiet_seconds: float, idle_timeout_seconds: int | None) -> float:
    """After so many seconds without a byte it is told."""
    return quiet_seconds if idle_timeout_seconds is None else min(quiet_seconds, idle_timeout_seconds * _SHARE)


@dataclass(slots=True)
class Activity:
    """Of one Session. `carried`: bytes so far, when they last changed, `at`; by the clock that nobody can set."""

    carried: int
    at: float
    quiet: Quiet | None = None           # as it was told

    def count(self, carried: int, now: Now, after_seconds: float) -> bool:
        """So many bytes have been carried by now; whether there is something new to tell."""
        before = self.quiet
        if carried != self.carried:
            self.carried, self.at, self.quiet = carried, now.monotonic, None
        elif before is None and now.monotonic - self.at >= after_seconds:
            told = int(now.wall)
            self.quiet = Quiet(told - int(now.monotonic - self.at), told)
        return self.quiet != before
