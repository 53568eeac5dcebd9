"""The gateway's ports: all that it needs from the world outside."""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from fairlead.domain.cluster.address import Address, Endpoint
from fairlead.domain.errors import FairleadError
from fairlead.domain.gateways import LeaseSeen, SliceSeen, SliceWanted
from fairlead.domain.objects import ObjectRef
from fairlead.domain.pacing import Now
from fairlead.gateway.settings import GatewaySettings


class Stream(Protocol):
    """A client's connection that is carried, as asyncio's protocol of it."""

    @property
    def carried_bytes(self) -> int:
        """Those that have come from either side so far."""
        ...

    def cut(self) -> None:
        """End it now, by a reset. Never raises."""
        ...


class Streams(Protocol):
    """What carries clients to what listens behind login nodes."""

    def pipe(self, address: Address, target: Endpoint, ended: Callable[[Any, FairleadError | None], None]) -> Any:
        """The protocol for a client's connection, a `Stream`; `ended` is called with it, and with why it was not opened, or None."""
        ...

    async def look(self, address: Address, target: Endpoint) -> None:
        """See whether a stream can be opened. Raises why not: `Refused`, `Unreachable` (also `NoStream`), `Unreadable`."""
        ...

    async def ask(self, address: Address, target: Endpoint, question: bytes) -> bytes:
        """Open a stream, send that, and return the first line of the answer, or what came of it in time; bounded in bytes and in time.

        Raises as `look`.
        """
        ...

    def retire(self, address: Address) -> None:
        """Log in anew for what is asked from now on."""
        ...


class Slices(Protocol):
    """The slices of all gateways. Each write is on what was seen last: nobody writes over what another has written meanwhile."""

    async def refresh(self) -> None:
        """List them. Raises `Unavailable`."""
        ...

    def of(self, uid: str) -> SliceSeen | None:
        """A Session's, as far as it is known."""
        ...

    def all(self) -> Iterable[SliceSeen]:
        """All that are known."""
        ...

    async def keep(self, wanted: SliceWanted) -> None:
        """Have it so; no request if it is. Raises `Conflict` (look again; of which `Taken`: that name is not ours), `Unavailable`."""
        ...

    async def remove(self, owner: ObjectRef) -> None:
        """Have none; what is not ours is left. Raises `Conflict`, `Unavailable`."""
        ...


class Leases(Protocol):
    """This gateway's Lease, and those of all."""

    def leads(self) -> bool:
        """Whether ours is surely ours."""
        ...

    async def list(self) -> Sequence[LeaseSeen]:
        """All gateways'. Raises `Unavailable`."""
        ...

    async def remove(self, lease: LeaseSeen) -> None:
        """Take away one as it was seen. Raises `Conflict` when it is another by now, `Unavailable`."""
        ...


class Secrets(Protocol):
    """What a login needs, and the tokens of Sessions."""

    async def read_secret(self, namespace: str, name: str) -> Mapping[str, bytes] | None:
        """A Secret's data; None if there is none. Raises `Unavailable`."""
        ...

    async def read_labels(self, namespace: str) -> Mapping[str, str] | None:
        """A namespace's labels; None if there is none. Raises `Unavailable`."""
        ...


@dataclass(frozen=True, slots=True)
class Outside:
    """All ports together, and by what settings they are used. `monotonic` counts seconds."""

    streams: Streams
    slices: Slices
    leases: Leases
    secrets: Secrets
    settings: GatewaySettings = field(default_factory=GatewaySettings)

    def monotonic(self) -> float:
        """Seconds of the loop's clock."""
        return asyncio.get_running_loop().time()

    def now(self) -> Now:
        """This moment, by the loop's clock and by that of the day."""
        return Now(self.monotonic(), time.time())
