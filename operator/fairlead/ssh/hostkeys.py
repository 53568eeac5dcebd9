"""Pinned host keys: which keys a host may show, in which order they are asked for, and what is said of any other."""

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import asyncssh

from fairlead.api.v1alpha1.reasons import ClusterReason
from fairlead.domain.cluster.address import HostKeys
from fairlead.domain.errors import Refused, Unreadable
from fairlead.ssh.algorithms import HOST_CERTIFICATES, HOST_KEYS

DEFAULT_PORT = 22

CERTIFICATES = "certificates"        # beside the types of HOST_KEYS: a host certificate, whatever its key

FINGERPRINT = re.compile(r"SHA256:[A-Za-z0-9+/]{43}=?")


class KnownHosts(asyncssh.SSHKnownHosts):
    """Lines that `_line` has made: a host's name in any case is looked up in lower case, as OpenSSH does."""

    def match(self, host: str, addr: str, port: int | None) -> Any:
        """See `asyncssh.SSHKnownHosts.match`."""
        return super().match(host.lower(), addr, port)


@dataclass(frozen=True, slots=True)
class Pins:
    """What `HostKeys` means for one host and port. An empty `fingerprints` means that `known_hosts` decides."""

    host: str
    port: int
    known_hosts: asyncssh.SSHKnownHosts
    fingerprints: frozenset[str]
    field: str = "spec.hostKeys"     # where a person wrote them

    def trusts(self, key: asyncssh.SSHKey) -> bool:
        """Whether a key that known_hosts does not name is pinned by its fingerprint."""
        return key.get_fingerprint() in self.fingerprints

    def algorithms(self, address: str, passed_over: frozenset[str]) -> Sequence[str]:
        """Signature algorithms to ask for: the pinned types first, so that a host with several keys shows the pinned one.

        Types in `passed_over` were shown and not trusted, and are left out: fingerprints do not tell their type, and a host may have a
        certificate of an authority that is not pinned beside a key that is. Empty: none is left.
        """
        keys, authorities = self._listed(address)
        if CERTIFICATES in passed_over and not keys:
            return []
        types = sorted(HOST_KEYS.keys() - passed_over,
                       key=lambda name: (name not in {key.get_algorithm() for key in keys}, list(HOST_KEYS).index(name)))
        asked = [signature for name in types for signature in HOST_KEYS[name]]
        return [*(HOST_CERTIFICATES if authorities and CERTIFICATES not in passed_over else ()), *asked] if asked else []

    def refusal(self, address: str, seen: asyncssh.SSHKey | None, words: str) -> Refused:
        """The error for a host key that is not trusted: `seen`, or, where it was not even looked up (revoked), the library's words."""
        where, shown = f"{self.host}:{self.port}", describe(seen) if seen else words
        if seen is None and words.startswith("Certificate"):
            return Refused(f"{where} shows a host certificate of a pinned authority that is not valid: {words}. Compare the clocks of both "
                           f"sides, and the certificate's names with {self.host}; else the site must renew it",
                           ClusterReason.HOST_KEY_MISMATCH)
        keys, authorities = self._listed(address)
        pinned = sorted(self.fingerprints) or [describe(key) for key in (*keys, *authorities)]
        if pinned or seen is None:
            return Refused(f"{where} shows a host key that is not the pinned one: seen {shown}; pinned {', '.join(pinned) or 'none'}. "
                           f"Either the site changed its key or somebody is in between: ask the site before you change {self.field}",
                           ClusterReason.HOST_KEY_MISMATCH)
        return Refused(f"{where} shows a host key that {self.field} does not know: {shown}. "
                       "Compare it with what the site publishes, then add it", ClusterReason.HOST_KEY_UNKNOWN)

    def _listed(self, address: str) -> tuple[Sequence[asyncssh.SSHKey], Sequence[asyncssh.SSHKey]]:
        found = self.known_hosts.match(self.host, address, self.port if self.port != DEFAULT_PORT else None)
        return found[0], found[1]


def describe(key: asyncssh.SSHKey) -> str:
    """A host key as `ssh-keygen -l` names it: type and SHA256 fingerprint."""
    return f"{key.get_algorithm()} {key.get_fingerprint()}"


def read_host_keys(host_keys: HostKeys, host: str, port: int, field: str = "spec.hostKeys") -> Pins:
    """Read known_hosts text or fingerprints, once. Raises `Unreadable` with HOST_KEYS_INVALID, naming the field and the line."""
    try:
        known_hosts, fingerprints = _parsed(host_keys)
    except ValueError as error:
        raise Unreadable(f"{field} cannot be used: {error}", ClusterReason.HOST_KEYS_INVALID) from error
    return Pins(host, port, known_hosts, fingerprints, field)


def _parsed(host_keys: HostKeys) -> tuple[asyncssh.SSHKnownHosts, frozenset[str]]:
    if bool(host_keys.known_hosts.strip()) == bool(host_keys.fingerprints):
        raise ValueError("give either known_hosts lines or fingerprints, not both and not none")
    fingerprints = frozenset(_fingerprint(text.strip()) for text in host_keys.fingerprints)
    text = host_keys.known_hosts.removeprefix("\ufeff")
    lines = [_line(number, line.strip()) for number, line in enumerate(text.splitlines(), 1)]
    if not fingerprints and not any(lines):
        raise ValueError("the known_hosts text has comments only, or keys of kinds that are not known here")
    return KnownHosts("\n".join(line for line in lines if line)), fingerprints


def _fingerprint(text: str) -> str:
    if not FINGERPRINT.fullmatch(text):
        raise ValueError(f"`{text[:60]}` is not a fingerprint: write `SHA256:` and 43 characters, as `ssh-keygen -l` prints it")
    return text.rstrip("=")


def _line(number: int, text: str) -> str:
    """The line as it is looked up, an empty string for a comment, and for a key of another kind than ours: OpenSSH passes over it, too.

    asyncssh would pass over any key that it cannot read: we say which is none.
    """
    if not text or text.startswith("#"):
        return ""
    words = text.split(None, 2 if text.startswith("@") else 1)
    try:
        *mark, hosts, key = words
        line = " ".join((*mark, _looked_up(hosts), key))
        asyncssh.import_public_key(key)
        asyncssh.import_known_hosts(line)
    except ValueError as error:
        if _is_of_another_kind(words[-1]):
            return ""
        raise ValueError(f"line {number} of the known_hosts text is not `host type key`, as `ssh-keyscan` prints it") from error
    return line


def _looked_up(hosts: str) -> str:
    """Names in lower case, as OpenSSH compares them, and without the port that is the usual one. A hashed name is as it is."""
    return hosts if hosts.startswith("|") else re.sub(r"\[([^][,]*)\]:22(?=,|$)", r"\1", hosts.lower())


def _is_of_another_kind(key: str) -> bool:
    """Whether this is a whole key, whose blob begins with the name of its kind, or one of SSH's first version: `bits exponent modulus`."""
    kind, _, rest = key.partition(" ")
    if re.fullmatch(r"[0-9]{3,5} [0-9]+ [0-9]{100,}.*", key):
        return True
    try:
        blob = base64.b64decode(rest.split()[0], validate=True)
    except (IndexError, binascii.Error):
        return False
    return kind not in HOST_KEYS and blob.startswith(len(kind).to_bytes(4, "big") + kind.encode())
