"""A breaker: after failures in a row it waits, longer each time, so that what is down, or refuses, is left in peace."""

from dataclasses import dataclass

PAUSE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Breaker:
    """Failures in a row, and when the next try may be made, in seconds of the clock that it is asked by: most often the monotonic one."""

    failures: int = 0
    retry_at: float = 0.0

    def allows(self, monotonic: float) -> bool:
        """Whether a try may be made now."""
        return monotonic >= self.retry_at

    def failed(self, monotonic: float, limit_seconds: float, jitter: float = 0.0, *, first_seconds: float = PAUSE_SECONDS) -> "Breaker":
        """One failure more: wait twice as long as before, at most `limit_seconds`, less a random part (`jitter`, 0..1) of up to half."""
        pause = min(first_seconds * 2 ** min(self.failures, 16), limit_seconds) * (1 - jitter / 2)
        return Breaker(self.failures + 1, monotonic + pause)


CLOSED = Breaker()
