"""kube-rbac-proxy: the proxy before the metrics of examples/04-metrics. The Go module beside this file pins its version."""

from pathlib import Path

from bed.controlplane import binaries, versions
from bed.controlplane.gobuild import Module
from bed.node import images
from bed.state import Bed

MODULE = Path(__file__).parent
NAME = "kube-rbac-proxy"
_PACKAGE = "github.com/brancz/kube-rbac-proxy"


def image() -> str:
    """The name by which its project publishes the image of this version."""
    return f"quay.io/brancz/{NAME}:{versions.required(MODULE, _PACKAGE)}"


def archive(bed: Bed, target: Path) -> None:
    """Writes an image of that name with the program, which is built if need be: three minutes, once. A build ends with the bed.

    Raises:
        BedError: it cannot be had; the message has Go's last words.
    """
    module = Module(MODULE, lambda name: f"{_PACKAGE}/cmd/{name}", dict)
    source = binaries.Source(f"{NAME}-{versions.required(MODULE, _PACKAGE)}-linux-{versions.machine()}", module, None)
    images.archive(target, image(), {NAME: binaries.provide_from(source, [NAME], bed)[NAME]}, [f"/{NAME}"])
