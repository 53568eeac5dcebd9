"""The shell that runs at the far end, in files: POSIX sh with coreutils and awk, the same under dash, bash and busybox.

Here belong the scripts and how they are joined into one text to send: `common/` has what all schedulers share, `slurm/` and `host/` have
their parts. What goes into their variables, and what their answers mean, is a scheduler's.
"""

import hashlib
from collections.abc import Mapping
from importlib import resources
from shlex import quote
from types import MappingProxyType
from typing import Final

_TEXTS: Final[Mapping[str, str]] = MappingProxyType({
    f"{folder}/{file.name.removesuffix('.sh')}": file.read_text(encoding="utf-8")
    for folder in ("common", "slurm", "host")
    for file in resources.files(__name__).joinpath(folder).iterdir() if file.name.endswith(".sh")
})

_PRELUDE: Final = f"US='\x1f'\n{_TEXTS['common/prelude']}"

WRAPPER: Final = _TEXTS["common/wrapper"]
"""What runs in the place of the user's script, and runs that."""
ENTER: Final = _TEXTS["common/enter"]
"""The last step between the login shell and the user's script."""
LIBRARY: Final = _PRELUDE + _TEXTS["host/host"]
"""What the next two read on a bare host."""
RUNNER: Final = _TEXTS["host/runner"]
"""What sees a Run through on a bare host."""
KEEPER: Final = _TEXTS["host/keeper"]
"""What holds its slots there."""


def build(*texts: str) -> str:
    """Name files by their content: a Run that waits finds the ones it was submitted with."""
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:16]


def program(variables: Mapping[str, str], *scripts: str, calls: str = "") -> str:
    """One text: variables, the prelude, the named scripts and then `calls`, all in one pair of braces.

    A cut connection leaves the brace open, which is a syntax error, so that half a program never runs. Values must not hold NUL.
    """
    assignments = "\n".join(f"{name}={quote(value)}" for name, value in variables.items())
    return "\n".join(("{", assignments, _PRELUDE, *(_TEXTS[name] for name in scripts), calls, "}"))
