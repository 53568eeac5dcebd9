"""All that a connection to one endpoint needs, parsed once: key, host keys, asyncssh's options."""

from dataclasses import dataclass
from typing import Any, Final

import asyncssh

from fairlead.api.v1alpha1.reasons import ClusterReason
from fairlead.api.v1alpha1.texts import one_line
from fairlead.domain.cluster.address import Address, Endpoint
from fairlead.domain.errors import Unreadable
from fairlead.ssh.algorithms import CIPHERS, KEX, MACS, SIGNATURES
from fairlead.ssh.hostkeys import Pins, read_host_keys
from fairlead.ssh.keys import ClientKey, read_key
from fairlead.ssh.rekeys import Allowance

NOTHING_OF_THIS_MACHINE: Final[dict[str, Any]] = {
    "config": None, "x509_trusted_certs": None, "x509_trusted_cert_paths": [], "client_certs": [], "client_host_keys": None,
    "agent_path": None, "agent_identities": None, "agent_forwarding": False, "pkcs11_provider": None,
    "proxy_command": None, "canonicalize_hostname": False, "send_env": None, "env": None, "x11_forwarding": False,
    "gss_host": None, "gss_kex": False, "gss_auth": False, "gss_delegate_creds": False,
}
"""Every option whose default is looked for in `~/.ssh` or the environment, where a pod has nothing, or what it may not read."""
PUBLIC_KEY_ALONE: Final[dict[str, Any]] = {
    "preferred_auth": ["publickey"], "password_auth": False, "kbdint_auth": False, "host_based_auth": False,
}
KEEPALIVES_UNANSWERED: Final = 3
"""A silent peer is given up after interval x (this + 1)."""
REKEY_BYTES: Final = 8 << 30
"""New keys of our own after so much: far below the 64 GiB that are good with one key of AES (RFC 4344, 3.2). At asyncssh's 1 GiB a fast
stream would ask for them more often than `rekeys` allows, which counts those that we ask for, too."""


@dataclass(frozen=True, slots=True)
class Profile:
    """One endpoint of an address, with its key and host keys read."""

    address: Address
    endpoint: Endpoint
    key: ClientKey
    pins: Pins
    options: asyncssh.SSHClientConnectionOptions
    rekeys: Allowance

    def __str__(self) -> str:
        return f"{self.address.user}@{self.endpoint}"


def read_profiles(address: Address) -> tuple[Profile, ...]:
    """Read an address's key and host keys and build the options for each endpoint. Slow for keys with a passphrase: call it in a thread.

    Nothing of this machine is used: no configuration file, agent, default key, Kerberos ticket or known_hosts file. Raises `Unreadable`.
    """
    try:
        key = read_key(address.credentials)
    except Unreadable as error:
        if address.hop is None:
            raise
        raise Unreadable(f"{address.place}.authSecretRef: {error}", error.reason) from error
    return tuple(_profile(address, endpoint, key) for endpoint in address.endpoints)


def _profile(address: Address, endpoint: Endpoint, key: ClientKey) -> Profile:
    pins = read_host_keys(address.host_keys, endpoint.host, endpoint.port, f"{address.place}.hostKeys")
    try:
        options = asyncssh.SSHClientConnectionOptions(
            host=endpoint.host, port=endpoint.port, username=address.user, host_key_alias=endpoint.host,
            known_hosts=pins.known_hosts, client_keys=[(key.key, key.certificate) if key.certificate else key.key],
            **NOTHING_OF_THIS_MACHINE, **PUBLIC_KEY_ALONE,
            kex_algs=KEX, encryption_algs=CIPHERS, mac_algs=MACS, signature_algs=SIGNATURES, compression_algs=None,
            utf8_decode_errors="replace",            # banners and reasons are words for people, in whatever encoding a site has
            connect_timeout=None, login_timeout=0,   # one deadline of our own spans name, TCP, banner and login
            rekey_bytes=REKEY_BYTES, keepalive_interval=address.keepalive_interval_seconds, keepalive_count_max=KEEPALIVES_UNANSWERED,
        )
    except ValueError as error:
        raise Unreadable(f"{address.user}@{endpoint} cannot be connected to: {one_line(str(error))}",
                         ClusterReason.CONNECTION_FAILED) from error
    return Profile(address, endpoint, key, pins, options, Allowance())
