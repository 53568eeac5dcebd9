"""Images without a registry: an archive as `docker save` writes it, of a few files."""

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from bed.controlplane import versions

PAUSE = "localhost/pause:1"


def archive(target: Path, name: str, files: Mapping[str, Path], entrypoint: Sequence[str], *, user: str = "65535:65535",
            links: Mapping[str, str] | None = None) -> None:
    """Writes an image of one layer. `files` are paths inside the image and the programs to put there; `links` point to them."""
    layer = _layer(files, links or {})
    digest = hashlib.sha256(layer).hexdigest()
    config = json.dumps({
        "architecture": versions.machine(), "os": "linux", "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]},
        "config": {"Entrypoint": [*entrypoint], "User": user, "Env": ["PATH=/bin"]},
    }).encode()
    config_name = f"{hashlib.sha256(config).hexdigest()}.json"
    manifest = json.dumps([{"Config": config_name, "RepoTags": [name], "Layers": ["layer.tar"]}]).encode()
    with tarfile.open(target, "w") as whole:
        for path, content in (("layer.tar", layer), (config_name, config), ("manifest.json", manifest)):
            _add(whole, path, content)


def _layer(files: Mapping[str, Path], links: Mapping[str, str]) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as layer:
        for folder in sorted({str(Path(path).parent) for path in (*files, *links)} - {"."}):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            layer.addfile(entry)
        for path, source in files.items():
            _add(layer, path, source.read_bytes(), mode=0o755)
        for path, there in links.items():
            entry = tarfile.TarInfo(path)
            entry.type, entry.linkname = tarfile.SYMTYPE, there
            layer.addfile(entry)
    return made.getvalue()


def _add(archive: tarfile.TarFile, path: str, content: bytes, *, mode: int = 0o644) -> None:
    entry = tarfile.TarInfo(path)
    entry.size, entry.mode = len(content), mode
    archive.addfile(entry, io.BytesIO(content))
