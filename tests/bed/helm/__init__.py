"""Helm: the program that people install the chart with. The Go module beside this file pins its version."""

import os
import subprocess
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from bed import progress
from bed.controlplane import binaries, versions
from bed.controlplane.gobuild import Module
from bed.controlplane.release import require_address, unpack
from bed.errors import BedError
from bed.state import Bed

MODULE = Path(__file__).parent
_RELEASES = "https://get.helm.sh"


def version() -> str:
    """The version, like "v3.19.2"."""
    return versions.required(MODULE, "helm.sh/helm/v3")


def ensure(bed: Bed) -> Path:
    """The program `helm`, fetched or built if need be: about two minutes on two cores, once. A build ends with the bed.

    Raises:
        BedError: it cannot be had; the message has Go's last words.
    """
    return binaries.provide_from(_source(), ["helm"], bed)["helm"]


def _source() -> binaries.Source:
    bundle = f"helm-{version()}-linux-{versions.machine()}"
    return binaries.Source(bundle, Module(MODULE, lambda name: f"helm.sh/helm/v3/cmd/{name}", _symbols), Release(_RELEASES, bundle).fetch)


@dataclass(frozen=True, slots=True)
class Release:
    """The official release of one version."""

    url: str
    name: str   # of the archive, without its ending

    def fetch(self, name: str, target: Path) -> None:
        """Downloads it to `target` and verifies it.

        Raises:
            BedError: the server's name does not resolve, it does not answer, or the checksum differs (then nothing is left at `target`).
        """
        url = f"{self.url}/{self.name}.tar.gz"
        require_address(url)
        with progress.step(f"downloading {name} from {urlsplit(url).hostname}"):
            try:
                unpack(url, f"{url}.sha256sum", f"linux-{versions.machine()}/{name}", target)
            except (OSError, tarfile.TarError, LookupError) as error:
                target.unlink(missing_ok=True)
                raise BedError(f"the official release of {name} cannot be had from {url}: {error}") from error


def _symbols() -> Mapping[str, str]:
    """Charts ask for Helm's version, and for that of its Kubernetes client where they are rendered without a cluster."""
    major, minor, _ = versions.required(MODULE, "k8s.io/client-go").removeprefix("v").split(".", 2)
    return {"helm.sh/helm/v3/internal/version.version": version(),
            "helm.sh/helm/v3/pkg/lint/rules.k8sVersionMajor": str(int(major) + 1), "helm.sh/helm/v3/pkg/lint/rules.k8sVersionMinor": minor,
            "helm.sh/helm/v3/pkg/chartutil.k8sVersionMajor": str(int(major) + 1), "helm.sh/helm/v3/pkg/chartutil.k8sVersionMinor": minor}


def call(
    program: Path, kubeconfig: Path, args: Sequence[str], *, mark: Mapping[str, str], check: bool = True, timeout_seconds: float = 180,
) -> "subprocess.CompletedProcess[str]":
    """Runs Helm against a cluster, to its end; what it keeps is kept beside the kubeconfig.

    Raises:
        BedError: it fails and `check` is set, or takes too long; the message has its own words.
    """
    env = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(kubeconfig.parent), "KUBECONFIG": str(kubeconfig), **mark}
    try:
        done = subprocess.run([program, *args], env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout_seconds,
                              check=False)
    except subprocess.TimeoutExpired as error:
        raise BedError(f"`helm {' '.join(args)}` did not end within {timeout_seconds:.0f} s") from error
    if check and done.returncode:
        raise BedError(f"`helm {' '.join(args)}` failed with exit code {done.returncode}: {done.stderr.strip()}")
    return done
