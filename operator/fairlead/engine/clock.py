"""The machine's clocks, as the engine's `Clock`."""

import time


class SystemClock:
    """Real time."""

    def monotonic(self) -> float:
        """Seconds by CLOCK_BOOTTIME: it counts on while a laptop sleeps, unlike `time.monotonic`, and no one can set it."""
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    def wall(self) -> float:
        """Seconds since the epoch."""
        return time.time()
