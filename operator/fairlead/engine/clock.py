"""The machine's clocks, as the engine's `Clock`."""

import time

import structlog

from fairlead.engine.ports import Clock

log = structlog.get_logger()

FOLLOWED = 0.01
"""So much of the time that passes, at most, is the steady clock behind or ahead of itself to come closer to the machine's."""
JUMP_SECONDS = 60.0
"""What is further off was set by somebody, and is told."""


class SystemClock:
    """Real time."""

    def monotonic(self) -> float:
        """Seconds by CLOCK_BOOTTIME: it counts on while a laptop sleeps, unlike `time.monotonic`, and no one can set it."""
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    def wall(self) -> float:
        """Seconds since the epoch."""
        return time.time()


class SteadyClock:
    """Time that no setting of the machine's clock moves: what waits until a time of day waits as long as it should.

    It begins with the machine's time of day and counts on by the clock that nobody can set. What the machine's is off then is followed by
    one second in a hundred: an hour in four days. So nothing is deleted, let go or forgotten because somebody set a clock, ahead or back.
    """

    def __init__(self, real: Clock | None = None) -> None:
        self._real = real or SystemClock()
        self._at, self._wall = self._real.monotonic(), self._real.wall()
        self._has_jumped = False

    def monotonic(self) -> float:
        """Seconds by the clock that nobody can set."""
        return self._real.monotonic()

    def wall(self) -> float:
        """Seconds since the epoch."""
        at = self._real.monotonic()
        passed_seconds = at - self._at
        steady = self._wall + passed_seconds
        off_seconds, most = self._real.wall() - steady, passed_seconds * FOLLOWED
        self._at, self._wall = at, steady + max(-most, min(off_seconds, most))
        if self._has_jumped is not (has_jumped := abs(off_seconds) > JUMP_SECONDS):
            self._has_jumped = has_jumped
            log.warning("wall_clock_set", off_seconds=round(off_seconds), followed=not has_jumped)
        return self._wall
