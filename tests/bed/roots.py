"""Small Debian root file systems, one per suite, that carry one Slurm release each.

A root is made once by mmdebstrap and kept in the cache folder, packed (`<suite>-<arch>-<recipe>.tar.zst`) and unpacked (the folder
beside it, bind-mounted read-only by every cluster). It appears by rename, so that an interrupted build leaves no half root; the
recipe's digest is part of the name, so that a changed package list never changes a root under a running cluster.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bed import packages, progress
from bed.archive import KEYRING, apt_options, archive_url
from bed.errors import BedError
from bed.state import require_root

_EVERYWHERE = ("slurmctld", "slurmd", "slurm-client", "slurmdbd", "munge", "openssh-server", "procps", "iproute2", "busybox")
_MARIADB = ("mariadb-server-core", "mariadb-client-core", "slurm-wlm-mysql-plugin")
_MARIADB_BULLSEYE = ("mariadb-server-core-10.5", "mariadb-client-core-10.5")  # the plugin is inside slurmdbd there
_LOGIN_SHELLS = ("tcsh", "zsh", "fish", "environment-modules")  # what people have on login nodes; only in the default root
_SYSTEMD = ("systemd", "libpam-systemd", "dbus")  # what a bare host may run; only in the default root
_UNWANTED = ("/usr/share/locale/*", "/usr/share/doc/*", "/usr/share/man/*", "/usr/share/info/*", "/usr/share/fish/man/*")
_DISCARD_TRIES = 20
_PAUSE_SECONDS = 0.1
_UNLESS_ORPHANED = '[ "$PPID" = "$0" ] || exit 1; exec "$@"'  # our end may come before the request to be told of it


@dataclass(frozen=True, slots=True)
class Release:
    """A Slurm release and the Debian suites that carry it, tried in this order."""

    version: str
    suites: tuple[str, ...]
    packages: tuple[str, ...]
    mariadb_suite: str | None = None  # the suite whose MariaDB replaces the suite's own

    @property
    def number(self) -> int:
        """The release as a number that compares: 24.11 is 2411."""
        return int(self.version.replace(".", ""))

    @property
    def recipe(self) -> str:
        """A short digest of what the root is made of."""
        return hashlib.sha256(repr((self.packages, self.mariadb_suite, _UNWANTED)).encode()).hexdigest()[:8]


DEFAULT_RELEASE = "24.11"
RELEASES = {release.version: release for release in (
    Release("20.11", ("bullseye",), _EVERYWHERE + _MARIADB_BULLSEYE),
    Release("22.05", ("bookworm",), _EVERYWHERE + _MARIADB),
    Release("24.11", ("trixie",), _EVERYWHERE + _MARIADB + _LOGIN_SHELLS + _SYSTEMD),
    # slurmdbd 26.05 ends at start with libmariadb3 11.8.9 ("null result from query select @var := concat('')"): trixie's works
    Release("26.05", ("forky", "sid"), _EVERYWHERE + _MARIADB, mariadb_suite="trixie"),
)}


def release_of(version: str) -> Release:
    """The release with this version. Raises BedError with the known ones."""
    if version not in RELEASES:
        raise BedError(f"no Slurm release {version!r} in the test bed; known are {', '.join(RELEASES)}.")
    return RELEASES[version]


def root(version: str = DEFAULT_RELEASE) -> Path:
    """The unpacked root of a Slurm release, made first where it is missing (a minute with the network, a second from the cache).

    Only one builds at a time, others wait. Raises BedError when no suite of the release can be fetched.
    """
    release = release_of(version)
    folder = roots_folder()
    for suite in release.suites:
        if (ready := folder / _name(release, suite)).is_dir():
            return ready
    require_root()
    packages.ensure("mmdebstrap", "zstd", "debian-archive-keyring")
    folder.mkdir(parents=True, exist_ok=True)
    with _build_lock(folder / f"{version}.lock") as lock:
        refusals = []
        for suite in release.suites:
            try:
                return _Build(release, suite, folder, lock).provide()
            except _StepError as error:
                refusals.append(str(error))
        raise BedError(f"cannot make a root file system with Slurm {version} from {archive_url()}:\n" + "\n".join(refusals))


def roots_folder() -> Path:
    """The cache folder of all roots: `${XDG_CACHE_HOME:-~/.cache}/fairlead/bed/roots`."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "fairlead" / "bed" / "roots"


