"""Which host keys a server shows, for a person who has to compare them: nobody is logged in, and nothing is trusted."""

from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace

import asyncssh

from fairlead.api.v1alpha1.reasons import ClusterReason
from fairlead.domain.cluster.address import Address, Credentials, Endpoint, HostKeys
from fairlead.domain.errors import Refused
from fairlead.ssh.connect import connect
from fairlead.ssh.hostkeys import DEFAULT_PORT, Pins
from fairlead.ssh.profile import read_profiles
from fairlead.ssh.resolver import Resolver
from fairlead.ssh.stream import connection_to

_OF_NO_KEY = f"SHA256:{'A' * 43}"


@dataclass(frozen=True, slots=True)
class ShownKey:
    """A host key as it was shown: `line` is `type base64`, as in known_hosts."""

    algorithm: str
    line: str
    fingerprint: str                 # SHA256:..., as `ssh-keygen -l` prints it


@dataclass(frozen=True, slots=True)
class _Seen(Pins):
    """Trusts none, and remembers each: so every type is asked for."""

    keys: list[asyncssh.SSHKey] = field(default_factory=list)

    def trusts(self, key: asyncssh.SSHKey) -> bool:
        self.keys.append(key)
        return False


async def host_keys_shown(endpoint: Endpoint, seconds: float, via: Address | None = None) -> tuple[ShownKey, ...]:
    """Ask for each type of host key that Fairlead accepts, within so many seconds; `via`: through that jump host.

    Raises `Refused` and `Unreachable`, and `Unreadable` for the jump host's key.
    """
    nobodys = asyncssh.generate_private_key("ssh-ed25519").export_private_key()     # the login is never come to
    [profile] = read_profiles(Address(endpoint.host, endpoint.port, "nobody", Credentials(nobodys), HostKeys(fingerprints=(_OF_NO_KEY,)),
                                      via=via))
    seen = _Seen(endpoint.host, endpoint.port, profile.pins.known_hosts, profile.pins.fingerprints)
    async with AsyncExitStack() as stack:
        over = await stack.enter_async_context(connection_to(via)) if via else None
        try:
            await connect(replace(profile, pins=seen), over or Resolver(), seconds)
        except Refused as refusal:
            if refusal.reason is not ClusterReason.HOST_KEY_MISMATCH:
                raise
    return tuple(dict.fromkeys(_shown(key) for key in seen.keys))


def listed_as(endpoint: Endpoint) -> str:
    """How known_hosts names a host: with its port, where that is not the usual one."""
    return endpoint.host if endpoint.port == DEFAULT_PORT else f"[{endpoint.host}]:{endpoint.port}"


def _shown(key: asyncssh.SSHKey) -> ShownKey:
    kind, text, *_ = key.export_public_key().decode().split()
    return ShownKey(key.get_algorithm(), f"{kind} {text}", key.get_fingerprint())
