"""This machine as a bare host: a real sshd of the person who calls, on a loopback port. Nothing of it needs root.

Sessions have a home of their own in the bed's folder, so that nothing stays in the person's: the key that logs in says so (sshd(8),
AUTHORIZED_KEYS, `environment=`; sshd_config(5), PermitUserEnvironment).
"""

import os
import pwd
import socket
import time

from bed import adoption, cgroups, netns, proc, sshdprogram
from bed.controlplane.ports import free
from bed.daemon import Daemon
from bed.errors import BedError
from bed.login import claim
from bed.sshdconf import KeyPair
from bed.state import Bed

_READY_SECONDS = 30.0
_PAUSE_SECONDS = 0.03
_ADDRESS = "127.0.0.1"


class OwnHost:
    """`host`, `port`, `user`, `known_hosts` and `private_key` are what a client needs to log in; it ends with its bed."""

    host = _ADDRESS

    def __init__(self, bed: Bed) -> None:
        program = sshdprogram.find(bed)
        self.number, self.folder = claim(bed, "own-host")
        self.user = pwd.getpwuid(os.geteuid()).pw_name
        self.home = self.folder / "home"
        key, host_key = KeyPair.generate(), KeyPair.generate()
        [self.port] = free(1)
        self.private_key, self.known_hosts = key.private, f"[{_ADDRESS}]:{self.port} {host_key.public}"
        self.home.mkdir(mode=0o700)
        self._write("hostkey", host_key.private)
        self._write("authorized_keys", f'environment="HOME={self.home}" {key.public}\n')
        self._write("sshd_config", "\n".join((*self._config(), *program.config)) + "\n")
        log = self.folder / "sshd.log"
        command = adoption.argv((program.path, "-D", "-e", "-f", self.folder / "sshd_config"))
        if group := cgroups.below_own(f"flb{bed.id}-{self.number}"):   # so that what a Run makes below it ends with the bed, too
            command = ["sh", "-c", 'echo 0 > "$0/cgroup.procs"; exec "$@"', group, *command]
        self._sshd = Daemon(command, bed.env | program.env, log)
        self._await_ready()

    def connections(self) -> int:
        """How many SSH connections are established."""
        return netns.established(os.getpid(), self.port)

    def user_pids(self) -> set[int]:
        """What sshd has been asked to start, and whatever that has started, also what has outlived its connection."""
        listener = int((self.folder / "sshd.pid").read_text())
        return proc.below((self._sshd.pid,), proc.everyone()) - {listener}

    def _config(self) -> tuple[str, ...]:
        return (
            f"Port {self.port}", f"ListenAddress {_ADDRESS}", f"HostKey {self.folder / 'hostkey'}", f"PidFile {self.folder / 'sshd.pid'}",
            f"AuthorizedKeysFile {self.folder / 'authorized_keys'}", "PermitUserEnvironment HOME",
            "AuthenticationMethods publickey", "PermitRootLogin prohibit-password", "StrictModes no", "UsePAM no", "UseDNS no",
            "PrintMotd no", "PrintLastLog no", "X11Forwarding no", "Subsystem sftp internal-sftp",
            *(("AllowUsers root",) if os.geteuid() == 0 else ()),  # who is not root can let nobody else in, and may have a name like me@lab
        )

    def _write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.touch(0o600)
        path.write_text(text)

    def _await_ready(self) -> None:
        deadline = time.monotonic() + _READY_SECONDS
        while not self._greets():
            if time.monotonic() > deadline or not self._sshd.alive:
                raise BedError(f"sshd does not start as {self.user} on port {self.port}: {self._sshd.tail(10)}")
            time.sleep(_PAUSE_SECONDS)

    def _greets(self) -> bool:
        try:
            with socket.create_connection((_ADDRESS, self.port), timeout=_READY_SECONDS) as connection:
                return connection.recv(4) == b"SSH-"
        except OSError:
            return False
