"""Where an sshd comes from for somebody who is not root: the machine's own, else Debian's package, unpacked into the cache folder.

Unpacked is all that it is: nothing is installed, and no service starts.
"""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from bed.errors import BedError
from bed.state import Bed
from bed.unpacked import unpacked

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
    try:
        folder = unpacked(_PACKAGE, bed.env, bed.folder.exists)
    except BedError as error:
        raise BedError(_absent(str(error))) from error
    helpers = {option: folder / "usr/lib/openssh" / name for option, name in _HELPERS.items()}
    libraries = sorted({str(each.parent) for each in folder.rglob("*.so*")})
    return Sshd(folder / "usr/sbin/sshd", {"LD_LIBRARY_PATH": ":".join(libraries)} if libraries else {},
                tuple(f"{option} {path}" for option, path in helpers.items() if path.exists()))


def _absent(why: str) -> str:
    return f"no sshd is installed here, {why}. Have the package {_PACKAGE} installed (its service need not run), then try again"
