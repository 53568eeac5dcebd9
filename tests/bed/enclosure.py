"""Network, mount and host name namespaces together: a small machine of its own inside this one.

Its root is a suite's root file system, read-only; what may be written is the enclosure's own folder, seen inside as `/srv/c`, with the
ordinary user's home in it as a tmpfs. One sleeping process holds the namespaces; every other process enters through it.
"""

import os
import shlex
import signal
import subprocess
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bed import cgroups
from bed.errors import BedError
from bed.netns import Network
from bed.slurmconf import INSIDE

USER = "user"
HOME = f"{INSIDE}/home"
HOME_SIZE = "2g"  # a limit, not a reservation
SYSTEM_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"  # without /usr/local/bin, where the shims are
_END_SECONDS = 30.0
_RUN_FOLDERS = "run/sshd run/mysqld run/mariadbd run/slurm run/lock"
_ACCOUNT_FILES = ("passwd", "group", "shadow", "hosts")


@dataclass(frozen=True, slots=True)
class Enclosure:
    """The namespaces of one cluster or host, and the way in."""

    network: Network
    folder: Path
    root: Path
    uid: int  # of the ordinary user: no other enclosure on this machine has it
    holder: int  # the process that keeps the namespaces
    env: dict[str, str]  # the bed's mark

    @property
    def home(self) -> Path:
        """The ordinary user's home as seen from the host. Root only; it goes with the enclosure."""
        return self.seen(HOME)

    def seen(self, path: str) -> Path:
        """A path of the inside as seen from the host (absolute symbolic links on it lead elsewhere)."""
        return Path(f"/proc/{self.holder}/root{path}")

    def argv(self, *argv: str, user: bool) -> list[str]:
        """The command line that runs `argv` inside, as the ordinary user in the home or as root."""
        enter = ["nsenter", "--target", str(self.holder), "--net", "--mount", "--uts"]
        mark = [f"{key}={value}" for key, value in self.env.items()]
        if not user:
            return [*enter, "env", "-i", *mark, f"PATH={SYSTEM_PATH}", "HOME=/root", "LC_ALL=C", *argv]
        person = [f"HOME={HOME}", f"USER={USER}", f"LOGNAME={USER}", "SHELL=/bin/bash", "PATH=/usr/bin:/bin", "LC_ALL=C"]
        return [*enter, "--setuid", str(self.uid), "--setgid", str(self.uid), "env", "-i", "-C", HOME, *mark, *person, *argv]

    def run(self, *argv: str, user: bool = True, check: bool = True, input: str | None = None,  # noqa: A002
            timeout: float = 60) -> "subprocess.CompletedProcess[str]":
        """Runs a command inside; `timeout` in seconds.

        Raises:
            BedError: it failed and `check` is on; the message has its exit code and last words.
            subprocess.TimeoutExpired: it took longer than `timeout`.
        """
        done = subprocess.run(self.argv(*argv, user=user), input=input, capture_output=True, text=True, errors="surrogateescape",
                              timeout=timeout, check=False, stdin=subprocess.DEVNULL if input is None else None)
        if check and done.returncode:
            words = (done.stderr or done.stdout).strip()[-1500:]
            raise BedError(f"`{shlex.join(argv)}` in {self.network.name} ended with {done.returncode}: {words}")
        return done

    def pids(self) -> set[int]:
        """All processes of the enclosure but the one that holds it."""
        return self.network.pids() - {self.holder}

    def user_pids(self) -> set[int]:
        """Those of the ordinary user: jobs and ssh sessions."""
        return {pid for pid in self.pids() if _owner(pid) == self.uid}

    def end(self) -> None:
        """Kills every process of the enclosure; its mounts go with the last one. Then removes control groups and network.

        Raises BedError when a process does not end.
        """
        deadline = time.monotonic() + _END_SECONDS
        while left := self.network.pids():
            for pid in left:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            if time.monotonic() > deadline:
                raise BedError(f"processes {sorted(left)} of {self.network.name} do not end after SIGKILL; they may wait for a device")
            time.sleep(0.01)
        cgroups.remove(self.network.name)
        self.network.delete()


def hold(network: Network, folder: Path, root: Path, uid: int, env: dict[str, str], *, hostname: str, home: Path | None,
         own_cgroups: bool) -> Enclosure:
    """Makes the mounts, and a process in a session of its own that keeps them. Raises BedError with mount's own words."""
    script = "\n".join(_mount_script(folder, root, uid, hostname, home=home, group=network.name if own_cgroups else None))
    enter = ["nsenter", f"--net={network.path}", "unshare", "--mount", "--uts", "setsid", "--fork", "sh", "-euc", script]
    done = subprocess.run(enter, env={"PATH": SYSTEM_PATH, **env}, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    if done.returncode or not done.stdout.strip().isdigit():
        raise BedError(f"cannot make the mounts of {network.name}: {done.stderr.strip() or done.stdout.strip()}")
    return Enclosure(network, folder, root, uid, int(done.stdout), env)


def _mount_script(folder: Path, root: Path, uid: int, hostname: str, *, home: Path | None, group: str | None) -> Iterable[str]:
    """Shell lines that build the new root and end as the sleeping holder, whose number they print."""
    f, r = shlex.quote(str(folder)), shlex.quote(str(root))
    yield f"hostname {hostname}; mount --make-rprivate /; mount --bind {r} {r}; cd {r}; mount -o remount,bind,ro ."
    yield "mount -t proc proc proc; mount --rbind /sys sys; mount --rbind /dev dev"
    if group:
        yield from cgroups.mount_script(group)
    yield "mount -t tmpfs -o mode=755 tmpfs run; for place in tmp dev/shm; do mount -t tmpfs -o mode=1777 tmpfs $place; done"
    yield f"mkdir -p {_RUN_FOLDERS}"
    # /run may be mounted noexec and nodev on the host; scripts and the made-up GPUs of a cluster live there
    yield f"mount --bind {f} srv/c; mount -o remount,bind,rw,exec,dev,suid srv/c"
    if home:
        yield f"mount --bind {shlex.quote(str(home))} srv/c/home; mount -o remount,bind,rw,exec srv/c/home"
    else:
        yield f"mount -t tmpfs -o size={HOME_SIZE},uid={uid},gid={uid},mode=755 tmpfs srv/c/home"
    yield "mount --bind srv/c/shims usr/local/bin; mount --bind srv/c/etc/slurm etc/slurm"
    for name in _ACCOUNT_FILES:
        yield f"mount --bind srv/c/etc/{name} etc/{name}"
    yield "pivot_root . .; umount -l .; cd /"
    yield "echo $$; exec sleep infinity >/dev/null 2>&1"


def _owner(pid: int) -> int | None:
    try:
        return Path(f"/proc/{pid}").stat().st_uid
    except FileNotFoundError:
        return None
