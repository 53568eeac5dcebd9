"""How a person names a server on the command line, and what is needed to log in there: HOST[:PORT], a key file, jump hosts."""

import getpass
import os
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import click

from fairlead.api.v1alpha1.reasons import ClusterReason
from fairlead.api.v1alpha1.ssh import USER_PATTERN
from fairlead.domain.cluster.address import Address, Credentials, Endpoint, HostKeys
from fairlead.domain.errors import Unreadable, UserFault
from fairlead.ssh.keys import read_key

OWN_KNOWN_HOSTS: Final = "~/.ssh/known_hosts"
_DEFAULT_PORT: Final = 22
_OF_NOBODY: Final = f"none.invalid ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{'A' * 43}"
"""So that a list without a key is one that does not know this host, and not an error."""
_MOST_BYTES: Final = 1 << 20         # of a file that is read: keys and known_hosts are far smaller
_PLACE: Final = re.compile(r"(?:\[(?P<bracketed>[0-9A-Fa-f:.]+)\]|(?P<host>[A-Za-z0-9][A-Za-z0-9._-]*))(?::(?P<port>[0-9]{1,5}))?")
_AS_OPTIONS: Final = tuple((re.compile(rf"spec(?:\.proxyJump\[[0-9]+\])?\.{field}"), words) for field, words in (
    ("hostKeys", "the known_hosts file"), ("user", "the login name"), ("endpoints", "the name")))
_BARE_IPV6: Final = re.compile(r"[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*")


@dataclass(frozen=True, slots=True)
class Means:
    """What a person logs in with: the private key's file, known_hosts lines, and seconds for a connection to be made."""

    identity: Path | None = None
    known_hosts: Path | None = None
    seconds: float = 10.0


def endpoint_of(text: str) -> Endpoint:
    """`HOST`, `HOST:PORT`, `[IPV6]:PORT` or an IPv6 address alone. Raises `UserFault`."""
    if _BARE_IPV6.fullmatch(text):
        return Endpoint(text, _DEFAULT_PORT)
    found = _PLACE.fullmatch(text)
    port = int(found["port"] or _DEFAULT_PORT) if found else 0
    if not found or not 0 < port < 65536:
        raise UserFault(f"{text!r} is not HOST or HOST:PORT, such as login.example.org or [2001:db8::7]:2222")
    return Endpoint(found["bracketed"] or found["host"], port)


def jump_hosts(places: Sequence[str], means: Means) -> Address | None:
    """The last of the jump hosts, each written `[USER@]HOST[:PORT]`, which knows the one before it; None: there is none.

    Raises `UserFault`.
    """
    via: Address | None = None
    for number, place in enumerate(places):
        user, at, rest = place.rpartition("@")
        endpoint = endpoint_of(rest)
        name = user if at else _own_name()
        if not re.fullmatch(USER_PATTERN, name):
            raise UserFault(f"{place!r} is not USER@HOST or USER@HOST:PORT")
        via = Address(endpoint.host, endpoint.port, name, credentials_of(means), host_keys_of(means), means.seconds, via=via, hop=number)
    return via


def credentials_of(means: Means) -> Credentials:
    """The key in the file that was named; a person at a terminal is asked for its passphrase. Raises `UserFault`."""
    if means.identity is None:
        raise UserFault("No key to log in with: name the private key's file with -i (an agent is not asked: a Secret holds none)")
    credentials = Credentials(read_file(means.identity))
    if not sys.stdin.isatty():
        return credentials
    try:
        read_key(credentials)
    except Unreadable as fault:
        if fault.reason is ClusterReason.PASSPHRASE_REQUIRED:
            typed = click.prompt(f"Passphrase of {means.identity}", hide_input=True, err=True)
            return replace(credentials, passphrase=typed.encode())
    return credentials


def host_keys_of(means: Means) -> HostKeys:
    """The lines of the known_hosts file that was named, else of a person's own; where that is none, no key is known. Raises `UserFault`."""
    path = means.known_hosts or Path(os.path.expanduser(OWN_KNOWN_HOSTS))  # noqa: PTH111  pathlib raises where nobody knows a home
    there = means.known_hosts is not None or os.path.isfile(path)  # noqa: PTH113  pathlib raises below a folder that one may not enter
    text = read_file(path).decode("utf-8", "replace") if there else ""
    return HostKeys(f"{text.rstrip()}\n{_OF_NOBODY}\n".lstrip())


def as_options(sentence: str) -> str:
    """A sentence that names fields of a Cluster, in the words of who has none yet."""
    for field, words in _AS_OPTIONS:
        sentence = field.sub(words, sentence)
    return sentence


def read_file(path: Path) -> bytes:
    """What is in a file of a person's, which is bounded. Raises `UserFault`."""
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise UserFault(f"{path} cannot be read: {error.strerror}") from error
    if len(content) > _MOST_BYTES:
        raise UserFault(f"{path} is larger than a MiB: it is no such file")
    return content


def _own_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError) as error:
        raise UserFault("It is not known as whom you log in to the jump host: write USER@HOST") from error
