"""What the machine says about its processes (proc(5)). Standard library only: the guardian runs this too."""

from collections.abc import Iterable, Mapping
from pathlib import Path


def start_time(pid: int) -> int | None:
    """When a process started (field 22 of /proc/PID/stat, see proc(5)); None when it has ended, as a zombie too."""
    known = _life(pid)
    return known and known[1]


def everyone() -> dict[int, tuple[int, int]]:
    """Every process that has not ended, with its parent and when it started."""
    return {pid: known for entry in Path("/proc").iterdir() if entry.name.isdigit() and (known := _life(pid := int(entry.name)))}


def below(pids: Iterable[int], lives: Mapping[int, tuple[int, int]]) -> set[int]:
    """Of `everyone`: the children of these, the children of those, and so on; without themselves."""
    offspring: dict[int, list[int]] = {}
    for pid, (parent, _) in lives.items():
        offspring.setdefault(parent, []).append(pid)
    ancestors, found = set(pids), set[int]()
    waiting = list(ancestors)
    while waiting:
        born = [pid for pid in offspring.get(waiting.pop(), ()) if pid not in found]
        found.update(born)
        waiting += born
    return found - ancestors


def children(pid: int) -> dict[int, int]:
    """The children of a process that have not ended, whichever of its threads started them, each with its start time."""
    words = [word for listing in Path(f"/proc/{pid}/task").glob("*/children") for word in read(listing).split()]
    return {int(word): began for word in words if (began := start_time(int(word))) is not None}


def command(pid: int) -> str:
    """A process's command line, for a sentence about it."""
    return read(Path(f"/proc/{pid}/cmdline")).replace(b"\0", b" ").decode(errors="replace").strip() or "(no command line)"


def read(path: Path) -> bytes:
    """A file of /proc or /sys; nothing if it has gone meanwhile."""
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _life(pid: int) -> tuple[int, int] | None:
    """Parent and start (fields 4 and 22 of stat); None when it has ended."""
    fields = read(Path(f"/proc/{pid}/stat")).rpartition(b")")[2].split()
    return (int(fields[1]), int(fields[19])) if fields and fields[0] not in b"ZX" else None
