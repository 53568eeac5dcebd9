"""actionlint: checks the workflows of public CI. The Go module beside this file pins its version."""

from pathlib import Path

from bed.controlplane import binaries, versions
from bed.controlplane.gobuild import Module
from bed.state import Bed

MODULE = Path(__file__).parent
_PACKAGE = "github.com/rhysd/actionlint"


def version() -> str:
    """The version, like "v1.7.11"."""
    return versions.required(MODULE, _PACKAGE)


def ensure(bed: Bed) -> Path:
    """The program `actionlint`, built if need be: half a minute, once. A build ends with the bed.

    Raises:
        BedError: it cannot be had; the message has Go's last words.
    """
    module = Module(MODULE, lambda name: f"{_PACKAGE}/cmd/{name}", lambda: {f"{_PACKAGE}.version": version()})
    source = binaries.Source(f"actionlint-{version()}-linux-{versions.machine()}", module, None)
    return binaries.provide_from(source, ["actionlint"], bed)["actionlint"]
