"""Debian packages for one user alone: unpacked into the cache folder, and not installed. No root is needed, and no program is changed."""

import os
import platform
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

from bed import progress
from bed.controlplane.binaries import cache, fill
from bed.errors import BedError


def unpacked(package: str, mark: Mapping[str, str], wanted: Callable[[], bool] = lambda: True) -> Path:
    """The folder with the package, and with what is not installed of all that it depends on; got from apt where it is not there yet.

    `mark` goes into the environment of what is started for it; `wanted` is asked while another process gets it.

    Raises:
        BedError: it cannot be had; the message says why, to follow a comma.
    """
    folder = cache() / _system() / package
    if not folder.exists():
        fill(folder.parent, [package], [lambda name, target: _unpack(name, target, mark)], wanted)
    return folder


def _system() -> str:
    """This release of this distribution: what was unpacked goes by the libraries of one (os-release(5))."""
    said = platform.freedesktop_os_release()
    return "-".join((said["ID"], said.get("VERSION_ID") or said.get("VERSION_CODENAME") or "rolling", platform.machine()))


def _unpack(name: str, target: Path, mark: Mapping[str, str]) -> None:
    """The package, and what is not installed of all that it depends on, beside each other in `target`."""
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        raise BedError("and this is no Debian, from which it could be had")
    aside = target.with_name(f"{name}.debs")   # those of one package: another may have been got just before
    aside.mkdir()

    def run(*argv: str | Path) -> str:
        done = subprocess.run(argv, cwd=aside, env={**os.environ, **mark, "LC_ALL": "C.UTF-8"}, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, check=False)
        if done.returncode:
            words = (done.stderr or done.stdout).strip().splitlines()[-3:]
            raise BedError(f"and `{argv[0]} {argv[1]}` could not get it ({' '.join(words)})")
        return done.stdout

    with progress.step(f"unpacking Debian's {name} for this user alone"):
        would = run("apt-get", "install", "--simulate", "--no-install-recommends", name)
        needed = dict.fromkeys([name, *(line.split()[1] for line in would.splitlines() if line.startswith("Inst "))])
        run("apt-get", "download", *needed)
        for archive in aside.glob("*.deb"):
            run("dpkg-deb", "-x", archive, target)
