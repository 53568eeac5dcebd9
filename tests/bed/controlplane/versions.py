"""Which programs the control plane is made of, and in which versions: read from the Go module that pins them."""

import platform
import re
from pathlib import Path

from bed.errors import BedError

MODULE = Path(__file__).parent
COMMANDS = ("etcd", "kube-apiserver", "kube-controller-manager", "kubectl")
_MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}


def kubernetes() -> str:
    """The version of Kubernetes, like "v1.34.4"."""
    return required(MODULE, "k8s.io/kubernetes")


def etcd() -> str:
    """The version of etcd, like "v3.6.4"."""
    return required(MODULE, "go.etcd.io/etcd/server/v3")


def machine() -> str:
    """This machine's architecture in Go's words.

    Raises:
        BedError: nobody releases the programs for it.
    """
    try:
        return _MACHINES[platform.machine()]
    except KeyError:
        raise BedError(f"the bed's programs run on {' and '.join(_MACHINES)}, this machine is {platform.machine()}") from None


def bundle() -> str:
    """The name of the folder that holds these very programs in the cache."""
    return f"{kubernetes()}-etcd-{etcd()}-linux-{machine()}"


def required(folder: Path, module: str) -> str:
    """Which version of a module the go.mod in a folder requires.

    Raises:
        BedError: none.
    """
    pinned = re.search(rf"^(?:require)?\s*{re.escape(module)} (v\S+)", (folder / "go.mod").read_text(), re.MULTILINE)
    if pinned is None:
        raise BedError(f"{folder / 'go.mod'} does not require {module}")
    return pinned[1]
