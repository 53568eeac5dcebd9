"""What a gateway shows of itself in its metrics, set right before they are read."""

from collections.abc import Callable
from typing import Final

from fairlead.domain.run.service import TunnelState
from fairlead.gateway.gateway import Holdings
from fairlead.telemetry import metrics

DIRECTIONS: Final = ("from_client", "to_client")


class GatewayGauges:
    """The gauges of one gateway. `carried` gives the bytes from clients, and to them, since the start."""

    def __init__(self, seen: Callable[[], Holdings], carried: Callable[[], tuple[int, int]]) -> None:
        self._seen, self._carried = seen, carried
        self._counted = (0, 0)

    def page(self) -> tuple[bytes, str]:
        """The gateway's metrics as they are now, and the content type."""
        self.measure()
        return metrics.exposition(metrics.GATEWAY)

    def measure(self) -> None:
        """Have them say what is so."""
        now = self._seen()
        for state in TunnelState:
            metrics.tunnels_held.labels(str(state)).set(now.tunnels.get(state, 0))
        for port_state, count in now.ports.items():
            metrics.ports_of_range.labels(port_state.name.lower()).set(count)
        metrics.tunnels_broken_age.set(now.broken_seconds)
        metrics.streams_held.set(now.streams)
        before, self._counted = self._counted, self._carried()
        for direction, total, known in zip(DIRECTIONS, self._counted, before, strict=True):
            metrics.bytes_carried.labels(direction).inc(total - known)
