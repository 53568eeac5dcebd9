"""The bounds of one process's connections, and how long one is kept."""

from dataclasses import dataclass, field

from fairlead.api.v1alpha1.reasons import ClusterReason
from fairlead.domain.errors import Unreachable


@dataclass(frozen=True, slots=True)
class PoolLimits:
    """Bounds for one process. Fifty connects at once bring 100 hosts up in 24 ms of waiting; more of them gain nothing."""

    connections: int = 256
    """Connections that are held at the same time, over all clusters and jump hosts. When all are taken, the idle one that was used least
    recently is closed to make room."""
    wait_seconds: float = 30.0
    """For a free connection, in the order of asking, when all are in use; as long for a place to connect or to run in. Then the exchange is
    given up, and nothing was sent."""
    idle_seconds: float = 600.0
    """A connection that nobody has used for so long is closed. Below engine.secret_refresh_seconds, a quiet cluster would be logged in to
    for each look at it."""
    age_seconds: float = 900.0
    """The greatest age of a connection, at random up to a fifth less. Then the next exchange makes a new one, and the old one is closed
    when what runs on it has ended. A key that the site has withdrawn shows after that at the latest."""
    connects: int = 100
    """Connections that are being made at the same time. Of these, as of all bounds here, one namespace has no more than half."""
    execs: int = 100
    """Exchanges at the same time, over all clusters."""
    connects_per_host: int = 4
    """Connections that are being made to one host: from the 11th without login sshd drops some, whoever they belong to (MaxStartups)."""
    jitter_seconds: float = 0.2
    """At most so long a random wait comes before a connect to a host to which another is under way."""
    close_seconds: float = 1.5
    """For a clean close; a stopped sshd never completes one."""
    looks: int = 64
    """Looks at ports at the same time: at hosts that are dark, each takes `look_seconds`."""
    look_seconds: float = 2.0
    """For one look: a first packet that was lost is sent again after a second."""
    reopen_seconds: tuple[float, ...] = (0.05, 0.1, 0.2, 0.4, 0.8)
    """Waits before a channel is asked for again. Longer in all than one of ours needs to be freed: then somebody else holds them."""
    reconnect_seconds: tuple[float, ...] = (0.5, 1.0, 2.0)
    """At most so long are the random waits before a host that dropped a connection in the middle of the login is connected to again: sshd
    drops some at random while others are logging in (MaxStartups)."""


@dataclass(frozen=True, slots=True)
class TunnelPoolLimits(PoolLimits):
    """The same for one gateway's connections, apart from those of exchanges. What they carry is not given up for being old."""

    connections: int = 128
    """Connections that are held at the same time, over all clusters and jump hosts."""
    idle_seconds: float = 120.0
    """A connection that nobody has used for so long is closed."""
    age_seconds: float = 3600.0
    """The greatest age of a connection, at random up to a fifth less. Then it takes no further stream, and closes when its last has
    ended."""


@dataclass(frozen=True, slots=True)
class TunnelLimits:
    """The bounds of one gateway's tunnels."""

    pool: TunnelPoolLimits = field(default_factory=TunnelPoolLimits)
    connections: int = 4
    """To one address: a further one is made when each of the others has `streams`."""
    streams: int = 16
    """Of one connection, before a further one is made."""
    open_seconds: float = 5.0
    """For a login node to open a stream on a connection that stands."""
    answer_seconds: float = 5.0
    """For the first line of a process's answer, by which it is ready."""
    close_seconds: float = 2.0
    """For the far end to confirm that a channel is closed."""
    held_bytes: int = 64 << 10
    """Of what a client sends while its channel is being opened, and of what either side buffers before the other is asked to wait."""
    window_bytes: int = 1 << 20
    """What a target may send ahead of a client that does not read. At 20 ms to the login node it lets 50 MB/s through."""
    keepalive_idle_seconds: int = 60
    """A client of which nothing was heard for so long is asked whether it is there. With these three it is known after two minutes that one
    went without a word."""
    keepalive_interval_seconds: int = 15
    """Between two such questions."""
    keepalive_tries: int = 4
    """So many that are not answered in a row."""


def none_free(words: str) -> Unreachable:
    """The error after a wait in vain for a place of a namespace's share."""
    return Unreachable(words, ClusterReason.NO_FREE_CONNECTION)
