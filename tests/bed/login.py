"""A login node: an enclosure with an ordinary user and a real sshd. What clusters and bare hosts have in common."""

import os
import shutil
import signal
import subprocess
from contextlib import AbstractContextManager, suppress
from itertools import count
from pathlib import Path

from bed import faults, netns, packages, shims
from bed.enclosure import USER, hold
from bed.faults import Service
from bed.netns import Network
from bed.releases import Release
from bed.roots import root
from bed.slurmconf import INSIDE
from bed.sshdconf import KeyPair, LoginOptions, account_files, sshd_config, user_line
from bed.state import Bed
from bed.subnets import RANGE

_FIRST_UID = 20000  # above what Debian gives to people, below what it keeps for itself from 60000 on
_FOLDERS = ("home", "shims", "log", "ssh", "etc/slurm")
_HOST_NAMES = {"slurm": "c", "host": "h"}  # by kind: a number follows
_SESSIONS = {"sshd", "sshd-session", "sshd-auth"}  # the names of sshd's programs, before and since OpenSSH 9.8


class LoginNode:
    """Everything that can be reached and broken on the way to a user's shell.

    `host`, `port`, `user`, `known_hosts` and `private_key` are what a client needs to log in.
    """

    port = 22
    user = USER

    def __init__(self, bed: Bed, release: Release, kind: str, options: LoginOptions) -> None:
        self.bed, self.release = bed, release
        self.number, self.folder = claim(bed, kind)
        self.name = f"{_HOST_NAMES[kind]}{self.number}"
        root_folder = options.root or root(release.version)
        subnet = bed.allocate_subnet()
        uid = _FIRST_UID + (int(subnet.network_address) - int(RANGE.network_address)) // subnet.num_addresses
        if options.home:
            uid = _owner(options.home, uid)
        key, host_key = KeyPair.generate(), KeyPair.generate()
        network = Network.create(f"flb{bed.id}-{self.number}", subnet, bed.env)
        self.host, self.private_key, self.known_hosts = network.inner, key.private, f"{network.inner} {host_key.public}"
        for name in _FOLDERS:
            (self.folder / name).mkdir(parents=True)
        for name, text in account_files(root_folder, uid, self.name, options.login_shell).items():
            self.write(f"etc/{name}", text, mode=0o640 if name == "shadow" else 0o644)
        self.write("ssh/hostkey", host_key.private, mode=0o600)
        self.write("ssh/authorized_keys", key.public + "\n")
        self.write("ssh/sshd_config", sshd_config(network.inner, release, options.sshd_extra))
        self.enclosure = hold(network, self.folder, root_folder, uid, bed.env, hostname=self.name,
                              home=options.home, own_cgroups=options.own_cgroups)
        log = self.folder / "log" / "sshd.log"
        start = ("/usr/sbin/sshd", "-f", f"{INSIDE}/ssh/sshd_config", "-E", f"{INSIDE}/log/sshd.log")
        self.sshd = Service("sshd", self.enclosure, start, self.folder / "sshd.pid", log)
        self._is_cut = False
        self.run, self.pids, self.user_pids = self.enclosure.run, self.enclosure.pids, self.enclosure.user_pids

    @property
    def home(self) -> Path:
        """The user's home as seen from the host, for root; it goes with `stop`."""
        return self.enclosure.home

    def write(self, name: str, text: str, *, mode: int = 0o644, uid: int = 0) -> Path:
        """Writes a file of the node's folder, which the inside sees as /srv/c."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode)
        path.chmod(mode)
        path.write_text(text)
        os.chown(path, uid, uid)
        return path

    def link_down(self) -> None:
        """Pulls the network cable: clients hang, and their connections live on."""
        self._is_cut = True
        self.enclosure.network.link_down()

    def link_up(self) -> None:
        """Plugs it in again."""
        self.enclosure.network.link_up()

    def drop(self, on: bool) -> None:
        """Loses every packet in both directions without a word, or stops doing so."""
        self._is_cut |= on
        self.enclosure.network.drop(on)

    def mend(self) -> None:
        """Whatever a test did to the way here, packets come through again."""
        if self._is_cut:
            self.link_up()
            self.drop(False)
            self._is_cut = False

    def connections(self) -> int:
        """How many SSH connections are established, as the inside sees them."""
        return netns.established(self.enclosure.holder, self.port)

    def sshd_log(self) -> str:
        """What sshd has logged so far (LogLevel VERBOSE)."""
        return self.sshd.log.read_text(errors="replace")

    def sessions(self) -> int:
        """How many sessions were begun over SSH so far (commands, shells, subsystems), as sshd has logged them."""
        return self.sshd_log().count("Starting session")

    def end_sessions(self) -> None:
        """Kills sshd's processes for open connections, as an administrator does; the listener goes on, and so do the user's programs."""
        self._signal_sessions(signal.SIGKILL)

    def stop_sshd(self) -> None:
        """Stops sshd with SIGSTOP, open connections and all: they stay open, and nobody answers."""
        self.sshd.stop()
        self._signal_sessions(signal.SIGSTOP)

    def cont_sshd(self) -> None:
        """Lets a stopped sshd go on, with its connections."""
        self._signal_sessions(signal.SIGCONT)
        self.sshd.cont()

    def _signal_sessions(self, number: signal.Signals) -> None:
        for pid in self.pids() - {self.sshd.pid if self.sshd.alive else 0}:
            with suppress(OSError):
                if Path(f"/proc/{pid}/exe").readlink().name in _SESSIONS:
                    os.kill(pid, number)

    def full_disk(self, size: str = "256k") -> AbstractContextManager[None]:
        """While open, the home holds no more than `size`; see bed.faults."""
        return faults.full_disk(self.enclosure, size)

    def shim(self, command: str, script: str) -> None:
        """A shell script answers in place of a command; `$REAL` in it is the real one. See bed.shims."""
        shims.shim(self.folder, self.enclosure.root, command, script)

    def unshim(self, command: str) -> None:
        """The real command answers again."""
        shims.unshim(self.folder, command)

    def set_login_shell(self, shell: str) -> None:
        """Changes the user's login shell from the next session on. In place: the file is a mount point."""
        path = self.folder / "etc/passwd"
        lines = path.read_text().splitlines(keepends=True)[:-1]  # the user's line is the last
        text = ("".join(lines) + user_line(self.enclosure.uid, shell)).encode()
        with path.open("r+b", buffering=0) as file:
            file.write(text)
            file.truncate(len(text))

    def ssh(self, *command: str, timeout: float = 60) -> "subprocess.CompletedProcess[str]":
        """Runs a command line as a person at the host would, with the system's ssh; for people and for tests of the bed itself."""
        key, known = self.folder / "ssh/user", self.folder / "ssh/known_hosts"
        if not known.exists():
            packages.ensure("openssh-client")
            self.write("ssh/user", self.private_key, mode=0o600)
            self.write("ssh/known_hosts", self.known_hosts + "\n")
        argv = ["ssh", "-F", "none", "-i", str(key), "-o", f"UserKnownHostsFile={known}", "-o", "BatchMode=yes", f"{self.user}@{self.host}"]
        return subprocess.run([*argv, *command], capture_output=True, text=True, timeout=timeout, stdin=subprocess.DEVNULL, check=False,
                              env={"PATH": os.environ["PATH"], **self.bed.env})

    def stop(self) -> None:
        """Ends every process inside and removes the namespaces and the folder. A second call does nothing."""
        self.enclosure.end()
        shutil.rmtree(self.folder, ignore_errors=True)


def claim(bed: Bed, kind: str) -> tuple[int, Path]:
    """A number that nothing else of this bed has, and the folder that goes with it."""
    taken = bed.folder / "slots"
    taken.mkdir(exist_ok=True)
    for number in count(1):
        with suppress(FileExistsError):
            (taken / str(number)).mkdir()
            folder = bed.folder / f"{kind}{number}"
            folder.mkdir(mode=0o755)
            return number, folder
    raise AssertionError  # count() does not end


def _owner(home: Path, uid: int) -> int:
    """Whose home it is: of the first host that has it."""
    if home.stat().st_uid == os.geteuid():
        os.chown(home, uid, uid)
    return home.stat().st_uid
