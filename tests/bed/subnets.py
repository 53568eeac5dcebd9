"""The machine's one registry of subnets, so that no two beds meet. Standard library only: the guardian runs this too.

    /run/fairlead-bed/subnets/<address> a symbolic link to the bed's id: made at once or not at all, so that a kill leaves no half entry
"""

import ipaddress
import shutil
import subprocess
from pathlib import Path

from bed.registry import RUN, locked

SUBNETS = RUN / "subnets"
RANGE = ipaddress.IPv4Network("198.18.0.0/15")
"""The range for testing network devices (RFC 2544): nobody's address on the Internet. Beds keep it from leaking by a blackhole route."""


def take(bed_id: str, prefix: int = 30) -> ipaddress.IPv4Network | None:
    """Enters the first free subnet of this length for a bed, a larger one as the /30s that it is made of; None if there is none.

    The caller holds the lock. What others made routes for inside the range is left alone.
    """
    SUBNETS.mkdir(exist_ok=True)
    foreign, taken = _routes(), {entry.name for entry in _entries()}
    for subnet in RANGE.subnets(new_prefix=prefix):
        parts = [str(part.network_address) for part in subnet.subnets(new_prefix=30)]
        if taken.isdisjoint(parts) and not any(subnet.overlaps(route) for route in foreign):
            for part in parts:
                (SUBNETS / part).symlink_to(bed_id)
            return subnet
    return None


def of_bed(bed_id: str) -> list[Path]:
    """A bed's entries."""
    return [entry for entry in _entries() if _holder(entry) == bed_id]


def free(bed_id: str) -> None:
    """Frees a bed's subnets; with the last one of the machine goes the blackhole route."""
    with locked():
        for entry in of_bed(bed_id):
            entry.unlink(missing_ok=True)
        if SUBNETS.exists() and not _entries():
            SUBNETS.rmdir()
            if shutil.which("ip"):
                subprocess.run(["ip", "route", "del", "blackhole", str(RANGE)], stderr=subprocess.DEVNULL, check=False)


def discard_orphans() -> None:
    """Removes entries of beds that are gone; the caller holds the lock."""
    for entry in _entries():
        if not (RUN / _holder(entry)).exists():
            entry.unlink(missing_ok=True)


def _entries() -> list[Path]:
    return [entry for entry in SUBNETS.glob("*") if entry.is_symlink()]


def _holder(entry: Path) -> str:
    """The id of the bed that has it; "" if that was freed while we looked, which needs no lock."""
    try:
        return str(entry.readlink())
    except FileNotFoundError:
        return ""


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
