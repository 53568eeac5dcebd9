"""When a site is polled next: soon while something is about to change, seldom while nothing does, never two sites in step."""

from dataclasses import dataclass, replace

GROWTH = 1.5
GROWTH_CALLED = 4.0
JITTER = 0.1


@dataclass(frozen=True, slots=True)
class PollPace:
    """The current interval in seconds, between `shortest` and `longest`, and when the last poll began (monotonic)."""

    shortest: float
    longest: float
    interval: float
    began: float = float("-inf")

    @classmethod
    def of(cls, shortest: float, longest: float) -> "PollPace":
        """A pace that begins short."""
        return cls(shortest, longest, shortest)

    def due(self, jitter: float) -> float:
        """When the next poll is due; `jitter` in 0..1 moves it by a tenth of the interval either way."""
        return self.began + self.interval * (1 - JITTER + 2 * JITTER * jitter)

    def started(self, monotonic: float) -> "PollPace":
        """A poll begins now."""
        return replace(self, began=monotonic)

    def after(self, *, changed: bool, is_called: bool = False) -> "PollPace":
        """A poll has ended: short again if anything changed or is about to, else longer; much longer where somebody calls for the next."""
        growth = GROWTH_CALLED if is_called else GROWTH
        return replace(self, interval=self.shortest if changed else min(self.interval * growth, self.longest))

    def called(self) -> "PollPace":
        """Somebody calls for a poll: it is due now, and the next one soon, should this one come too early."""
        return replace(self, interval=self.shortest, began=float("-inf"))
