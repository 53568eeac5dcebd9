"""All that a connection to one endpoint needs, parsed once: key, host keys, asyncssh's options."""

from dataclasses import dataclass
from typing import Final

import asyncssh

from fairlead.api.v1alpha1.reasons import ClusterReason
from fairlead.domain.address import Address, Endpoint
from fairlead.domain.errors import Unreadable
from fairlead.ssh.hostkeys import Pins, read_host_keys
from fairlead.ssh.keys import ClientKey, read_key
from fairlead.ssh.remote_text import one_line

KEX: Final = ("curve25519-sha256", "curve25519-sha256@libssh.org", "ecdh-sha2-nistp256", "ecdh-sha2-nistp384", "ecdh-sha2-nistp521",
              "diffie-hellman-group-exchange-sha256", "diffie-hellman-group16-sha512", "diffie-hellman-group18-sha512",
              "diffie-hellman-group14-sha256")
CIPHERS: Final = ("aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "chacha20-poly1305@openssh.com",
                  "aes128-ctr", "aes192-ctr", "aes256-ctr")
"""The order is by cost: with AES instructions aes128-gcm carries half as much again as chacha20. No SHA-1, no CBC."""

KEEPALIVES_UNANSWERED: Final = 3
"""A silent peer is given up after interval x (this + 1)."""


@dataclass(frozen=True, slots=True)
class Profile:
    """One endpoint of an address, with its key and host keys read."""

    address: Address
    endpoint: Endpoint
    key: ClientKey
    pins: Pins
    options: asyncssh.SSHClientConnectionOptions

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
            config=None, host=endpoint.host, port=endpoint.port, username=address.user, host_key_alias=endpoint.host,
            known_hosts=pins.known_hosts, x509_trusted_certs=None,
            client_keys=[(key.key, key.certificate) if key.certificate else key.key], agent_path=None, pkcs11_provider=None,
            preferred_auth=["publickey"], password_auth=False, kbdint_auth=False, host_based_auth=False,
            gss_host=None, gss_kex=False, gss_auth=False,
            kex_algs=KEX, encryption_algs=CIPHERS, compression_algs=None,
            connect_timeout=None, login_timeout=0,   # one deadline of our own spans name, TCP, banner and login
            keepalive_interval=address.keepalive_interval_seconds, keepalive_count_max=KEEPALIVES_UNANSWERED,
        )
    except ValueError as error:
        raise Unreadable(f"{address.user}@{endpoint} cannot be connected to: {one_line(str(error))}",
                         ClusterReason.CONNECTION_FAILED) from error
    return Profile(address, endpoint, key, pins, options)
