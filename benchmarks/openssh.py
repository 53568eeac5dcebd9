"""The peer of the SSH layer: OpenSSH's own client, a process for each command, with or without a kept master connection."""

import os
import select
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bed import packages
from bed.daemon import Daemon
from bed.errors import BedError
from bed.login import LoginNode
from bed.state import Bed

SSH = "/usr/bin/ssh"
_MASTER_SECONDS = 30.0
_OPTIONS = ("BatchMode=yes", "IdentitiesOnly=yes", "IdentityAgent=none", "PreferredAuthentications=publickey", "GSSAPIAuthentication=no",
            "KexAlgorithms=curve25519-sha256", "Ciphers=aes128-gcm@openssh.com", "Compression=no", "LogLevel=ERROR")
"""The same choices as the product's own: no agent, no Kerberos, the cheapest key exchange and cipher. (By default OpenSSH takes a
post-quantum key exchange, which costs it 75 ms of CPU here, and which asyncssh has only with one more library.)"""


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds until all had ended, CPU seconds of the client side, and the seconds of each that did its work."""

    seconds: float
    cpu_seconds: float
    each: Sequence[float]

    def __str__(self) -> str:
        return f"{self.seconds:.3f} s ({self.cpu_seconds:.3f} s CPU)"


class OpenSsh:
    """Runs one command on many hosts, by `ssh` processes of which so many live at once."""

    def __init__(self, bed: Bed, hosts: Sequence[LoginNode], at_once: int) -> None:
        packages.ensure("openssh-client")
        self._bed, self._hosts, self._at_once = bed, list(hosts), at_once
        self._folder = bed.folder / "openssh"
        self._folder.mkdir(mode=0o700)
        self._masters: list[Daemon] = []
        (self._folder / "known_hosts").write_text("".join(f"{host.known_hosts}\n" for host in hosts), encoding="utf-8")
        for number, host in enumerate(hosts):
            key = self._folder / f"key{number}"
            key.touch(0o600)
            key.write_text(host.private_key, encoding="utf-8")

    def start_masters(self) -> None:
        """Connect to each host and keep the connection. Raises `BedError` when one does not come up."""
        for number in range(len(self._hosts)):
            argv = self._argv(number, "-M", "-N", "-o", "ControlPersist=no")
            self._masters.append(Daemon(argv, self._bed.env, self._folder / f"master{number}.log"))
            if number % self._at_once == self._at_once - 1:
                self._await_masters()
        self._await_masters()

    def run(self, command: str, stdin: bytes, hosts: Sequence[int], *, kept: bool, least_bytes: int = 0) -> Spent:
        """Run a command on these hosts, by number (one may be named often); `kept`: over the masters.

        CPU is that of the `ssh` processes and masters alone: what it costs to start a process is left out, in their favour.
        Raises `BedError` when one fails, or prints less than `least_bytes`.
        """
        given = self._folder / "stdin"
        given.write_bytes(stdin)
        waiting, living = list(reversed(range(len(hosts)))), dict[int, tuple[int, int, float]]()
        poll, each, cpu, before = select.poll(), list[float](), 0.0, self._masters_cpu() if kept else 0.0
        began = time.perf_counter()
        while waiting or living:
            while waiting and len(living) < self._at_once:
                turn = waiting.pop()
                at = time.perf_counter()
                pid = self._spawn(hosts[turn], command, turn, kept=kept)
                descriptor = os.pidfd_open(pid)
                living[descriptor] = pid, turn, at
                poll.register(descriptor, select.POLLIN)
            for descriptor, _ in poll.poll():
                pid, turn, at = living.pop(descriptor)
                poll.unregister(descriptor)
                os.close(descriptor)
                _, status, usage = os.wait4(pid, 0)
                each.append(time.perf_counter() - at)
                cpu += usage.ru_utime + usage.ru_stime
                self._require(turn, os.waitstatus_to_exitcode(status), least_bytes)
        seconds = time.perf_counter() - began
        return Spent(seconds, cpu + (self._masters_cpu() - before if kept else 0.0), each)

    def _require(self, turn: int, code: int, least_bytes: int) -> None:
        printed = self._folder / f"out{turn}"
        if code or printed.stat().st_size < least_bytes:
            said = (self._folder / f"err{turn}").read_text(errors="replace")[-500:]
            raise BedError(f"ssh ended with {code} and printed {printed.stat().st_size} bytes: {said}")

    def _spawn(self, number: int, command: str, turn: int, *, kept: bool) -> int:
        argv = self._argv(number, *(() if kept else ("-S", "none")), command=command)
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        files = [(os.POSIX_SPAWN_OPEN, 0, str(self._folder / "stdin"), os.O_RDONLY, 0),
                 (os.POSIX_SPAWN_OPEN, 1, str(self._folder / f"out{turn}"), flags, 0o600),
                 (os.POSIX_SPAWN_OPEN, 2, str(self._folder / f"err{turn}"), flags, 0o600)]
        return os.posix_spawn(SSH, argv, {"PATH": "/usr/bin:/bin", "HOME": "/root", **self._bed.env}, file_actions=files)

    def _argv(self, number: int, *more: str, command: str = "") -> list[str]:
        host = self._hosts[number]
        own = (f"UserKnownHostsFile={self._folder}/known_hosts", f"IdentityFile={self._folder}/key{number}",
               f"ControlPath={self._folder}/m{number}")
        options = [word for option in (*_OPTIONS, *own) for word in ("-o", option)]
        return [SSH, "-F", "none", *more, *options, "-p", str(host.port), f"{host.user}@{host.host}", *([command] if command else [])]

    def _await_masters(self) -> None:
        until = time.monotonic() + _MASTER_SECONDS
        for number, master in enumerate(self._masters):
            while not Path(f"{self._folder}/m{number}").exists():
                if not master.alive or time.monotonic() > until:
                    raise BedError(f"the master connection to {self._hosts[number].host} does not come up: {master.tail()}")
                time.sleep(0.02)

    def _masters_cpu(self) -> float:
        """Seconds of CPU so far, to the nanosecond: a master is one thread."""
        return sum(int(Path(f"/proc/{master.pid}/schedstat").read_text().split()[0]) for master in self._masters) / 1e9
