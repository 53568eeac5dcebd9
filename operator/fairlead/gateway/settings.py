"""The gateway's own settings: counts, and intervals in seconds. Those of its connections and streams are beside them, in `ssh`."""

from dataclasses import dataclass, field
from typing import Annotated

from pydantic import Field


@dataclass(frozen=True, slots=True)
class PortSettings:
    """When a port of a gateway may be had again. It matters that no client of one Session ever reaches another."""

    rest_seconds: float = 60.0
    """For the proxies of all nodes to hear that a slice is gone: for so long nobody else has its port."""
    quarantine_seconds: float = 300.0
    """Until a port on which somebody else listened is tried again."""
    tries: int = 8
    """Of ports on which somebody else listens, for one Session at a time."""


@dataclass(frozen=True, slots=True)
class DoorSettings:
    """The port of one Session, and the clients that come there."""

    streams: int = 512
    """Of one Session at a time: beyond that clients are reset, so that none takes all sockets of the gateway."""
    backlog: int = 128
    """Clients that wait to be taken, as the kernel counts them."""
    flush_seconds: float = 0.5
    """For streams to come to their own end before they are cut."""
    cut_seconds: float = 2.0
    """For what was cut to be gone."""
    refused_seconds: float = 1.0
    """For a closed port to be seen to refuse."""


@dataclass(frozen=True, slots=True)
class WaySettings:
    """How the way to a Session's process is looked at."""

    look_seconds: float = 60.0
    """Between two looks at a way that is open, or two questions that show a token. One is made at once when a client's stream could not be
    opened."""
    pauses_seconds: Annotated[tuple[float, ...], Field(min_length=1)] = (0.5, 1.0, 2.0, 4.0)
    """Between two looks at a way that is not; the last of them for good, and each at random up to a quarter longer."""
    ask_seconds: float = 10.0
    """Between two questions to a process that is ready, where it is asked by HTTP without a token."""
    unready_answers: int = 3
    """In a row that are not as they are to be, after which one that was ready is not any more."""
    quiet_seconds: float = 120.0
    """Without a byte for a client, after which that is written down; after half of a Session's idleTimeoutSeconds, if that is sooner. Each
    time it costs a write, and one more when bytes are carried again."""


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """How a gateway works."""

    ports: PortSettings = field(default_factory=PortSettings)
    door: DoorSettings = field(default_factory=DoorSettings)
    way: WaySettings = field(default_factory=WaySettings)
    roster_seconds: float = 1.5
    """Between two looks at the gateways' Leases."""
    forget_seconds: float = 600.0
    """After so long without a renewal a gateway's Lease is removed. Longer than `ports.rest_seconds`: it says which address was in use."""
    activity_seconds: float = 1.0
    """Between two looks at whose clients have moved bytes, all of them in memory."""
    again_seconds: float = 1.0
    """Until a step that failed is tried again; each time twice as long, up to `look_seconds`."""
    look_seconds: float = 10.0
    """After so long each Session is looked at, whether anything was heard of it or not."""
    secret_refresh_seconds: float = 60.0
    """A Secret that was replaced counts after this."""
    relist_seconds: float = 30.0
    """All objects are listed this often, should a watch have missed one."""
    lead_seconds: float = 3.0
    """For a way to the process of a Session that another gateway had, before the slice is written anew: it may be ready as yet."""
    linger_seconds: float = 3.0
    """The port of a Session that another gateway has taken takes clients for so long: not all nodes' proxies hear of it at once."""
    drain_seconds: float = 12.0
    """For others to take our Sessions when this gateway stops, and for the streams of each that was taken to come to an end."""
    last_words_seconds: float = 3.0
    """For the slices to say that nobody is there any more."""
    stop_seconds: float = 5.0
    """For the rest to end after that. The pod's grace period has to be longer than all of these together."""
