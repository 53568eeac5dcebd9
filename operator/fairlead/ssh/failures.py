"""What went wrong with a connection, in our words: the one place where asyncssh's and the system's errors become Fairlead's."""

import errno
import re
import socket
from collections.abc import Callable

import asyncssh

from fairlead.api.v1alpha1.reasons import ClusterReason
from fairlead.api.v1alpha1.texts import one_line
from fairlead.domain.errors import Refused, RemoteFault, Unreachable
from fairlead.ssh.keys import doubt
from fairlead.ssh.profile import Profile

_TURNED_AWAY = frozenset({b"Exceeded MaxStartups", b"Not allowed at this time"})
"""What OpenSSH's sshd says to whom it drops at once: before 9.8, and since (there by PerSourcePenalties, too)."""
DROPPED_EARLY = ("broke the connection off before the login was done: sshd may be limiting new connections (MaxStartups) or have a Banner "
                 "of more than 256 KiB, at which it fails, or no host key that is ed25519, ECDSA or RSA with SHA-2; or a firewall "
                 "between may cut them")

GREETING_CHARACTERS = 200

NOTHING_IN_COMMON = re.compile(r"No matching (?P<kind>.+) algorithm found, sent (?P<ours>.*) and received (?P<theirs>.*)", re.DOTALL)
"""asyncssh's words, of what we sent and what the far end did."""


def _permission_denied(profile: Profile, _: Exception) -> RemoteFault:
    certificate = profile.key.certificate
    if certificate and (words := doubt(certificate)):
        return Refused(f"{_where(profile)} refused user {profile.address.user} with key {profile.key}: {words}. Put a new one into the "
                       f"Secret of {profile.address.place}.authSecretRef; if it should be valid, compare the clocks",
                       ClusterReason.AUTHENTICATION_FAILED)
    sha2 = ", that its sshd accepts rsa-sha2-512 or rsa-sha2-256 (OpenSSH since 7.2)" if profile.key.algorithm == "ssh-rsa" else ""
    return Refused(f"{_where(profile)} refused user {profile.address.user} with key {profile.key}: check "
                   f"{profile.address.place}.user, that the key's public half is in the user's authorized_keys{sha2}, and that the site "
                   "lets a key in without a second factor",
                   ClusterReason.AUTHENTICATION_FAILED)


def _not_resolved(profile: Profile, error: Exception) -> RemoteFault:
    words = one_line(str(error.args[-1] if error.args else error))
    return Unreachable(f"the name {profile.endpoint.host} has no address ({words}): check {_field(profile)} and the cluster's DNS",
                       ClusterReason.NAME_NOT_RESOLVED)


def _refused(profile: Profile, _: Exception) -> RemoteFault:
    return Unreachable(f"nothing listens on {_where(profile)} (connection refused): check host and port, or wait until sshd is back",
                       ClusterReason.CONNECTION_REFUSED, silent=profile.address.via is None)


def _dropped(profile: Profile, _: Exception) -> RemoteFault:
    return Unreachable(f"{_where(profile)} {DROPPED_EARLY}", ClusterReason.CONNECTION_LOST)


def _no_common_algorithm(profile: Profile, error: Exception) -> RemoteFault:
    found = NOTHING_IN_COMMON.fullmatch(str(error))
    if found is None:
        return _other(profile, error)
    offered, ours = one_line(found["theirs"]), found["ours"].replace(",", ", ")
    return Refused(f"{_where(profile)} offers no {found['kind']} algorithm that Fairlead accepts. It offers {offered.replace(',', ', ')}; "
                   f"Fairlead accepts {ours}. Ask the site to allow one of these: what sshd was given instead, or is too old to have, "
                   "protects no login any more", ClusterReason.NO_COMMON_ALGORITHM)


def _no_way_on(profile: Profile, error: Exception) -> RemoteFault:
    """The jump host before it did not make a connection to it."""
    jump, words = profile.address.via, one_line(str(error))
    if jump is None or not isinstance(error, asyncssh.ChannelOpenError):
        return _other(profile, error)
    here = f"the jump host {jump.host}:{jump.port} ({jump.place})"
    if error.code == asyncssh.OPEN_ADMINISTRATIVELY_PROHIBITED:
        return Refused(f"{here} does not forward to {profile.endpoint} ({words}): its sshd must allow that, by AllowTcpForwarding and "
                       "PermitOpen, and the key's line in authorized_keys too", ClusterReason.CONNECTION_FAILED)
    return Unreachable(f"{here} cannot connect to {profile.endpoint}: {words}", ClusterReason.CONNECTION_FAILED)


