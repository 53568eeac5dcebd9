"""Jupyter Server on a host of the bed: from PyPI, in the versions and with the hashes of the file beside this one.

That file is made, in this folder, by

    uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate requirements.in -o requirements.txt
"""

import hashlib
import os
import shutil
import sys
from functools import partial
from pathlib import Path

from bed import progress
from bed.controlplane import versions
from bed.controlplane.binaries import cache, fill
from bed.login import LoginNode
from bed.slurmconf import INSIDE

REQUIREMENTS = Path(__file__).parent / "requirements.txt"
_FOLDER = "jupyter"
_STARTER = f"""#!/bin/sh
PYTHONPATH={INSIDE}/{_FOLDER} exec python3 -m jupyter_server "$@"
"""


def install(node: LoginNode) -> None:
    """Puts `jupyter-server` into each user's PATH there. What it needs is fetched into the cache, once: 33 MB.

    Raises:
        BedError: it cannot be had; the message has uv's last words.
    """
    python = node.run("python3", "-c", "import sys; print(*sys.version_info[:2], sep='.')").stdout.strip()
    pinned = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:12]
    bundle = cache() / f"jupyter-{pinned}-python{python}-linux-{versions.machine()}"
    if not (bundle / _FOLDER).exists():
        fill(bundle, [_FOLDER], [partial(_fetch, python=python)], node.bed.folder.exists)
    shutil.copytree(bundle / _FOLDER, node.folder / _FOLDER, copy_function=_linked)
    node.write(f"shims/{_FOLDER}-server", _STARTER, mode=0o755)


def _fetch(_name: str, target: Path, python: str) -> None:
    uv = Path(sys.prefix) / "bin" / "uv"
    progress.run("fetching Jupyter Server from PyPI (once)", [
        uv, "pip", "install", "--quiet", "--no-config", "--target", target, "--python-version", python, "--python-platform", "linux",
        "--only-binary", ":all:", "--require-hashes", "--requirement", REQUIREMENTS], env={**os.environ, "TMPDIR": str(target.parent)})


def _linked(source: str, target: str) -> None:
    """The same file under another name, where that can be: it is only read."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
