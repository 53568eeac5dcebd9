"""The Service of an owner of Runs, and the way from there to its process: what is wanted, and what was seen of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from fairlead.domain.run.quiet import Quiet
from fairlead.domain.run.token import WantedToken


@dataclass(frozen=True, slots=True)
class WantedService:
    """A Service without a selector, in its owner's namespace."""

    name: str
    port: int
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class KeptService:
    """It is there, and its owner's. `address` is its ClusterIP."""

    name: str
    port: int
    address: str


@dataclass(frozen=True, slots=True)
class NoService:
    """It is not there, or not its owner's. `taken`: something of that name is, and is left alone."""

    taken: bool
    message: str


@dataclass(frozen=True, slots=True)
class Question:
    """A GET by which a process is asked whether it is ready.

    With a `token` it has to refuse it without that one, and to answer it with it.
    """

    path: str
    token: WantedToken | None = None


class TunnelState(StrEnum):
    """How far a gateway has come on the way to a process, in its own words."""

    OPENING = "Opening"
    OPEN = "Open"
    BROKEN = "Broken"


class ProcessState(StrEnum):
    """Whether a process answers as it is to, in a gateway's words."""

    READY = "Ready"
    NOT_READY = "NotReady"


@dataclass(frozen=True, slots=True)
class Served:
    """What is known of both. `service` None: the API server has not answered yet. `tunnel` None: no gateway has said a word of this Run.

    `process` None: no gateway has asked it. `quiet` None: bytes are carried for clients, or nobody knows.

    What a gateway says stands on an object of the owner's namespace, so whoever may write EndpointSlices there can say it, too. All that is
    done to a Run for it: one that is not said to be ready in time is told to end, and one that is said to be quiet for too long.
    """

    service: KeptService | NoService | None
    tunnel: TunnelState | None
    process: ProcessState | None = None
    quiet: Quiet | None = None