def _other(profile: Profile, error: Exception) -> RemoteFault:
    return Unreachable(f"{_where(profile)} cannot be connected to: {one_line(str(error)) or type(error).__name__}",
                       ClusterReason.CONNECTION_FAILED)


TABLE: tuple[tuple[type[Exception], Callable[[Profile, Exception], RemoteFault]], ...] = (
    (asyncssh.PermissionDenied, _permission_denied),
    (asyncssh.ChannelOpenError, _no_way_on),
    (asyncssh.KeyExchangeFailed, _no_common_algorithm),
    (asyncssh.ConnectionLost, _dropped),
    (socket.gaierror, _not_resolved),
    (ConnectionRefusedError, _refused),
    (ConnectionResetError, _dropped),
    (BrokenPipeError, _dropped),
)
"""The first row whose type fits speaks."""


def explain(profile: Profile, error: Exception) -> RemoteFault:
    """Turn an error of connecting into ours: `Refused` when a person must act, else `Unreachable`. Nothing was sent."""
    if isinstance(error, OSError) and error.errno in {errno.EMFILE, errno.ENFILE}:
        return Unreachable(f"{_where(profile)} was not connected to: this controller may open no more files; raise its limit, or lower its "
                           "setting ssh.connections", ClusterReason.NO_FREE_CONNECTION)
    if isinstance(error, OSError) and error.errno in {errno.ENETUNREACH, errno.EHOSTUNREACH}:
        return Unreachable(f"there is no route to {_where(profile)} ({error.strerror})", ClusterReason.CONNECTION_FAILED,
                           silent=profile.address.via is None)
    return next((say for kind, say in TABLE if isinstance(error, kind)), _other)(profile, error)


def turned_away(greeting: bytes) -> bool:
    """Whether it is sshd itself that spoke, in the place of its greeting: it takes no more connections for now."""
    return greeting.strip() in _TURNED_AWAY


def no_server(profile: Profile, greeting: bytes) -> Unreachable | None:
    """The error for a far end that talks, but not as SSH does; None if it has said nothing, or what SSH servers do."""
    lines = [line for line in greeting.split(b"\n") if line]
    if not greeting or turned_away(greeting) or any(line.startswith(b"SSH-") or b"SSH-".startswith(line) for line in lines):
        return None
    words = one_line(greeting[:GREETING_CHARACTERS].decode(errors="replace"))
    return Unreachable(f"{_where(profile)} is no SSH server, it says: {words or 'nothing that can be read'}; check host and port",
                       ClusterReason.CONNECTION_FAILED)


def too_late(profile: Profile, reached: bool, seconds: float) -> Unreachable:
    """The error for a connection that was not made within so many seconds; `reached`: the port had answered."""
    words = "took the connection and did not finish the SSH login" if reached else "did not answer (name, route or firewall)"
    return Unreachable(f"{_where(profile)} {words} within {seconds:.3g} s", ClusterReason.CONNECT_TIMEOUT,
                       silent=not reached and profile.address.via is None)


def endless(profile: Profile, most_bytes: int) -> Refused:
    """The error for a far end that goes on talking instead of letting us log in."""
    return Refused(f"{_where(profile)} sent more than {most_bytes} bytes before the login was done, a banner without end: is it an SSH "
                   "server?", ClusterReason.CONNECTION_FAILED)


def _where(profile: Profile) -> str:
    """The endpoint; of a jump host, its place in the spec; and what it was to be reached through."""
    address = profile.address
    place = "" if address.hop is None else f" ({address.place})"
    return f"{profile.endpoint}{place}" + (f" behind {address.via.host}:{address.via.port}" if address.via else "")


def _field(profile: Profile) -> str:
    return "spec.endpoints" if profile.address.hop is None else f"{profile.address.place}.host"
