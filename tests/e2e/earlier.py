"""The release before this one, kept as it was: its chart, and its program, which is laid over this checkout's image in place of ours.

`python -m e2e.earlier COMMIT` keeps that of another commit; see `before/README.md`.
"""

import hashlib
import io
import json
import lzma
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bed import helm
from bed.image import Image
from bed.image.context import CHECKOUT
from bed.state import Bed

KEPT = Path(__file__).parent / "before"
CHART = KEPT / "chart.tgz"
_PROGRAM = KEPT / "program.tar.xz"
PACKAGE = "operator/fairlead"
_PLACE = "opt/fairlead/lib/python3.13/site-packages/fairlead"
_HIDES_WHAT_IS_BELOW = ".wh..wh..opq"   # the OCI image specification, layer.md


def known(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the settings that the earlier chart knows."""
    with tarfile.open(CHART) as chart:
        schema = json.loads(_content(chart, "fairlead/values.schema.json"))["properties"]["settings"]
    return _known(settings, schema)


def _known(settings: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    there = schema.get("properties", {})
    return {name: _known(value, there[name]) if isinstance(value, Mapping) else value for name, value in settings.items() if name in there}


def image(current: Image, archive: Path) -> Image:
    """An image like `current` in which the earlier program runs, written to `archive`."""
    return again(current, archive, f"{current.name}-before", _layer())


def again(image: Image, archive: Path, name: str, layer: bytes = b"") -> Image:
    """The same image under another name, with a layer on top if one is given."""
    with tarfile.open(image.archive) as old, tarfile.open(archive, "w") as new:
        [manifest] = json.loads(_content(old, "manifest.json"))
        config = json.loads(_content(old, manifest["Config"]))
        for member in old:
            if member.name not in {"manifest.json", "repositories", manifest["Config"]}:
                new.addfile(member, old.extractfile(member) if member.isfile() else None)
        manifest["RepoTags"] = [name]
        if layer:
            digest = hashlib.sha256(layer).hexdigest()
            config["rootfs"]["diff_ids"].append(f"sha256:{digest}")
            config["history"].append({"created_by": "the program of an earlier release"})
            manifest["Layers"].append(f"{digest}.tar")
            _add(new, f"{digest}.tar", layer)
        written = json.dumps(config).encode()
        manifest["Config"] = f"{hashlib.sha256(written).hexdigest()}.json"
        _add(new, manifest["Config"], written)
        _add(new, "manifest.json", json.dumps([manifest]).encode())
    return Image(archive, name)


def program() -> bytes:
    """The earlier package as `git archive` writes it: a tar archive."""
    return lzma.decompress(_PROGRAM.read_bytes())


def _layer() -> bytes:
    """A layer of an image in which the earlier program's package is all that the package is."""
    made = io.BytesIO()
    with tarfile.open(fileobj=io.BytesIO(program())) as kept, tarfile.open(fileobj=made, mode="w") as layer:
        _add(layer, f"{_PLACE}/{_HIDES_WHAT_IS_BELOW}", b"")
        for member in kept:
            if member.name.startswith(f"{PACKAGE}/"):
                content = kept.extractfile(member) if member.isfile() else None
                member.name, member.uid, member.gid = f"{_PLACE}{member.name.removeprefix(PACKAGE)}", 0, 0
                member.uname = member.gname = ""
                member.mode |= 0o755 if member.isdir() else 0o444
                layer.addfile(member, content)
    return made.getvalue()


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    archive.addfile(member, io.BytesIO(content))


def _content(archive: tarfile.TarFile, name: str) -> bytes:
    file = archive.extractfile(name)
    assert file is not None, f"the image's archive has no file {name}"
    return file.read()


def exported(commit: str, path: str) -> bytes:
    """A folder of a commit of this repository as a tar archive, with the commit's name in its head.

    Raises:
        CalledProcessError: the repository is not here, or not with so much of its history.
    """
    return subprocess.run(["git", "archive", commit, path], cwd=CHECKOUT, capture_output=True, check=True).stdout


def keep(commit: str) -> None:
    """Keeps chart and program of a commit of this repository."""
    _PROGRAM.write_bytes(lzma.compress(exported(commit, PACKAGE), preset=9 | lzma.PRESET_EXTREME))
    with Bed.create("an earlier release") as bed, TemporaryDirectory() as folder:
        with tarfile.open(fileobj=io.BytesIO(exported(commit, "charts/fairlead"))) as archive:
            archive.extractall(folder, filter="data")
        subprocess.run([helm.ensure(bed), "package", "charts/fairlead"], cwd=folder, check=True)
        [packed] = Path(folder).glob("*.tgz")
        CHART.write_bytes(packed.read_bytes())


if __name__ == "__main__":
    keep(*sys.argv[1:])
