"""Where an sshd comes from for somebody who is not root: the machine's own, else Debian's package, unpacked into the cache folder.

Unpacked is all that it is: nothing is installed, and no service starts.
"""

import os
import platform
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from bed import progress
from bed.controlplane.binaries import cache, fill
from bed.errors import BedError
from bed.state import Bed

_PACKAGE = "openssh-server"
_SYSTEM_PATH = "/usr/sbin:/usr/local/sbin:/sbin"  # which is not in everybody's PATH
_HELPERS = {"SshdSessionPath": "sshd-session", "SshdAuthPath": "sshd-auth"}
"""What sshd starts for each connection since OpenSSH 9.8, and the options (sshd_config(5)) that say where it lies."""


@dataclass(frozen=True, slots=True)
class Sshd:
    """A program, the libraries that came with it, and the lines of sshd_config that it needs where it lies."""

    path: Path
    env: dict[str, str]
    config: tuple[str, ...] = ()


def find(bed: Bed, path: str | None = None) -> Sshd:
    """An sshd that can be started; `path` has the folders where an installed one may be, as PATH has them.

    Raises:
        BedError: there is none, and none can be had; the message says what to install.
    """
    installed = shutil.which("sshd", path=f"{os.environ.get('PATH', os.defpath)}:{_SYSTEM_PATH}" if path is None else path)
    if installed:
        return Sshd(Path(installed), {})
    if os.geteuid() == 0:
        raise BedError(_absent("and one that is unpacked alone does not start as root: it needs the account that its package makes"))
    unpacked = cache() / _system() / _PACKAGE
    if not unpacked.exists():
        fill(unpacked.parent, [_PACKAGE], [lambda name, target: _unpack(name, target, bed)], bed.folder.exists)
    helpers = {option: unpacked / "usr/lib/openssh" / name for option, name in _HELPERS.items()}
    libraries = sorted({str(each.parent) for each in unpacked.rglob("*.so*")})
    return Sshd(unpacked / "usr/sbin/sshd", {"LD_LIBRARY_PATH": ":".join(libraries)} if libraries else {},
                tuple(f"{option} {path}" for option, path in helpers.items() if path.exists()))


def _system() -> str:
    """This release of this distribution: what was unpacked goes by the libraries of one (os-release(5))."""
    said = platform.freedesktop_os_release()
    return "-".join((said["ID"], said.get("VERSION_ID") or said.get("VERSION_CODENAME") or "rolling", platform.machine()))


def _unpack(name: str, target: Path, bed: Bed) -> None:
    """The package, and what is not installed of all that it depends on, beside each other in `target`."""
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        raise BedError(_absent("and this is no Debian, from which it could be had"))

    def run(*argv: str | Path) -> str:
        done = subprocess.run(argv, cwd=target.parent, env={**os.environ, **bed.env, "LC_ALL": "C.UTF-8"}, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, check=False)
        if done.returncode:
            words = (done.stderr or done.stdout).strip().splitlines()[-3:]
            raise BedError(_absent(f"and `{argv[0]} {argv[1]}` could not get it ({' '.join(words)})"))
        return done.stdout

    with progress.step(f"unpacking Debian's {name} for this user alone"):
        would = run("apt-get", "install", "--simulate", "--no-install-recommends", name)
        run("apt-get", "download", *(line.split()[1] for line in would.splitlines() if line.startswith("Inst ")))
        for archive in target.parent.glob("*.deb"):
            run("dpkg-deb", "-x", archive, target)


def _absent(why: str) -> str:
    return f"no sshd is installed here, {why}. Have the package {_PACKAGE} installed (its service need not run), then try again"
