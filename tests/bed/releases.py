"""The Slurm releases of the test bed, and what their roots are made of. Pure."""

import hashlib
from dataclasses import dataclass

from bed.errors import BedError

_EVERYWHERE = ("slurmctld", "slurmd", "slurm-client", "slurmdbd", "munge", "openssh-server", "procps", "iproute2", "busybox")
_MARIADB = ("mariadb-server-core", "mariadb-client-core", "slurm-wlm-mysql-plugin")
_MARIADB_BULLSEYE = ("mariadb-server-core-10.5", "mariadb-client-core-10.5")  # the plugin is inside slurmdbd there
_LOGIN_SHELLS = ("tcsh", "zsh", "fish", "environment-modules")  # what people have on login nodes; only in the default root
_SYSTEMD = ("systemd", "libpam-systemd", "dbus")  # what a bare host may run; only in the default root
UNWANTED = ("/usr/share/locale/*", "/usr/share/doc/*", "/usr/share/man/*", "/usr/share/info/*", "/usr/share/fish/man/*")
_PROOF = "its daemons have run, with accounting"  # a root in the cache that was made before bed.proof has another digest


@dataclass(frozen=True, slots=True)
class Source:
    """A Debian suite, and the suite that gives the client library of MariaDB in place of its own."""

    suite: str
    library_suite: str | None = None

    def __str__(self) -> str:
        return f"{self.suite}, libmariadb3 of {self.library_suite}" if self.library_suite else self.suite


@dataclass(frozen=True, slots=True)
class Release:
    """A Slurm release and where Debian carries it: the first source whose root works is taken."""

    version: str
    sources: tuple[Source, ...]
    packages: tuple[str, ...]

    @property
    def number(self) -> int:
        """The release as a number that compares: 24.11 is 2411."""
        return int(self.version.replace(".", ""))

    @property
    def recipe(self) -> str:
        """A short digest of what the root is made of."""
        return hashlib.sha256(repr((self.packages, self.sources, UNWANTED, _PROOF)).encode()).hexdigest()[:8]


DEFAULT_RELEASE = "24.11"
# With libmariadb3 11.8.9 of trixie and forky slurmdbd ends at start: "Number of columns in result (=1) set execeeds maxmimum allowed
# number of columns (=0) | select @var := concat('')". bookworm's 10.11 works, also beside MariaDB's newer server.
RELEASES = {release.version: release for release in (
    Release("20.11", (Source("bullseye"),), _EVERYWHERE + _MARIADB_BULLSEYE),
    Release("22.05", (Source("bookworm"),), _EVERYWHERE + _MARIADB),
    Release("24.11", (Source("trixie", "bookworm"), Source("trixie")), _EVERYWHERE + _MARIADB + _LOGIN_SHELLS + _SYSTEMD),
    Release("26.05", (Source("forky", "bookworm"), Source("forky"), Source("sid", "bookworm")), _EVERYWHERE + _MARIADB),
)}


def release_of(version: str) -> Release:
    """The release with this version. Raises BedError with the known ones."""
    if version not in RELEASES:
        raise BedError(f"no Slurm release {version!r} in the test bed; known are {', '.join(RELEASES)}.")
    return RELEASES[version]
