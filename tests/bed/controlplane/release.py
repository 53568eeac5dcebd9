"""The official release of the control plane's programs, each checked against the checksum that is published beside it."""

import hashlib
import shutil
import socket
import tarfile
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from bed import progress
from bed.controlplane import versions
from bed.errors import BedError

PATIENCE_SECONDS = 15
"""How long a server may be silent, at the connection and between two pieces, before the release is given up."""


@dataclass(frozen=True, slots=True)
class Release:
    """Where the programs of one version are: Kubernetes's one by one, etcd's in an archive."""

    kubernetes_url: str
    etcd_url: str
    etcd_archive: str

    def fetch(self, name: str, target: Path) -> None:
        """Downloads one program to `target` and verifies it.

        Raises:
            BedError: the server's name does not resolve, it does not answer, or the checksum differs (then nothing is left at `target`).
        """
        url = f"{self.etcd_url}/{self.etcd_archive}" if name == "etcd" else f"{self.kubernetes_url}/{name}"
        require_address(url)
        with progress.step(f"downloading {name} from {urlsplit(url).hostname}"):
            try:
                if name == "etcd":
                    unpack(url, f"{self.etcd_url}/SHA256SUMS", f"{self.etcd_archive.removesuffix('.tar.gz')}/etcd", target)
                else:
                    _download(url, target, _text(url + ".sha256").split()[0])
            except (OSError, tarfile.TarError, LookupError) as error:
                target.unlink(missing_ok=True)
                raise BedError(f"the official release of {name} cannot be had from {url}: {error}") from error


def unpack(url: str, sums_url: str, member: str, target: Path) -> None:
    """Downloads an archive, verifies it against the list of checksums at `sums_url`, and takes one file out of it.

    Raises OSError, tarfile.TarError or LookupError.
    """
    listed = [line.split() for line in _text(sums_url).splitlines()]
    sums = {words[1]: words[0] for words in listed if len(words) == 2}
    archive = target.with_suffix(".tar.gz")
    try:
        _download(url, archive, sums[url.rpartition("/")[2]])
        with tarfile.open(archive) as packed:
            found = packed.extractfile(member)
            if found is None:
                raise tarfile.TarError(f"the archive holds no file {member}")
            with target.open("wb") as file:
                shutil.copyfileobj(found, file)
    finally:
        archive.unlink(missing_ok=True)


def official() -> Release:
    """The release servers of Kubernetes and etcd, for the pinned versions and this machine."""
    etcd, machine = versions.etcd(), versions.machine()
    return Release(
        f"https://dl.k8s.io/release/{versions.kubernetes()}/bin/linux/{machine}",
        f"https://github.com/etcd-io/etcd/releases/download/{etcd}",
        f"etcd-{etcd}-linux-{machine}.tar.gz",
    )


def require_address(url: str) -> None:
    """Gives up at once where there is no way out; behind a proxy it is the proxy that resolves names."""
    address = urlsplit(url)
    if address.scheme in urllib.request.getproxies() or address.hostname is None:
        return
    try:
        socket.getaddrinfo(address.hostname, address.port or 443)
    except OSError as error:
        raise BedError(f"the official release is out of reach: {address.hostname} does not resolve") from error


def _text(url: str) -> str:
    with urllib.request.urlopen(url, timeout=PATIENCE_SECONDS) as answer:
        return str(answer.read(65536).decode())


def _download(url: str, target: Path, checksum: str) -> None:
    digest = hashlib.sha256()
    with urllib.request.urlopen(url, timeout=PATIENCE_SECONDS) as answer, target.open("wb") as file:
        while piece := answer.read(1 << 20):
            digest.update(piece)
            file.write(piece)
    if digest.hexdigest() != checksum.lower():
        target.unlink()
        raise OSError(f"its checksum is {digest.hexdigest()}, published is {checksum}")
