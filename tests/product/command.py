"""`fairlead` as a person calls it: a process that knows a kubeconfig, and has no home."""

import os
import subprocess
import sys
from pathlib import Path


def argv(*args: str) -> list[str]:
    """Its command line."""
    return [sys.executable, "-m", "fairlead", *args]


def environment(kubeconfig: Path) -> dict[str, str]:
    """What it is given."""
    known = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    return known | {"HOME": "/nonexistent", "KUBECONFIG": str(kubeconfig)}


def fairlead(*args: str, kubeconfig: Path) -> "subprocess.CompletedProcess[bytes]":
    """It has run, and said what it says; how it ended is for the test to judge."""
    return subprocess.run(argv(*args), capture_output=True, timeout=150, check=False, env=environment(kubeconfig))
