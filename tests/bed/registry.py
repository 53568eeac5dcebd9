"""Where beds are written down on this machine: one folder each, and who owns it.

Standard library only: the guardian runs this too.

    /run/fairlead-bed/lock              held while a bed is entered, a subnet is taken, or the last entry goes away
    /run/fairlead-bed/<id>/owner.json   entered by one rename, so that no folder lacks its owner
    /run/fairlead-bed/.<id>             a folder before that rename; seen by the holder of the lock, its maker is dead

Somebody who is not root has a registry of their own, /tmp/fairlead-bed-<uid>: it stays where it is from one login to the next.
"""

import fcntl
import json
import os
import shutil
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from bed.errors import BedError
from bed.proc import start_time

RUN = Path("/run/fairlead-bed") if os.geteuid() == 0 else Path(f"/tmp/fairlead-bed-{os.geteuid()}")
_MODE = 0o755 if os.geteuid() == 0 else 0o700


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


@contextmanager
def locked() -> Iterator[None]:
    """Holds the registry's one lock; the kernel gives it back when the holder dies.

    Raises:
        BedError: somebody else has made a folder of the registry's name.
    """
    while True:
        RUN.mkdir(mode=_MODE, parents=True, exist_ok=True)
        _require_ours()
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


def tidy() -> None:
    """Removes the registry itself once no bed is in it."""
    if not RUN.exists():
        return
    with locked():
        if {entry.name for entry in RUN.iterdir()} <= {"lock"}:
            (RUN / "lock").unlink(missing_ok=True)
            RUN.rmdir()


def _require_ours() -> None:
    """Everybody may write to /tmp: in a folder that is another's, our keys and programs would be theirs."""
    try:
        found = RUN.lstat()
    except FileNotFoundError:
        return
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
        raise BedError(f"{RUN} is not a folder that is yours and that you alone may write to: whoever made it has to remove it")


def _is_current(descriptor: int) -> bool:
    try:
        return os.fstat(descriptor).st_ino == (RUN / "lock").stat().st_ino
    except FileNotFoundError:
        return False
