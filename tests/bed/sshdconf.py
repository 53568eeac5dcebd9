"""What a real sshd of the bed is given: its configuration, its keys and the accounts beside it. Pure but for new keys."""

from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from bed.enclosure import HOME, USER
from bed.releases import Release
from bed.slurmconf import INSIDE

DATABASE_UID = 64031
_PENALTIES_SINCE = 2411  # the first release whose suite has OpenSSH 9.8, which locks out addresses that failed to log in


@dataclass(frozen=True, slots=True)
class LoginOptions:
    """How a login node differs from a plain one."""

    sshd_extra: tuple[str, ...] = ()  # lines of sshd_config; they win over the bed's own
    login_shell: str = "/bin/bash"
    own_cgroups: bool = False
    home: Path | None = None  # a folder of this machine that several share as the user's home; else each has one of its own
    root: Path | None = None  # a root that is not, or not yet, the release's own in the cache


@dataclass(frozen=True, slots=True)
class KeyPair:
    """An ed25519 key: the private half as OpenSSH PEM, the public half as one line without a comment."""

    private: str
    public: str

    @classmethod
    def generate(cls) -> "KeyPair":
        """A new key."""
        key = Ed25519PrivateKey.generate()
        private = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
        return cls(private.decode(), key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode())


def sshd_config(address: str, release: Release, extra: tuple[str, ...]) -> str:
    """sshd_config. The extra lines stand first: sshd takes the first value of an option."""
    lines = [
        *extra, "Port 22", f"ListenAddress {address}", f"HostKey {INSIDE}/ssh/hostkey",
        f"AuthorizedKeysFile {INSIDE}/ssh/authorized_keys", f"PidFile {INSIDE}/sshd.pid", "StrictModes no", "UsePAM no", "UseDNS no",
        "PasswordAuthentication no", "KbdInteractiveAuthentication no", "PrintMotd no", "PrintLastLog no", "LogLevel VERBOSE",
        "Subsystem sftp internal-sftp",
    ]
    if release.number >= _PENALTIES_SINCE:
        lines.append("PerSourcePenalties no")
    return "\n".join(lines) + "\n"


def account_files(root: Path, uid: int, hostname: str, login_shell: str) -> dict[str, str]:
    """The texts of /etc/passwd, group, shadow and hosts: the root's own, the database's account, and the ordinary user on the last line."""
    passwd, group, shadow = ("".join(line for line in (root / "etc" / name).read_text().splitlines(keepends=True)
                                     if not line.startswith("mysql:")) for name in ("passwd", "group", "shadow"))
    return {
        "passwd": passwd + f"mysql:x:{DATABASE_UID}:{DATABASE_UID}::/nonexistent:/usr/sbin/nologin\n" + user_line(uid, login_shell),
        "group": group + f"mysql:x:{DATABASE_UID}:\n{USER}:x:{uid}:\n",
        "shadow": shadow + f"{USER}:*:19000:0:99999:7:::\n",  # "*": no password; "!" would be a locked account to sshd without PAM
        "hosts": f"127.0.0.1 localhost {hostname}\n",
    }


def user_line(uid: int, login_shell: str) -> str:
    """The ordinary user's line of /etc/passwd."""
    return f"{USER}:x:{uid}:{uid}::{HOME}:{login_shell}\n"
