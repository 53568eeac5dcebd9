"""What an image is made of: the files that the Dockerfile copies, as `.dockerignore` lets them through. Pure but for reading files."""

import hashlib
import tomllib
from collections.abc import Iterable
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[3]
_LEFT_OUT = ("__pycache__", ".egg-info")


def digest(*more: str) -> str:
    """A short digest of every byte that can change the image, and of `more`."""
    known = hashlib.sha256(repr(more).encode())
    for path in files():
        content = path.read_bytes()
        known.update(f"{path.relative_to(CHECKOUT)} {path.stat().st_mode & 0o111:o} {len(content)}\n".encode() + content)
    return known.hexdigest()[:12]


def files() -> list[Path]:
    """The Dockerfile, `.dockerignore`, and all files that it does not keep out, sorted."""
    named = [CHECKOUT / line[1:] for line in (CHECKOUT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line.startswith("!")]
    return sorted({CHECKOUT / "Dockerfile", CHECKOUT / ".dockerignore", *_below(named)})


def version() -> str:
    """The project's version."""
    project: str = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    return project


def _below(places: Iterable[Path]) -> Iterable[Path]:
    for place in places:
        for path in place.rglob("*") if place.is_dir() else [place]:
            if path.is_file() and not any(part.endswith(_LEFT_OUT) for part in path.relative_to(CHECKOUT).parts):
                yield path
