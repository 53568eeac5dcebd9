"""The build of the image, and its place in the cache: one archive for each content of the checkout."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from bed import packages, progress
from bed.controlplane.binaries import cache, fill
from bed.errors import BedError
from bed.image import bases, context
from bed.image.buildah import Buildah
from bed.state import Bed, require_root

NAME = "localhost/fairlead"
TIMESTAMP = "1767225600"
"""Times in the image, in seconds since 1970: those of a release are its commit's."""
KEPT = 6
"""Archives of earlier checkouts that stay in the cache."""
_LAYERS_KEPT = 150   # of earlier builds; each has about 25, most of them without files
_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")


@dataclass(frozen=True, slots=True)
class Image:
    """A built image: a docker-archive, and the name and tag in it. Another content has another tag: no node takes an old one for it."""

    archive: Path
    name: str


def ensure(bed: Bed) -> Image:
    """The image of this checkout, built if need be: two minutes the first time, half a minute after a change of the code, else nothing.

    Raises:
        BedError: not root, or it cannot be built; the message has the build's last words.
    """
    name = _name()
    image = Image(folder() / f"{name.rpartition('/')[2].replace(':', '-')}.tar", name)
    if not image.archive.exists():
        require_root()
        packages.ensure("buildah", "mmdebstrap", "debian-archive-keyring")
        fill(folder(), [image.archive.name], [lambda _, target: _into(bed, image.name, target)], bed.folder.exists, _tidy)
    image.archive.touch()
    return image


def build(bed: Bed, archive: Path, *, anew: bool = False) -> Image:
    """Builds the image into an archive of the caller's; `anew`: the program is built, installed and compiled again, its packages may stay.

    Raises:
        BedError: see `ensure`.
    """
    require_root()
    packages.ensure("buildah", "mmdebstrap", "debian-archive-keyring")
    name, aside = _name(), folder() / f"again-{bed.id}.tar"
    fill(folder(), [aside.name], [lambda _, target: _into(bed, name, target, anew=anew)], bed.folder.exists, _tidy)   # under its lock
    archive.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(aside, archive)
    return Image(archive, name)


def folder() -> Path:
    """Where archives and buildah's storage are kept."""
    return cache() / "images"


def _name() -> str:
    return f"{NAME}:{context.digest(bases.recipe(), TIMESTAMP)}"


def _into(bed: Bed, name: str, target: Path, *, anew: bool = False) -> None:
    buildah = Buildah.open(folder() / "storage", bed.folder / "buildah", bed.env)
    bases.ensure(buildah)
    build_base, runtime_base = bases.names()
    facts = {"BUILD_BASE": build_base, "RUNTIME_BASE": runtime_base, "VERSION": context.version(), "SOURCE_DATE_EPOCH": TIMESTAMP}
    if anew:
        facts["AGAIN"] = bed.id
    lent = ("--volume", f"{_CERTIFICATES}:{_CERTIFICATES}:ro") if _CERTIFICATES.exists() else ()   # of a proxy that signs TLS anew
    with progress.step("building the image"):
        buildah.call("bud", "--quiet", "--layers", "--pull-never", "--isolation", "chroot", "--network", "host",
                     *buildah.policy, *lent, "--timestamp", TIMESTAMP, *(f"--build-arg={key}={value}" for key, value in facts.items()),
                     "--tag", name, context.CHECKOUT)
        if name != _name():
            raise BedError("the checkout has changed while the image was built from it: try again")
        buildah.export(name, target)
    if len(buildah.call("images", "--all", "--quiet").split()) > _LAYERS_KEPT:
        buildah.call("rmi", "--force", *(each for each in buildah.call("images", "--format", "{{.Name}}:{{.Tag}}").split()
                                         if each.startswith(f"{NAME}:")))
        buildah.call("rmi", "--prune")


def _tidy() -> None:
    """Archives that have not been asked for lately go."""
    archives = sorted(folder().glob("*.tar"), key=lambda path: path.stat().st_mtime)
    for old in archives[:-KEPT]:
        old.unlink()
