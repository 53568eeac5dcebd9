"""The namespaces and control groups of a node: what its programs write at their usual places is seen there and nowhere else.

    network   one of the bed's, with a cable to this machine, and this machine's routes to the node's pods and Services
    mounts    /run and /var/lib in memory, /var/log in the node's folder, this folder at /run/bed; three settings of the kernel that the
              kubelet writes, and that are the whole machine's, are files there
    groups    one of the node's name in every hierarchy, below which the kubelet makes those of pods; all processes are in version 2's
"""

import shlex
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

from bed import cgroups
from bed.daemon import Daemon
from bed.errors import BedError
from bed.netns import Network

INSIDE = Path("/run/bed")
"""The node's folder as seen from its inside; short, since a unix socket's path has at most 107 bytes."""

_PROGRAMS = Path("/run/programs")
_JOIN = 'echo $$ >"$0"; exec "$@"'
_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
_SYSCTLS = ("vm/overcommit_memory", "kernel/panic", "kernel/panic_on_oops")


@dataclass(frozen=True, slots=True)
class Addresses:
    """One /24: the cable, Services and pods."""

    cable: IPv4Network
    services: IPv4Network
    pods: IPv4Network

    @classmethod
    def of(cls, subnet: IPv4Network) -> "Addresses":
        """Divides a /24: 4 addresses, 64 and 128."""
        lower, pods = subnet.subnets(new_prefix=25)
        small, services = lower.subnets(new_prefix=26)
        return cls(next(small.subnets(new_prefix=30)), services, pods)

    @property
    def api_service(self) -> IPv4Address:
        """The address of the Service `kubernetes`: the first one."""
        return self.services[1]


@dataclass(frozen=True, slots=True)
class Space:
    """A node's namespaces, and the way in."""

    network: Network
    folder: Path
    group: Path   # of version 2, in which the node's own processes are
    holder: int   # the process that keeps the mounts
    programs: Mapping[Path, Path]   # folders of programs, and where the inside has them
    env: dict[str, str]   # the bed's mark

    @classmethod
    def make(cls, network: Network, folder: Path, addresses: Addresses, programs: Sequence[Path]) -> "Space":
        """Makes all of it around a network that is there.

        Raises:
            BedError: the machine has no control groups that we may write to, or refuses a mount or a route; with its own words.
        """
        group = cgroups.make_everywhere(network.name) / "host"
        group.mkdir()
        seen = {path: _PROGRAMS / str(number) for number, path in enumerate(dict.fromkeys(program.parent for program in programs))}
        for name in ("etc", "log", "tmp", "run"):
            (folder / name).mkdir()
        script = "\n".join(_mount_script(folder, seen))
        enter = ["nsenter", f"--net={network.path}", "unshare", "--mount", "setsid", "--fork", "sh", "-euc", script, str(group)]
        done = subprocess.run(enter, env={"PATH": _PATH, **network.env}, capture_output=True, text=True, stdin=subprocess.DEVNULL,
                              check=False)
        if done.returncode or not done.stdout.strip().isdigit():
            raise BedError(f"a node cannot run here, its mounts are refused: {done.stderr.strip() or done.stdout.strip()}")
        space = cls(network, folder, group, int(done.stdout), seen, network.env)
        space._connect(addresses)
        return space

    def argv(self, program: str | Path, *args: str) -> list[str]:
        """The command line that runs a program inside, in the node's control group."""
        path = Path(program)
        if path.parent in self.programs:
            path = self.programs[path.parent] / path.name
        enter = ["nsenter", f"--target={self.holder}", "--net", "--mount", "--wdns=/"]
        return [*enter, "sh", "-c", _JOIN, f"{self.group}/cgroup.procs", str(path), *args]

    def daemon(self, name: str, program: str | Path, *args: str) -> Daemon:
        """Starts a daemon of the node, whose log is `log/<name>.log` in the folder."""
        env = {**self.env, "PATH": _PATH, "HOME": f"{INSIDE}/tmp", "TMPDIR": f"{INSIDE}/tmp"}
        return Daemon(self.argv(program, *args), env, self.folder / "log" / f"{name}.log")

    def run(self, program: str | Path, *args: str, stdin: Path | None = None, timeout_seconds: float = 60) -> str:
        """Runs a command inside to its end and gives its output.

        Raises:
            BedError: it fails; the message has its last words.
        """
        with (stdin or Path("/dev/null")).open("rb") as source:
            done = subprocess.run(self.argv(program, *args), env={**self.env, "PATH": _PATH}, stdin=source, capture_output=True,
                                  timeout=timeout_seconds, check=False)
        if done.returncode:
            raise BedError(f"`{shlex.join([Path(program).name, *args])}` on the node ended with {done.returncode}: "
                           f"{(done.stderr or done.stdout).decode(errors='replace').strip()[-1500:]}")
        return done.stdout.decode(errors="replace")

    def kill(self) -> None:
        """Kills all processes of the node at once, pods' too; mounts and interfaces go with the last one. Safe to repeat."""
        cgroups.kill(self.network.name)

    def remove(self) -> None:
        """Removes what is left of a node that was killed: groups, network and folder."""
        cgroups.remove(self.network.name)
        self.network.delete()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _connect(self, addresses: Addresses) -> None:
        self.network.inside(f"route add default via {self.network.outer}\n")
        self.run("sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward")
        self.network.outside("".join(f"route add {there} via {self.network.inner} dev {self.network.name}\n"
                                     for there in (addresses.pods, addresses.services)))


