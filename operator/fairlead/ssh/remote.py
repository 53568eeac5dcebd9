"""The engine's port Remote, over SSH."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from types import TracebackType
from typing import Self, TypeVar

import structlog

from fairlead.api.v1alpha1.reasons import ClusterReason
from fairlead.domain.cluster.address import Address, Port
from fairlead.domain.errors import FairleadError, Unanswered, Unreachable
from fairlead.schedulers.seam import Exchange
from fairlead.sharing.shares import Shares
from fairlead.ssh.caller import Caller
from fairlead.ssh.channel import Opened, open_channel, put_down
from fairlead.ssh.execute import Command, execute
from fairlead.ssh.kept import Connection, closed_by_us
from fairlead.ssh.limits import PoolLimits, none_free
from fairlead.ssh.looking import Looking
from fairlead.ssh.pool import AddressPool, Line
from fairlead.ssh.reading import Reader
from fairlead.ssh.told import PLACES, Told
from fairlead.ssh.ways import Ways, timed

log = structlog.get_logger()

T = TypeVar("T")


class SshRemote:
    """Runs exchanges over kept connections. One for a process; made and used in one event loop; `async with` closes it.

    `may_send` is asked when the way is open, right before the first byte: a controller that slept meanwhile may lead no more. `told` is
    told of execs, connects and waits.
    """

    def __init__(self, limits: PoolLimits | None = None, may_send: Callable[[], bool] = lambda: True,
                 told: Told | None = None, ways: Ways | None = None) -> None:
        self._limits = limits or PoolLimits()
        self._may_send = may_send
        told = self._told = told or Told()
        self._execs = Shares(self._limits.execs, "no place among the exchanges that this controller runs at a time",
                             self._limits.wait_seconds, none_free, told.waited_for("exec"))
        self._ways = ways or Ways(self._limits, told)
        self.seats = self._ways.seats
        self._looking = Looking(self._ways.resolver, self._limits)
        self._pools: dict[Address, AddressPool] = {}
        self._running: set[asyncio.Task[bytes]] = set()
        self._reader = Reader(self._limits.wait_seconds, told.waited_for("answer"))
        logging.getLogger("asyncssh").setLevel(logging.ERROR)   # it tells of each connection and command; we say what matters ourselves

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()

    async def exchange(self, address: Address, exchange: Exchange[T]) -> T:
        """Run one exchange and parse its answer.

        Raises `Refused`, `Unreachable` (nothing was sent), `Unanswered` (sent, no whole answer), `Unreadable` (key or host keys unusable).
        A caller that is cancelled goes at once; what ran for it is ended behind it, and only then is its channel given to another.
        """
        if self._ways.is_closed:
            raise closed_by_us()
        pool = self._pools.get(address) or self._pools.setdefault(address, self._pool(address))
        command = Command(exchange.verb, str(address), exchange.stdin(), address.connect_timeout_seconds, exchange.timeout_seconds,
                          exchange.max_output_bytes, exchange.last_row, address.namespace)
        caller = Caller(self._running.discard)
        run = self._aside if exchange.aside else self._run
        task = asyncio.create_task(self._foreseen(run(pool, command, caller), command))
        self._running.add(task)
        return await self._reader.read(exchange, await caller.answer(task), address.namespace)

    @property
    def queues(self) -> Mapping[str, Callable[[], int]]:
        """How many wait for each of `PLACES`, asked when it is called."""
        ways, gate = self._ways, self._ways.gate
        waiting = (lambda: self.seats.waiting, lambda: gate.waiting, lambda: gate.waiting_for_hosts, lambda: self._execs.waiting,
                   lambda: ways.resolver.waiting, lambda: ways.keyring.waiting, lambda: self._reader.waiting)
        return dict(zip(PLACES, waiting, strict=True))

    async def look(self, address: Address) -> Port:
        """What the port says to which a login would connect first. Raises `Unreachable` when there was no place for a look."""
        if self._ways.is_closed:
            raise closed_by_us()
        return await self._looking.look(address)

    def retire(self, address: Address) -> None:
        """Take what is asked from now on to new connections; those of before close when what they have to do has ended."""
        if pool := self._pools.pop(address, None):
            pool.retire()

    async def close(self) -> None:
        """Close everything at once, within the bound of one: exchanges in flight end as `Unanswered`, waiting ones as `Unreachable`."""
        self._looking.close()
        await self._ways.cut()
        if self._running:
            await asyncio.wait(self._running)
        self._reader.close()
        self._ways.keyring.close()

    def _pool(self, address: Address) -> AddressPool:
        return AddressPool(address, self._ways.keeper(address))

    async def _run(self, pool: AddressPool, command: Command, caller: Caller) -> bytes:
        """Hold a line, then an exec's place of all, and run. Asked again only while nothing was sent: no channel, or a connection lost.

        Where sshd allows fewer sessions than the Cluster's maxChannelsPerConnection, those that it allows are used in turn.
        """
        async with pool.line() as line:
            opened_by_others = False
            while not opened_by_others:
                ended_before = line.sessions_ended
                for pause_seconds in (*self._limits.reopen_seconds, 0.0):
                    if (output := await self._try(line, command, caller)) is not None:
                        return output
                    await asyncio.sleep(pause_seconds)
                opened_by_others = not await line.session_ends(ended_before)
        raise Unreachable(f"{command.where} opens no session for {command.verb}: all that sshd allows (MaxSessions) are taken, or it "
                          "breaks connections off at once", ClusterReason.CONNECTION_FAILED)

    async def _aside(self, pool: AddressPool, command: Command, caller: Caller) -> bytes:
        """Run it on a connection that stands, in a session that nobody needs; it ends with the connection."""
        line, connection = pool.standing()
        opened = await self._open(connection, command, caller)
        if opened is None:
            self._require_leadership(command)
            raise Unreachable(f"{command.where} has no session to spare", ClusterReason.CONNECTION_FAILED)
        with line.listener():
            return await execute(connection, opened, command)

    async def _open(self, connection: Connection, command: Command, caller: Caller) -> Opened | None:
        """A channel for the command; None: none can be had. One that opens for a caller who has gone meanwhile is put down."""
        self._require_leadership(command)
        with caller.opening(connection):
            opened = await open_channel(connection, command.max_output_bytes, command.last_row, command.open_seconds, self._may_send)
            if opened and caller.has_gone:
                await put_down(connection, *opened)
        return opened

    async def _foreseen(self, running: Awaitable[bytes], command: Command) -> bytes:
        """What nobody has foreseen is no whole answer, and says nothing of the Jobs that were asked about."""
        try:
            return await running
        except FairleadError:
            raise
        except Exception as error:
            log.exception("exchange_broken", verb=command.verb, where=command.where)
            raise Unanswered(f"{command.verb} on {command.where} met an error of Fairlead's own ({type(error).__name__}): the controller's "
                             "log says more", ClusterReason.INTERNAL_ERROR) from error

    async def _try(self, line: Line, command: Command, caller: Caller) -> bytes | None:
        """Run it on the line's connection; None: no channel could be had."""
        async with line.kept() as kept, self._execs.place(command.owner):
            connection = kept.connection
            opened = await self._open(connection, command, caller)
            if opened is None:
                self._require_leadership(command)
                if not connection.is_closed():
                    line.hush()
                return None
            try:                         # asked again, as it was when the channel opened: a machine may sleep meanwhile
                self._require_leadership(command)
            except Unreachable:
                await put_down(connection, *opened)
                raise
            with line.session(), timed(partial(self._told.exec_ended, command.verb)):
                return await execute(connection, opened, command)

    def _require_leadership(self, command: Command) -> None:
        if not self._may_send():
            raise Unreachable(f"{command.verb} on {command.where} was not sent: this controller does not lead now",
                              ClusterReason.CONNECTION_LOST)
