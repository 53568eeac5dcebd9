"""The shells, and the commands beside them, that scripts are tested with: found and proved once, so that no other of this machine is met.

A folder of links is all that a script finds in its PATH. A host may have a Slurm, shims, or a busybox whose shell runs its own commands and
never looks into PATH, as that of Debian's `busybox-static` does: what a test puts in a command's place would not be met there.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

from bed.errors import BedError
from bed.unpacked import unpacked

SHELLS: Final = ("dash", "bash", "busybox")
COMMANDS: Final = (
    "awk", "basename", "cat", "chmod", "cp", "cut", "date", "dd", "dirname", "env", "expr", "false", "find", "grep", "head", "hostname",
    "id", "kill", "ln", "ls", "mkdir", "mkfifo", "mktemp", "mv", "nproc", "od", "printf", "readlink", "rm", "rmdir", "sed", "setsid",
    "sha256sum", "sleep", "sort", "stat", "tail", "test", "timeout", "touch", "tr", "true", "uname", "wc",
)
"""What a login node has. None of them is a scheduler's, and none could start something outside of a test."""
_MOSTLY: Final = ("flock",)
"""What one with Debian's busybox alone lacks."""
_SYSTEM: Final = "/usr/bin:/bin:/usr/sbin:/sbin"   # not /usr/local, and nothing of the caller's PATH
_PROOF: Final = 'sleep 0; readlink "/proc/$$/exe"; echo "${BASH_VERSION:+bash}"'
_MET: Final = "the one in front of PATH"


def furnish(folder: Path, shell: str) -> None:
    """Make a folder with `sh` and the commands: the system's own, or busybox's where it is the shell.

    Raises BedError for what is not to be had.
    """
    program = shell_program(shell)
    (folder / "sh").symlink_to(program)
    for name in COMMANDS if shell == "busybox" else (*COMMANDS, *_MOSTLY):
        (folder / name).symlink_to(program if shell == "busybox" else _command(name))


@cache
def shell_program(shell: str) -> Path:
    """The machine's own shell of this name, if it is what it is called and can be tested; else Debian's, unpacked into the cache.

    Raises BedError where neither is to be had.
    """
    why = "it is not installed"
    for path in _candidates(shell):
        if not (why := lacks(path, shell)):
            return path
    raise BedError(f"no {shell} to test scripts with: {why}. Have Debian's package {shell} installed, then try again")


def _candidates(shell: str) -> Iterator[Path]:
    if installed := shutil.which(shell, path=_SYSTEM):
        yield Path(installed)
    try:
        folder = unpacked(shell, {})
    except BedError as error:
        raise BedError(f"no {shell} to test scripts with is installed here, {error}") from error
    yield from (path for place in ("bin", "usr/bin") if (path := folder / place / shell).exists())


def lacks(path: Path, shell: str) -> str:
    """What keeps it from being tested; nothing if it can be."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "sh").symlink_to(path)
        (folder / "sleep").write_text(f"#!/bin/sh\necho {_MET}\n")
        (folder / "sleep").chmod(0o755)
        said = subprocess.run([folder / "sh", "-c", _PROOF], env={"PATH": f"{folder}:{_SYSTEM}"}, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, check=False).stdout.splitlines()
    real = Path(os.path.realpath(path))
    if not real.name.startswith(shell) or said != [_MET, str(real), "bash" if shell == "bash" else ""]:
        return f"{path} is another shell, or runs commands of its own that are in no folder of PATH (it said {said})"
    if shell == "busybox":
        listed = subprocess.run([path, "--list"], capture_output=True, text=True, check=False).stdout.split()
        if missing := [command for command in (*COMMANDS, "sh") if command not in listed]:
            return f"{path} has no {', '.join(missing)}"
    return ""


@cache
def _command(name: str) -> str:
    found = shutil.which(name, path=_SYSTEM)
    if found is None:
        raise BedError(f"no {name} in {_SYSTEM} to test scripts with")
    return found
