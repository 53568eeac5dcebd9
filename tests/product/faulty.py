"""The product with faulty ports: `python -m product.faulty` is `fairlead controller` that dies or fails at a chosen call.

FAIRLEAD_TEST_FAULT is `port.method:when:number:what`, or several with commas between. port.method is remote.<verb> or store.<method>, or *
in its place; `/NAME` behind it means only calls about that Job (of an exchange: in whose text it is); when is before or after; number
counts the matching calls from 1, 0 is each of them; what is kill (as by -9), fail (the call is answered by a fault), hang, or break (an
error that nobody has foreseen). `@PATH` in its place names a file that may be written later: its faults count from then on, and it goes
when one strikes. The product itself has no test switches: this is another composition of the same parts.
"""

import asyncio
import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn

from fairlead.api.v1alpha1.reasons import ClusterReason
from fairlead.app import program
from fairlead.cli import main
from fairlead.domain.cluster.address import Address, Port
from fairlead.domain.errors import Unanswered, Unavailable
from fairlead.domain.kinds import Kinds
from fairlead.domain.objects import EventNote, ObjectRef
from fairlead.engine.ports import Remote, Store, T, World
from fairlead.kube.client import KubeClient
from fairlead.kube.lease import Lease
from fairlead.schedulers.seam import Exchange
from fairlead.ssh.remote import SshRemote

VARIABLE = "FAIRLEAD_TEST_FAULT"


@dataclass
class Fault:
    """One fault at one call, counted down."""

    where: str
    when: str
    number: int
    what: str

    def __post_init__(self) -> None:
        self.is_lasting = not self.number

    def is_due(self, call: str, when: str, about: bytes) -> bool:
        """Count a call; whether it is the one to strike."""
        where, _, name = self.where.partition("/")
        if when != self.when or where not in {call, f"{call.split('.', maxsplit=1)[0]}.*"} or name.encode() not in about:
            return False
        self.number -= 1
        return self.number <= 0 if self.is_lasting else self.number == 0

    async def strike(self, port: str) -> None:
        """Kill the process, hang, or fail as the port fails."""
        if self.what == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.what == "hang":
            await asyncio.sleep(3600)
        if self.what == "break":
            raise ZeroDivisionError
        _fail(port)


@dataclass
class Faults:
    """All faults of one process. With a file, those that it names from the moment on that it is there."""

    each: tuple[Fault, ...]
    file: Path | None = None
    text: str = ""

    @classmethod
    def from_environment(cls) -> "Faults":
        text = os.environ[VARIABLE]
        return cls((), Path(text[1:])) if text.startswith("@") else cls(read_faults(text))

    async def at(self, call: str, when: str, about: bytes = b"") -> None:
        """Strike if this is the call of one of them, `about` whatever names the Job."""
        self._read_file()
        for fault in self.each:
            if fault.is_due(call, when, about):
                if self.file is not None:   # once: the next process shall not meet it again
                    self.file.unlink(missing_ok=True)
                await fault.strike(call.split(".", maxsplit=1)[0])

    def _read_file(self) -> None:
        if self.file is None:
            return
        text = self.file.read_text(encoding="utf-8") if self.file.exists() else ""
        if text != self.text:
            self.text, self.each = text, read_faults(text)


def read_faults(text: str) -> tuple[Fault, ...]:
    """The faults that a text names."""
    parts = [one.split(":") for one in text.split(",") if one]
    return tuple(Fault(where, when, int(number), what) for where, when, number, what in parts)


def _fail(port: str) -> NoReturn:
    if port == "store":
        raise Unavailable("a fault was asked for")
    raise Unanswered("a fault was asked for", ClusterReason.CONNECTION_LOST)


@dataclass
class FaultyRemote:
    """A `Remote` with a fault."""

    real: Remote
    fault: Faults

    async def exchange(self, address: Address, exchange: Exchange[T]) -> T:
        await self.fault.at(f"remote.{exchange.verb}", "before", exchange.stdin())
        answer = await self.real.exchange(address, exchange)
        await self.fault.at(f"remote.{exchange.verb}", "after")
        return answer

    async def look(self, address: Address) -> Port:
        return await self.real.look(address)

    def retire(self, address: Address) -> None:
        self.real.retire(address)


@dataclass
class FaultyStore:
    """A `Store` with a fault."""

    real: Store
    fault: Faults

    async def add_finalizer(self, ref: ObjectRef, *, host: str = "") -> str:
        await self.fault.at("store.add_finalizer", "before", ref.name.encode())
        answer = await self.real.add_finalizer(ref, host=host)
        await self.fault.at("store.add_finalizer", "after")
        return answer

    async def write_status(self, ref: ObjectRef, status: Mapping[str, Any], *, expected_attempt: int | None = None) -> str:
        call = f"store.write_{ref.plural}_status"
        await self.fault.at(call, "before")
        answer = await self.real.write_status(ref, status, expected_attempt=expected_attempt)
        await self.fault.at(call, "after")
        return answer

    async def release(self, ref: ObjectRef, *, finished: bool) -> str:
        await self.fault.at("store.release", "before")
        answer = await self.real.release(ref, finished=finished)
        await self.fault.at("store.release", "after")
        return answer

    async def unlabel(self, ref: ObjectRef) -> str:
        return await self.real.unlabel(ref)

    async def record_event(self, ref: ObjectRef, note: EventNote) -> None:
        await self.fault.at("store.record_event", "before")
        await self.real.record_event(ref, note)
        await self.fault.at("store.record_event", "after")

    async def uid_of(self, ref: ObjectRef) -> str | None:
        return await self.real.uid_of(ref)


def compose(client: KubeClient, lease: Lease, remote: SshRemote, place: program.Namespaces, kinds: Kinds) -> World:
    """The real world, with the fault around two of its ports."""
    world, fault = _real(client, lease, remote, place, kinds), Faults.from_environment()
    return replace(world, remote=FaultyRemote(world.remote, fault), store=FaultyStore(world.store, fault))


_real = program.compose

if __name__ == "__main__":
    program.run.__defaults__ = (program.Parts(compose=compose),)
    main()
