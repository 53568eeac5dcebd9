"""Which gateways live, by their Leases, and which of them a Session belongs to. Pure: time is an argument, in monotonic seconds.

A Lease counts from when its last renewal was seen here, by our own clock. Who has given his back is not waited for.
"""

import hashlib
from collections.abc import Collection, Iterable

from fairlead.domain.gateways import LeaseSeen


class Roster:
    """The gateways, as this one has seen them."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[LeaseSeen, float]] = {}

    def see(self, leases: Iterable[LeaseSeen], now: float) -> None:
        """All Leases, as they were listed."""
        before = self._seen
        self._seen = {}
        for lease in leases:
            known = before.get(lease.gateway)
            is_same = known is not None and known[0].version == lease.version
            self._seen[lease.gateway] = known if known is not None and is_same else (lease, now)

    def live(self, now: float) -> frozenset[str]:
        """Those that live at this moment."""
        return frozenset(name for name, (lease, at) in self._seen.items() if lease.holder and now < at + lease.duration_seconds)


    def forgotten(self, now: float, seconds: float) -> tuple[LeaseSeen, ...]:
        """The Leases of gateways that are gone: not one change was seen for so long."""
        return tuple(lease for lease, at in self._seen.values() if now >= at + max(seconds, lease.duration_seconds))


def chosen(uid: str, gateways: Collection[str]) -> str | None:
    """Which gateway a Session belongs to, by rendezvous hashing: when one comes or goes, only its own Sessions move. None of none."""
    return max(gateways, key=lambda name: hashlib.sha256(f"{uid}/{name}".encode()).digest(), default=None)
