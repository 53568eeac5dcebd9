"""Where a remote login identity is reached, what proves who we are there, and which host keys are trusted."""

from dataclasses import dataclass, field
from enum import Enum


@dataclass(frozen=True, slots=True)
class Credentials:
    """What proves who we are to a login node. Never printed: `repr` is masked."""

    private_key: bytes               # the Secret's ssh-privatekey as it is
    passphrase: bytes | None = None
    certificate: bytes | None = None

    def __repr__(self) -> str:
        return "Credentials(...)"


@dataclass(frozen=True, slots=True)
class HostKeys:
    """Which host keys are trusted, exactly one of the two filled: known_hosts text, or fingerprints (`SHA256:...`)."""

    known_hosts: str = ""
    fingerprints: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A host name or IP address, and the port of an SSH server there."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


class Port(Enum):
    """What a look at a port has shown."""

    SILENT = "silent"                # no connection: nothing answers there
    MUTE = "mute"                    # a connection on which nothing was said: a stopped server, or something in front of none
    SPEAKS = "speaks"                # a server that says who it is


@dataclass(frozen=True, slots=True)
class Address:
    """A remote login identity to connect to, with all that is needed for it. Equal addresses share connections.

    Two namespaces that share one have the same key: the connection counts in the share of who made it, each exchange in that of who asks.
    """

    host: str
    port: int
    user: str
    credentials: Credentials
    host_keys: HostKeys
    connect_timeout_seconds: float = 10.0
    keepalive_interval_seconds: float = 15.0
    max_connections: int = 1
    max_channels: int = 4            # below half of sshd's MaxSessions 10: it frees a slot only after the client saw the exit
    more_endpoints: tuple[Endpoint, ...] = ()    # of the same login service, tried in this order after host and port
    via: "Address | None" = None     # the jump host through whose connection it is reached; that one may lie behind another
    hop: int | None = None           # of a jump host: its place in the Cluster's spec.proxyJump
    namespace: str = field(default="", compare=False)    # in whose share the work for it counts; empty: in nobody's

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """All endpoints of the login service, in the order in which they are tried."""
        return (Endpoint(self.host, self.port), *self.more_endpoints)

    @property
    def first_hop(self) -> "Address":
        """What is connected to from here: itself, or the outermost jump host."""
        return self.via.first_hop if self.via else self

    @property
    def place(self) -> str:
        """What of a Cluster says how to reach it: `spec`, or of a jump host `spec.proxyJump[0]`."""
        return "spec" if self.hop is None else f"spec.proxyJump[{self.hop}]"

    def __str__(self) -> str:
        return f"{self.user}@{self.host}:{self.port}"
