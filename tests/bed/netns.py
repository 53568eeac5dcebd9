"""A network namespace of the bed: one cable (a veth pair) to the host and nothing else, so that it can be cut."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path

from bed import packages, registry, subnets
from bed.errors import BedError

INNER_LINK = "eth0"
_NOBODYS_MAC = "02:00:00:00:00:01"  # no interface has it: a frame sent to it is dropped by the other end without a word
_ESTABLISHED = "01"  # state column of /proc/net/tcp


@dataclass(frozen=True, slots=True)
class Network:
    """A namespace and its cable. The host's end of the cable carries the namespace's name."""

    name: str
    outer: str  # the host's address
    inner: str  # the address inside
    env: dict[str, str]  # the bed's mark, so that no command of ours works on after the bed's end

    @classmethod
    def create(cls, name: str, subnet: IPv4Network, env: dict[str, str]) -> "Network":
        """Makes the namespace and its cable in a subnet of two addresses. Raises BedError when iproute2 refuses."""
        if shutil.which("ip") is None:
            packages.ensure("iproute2")
        outer, inner = (str(address) for address in subnet.hosts())
        network = cls(name, outer, inner, env)
        with registry.locked():  # the first `netns add` of a machine prepares /run/netns, and two at once would meet there
            # what is not a namespace of ours must not leave through the machine's default gateway
            network.outside(f"route replace blackhole {subnets.RANGE}\nnetns add {name}\n")
        network.outside(f"link add {name} type veth peer name {INNER_LINK} netns {name}\n"
                         f"address add {outer}/{subnet.prefixlen} dev {name}\nlink set {name} up\n")
        network.inside(f"link set lo up\naddress add {inner}/{subnet.prefixlen} dev {INNER_LINK}\nlink set {INNER_LINK} up\n")
        return network

    @property
    def path(self) -> Path:
        """The file that stands for the namespace."""
        return Path("/run/netns") / self.name

    def link_down(self) -> None:
        """Pulls the cable. The inner end: taking the host's end down would lose the host's route."""
        self.inside(f"link set {INNER_LINK} down\n")

    def link_up(self) -> None:
        """Plugs the cable in again; connections that were open go on."""
        self.inside(f"link set {INNER_LINK} up\n")

    def drop(self, on: bool) -> None:
        """Loses every packet silently in both directions, or stops doing so: each end sends to a hardware address that nobody has."""
        if on:
            self.outside(f"neighbour replace {self.inner} lladdr {_NOBODYS_MAC} dev {self.name} nud permanent\n")
            self.inside(f"neighbour replace {self.outer} lladdr {_NOBODYS_MAC} dev {INNER_LINK} nud permanent\n")
        else:
            self.outside(f"neighbour flush dev {self.name} nud permanent\n")
            self.inside(f"neighbour flush dev {INNER_LINK} nud permanent\n")

    def pids(self) -> set[int]:
        """All processes that live in the namespace."""
        everyone = {int(entry.name) for entry in os.scandir("/proc") if entry.name.isdigit()}
        return {pid for pid in everyone if self.has(pid)}

    def has(self, pid: int) -> bool:
        """Whether a process lives in the namespace; one that has ended does not."""
        try:
            return Path(f"/proc/{pid}/ns/net").samefile(self.path)
        except OSError:
            return False

    def delete(self) -> None:
        """Removes the cable and the namespace; those that are gone already are fine."""
        for command in (["link", "delete", self.name], ["netns", "delete", self.name]):
            subprocess.run(["ip", *command], capture_output=True, check=False)

    def inside(self, commands: str) -> None:
        """Runs ip's commands, one a line, in the namespace. Raises BedError when iproute2 refuses."""
        self.outside(commands, "-netns", self.name)

    def outside(self, commands: str, *options: str) -> None:
        """Like `inside`, on this machine."""
        env = {"PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin", **self.env}
        done = subprocess.run(["ip", *options, "-batch", "-"], input=commands, capture_output=True, text=True, env=env, check=False)
        if done.returncode:
            raise BedError(f"ip could not set up {self.name}: {done.stderr.strip()} (commands: {commands.strip()!r}). "
                           "The bed needs root and a kernel with network namespaces and veth.")


def established(pid: int, port: int) -> int:
    """How many TCP connections to this local port are established in the network namespace of a process."""
    rows = [line.split() for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]]
    return sum(row[3] == _ESTABLISHED and int(row[1].rpartition(":")[2], 16) == port for row in rows)
