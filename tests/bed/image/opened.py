"""A built image, looked into: what its configuration says, and its files, unpacked into a folder."""

import json
import subprocess
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bed.errors import BedError
from bed.image.build import Image


@dataclass(frozen=True, slots=True)
class Opened:
    """An image whose layers lie unpacked over each other in `root`."""

    config: Mapping[str, Any]
    """As the OCI image specification has it (config.md)."""
    layers: tuple[str, ...]
    """The digests of its layers, unpacked; the lowest first."""
    size_bytes: int
    """Of all layers, unpacked."""
    root: Path


def opened(image: Image, root: Path) -> Opened:
    """Unpacks an image into an empty folder that is made for it.

    Raises:
        BedError: a layer cannot be unpacked, or takes away files of a lower one, which this does not know.
    """
    root.mkdir(parents=True)
    with tarfile.open(image.archive) as archive:
        [manifest] = json.loads(_content(archive, "manifest.json"))
        config = json.loads(_content(archive, manifest["Config"]))
        names = [Path(layer).name for layer in manifest["Layers"]]
        for name in manifest["Layers"]:
            archive.extract(name, root.parent, filter="data")
    size = 0
    for name in names:
        layer = root.parent / name
        size += layer.stat().st_size
        with tarfile.open(layer) as content:
            if gone := [each for each in content.getnames() if Path(each).name.startswith(".wh.")]:
                raise BedError(f"the image's layer {name} takes {gone[0]} away from the one below")
        subprocess.run(["tar", "-C", root, "--numeric-owner", "-xpf", layer], check=True)
        layer.unlink()
    return Opened(config, tuple(config["rootfs"]["diff_ids"]), size, root)


def _content(archive: tarfile.TarFile, name: str) -> bytes:
    file = archive.extractfile(name)
    if file is None:
        raise BedError(f"the image's archive has no file {name}")
    return file.read()
