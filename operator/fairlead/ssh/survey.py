"""The way to a server step by step, for a person who asks where it ends: name, route, greeting, login, and what a connection may carry."""

import asyncio
import errno
import socket
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import asyncssh

from fairlead.api.v1alpha1.reasons import ClusterReason
from fairlead.api.v1alpha1.texts import one_line
from fairlead.domain.cluster.address import Address, Endpoint
from fairlead.domain.errors import Refused, RemoteFault, Unreachable
from fairlead.schedulers.seam import Exchange
from fairlead.ssh.channel import open_channel, put_down
from fairlead.ssh.connect import connect
from fairlead.ssh.failures import turned_away
from fairlead.ssh.hostkeys import describe
from fairlead.ssh.kept import close_connection
from fairlead.ssh.profile import Profile, read_profiles
from fairlead.ssh.resolver import Resolver
from fairlead.ssh.stream import CLOSE_SECONDS, Printing

Over = asyncssh.SSHClientConnection
if TYPE_CHECKING:
    Reader = asyncio.StreamReader | asyncssh.SSHReader[bytes]

_GREETING_BYTES: Final = 64 * 1024       # RFC 4253, 4.2: lines may come in front of the greeting, and sshd's own may be long
_WORDS_CHARACTERS: Final = 80
_NO_ROUTE: Final = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EACCES, errno.EPERM})
_FORWARD_SECONDS: Final = 5.0
_NOBODY_PORT: Final = 1                  # tcpmux, RFC 1078: nobody listens there, so that nothing is connected to
_REOPEN_SECONDS: Final = (0.1, 0.3, 0.6)


class NoServer(Unreachable):
    """The host answers, and no SSH server on that port."""


@dataclass(frozen=True, slots=True)
class Greeting:
    """Who answered, how fast a connection came about, and what was said first: `SSH-2.0-...`. `silent`: addresses that did not answer."""

    address: str
    seconds: float
    words: str
    silent: tuple[str, ...] = ()


async def addresses_of(endpoint: Endpoint, seconds: float) -> Sequence[str]:
    """The name's IP addresses. Raises `Unreachable`."""
    try:
        async with asyncio.timeout(seconds):
            return await Resolver().addresses(endpoint.host, endpoint.port)
    except TimeoutError as error:
        raise Unreachable(f"the name servers did not say within {seconds:g} s which address {endpoint.host} has: check this machine's DNS",
                          ClusterReason.NAME_NOT_RESOLVED) from error
    except socket.gaierror as error:
        raise Unreachable(f"the name {endpoint.host} has no address ({one_line(str(error.args[-1]))}): check the name, and the DNS of the "
                          "machine from which you ask", ClusterReason.NAME_NOT_RESOLVED) from error


async def greeting_of(endpoint: Endpoint, addresses: Sequence[str], seconds: float, over: Over | None = None) -> Greeting:
    """Connect to the first of the addresses that answers, or through a jump host, and read what is said first.

    Each address has an equal share of the seconds to answer, as when it is logged in.

    Raises `NoServer` where something answers that is no SSH server, else `Unreachable` and `Refused`.
    """
    silent: list[str] = []
    failure: RemoteFault | None = None
    ways = (endpoint.host,) if over else addresses
    for address in ways:
        try:
            return await _greeting_of(_Way(endpoint, address, seconds / len(ways), over), seconds, tuple(silent))
        except (Unreachable, Refused) as fault:
            failure = failure if isinstance(failure, NoServer) else fault
            silent.append(address)
    raise failure or Unreachable(f"the name {endpoint.host} has no address", ClusterReason.NAME_NOT_RESOLVED)


@dataclass(frozen=True, slots=True)
class _Way:
    endpoint: Endpoint
    address: str
    seconds: float
    over: Over | None

    def __str__(self) -> str:
        return str(self.endpoint) if self.over or self.address == self.endpoint.host else f"{self.endpoint} ({self.address})"


async def _greeting_of(way: _Way, seconds: float, silent: tuple[str, ...]) -> Greeting:
    where, began = str(way), time.monotonic()
    try:
        async with asyncio.timeout(way.seconds):
            reader, close = await _opened(way)
    except TimeoutError as error:
        raise Unreachable(f"{where} did not answer within {way.seconds:.3g} s: a firewall or a route between this machine and the host "
                          "loses what is sent; ask who runs the network", ClusterReason.CONNECT_TIMEOUT) from error
    except ConnectionRefusedError as error:
        raise NoServer(f"nothing listens on {where} (connection refused): check the port, or have sshd started there",
                       ClusterReason.CONNECTION_REFUSED) from error
    except asyncssh.ChannelOpenError as error:
        raise _behind(where, error) from error
    except (OSError, asyncssh.Error) as error:
        words = one_line(str(getattr(error, "strerror", "") or error))
        what = "there is no route to" if isinstance(error, OSError) and error.errno in _NO_ROUTE else "no connection came about to"
        raise Unreachable(f"{what} {where} ({words}): check this machine's network and VPN", ClusterReason.CONNECTION_FAILED) from error
    took = time.monotonic() - began
    try:
        async with asyncio.timeout(seconds):
            return Greeting(way.address, took, await _first_words(reader, where), silent)
    except TimeoutError as error:
        raise NoServer(f"{where} took the connection and said nothing within {seconds:g} s: sshd there hangs or is overloaded, or it is no "
                       "SSH server; ask the site", ClusterReason.CONNECT_TIMEOUT) from error
    except (OSError, asyncssh.Error) as error:
        raise NoServer(f"{where} closed the connection at once: its sshd is too busy (MaxStartups) or blocks this "
                       "machine's address; ask the site", ClusterReason.CONNECTION_LOST) from error
    finally:
        close()


