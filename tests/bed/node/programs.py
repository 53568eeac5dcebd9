"""The programs of a node: Kubernetes' own, of the control plane's version, and CoreDNS, which is built with few of its plugins."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from bed import packages
from bed.controlplane import binaries, versions
from bed.controlplane.binaries import Binaries
from bed.controlplane.gobuild import Module
from bed.state import Bed

MODULE = Path(__file__).parent / "coredns"
PACKAGES = ("containerd", "runc", "containernetworking-plugins", "iptables", "iproute2")
"""Debian's, installed when they are missing."""

_OURS = {"coredns": ".", "pause": "./pause"}
_KUBERNETES = ("kube-scheduler", "kubelet", "kube-proxy")


@dataclass(frozen=True, slots=True)
class Programs:
    """All that runs on a node and does not come from Debian."""

    control_plane: Binaries
    kube_scheduler: Path
    kubelet: Path
    kube_proxy: Path
    coredns: Path
    pause: Path   # not run on the node itself: it is the one file of an image


def ensure(bed: Bed) -> Programs:
    """All programs, fetched or built if need be: after those of a control plane about four minutes on two cores, once.

    Raises:
        BedError: one of them cannot be had.
    """
    control_plane = binaries.ensure(bed)
    kubernetes, ours = binaries.provide(_KUBERNETES, bed), binaries.provide_from(_source(), [*_OURS], bed)
    return Programs(control_plane, *(kubernetes[name] for name in _KUBERNETES), *(ours[name] for name in _OURS))


def ensure_packages() -> None:
    """Raises:
    BedError: Debian's packages are missing and cannot be installed.
    """
    packages.ensure(*PACKAGES)


def _source() -> binaries.Source:
    text = b"".join(path.read_bytes() for path in sorted(MODULE.rglob("*.go")))
    version = versions.required(MODULE, "github.com/coredns/coredns")
    bundle = f"coredns-{version}-{hashlib.sha256(text).hexdigest()[:8]}-linux-{versions.machine()}"
    return binaries.Source(bundle, Module(MODULE, _OURS.__getitem__, dict), None)
