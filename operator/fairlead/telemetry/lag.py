"""How late the event loop is: what a task waits that is ready to run, since something else does not let go."""

import asyncio

from fairlead.telemetry import metrics

LOOK_SECONDS = 0.5


async def watch_lag(every_seconds: float = LOOK_SECONDS) -> None:
    """Ask to be woken, and count how much later that came, until cancelled."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + every_seconds
        await asyncio.sleep(every_seconds)
        metrics.loop_lag.observe(max(loop.time() - due, 0.0))
