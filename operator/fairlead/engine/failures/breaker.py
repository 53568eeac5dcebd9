"""A breaker: after failures in a row it waits, longer each time, so that what is down, or refuses, is left in peace."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Breaker:
    """Failures in a row, and when the next try may be made, in seconds of the clock that it is asked by: most often the monotonic one."""

    failures: int = 0
    retry_at: float = 0.0

    def allows(self, monotonic: float) -> bool:
        """Whether a try may be made now."""
        return monotonic >= self.retry_at

    def failed(self, monotonic: float, first_seconds: float, limit_seconds: float, jitter: float = 0.0) -> "Breaker":
        """One failure more: wait `first_seconds`, then twice as long as before each time, at most `limit_seconds`.

        `jitter` (0..1) takes a random part of up to half off.
        """
        pause = min(first_seconds * 2 ** min(self.failures, 16), limit_seconds) * (1 - jitter / 2)
        return Breaker(self.failures + 1, monotonic + pause)


CLOSED = Breaker()
