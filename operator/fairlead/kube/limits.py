"""The bounds of requests to the API server, and the times of watches."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KubeLimits:
    """How the API server is asked."""

    connections: int = 12
    """Connections of one session, and requests at a time: of these one namespace has no more than half. An API server that is at its limit
    gives each request in flight an equal part of itself, so one namespace's 32 would leave another's Job a thirtieth
    (`make bench ARGS=tenants`). Six at 10 ms each are 600 a second, far above what Jobs are submitted at."""
    request_seconds: float = 30.0
    """For one request: the wait for its place, half of this at most, its tries and its answer."""
    connect_seconds: float = 10.0
    """For a connection to be made."""
    retry_seconds: float = 0.25
    """A read whose connection broke is tried again after this, then after twice as long, less a random part of up to half."""
    watch_seconds: int = 300
    """A watch is ended by the server after this, and begun anew."""
    again_seconds: float = 1.0
    """Until a watch that failed is begun again, or the lists are tried again for it; doubled each time if it had failed soon."""
    again_limit_seconds: float = 30.0
    """The longest of these pauses; a watch that lasted longer had not failed soon."""
    end_seconds: float = 5.0
    """For a watch that failed to end."""
    first_seconds: float = 0.5
    """At a start: until the API server is asked again that did not answer."""
