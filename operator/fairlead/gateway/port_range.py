"""The ports of one gateway: which Session has which, and which none may have yet. Pure: time is an argument, in monotonic seconds.

    free -> in use -> resting, from when its slice is gone -> free
      '--> quarantined, when somebody else listens there ----^

Between a slice's end and the last node's proxy that has heard of it, a client may still be sent to the port. If another Session had it by
then, he would reach that one.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from fairlead.gateway.settings import PortSettings


class PortState(Enum):
    """What may be done with a port."""

    FREE = "free"
    IN_USE = "in use"
    RESTING = "resting"
    QUARANTINED = "quarantined"


@dataclass(frozen=True, slots=True)
class _Closed:
    """Nobody may have it until then."""

    until: float
    state: PortState


class PortRange:
    """Ports from `first` to `last`, handed out in turn, so that each comes again as late as it can."""

    def __init__(self, first: int, last: int, settings: PortSettings | None = None) -> None:
        if not 0 < first <= last < 1 << 16:
            msg = f"{first}-{last} is no range of ports: write FIRST-LAST, both from 1 to 65535"
            raise ValueError(msg)
        self._first, self._last, self._settings = first, last, settings or PortSettings()
        self._next = first
        self._used: dict[int, str] = {}          # by whom
        self._closed: dict[int, _Closed] = {}

    def __contains__(self, port: int) -> bool:
        return self._first <= port <= self._last

    @property
    def used(self) -> Mapping[int, str]:
        """Which Session has which port, by uid."""
        return self._used

    def state(self, port: int, now: float) -> PortState:
        """What may be done with it at this moment."""
        if port in self._used:
            return PortState.IN_USE
        closed = self._closed.get(port)
        return closed.state if closed and now < closed.until else PortState.FREE

    def take(self, uid: str, now: float) -> int | None:
        """A free port for a Session, from now on in use; None: there is none."""
        size = self._last - self._first + 1
        for step in range(size):
            port = self._first + (self._next - self._first + step) % size
            if self.state(port, now) is PortState.FREE:
                self._next = port + 1
                return self._have(port, uid)
        return None

    def adopt(self, port: int, uid: str) -> bool:
        """Give a Session the port that it had before this gateway was started; False: it is none of ours, or another's."""
        if port not in self or self._used.get(port, uid) != uid:
            return False
        self._have(port, uid)
        return True

    def let_go(self, port: int, now: float) -> None:
        """Its slice is gone, or leads elsewhere: it rests from now on."""
        if self._used.pop(port, None) is not None:
            self._closed[port] = _Closed(now + self._settings.rest_seconds, PortState.RESTING)

    def quarantine(self, port: int, now: float) -> None:
        """Somebody else listens there."""
        self._used.pop(port, None)
        self._closed[port] = _Closed(now + self._settings.quarantine_seconds, PortState.QUARANTINED)

    def rest_all(self, now: float) -> None:
        """Of a gateway that may have lived before at this address, and does not know which ports it had: all that are not in use rest."""
        for port in range(self._first, self._last + 1):
            if port not in self._used:
                self._closed[port] = _Closed(now + self._settings.rest_seconds, PortState.RESTING)

    def counts(self, now: float) -> Mapping[PortState, int]:
        """How many are in each state."""
        found = dict.fromkeys(PortState, 0)
        for port in range(self._first, self._last + 1):
            found[self.state(port, now)] += 1
        return found

    def _have(self, port: int, uid: str) -> int:
        self._closed.pop(port, None)
        self._used[port] = uid
        return port


def sole_claims(claims: Iterable[tuple[str, int]]) -> Mapping[str, int]:
    """The ports that slices of ours name, by the uids of their Sessions: without those that several of them do, of which one is forged."""
    found: dict[int, str | None] = {}
    for uid, port in claims:
        found[port] = None if found.get(port, uid) != uid else uid
    return {uid: port for port, uid in found.items() if uid is not None}
