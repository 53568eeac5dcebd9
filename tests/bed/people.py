"""A second ordinary user of a login node, with a home and a key of their own.

Every key that the node knows opens every account of it: a login with somebody else's key succeeds, and shows in sshd's log as what it is.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from bed.login import LoginNode
from bed.slurmconf import INSIDE
from bed.sshdconf import KeyPair

_UID = 59000  # below what Debian keeps for itself; no other enclosure sees it


@dataclass(frozen=True, slots=True)
class Person:
    """A login: name and private key, and the home as seen from the host."""

    user: str
    private_key: str
    home: Path


def add_person(node: LoginNode, user: str) -> Person:
    """Give a node a further user. Goes with the node."""
    key, home = KeyPair.generate(), node.folder / "people" / user
    home.mkdir(parents=True)
    os.chown(home, _UID, _UID)
    home.chmod(0o700)
    _add_line(node, "passwd", f"{user}:x:{_UID}:{_UID}::{INSIDE}/people/{user}:/bin/bash\n")
    _add_line(node, "group", f"{user}:x:{_UID}:\n")
    _add_line(node, "shadow", f"{user}:*:19000:0:99999:7:::\n")
    keys = node.folder / "ssh/authorized_keys"
    keys.write_text(keys.read_text() + key.public + "\n")
    return Person(user, key.private, home)


def _add_line(node: LoginNode, name: str, line: str) -> None:
    """In front of the ordinary user's, which is the last. In place: the file is a mount point."""
    with (node.folder / "etc" / name).open("r+") as file:
        lines = file.readlines()
        file.seek(0)
        file.writelines([*lines[:-1], line, lines[-1]])
