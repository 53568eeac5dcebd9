"""Small Debian root file systems that carry one Slurm release each.

A root is made once by mmdebstrap, proved by a run of its daemons, and kept in the cache folder, packed
(`slurm-<release>-<arch>-<recipe>.tar.zst`) and unpacked (the folder beside it, bind-mounted read-only by every cluster). It appears by
rename, so that an interrupted build leaves no half root; the recipe's digest is part of the name, so that a changed package list never
changes a root under a running cluster.

What Debian carries moves: a root that cannot be made or does not work is thrown away, and the next source or archive is tried.
"""

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from bed import packages, progress
from bed.archive import apt_options, archive_urls
from bed.errors import BedError
from bed.releases import DEFAULT_RELEASE, Release, Source, release_of
from bed.rootmaking import is_moving, last_words, mmdebstrap
from bed.state import require_root

_DISCARD_TRIES = 20
_PAUSE_SECONDS = 0.1
_UNLESS_ORPHANED = '[ "$PPID" = "$0" ] || exit 1; exec "$@"'  # our end may come before the request to be told of it
_OWN_PIDS = ("unshare", "--pid", "--fork", "--kill-child=KILL", "--mount-proc")
_TESTS = Path(__file__).resolve().parents[1]


def root(version: str = DEFAULT_RELEASE) -> Path:
    """The unpacked root of a Slurm release, made first where it is missing (a minute with the network, a second from the cache).

    Only one builds at a time, others wait. Raises BedError when no source of the release gives a root that works.
    """
    release = release_of(version)
    folder = roots_folder()
    if (ready := folder / _name(release)).is_dir():
        return ready
    require_root()
    packages.ensure("mmdebstrap", "zstd", "debian-archive-keyring")
    folder.mkdir(parents=True, exist_ok=True)
    with _build_lock(folder / f"{version}.lock") as lock:
        return _Build(release, folder, lock).provide()


def roots_folder() -> Path:
    """The cache folder of all roots: `${XDG_CACHE_HOME:-~/.cache}/fairlead/bed/roots`."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "fairlead" / "bed" / "roots"


def _name(release: Release) -> str:
    return f"slurm-{release.version}-{os.uname().machine}-{release.recipe}"


@dataclass(frozen=True, slots=True)
class _Build:
    """The making of one root, under the lock; every result appears by rename."""

    release: Release
    folder: Path
    lock: int  # an open file that each step inherits: whoever comes next waits for a step that outlived its owner

    def provide(self) -> Path:
        """The unpacked root, from the tarball or from an archive. Raises BedError."""
        ready = self.folder / _name(self.release)
        tarball, part = (ready.with_name(ready.name + end) for end in (".tar.zst", ".part"))
        packed = tarball.with_name(tarball.name + ".part")
        try:
            _discard(part, packed)  # what a killed build left; its mounts went with its processes
            if not ready.is_dir():
                self._unpack(tarball, part) if tarball.exists() else self._make_somehow(part, packed, tarball)
                part.rename(ready)
        finally:
            _discard(part, packed)
        return ready

    def _unpack(self, tarball: Path, part: Path) -> None:
        part.mkdir()
        self._step("Unpacking", "", ["tar", "-C", str(part), "--zstd", "-xpf", str(tarball)])

    def _make_somehow(self, part: Path, packed: Path, tarball: Path) -> None:
        """From the first source of the first archive that gives a root which works."""
        refusals = []
        for archive, source in product(archive_urls(), self.release.sources):
            try:
                made_of = self._make(source, archive, part)
                self._step("Packing", f" ({source})", ["tar", "-C", str(part), "--zstd", "-cpf", str(packed), "."])
                packed.rename(tarball)
                return progress.say(f"The Slurm {self.release.version} root works, accounting too: {made_of}")
            except _StepError as error:
                refusals.append(f"{archive}: {error}")
                progress.say(f"{error}; this root is not used")
                _discard(part, packed)
        raise BedError(f"what Debian's archives give today makes no root with Slurm {self.release.version} that works; tried were:\n"
                       + "\n".join(refusals))

    def _make(self, source: Source, archive: str, part: Path) -> str:
        command = mmdebstrap(self.release, source, archive, apt_options(), part)
        try:
            self._step("Making", f" ({source})", command)
        except _StepError as error:
            if not error.moving:
                raise
            _discard(part)
            self._step("Making once more", f" ({source})", command)
        _finish(part)
        return self._step("Proving", f" ({source})", [sys.executable, "-m", "bed.proof", self.release.version, str(part)], own_pids=False)

    def _step(self, verb: str, how: str, argv: list[str], *, own_pids: bool = True) -> str:
        """Runs a step tied to this process, in a PID namespace of its own: all of it ends when we do, however that comes.

        Without one, a bed of its own is to see to that. Returns what it printed; raises _StepError with its last words.
        """
        title = f"{verb} the Slurm {self.release.version} root{how}"
        tied = ["setpriv", "--pdeathsig", "KILL", "sh", "-c", _UNLESS_ORPHANED, str(os.getpid()), *(_OWN_PIDS if own_pids else ())]
        env = {**os.environ, "PYTHONPATH": str(_TESTS)}
        with progress.step(title), tempfile.TemporaryFile() as errors:
            done = subprocess.run([*tied, *argv], env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, check=False,
                                  pass_fds=[self.lock])
            if done.returncode:
                errors.seek(0)
                raise _StepError(title, Path(argv[0]).name, done.returncode, done.stdout + errors.read())
        return done.stdout.decode(errors="replace").strip()


def _discard(part: Path, *files: Path) -> None:
    """Removes a half root. A step that was killed a moment ago may still write into it."""
    for file in files:
        file.unlink(missing_ok=True)
    for _ in range(_DISCARD_TRIES):
        shutil.rmtree(part, ignore_errors=True)
        if not part.exists():
            return
        time.sleep(_PAUSE_SECONDS)


class _StepError(Exception):
    """A step of a build failed; the message has its last words."""

    def __init__(self, title: str, program: str, code: int, output: bytes) -> None:
        text = output.decode(errors="replace")
        super().__init__(f"{title}: {program} ended with {code}: {last_words(text)}")
        self.moving = is_moving(text)


def _finish(part: Path) -> None:
    """The places where a cluster mounts its own things must exist in a read-only root."""
    for place in ("srv/c", "etc/slurm", "run"):
        (part / place).mkdir(parents=True, exist_ok=True)
    for place in ("etc/hosts", "etc/resolv.conf"):
        (part / place).unlink(missing_ok=True)
        (part / place).touch()


@contextmanager
def _build_lock(path: Path) -> Iterator[int]:
    """Held while a root is made, by one process of the machine; the kernel frees it when its holder and all heirs have ended."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file.fileno()
