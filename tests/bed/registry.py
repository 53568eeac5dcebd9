"""Where beds are written down on this machine: one folder each, who owns it, and which subnets are taken.

Standard library only: the guardian runs this too.

    /run/fairlead-bed/lock              held while a bed is entered, a subnet is taken, or the last entry goes away
    /run/fairlead-bed/<id>/owner.json   entered by one rename, so that no folder lacks its owner
    /run/fairlead-bed/.<id>             a folder before that rename; seen by the holder of the lock, its maker is dead
    /run/fairlead-bed/subnets/<address> a symbolic link to the id: made at once or not at all, so that a kill leaves no half entry
"""

import fcntl
import ipaddress
import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

RUN = Path("/run/fairlead-bed")
SUBNETS = RUN / "subnets"
RANGE = ipaddress.IPv4Network("198.18.0.0/15")
"""The range for testing network devices (RFC 2544): nobody's address on the Internet. Beds keep it from leaking by a blackhole route."""


@dataclass(frozen=True, slots=True)
class Owner:
    """The process that a bed lives and dies with. `start_time` (clock ticks since boot) tells it from a later one with the same pid."""

    pid: int
    start_time: int
    boot_id: str
    checkout: str
    purpose: str
    kept: bool = False

    @classmethod
    def here(cls, purpose: str) -> "Owner":
        """The calling process."""
        checkout = Path(__file__).resolve().parents[2]
        return cls(os.getpid(), start_time(os.getpid()) or 0, boot_id(), str(checkout), purpose)

    @property
    def alive(self) -> bool:
        """Whether the bed is still somebody's: a kept one is until the machine restarts or `python -m bed down`."""
        return self.boot_id == boot_id() and (self.kept or start_time(self.pid) == self.start_time)


def boot_id() -> str:
    """This boot of the machine: what a folder says that outlived a restart is about processes long gone."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def start_time(pid: int) -> int | None:
    """When a process started (field 22 of /proc/PID/stat, see proc(5)); None when it has ended, as a zombie too."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in "ZX" else int(fields[19])


@contextmanager
def locked() -> Iterator[None]:
    """Holds the machine's one lock; the kernel gives it back when the holder dies."""
    while True:
        RUN.mkdir(mode=0o755, parents=True, exist_ok=True)
        try:
            descriptor = os.open(RUN / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except FileNotFoundError:  # the last bed's end removed the folder in between
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if not _is_current(descriptor):
                continue
            yield
            return
        finally:
            os.close(descriptor)


def enter(bed_id: str, owner: Owner) -> Path:
    """Makes a bed's folder with its owner in it; the caller holds the lock."""
    draft = RUN / f".{bed_id}"
    draft.mkdir(mode=0o755)
    write_owner(draft, owner)
    draft.rename(RUN / bed_id)
    return RUN / bed_id


def write_owner(folder: Path, owner: Owner) -> None:
    """Writes a bed's owner aside, then renames it, so that a reader never sees half of it."""
    aside = folder / ".owner.json"
    aside.write_text(json.dumps(asdict(owner)))
    aside.rename(folder / "owner.json")


def owners() -> dict[str, Owner | None]:
    """Every bed's id and owner; None where the owner cannot be read, which no living bed's does."""
    found: dict[str, Owner | None] = {}
    for folder in sorted(RUN.glob("[0-9a-f]" * 8)):
        try:
            found[folder.name] = Owner(**json.loads((folder / "owner.json").read_text()))
        except (OSError, ValueError, TypeError):
            found[folder.name] = None
    return found


def publish(folder: Path, name: str, facts: Mapping[str, str]) -> None:
    """Writes facts about a part of a bed, aside first; readable by root alone, since a fact may be the path of a key."""
    aside = folder / f".{name}.facts"
    aside.unlink(missing_ok=True)
    aside.touch(mode=0o600)
    aside.write_text(json.dumps(dict(facts)))
    aside.rename(folder / f"{name}.facts")


def published(bed_id: str) -> dict[str, dict[str, str]]:
    """All that a bed published, by name."""
    return {path.stem: json.loads(path.read_text()) for path in sorted((RUN / bed_id).glob("[!.]*.facts"))}


def discard_drafts() -> None:
    """Removes folders whose maker died before it entered them; the caller holds the lock."""
    for draft in RUN.glob("." + "[0-9a-f]" * 8):
        shutil.rmtree(draft, ignore_errors=True)
    for entry in _subnet_entries():
        if not (RUN / entry.readlink()).exists():
            entry.unlink(missing_ok=True)


def take_subnet(bed_id: str) -> ipaddress.IPv4Network | None:
    """Enters the first free /30 for a bed; None when all 32,768 are taken. Routes that others made into the range are left alone."""
    SUBNETS.mkdir(exist_ok=True)
    foreign = _routes()
    for subnet in RANGE.subnets(new_prefix=30):
        if any(subnet.overlaps(route) for route in foreign):
            continue
        try:
            (SUBNETS / str(subnet.network_address)).symlink_to(bed_id)
        except FileExistsError:
            continue
        return subnet
    return None


def subnets_of(bed_id: str) -> list[Path]:
    """A bed's entries in the registry of subnets."""
    return [entry for entry in _subnet_entries() if str(entry.readlink()) == bed_id]


def withdraw(bed_id: str) -> None:
    """Frees a bed's subnets; with the last one of the machine goes the blackhole route."""
    with locked():
        for entry in subnets_of(bed_id):
            entry.unlink(missing_ok=True)
        if SUBNETS.exists() and not _subnet_entries():
            SUBNETS.rmdir()
            if shutil.which("ip"):
                subprocess.run(["ip", "route", "del", "blackhole", str(RANGE)], stderr=subprocess.DEVNULL, check=False)


def tidy() -> None:
    """Removes the registry itself once no bed is in it."""
    if not RUN.exists():
        return
    with locked():
        if {entry.name for entry in RUN.iterdir()} <= {"lock"}:
            (RUN / "lock").unlink(missing_ok=True)
            RUN.rmdir()


def _is_current(descriptor: int) -> bool:
    try:
        return os.fstat(descriptor).st_ino == (RUN / "lock").stat().st_ino
    except FileNotFoundError:
        return False


def _subnet_entries() -> list[Path]:
    return [entry for entry in SUBNETS.glob("*") if entry.is_symlink()]


def _routes() -> list[ipaddress.IPv4Network]:
    """Routes inside our range, narrower than all of it (proc(5), /proc/net/route: addresses are hexadecimal, lowest byte first)."""
    found = []
    for line in Path("/proc/net/route").read_text().splitlines()[1:]:
        _, destination, _, _, _, _, _, mask, *_ = line.split()
        address, bits = (int.from_bytes(bytes.fromhex(word), "little") for word in (destination, mask))
        network = ipaddress.IPv4Network((address, bits.bit_count()))
        if network != RANGE and network.subnet_of(RANGE):
            found.append(network)
    return found
