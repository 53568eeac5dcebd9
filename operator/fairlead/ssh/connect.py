"""One connection, made within one deadline: name, TCP, banner, host key, login."""

import asyncio

import asyncssh

from fairlead.domain.errors import RemoteFault
from fairlead.ssh.failures import endless, explain, no_server, too_late
from fairlead.ssh.hostkeys import CERTIFICATES, Pins
from fairlead.ssh.profile import Profile
from fairlead.ssh.rekeys import TOO_OFTEN, Allowance, bound
from fairlead.ssh.resolver import Resolver
from fairlead.ssh.wire import LOGIN_BYTES, Tcp


class _Client(asyncssh.SSHClient):
    """Watches one connection come about: was the port reached, and which unlisted host key was shown?"""

    def __init__(self, pins: Pins, rekeys: Allowance) -> None:
        self._pins = pins
        self._rekeys = rekeys
        self.reached = False
        self.tcp: Tcp | None = None
        self.seen: asyncssh.SSHKey | None = None
        self.seen_type = ""

    def connection_made(self, conn: asyncssh.SSHClientConnection) -> None:
        self.reached = True
        bound(conn, self._rekeys)

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:   # noqa: ARG002  # asyncssh's signature
        self.seen, self.seen_type = key, key.get_algorithm()
        return self._pins.trusts(key)

    def validate_host_ca_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:   # noqa: ARG002  # the same
        self.seen, self.seen_type = key, CERTIFICATES
        return False                 # asked only of an authority that known_hosts does not list for this host


async def connect(profile: Profile, means: Resolver | asyncssh.SSHClientConnection, seconds: float) -> asyncssh.SSHClientConnection:
    """Connect and log in within so many seconds: to each of the name's IP addresses in turn, or through a jump host's connection.

    Nothing is left of a failure. Raises `Refused` and `Unreachable`, each with the sentence that a person can act on.
    """
    client = _Client(profile.pins, profile.rekeys)
    if profile.rekeys.is_spent(asyncio.get_running_loop().time()):
        raise explain(profile, asyncssh.ProtocolError(TOO_OFTEN))
    try:
        async with asyncio.timeout(seconds) as deadline:
            if not isinstance(means, Resolver):
                return await _connect_to(profile, "", client, means)
            addresses = await means.addresses(profile.endpoint.host, profile.endpoint.port, profile.address.namespace)
            for left, address in zip(range(len(addresses) - 1, -1, -1), addresses, strict=True):
                client = _Client(profile.pins, profile.rekeys)
                share = (deadline.when() or 0.0) - asyncio.get_running_loop().time()
                try:
                    async with asyncio.timeout(share / (left + 1)):
                        return await _connect_to(profile, address, client)
                except OSError:          # TimeoutError too: the name's next address may answer
                    if not left:
                        raise
    except TimeoutError as error:
        said = client.tcp.greeting if client.tcp else b""
        raise no_server(profile, said) or too_late(profile, client.reached, seconds) from error
    except (OSError, asyncssh.Error) as error:
        raise explain(profile, error) from error
    raise explain(profile, OSError("the name has no address"))


async def _connect_to(profile: Profile, address: str, client: _Client,
                      over: asyncssh.SSHClientConnection | None = None) -> asyncssh.SSHClientConnection:
    """Connect to one IP address, or through `over`: then its far end looks the name up, and no IP address says who answers.

    With fingerprints, ask for each type of host key in turn until a pinned one is shown; also for a key when a certificate was not trusted.
    """
    passed_over: frozenset[str] = frozenset()
    refusal: RemoteFault | None = None
    while algorithms := profile.pins.algorithms(address, passed_over):
        tcp = client.tcp = Tcp()
        try:
            connection = await asyncssh.connect(
                address or profile.endpoint.host, profile.endpoint.port, tunnel=over or tcp, options=profile.options, config=None,
                client_factory=lambda: client, server_host_key_algs=algorithms)
        except asyncssh.HostKeyNotVerifiable as error:
            refusal = refusal or profile.pins.refusal(address, client.seen, str(error))
            if client.seen is None or not (profile.pins.fingerprints or client.seen_type == CERTIFICATES):
                raise refusal from error
            passed_over |= {client.seen_type}
        except (asyncssh.KeyExchangeFailed, asyncssh.ConnectionLost, ConnectionResetError) as error:
            if tcp.said_too_much:
                raise endless(profile, LOGIN_BYTES) from error
            if stranger := no_server(profile, tcp.greeting):
                raise stranger from error
            if refusal:              # it has no other type of key; sshd may say so by a reset
                raise refusal from error
            raise
        else:
            tcp.logged_in()
            return connection
    raise refusal or explain(profile, OSError("no type of host key is left to ask for"))
