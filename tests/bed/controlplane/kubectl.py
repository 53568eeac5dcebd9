"""Calls of kubectl against one cluster."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from bed.controlplane.commands import SPARING
from bed.errors import BedError

TIMEOUT_SECONDS = 120                # above what a command itself is told to wait for


def call(
    program: Path, kubeconfig: Path, args: tuple[str, ...], *, mark: Mapping[str, str], text: str | None = None, check: bool = True
) -> "subprocess.CompletedProcess[str]":
    """Runs kubectl to its end; `text` goes to its standard input.

    Raises:
        BedError: it fails and `check` is set, or takes longer than two minutes; the message has its own words.
    """
    env = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(kubeconfig.parent), "KUBECONFIG": str(kubeconfig), **SPARING, **mark}
    try:
        done = subprocess.run(
            [program, *args], env=env, input=text or "", capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise BedError(f"`kubectl {' '.join(args)}` did not end within {TIMEOUT_SECONDS} s") from error
    if check and done.returncode:
        raise BedError(f"`kubectl {' '.join(args)}` failed with exit code {done.returncode}: {done.stderr.strip()}")
    return done
