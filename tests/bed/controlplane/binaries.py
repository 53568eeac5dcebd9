"""Where the bed's programs come from, in this order:

1. the folder that `$KUBEBUILDER_ASSETS` names,
2. the cache folder, one for each version and platform,
3. the official release, its checksum verified; given up at once when the name does not resolve,
4. a build with Go from the pinned module.

A program enters the cache by one rename, so an interrupted download or build leaves no half file. One process at a time fetches: the next
one waits, then finds all of it there.
"""

import fcntl
import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from bed import progress
from bed.controlplane import gobuild, release, versions
from bed.errors import BedError
from bed.state import Bed

_PART = ".part"
_PAUSE_SECONDS = 0.2
Fetch = Callable[[str, Path], None]
"""Makes one program by name, at the path given; raises BedError."""


@dataclass(frozen=True, slots=True)
class Binaries:
    """The programs of one control plane."""

    etcd: Path
    kube_apiserver: Path
    kube_controller_manager: Path
    kubectl: Path


def cache() -> Path:
    """`${XDG_CACHE_HOME:-~/.cache}/fairlead/bed`: what is worth keeping between runs."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "fairlead" / "bed"


def ensure(bed: Bed) -> Binaries:
    """All programs, fetched or built if need be: about seven minutes on two cores, once. A build ends with the bed.

    Raises:
        BedError: no source has one of them; the message has the last one's words.
    """
    found = provide(versions.COMMANDS, bed)
    return Binaries(*(found[name] for name in versions.COMMANDS))


def provide(names: Sequence[str], bed: Bed) -> dict[str, Path]:
    """Some of the programs, like `ensure`."""
    return provide_from(Source(versions.bundle(), gobuild.kubernetes(), release.official().fetch), names, bed)


@dataclass(frozen=True, slots=True)
class Source:
    """Where programs of one kind come from when they are not at hand: `fetch` first, if somebody releases them, then a build."""

    bundle: str   # the name of their folder in the cache
    module: gobuild.Module
    fetch: Fetch | None


def provide_from(source: Source, names: Sequence[str], bed: Bed) -> dict[str, Path]:
    """Programs of any kind, like `ensure`."""
    found = at_hand(names, source.bundle)
    folder = cache() / source.bundle
    builder = gobuild.Builder(folder / ".go", bed.env, source.module)
    if len(found) == len(names) and not builder.folder.exists():
        return found
    missing = [name for name in names if name not in found]
    fetches = [source.fetch] if source.fetch else []
    fill(folder, missing, [*fetches, builder.build], bed.folder.exists, builder.discard)
    return at_hand(names, source.bundle)


def at_hand(names: Sequence[str] = versions.COMMANDS, bundle: str = "") -> dict[str, Path]:
    """Those of the programs that need neither network nor build; the control plane's are in the bundle without a name."""
    places = [Path(assets)] if (assets := os.environ.get("KUBEBUILDER_ASSETS")) else []
    places.append(cache() / (bundle or versions.bundle()))
    found: dict[str, Path] = {}
    for name in names:
        for place in places:
            if os.access(place / name, os.X_OK) and (place / name).is_file():
                found[name] = place / name
                break
    return found


def fill(  # `wanted` is asked while another process has the folder; `tidy` is called at a good end, while nobody else has it
    folder: Path, names: Sequence[str], sources: Sequence[Fetch],
    wanted: Callable[[], bool] = lambda: True, tidy: Callable[[], None] = lambda: None,
) -> None:
    """Puts programs into the cache folder, each from the first source that has it; what interrupted runs left there is removed.

    A source that fails once is not asked again.

    Raises:
        BedError: the last source failed too.
    """
    remaining = list(sources)
    with _alone(folder, wanted):
        part = folder / _PART
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir()
        try:
            for name in names:
                if not (folder / name).exists():
                    _fetch(part / name, remaining)
                    _enter(part / name, folder / name)
            tidy()
        finally:
            shutil.rmtree(part, ignore_errors=True)


def _fetch(target: Path, sources: list[Fetch]) -> None:
    while True:
        try:
            return sources[0](target.name, target)
        except BedError as error:
            if len(sources) == 1:
                raise
            progress.say(str(error))
            sources.pop(0)


def _enter(part: Path, target: Path) -> None:
    part.chmod(0o755)
    descriptor = os.open(part, os.O_RDONLY)
    try:
        os.fsync(descriptor)  # a crash of the machine after the rename must not leave an empty file under the final name
    finally:
        os.close(descriptor)
    part.rename(target)


@contextmanager
def _alone(folder: Path, wanted: Callable[[], bool]) -> Iterator[None]:
    """Holds the folder's lock, which the kernel gives back when its holder dies."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        if not _try(lock):
            with progress.step(f"waiting for another process that fills {folder}"):
                while not _try(lock):
                    if not wanted():
                        raise BedError("the bed was closed meanwhile")
                    time.sleep(_PAUSE_SECONDS)
        yield


def _try(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
