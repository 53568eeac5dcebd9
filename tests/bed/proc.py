"""What the machine says about its processes (proc(5)). Standard library only: the guardian runs this too."""

from pathlib import Path


def start_time(pid: int) -> int | None:
    """When a process started (field 22 of /proc/PID/stat, see proc(5)); None when it has ended, as a zombie too."""
    fields = read(Path(f"/proc/{pid}/stat")).rpartition(b")")[2].split()
    return int(fields[19]) if fields and fields[0] not in b"ZX" else None


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
