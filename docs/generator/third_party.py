"""The page of third-party licences: what the image has besides Fairlead, from uv.lock and from what each package says of itself."""

import subprocess
import sys
from importlib.metadata import metadata
from pathlib import Path

from packaging.requirements import Requirement

from generator.markdown import code, table

IMAGE_PLATFORM = {"python_full_version": "3.13.0", "python_version": "3.13", "sys_platform": "linux", "platform_system": "Linux",
                  "platform_python_implementation": "CPython", "implementation_name": "cpython", "os_name": "posix"}
"""The image's Python and system, which a lock file's markers ask for."""
INTRODUCTION = """# Third-party licences

Fairlead is under the Apache License 2.0. Its image has these Python packages besides, as `uv.lock` names them, each as its authors publish
it. The texts of their licences are in the image, below `/opt/fairlead/lib/python3.13/site-packages/*.dist-info`, and their versions in
`/usr/share/doc/fairlead/sbom.cdx.json`. What the image has of Debian, Python among it, has its licences in `/usr/share/doc/*/copyright`.

Where a package leaves the choice, as asyncssh does with EPL-2.0 or GPL-2.0-or-later, Fairlead uses it under the first one named.
"""
_ROOT = Path(__file__).resolve().parents[2]
_INSTALLED = ("--locked", "--no-default-groups", "--extra", "traces")   # as image/dependencies.sh has it
_EXPORT = ("export", "--quiet", *_INSTALLED, "--no-emit-project", "--no-hashes", "--no-annotate", "--no-header")


def page() -> str:
    """The whole page."""
    return f"{INTRODUCTION}\n{table(['Package', 'Licence'], [[code(name), licence(name)] for name in packages()])}"


def packages() -> list[str]:
    """The names of all packages that the image installs, sorted."""
    uv = Path(sys.executable).with_name("uv")
    said = subprocess.run([uv, *_EXPORT], cwd=_ROOT, capture_output=True, text=True, check=True).stdout  # noqa: S603
    wanted = map(Requirement, filter(None, said.splitlines()))
    return sorted(each.name for each in wanted if each.marker is None or each.marker.evaluate(dict(IMAGE_PLATFORM)))


def licence(name: str) -> str:
    """What an installed package says of its licence, as an SPDX expression where it gives one.

    Raises:
        ValueError: it says nothing, so somebody has to look.
    """
    said = metadata(name).json
    words = str(said.get("license_expression") or said.get("license") or "")
    if not words or "\n" in words:
        raise ValueError(f"{name} names no licence in one line: look at it, and say here what it is under")
    return words
