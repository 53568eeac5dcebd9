"""A process that runs one program and keeps whatever this leaves below itself, whoever of it dies. Standard library only.

sshd overwrites its environment to set its title, and gives its sessions a new one, so the bed's mark is lost on all of them. Where there is
no namespace to know them by, they are known by their place in the tree of processes; this one sees to it that they stay there: a process
whose parent has ended becomes the child of its nearest ancestor that asked for it (prctl(2), PR_SET_CHILD_SUBREAPER) and not of init.
"""

import ctypes
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36
_START = "import sys; sys.path.insert(0, sys.argv.pop(1)); from bed.adoption import main; main()"


def argv(program: Sequence[str | Path]) -> list[str | Path]:
    """The command line that runs `program` so. It ends when the last process below it has ended."""
    return [sys.executable, "-I", "-S", "-c", _START, Path(__file__).resolve().parents[1], *program]


def main() -> None:
    """The process itself: its arguments are the program's."""
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        sys.exit(f"the kernel does not let processes be adopted: {os.strerror(ctypes.get_errno())}")
    subprocess.Popen(sys.argv[1:])
    with suppress(ChildProcessError):
        while True:
            os.wait()
