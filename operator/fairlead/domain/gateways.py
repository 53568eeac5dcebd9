"""What gateways write down in Kubernetes, as it is read there."""

from dataclasses import dataclass

from fairlead.domain.objects import ObjectRef
from fairlead.domain.run.quiet import Quiet


@dataclass(frozen=True, slots=True)
class LeaseSeen:
    """One gateway's Lease as the API server shows it. `holder` is empty when it was given back."""

    gateway: str
    holder: str
    version: str                     # changes with each renewal
    duration_seconds: float
    address: str = ""                # on which it is, or was, reached


@dataclass(frozen=True, slots=True)
class SliceSeen:
    """What a slice of a gateway says: whose it is, which gateway and port it leads to. All of it can be forged in its namespace."""

    owner: ObjectRef                 # its Session
    gateway: str
    address: str
    port: int | None

    @property
    def uid(self) -> str:
        """Its Session's."""
        return self.owner.uid


@dataclass(frozen=True, slots=True)
class SliceWanted:
    """What a Session's slice shall say. Clients are sent there only while `state` is Open and `is_ready`."""

    owner: ObjectRef
    gateway: str
    address: str
    port: int
    state: str                       # Opening | Open | Broken
    run_key: str
    message: str = ""
    is_ready: bool = False           # the process answers as it is to
    quiet: Quiet | None = None       # since when nothing is carried