def _mount_script(folder: Path, programs: Mapping[Path, Path]) -> Iterator[str]:
    """Shell lines that make the mounts and end as the sleeping holder, whose number they print."""
    f, run = shlex.quote(str(folder)), shlex.quote(str(folder / "run"))
    yield 'echo $$ >"$0/cgroup.procs"'
    yield "if mountpoint -q /run/netns; then umount -lR /run/netns; fi"   # else the namespaces of others live as long as the node
    yield f"mount -t tmpfs -o mode=755 tmpfs {run}; mkdir -p {run}/bed {run}/netns {run}/lock; mount --bind {f} {run}/bed"
    for outside, inside in programs.items():
        place = f"{run}/{inside.relative_to('/run')}"
        yield f"mkdir -p {place}; mount --bind {shlex.quote(str(outside))} {place}; mount -o remount,bind,exec {place}"
    yield f"mount --no-mtab --move {run} /run"
    # apart from each other: the kubelet takes what it mounts for file systems of its own, and would find the images' full
    yield "mount -t tmpfs -o mode=755 tmpfs /var/lib; mkdir /var/lib/containerd; mount -t tmpfs -o mode=755 tmpfs /var/lib/containerd"
    yield f"mount --bind {INSIDE}/log /var/log; mkdir {INSIDE}/etc/sysctl"
    for name in _SYSCTLS:
        mine = f"{INSIDE}/etc/sysctl/{Path(name).name}"
        yield f"cat /proc/sys/{name} >{mine}; mount --bind {mine} /proc/sys/{name}"
    yield "mount --make-rshared /"   # kubelet and containerd hand mounts to each other
    yield "cd /; echo $$; exec sleep infinity >/dev/null 2>&1"


def link(node: Network, host: Network, subnet: IPv4Network, name: str) -> None:
    """A cable between a node and another namespace of the bed, whose address pods reach from then on; they appear there as the node."""
    near, far = subnet.hosts()
    node.outside(f"link add {name} netns {node.name} type veth peer name {name} netns {host.name}\n")
    host.inside(f"address add {far}/{subnet.prefixlen} dev {name}\nlink set {name} up\n")
    node.inside(f"address add {near}/{subnet.prefixlen} dev {name}\nlink set {name} up\nroute add {host.inner} via {far} dev {name}\n")