async def _opened(way: _Way) -> "tuple[Reader, Callable[[], None]]":
    if way.over is not None:
        behind, outgoing = await way.over.open_connection(way.address, way.endpoint.port)
        return behind, outgoing.close
    reader, writer = await asyncio.open_connection(way.address, way.endpoint.port, limit=_GREETING_BYTES)
    return reader, writer.close


async def _first_words(reader: "Reader", where: str) -> str:
    said = b""
    while len(said) < _GREETING_BYTES:
        piece = await reader.read(4096)
        if not piece:
            if not said or turned_away(said):
                raise ConnectionResetError
            break
        said += piece
        greeting = next((line for line in said.split(b"\n")[:-1] if line.startswith(b"SSH-")), None)
        if greeting is not None:
            return one_line(greeting[:255], _WORDS_CHARACTERS)
    words = one_line(said[:_WORDS_CHARACTERS], _WORDS_CHARACTERS)
    raise NoServer(f"{where} is no SSH server, it says: {words or 'nothing that can be read'}; check the port",
                   ClusterReason.CONNECTION_FAILED)


def _behind(where: str, error: asyncssh.ChannelOpenError) -> RemoteFault:
    words = one_line(str(error), _WORDS_CHARACTERS)
    if error.code == asyncssh.OPEN_ADMINISTRATIVELY_PROHIBITED:
        return Refused(f"the jump host does not forward to {where} ({words}): its sshd must allow that, by AllowTcpForwarding and "
                       "PermitOpen, and the key's line in authorized_keys too", ClusterReason.CONNECTION_FAILED)
    return Unreachable(f"the jump host cannot connect to {where} ({words}): check the name and the port as they are seen from there",
                       ClusterReason.CONNECTION_FAILED)


class LoginSeen:
    """One connection, logged in."""

    def __init__(self, connection: Over, profile: Profile) -> None:
        self._connection = connection
        self._line = Printing(connection, profile.address)
        shown = connection.get_server_host_key()
        self.host_key = describe(shown) if shown else "a host certificate of a pinned authority"

    @property
    def over(self) -> Over:
        """For what lies behind it."""
        return self._connection

    def output(self, exchange: Exchange[bytes], silent_seconds: float) -> AsyncGenerator[bytes, None]:
        """See `Printing.output`."""
        return self._line.output(exchange, idle_timeout_seconds=silent_seconds)

    async def sessions(self, count: int, seconds: float) -> int:
        """How many of `count` sessions it may have at the same time. They are opened, and run nothing. Raises `Unreachable`."""
        opened = []
        try:
            for number in range(count):
                found = await open_channel(self._connection, 4096, b"", seconds)
                for pause_seconds in _REOPEN_SECONDS if not number else ():     # sshd may not have seen yet that the one before has ended
                    if found:
                        break
                    await asyncio.sleep(pause_seconds)
                    found = await open_channel(self._connection, 4096, b"", seconds)
                if not found:
                    break
                opened.append(found)
            return len(opened)
        finally:
            await asyncio.gather(*(put_down(self._connection, *each) for each in opened))

    async def forwards(self) -> bool | None:
        """Whether it may carry TCP connections, as those of a jump host; None: it did not say. Nothing is connected to."""
        try:
            async with asyncio.timeout(_FORWARD_SECONDS):
                _, writer = await self._connection.open_connection("127.0.0.1", _NOBODY_PORT)
        except asyncssh.ChannelOpenError as error:
            return error.code != asyncssh.OPEN_ADMINISTRATIVELY_PROHIBITED
        except (TimeoutError, OSError, asyncssh.Error):
            return None
        with suppress(OSError, asyncssh.Error):
            writer.close()
        return True


def profiles_of(address: Address) -> tuple[Profile, ...]:
    """Key and host keys of an address, one for each of its endpoints. Slow for keys with a passphrase. Raises `Unreadable`."""
    return read_profiles(address)


@asynccontextmanager
async def logged_in(profile: Profile, seconds: float, over: Over | None = None) -> AsyncGenerator[LoginSeen, None]:
    """Log in, and close the connection at the end. Raises `Refused` and `Unreachable`."""
    connection = await connect(profile, over or Resolver(), seconds)
    try:
        yield LoginSeen(connection, profile)
    finally:
        await close_connection(connection, CLOSE_SECONDS)
