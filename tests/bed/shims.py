"""Commands on the login node that answer in place of the real ones: slow, failing or lying."""

import os
import shlex
from pathlib import Path

from bed.errors import BedError

_PLACES = ("usr/bin", "usr/sbin", "bin", "sbin")


def shim(folder: Path, root: Path, command: str, script: str) -> None:
    """Puts a shell script in front of a command; in it `$REAL` is the real command's path.

    It lies in /usr/local/bin, which both sshd's and every login shell's PATH have first. Raises BedError if there is no such command.
    """
    real = next((f"/{place}/{command}" for place in _PLACES if os.path.lexists(root / place / command)), None)
    if real is None:
        raise BedError(f"no command {command!r} on the login node to put a shim before (looked in {', '.join(_PLACES)})")
    target = folder / "shims" / command
    aside = folder / f".{command}.shim"
    aside.write_text(f"#!/bin/sh\nREAL={shlex.quote(real)}\n{script.rstrip()}\n")
    aside.chmod(0o755)
    aside.rename(target)  # whole or not at all, for a command that starts right now


def unshim(folder: Path, command: str) -> None:
    """Takes a shim away; the real command answers again."""
    (folder / "shims" / command).unlink(missing_ok=True)