def _name(release: Release, suite: str) -> str:
    return f"{suite}-{os.uname().machine}-{release.recipe}"


@dataclass(frozen=True, slots=True)
class _Build:
    """The making of one root, under the lock; every result appears by rename."""

    release: Release
    suite: str
    folder: Path
    lock: int  # an open file that each step inherits: whoever comes next waits for a step that outlived its owner

    def provide(self) -> Path:
        """The unpacked root, from the tarball or from the archive. Raises _StepError."""
        ready = self.folder / _name(self.release, self.suite)
        tarball, part = (ready.with_name(ready.name + end) for end in (".tar.zst", ".part"))
        packed = tarball.with_name(tarball.name + ".part")
        try:
            _discard(part, packed)  # what a killed build left; its mounts went with its processes
            if not ready.is_dir():
                self._make(part, tarball, packed)
                part.rename(ready)
        finally:
            _discard(part, packed)
        return ready

    def _make(self, part: Path, tarball: Path, packed: Path) -> None:
        if tarball.exists():
            part.mkdir()
            self._step("Unpacking", ["tar", "-C", str(part), "--zstd", "-xpf", str(tarball)])
        else:
            self._step("Making", _mmdebstrap(self.release, self.suite, part))
            _finish(part)
            self._step("Packing", ["tar", "-C", str(part), "--zstd", "-cpf", str(packed), "."])
            packed.rename(tarball)

    def _step(self, verb: str, argv: list[str]) -> None:
        """Runs a step tied to this process, in a PID namespace of its own: all of it ends when we do, however that comes."""
        title = f"{verb} the Slurm {self.release.version} root ({self.suite})"
        tied = ["setpriv", "--pdeathsig", "KILL", "sh", "-c", _UNLESS_ORPHANED, str(os.getpid()),
                "unshare", "--pid", "--fork", "--kill-child=KILL", "--mount-proc"]
        with progress.step(title), tempfile.TemporaryFile() as output:
            done = subprocess.run([*tied, *argv], stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=False, pass_fds=[self.lock])
            if done.returncode:
                output.seek(0)
                words = output.read().decode(errors="replace").strip().splitlines()[-12:]
                raise _StepError(f"{title}: {argv[0]} ended with {done.returncode}: " + "\n".join(words))


def _discard(part: Path, packed: Path) -> None:
    """Removes a half root. A step that was killed a moment ago may still write into it."""
    packed.unlink(missing_ok=True)
    for _ in range(_DISCARD_TRIES):
        shutil.rmtree(part, ignore_errors=True)
        if not part.exists():
            return
        time.sleep(_PAUSE_SECONDS)


class _StepError(Exception):
    """A step of a build failed; the message has its last words."""


def _mmdebstrap(release: Release, suite: str, target: Path) -> list[str]:
    archive = archive_url()
    lines = [f"deb [signed-by={KEYRING}] {archive} {suite} main"]
    hooks = []
    if release.mariadb_suite:
        lines.append(f"deb [signed-by={KEYRING}] {archive} {release.mariadb_suite} main")
        pins = "".join(f"Package: {what}\\nPin: release n={release.mariadb_suite}\\nPin-Priority: {priority}\\n\\n"
                       for what, priority in (("mariadb-* libmariadb3 mysql-common", 1001), ("*", -1)))
        hooks = [f"--setup-hook=printf '{pins}' > \"$1/etc/apt/preferences.d/mariadb\""]
    # An archive frozen in time has expired Release files for the suites that still move; their signatures are checked all the same.
    options = ['APT::Install-Recommends "false"', 'Acquire::Check-Valid-Until "false"', *apt_options()]
    return ["mmdebstrap", "--quiet", "--mode=root", "--variant=minbase", *hooks,
            *(f"--aptopt={option}" for option in options), *(f"--dpkgopt=path-exclude={path}" for path in _UNWANTED),
            f"--include={','.join(release.packages)}", suite, str(target), *lines]


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
