"""The resource definitions of Prometheus Operator as it publishes them, from its Go module; kept in the cache, checked by their sums."""

import hashlib
import io
import os
import urllib.request
import zipfile
from pathlib import Path
from typing import Final

from bed import progress
from bed.controlplane.binaries import cache, fill
from bed.errors import BedError

VERSION: Final = "v0.85.0"
MODULE: Final = "github.com/prometheus-operator/prometheus-operator"
PUBLIC_PROXY: Final = "https://proxy.golang.org"
PATIENCE_SECONDS: Final = 30
SUMS: Final = {
    "monitoring.coreos.com_podmonitors.yaml": "8ce88c52c51209993511cae093089c9525f5552def88119e3f559123ee9d454b",
    "monitoring.coreos.com_prometheusrules.yaml": "98fd16c9ab79fba8dcd6ef62c957c98cd6546ab74ce0a4ecf09ddf2fda03020e",
}
"""SHA-256 of each file."""


def definitions() -> Path:
    """A folder with the definitions of PodMonitor and PrometheusRule.

    Raises:
        BedError: no proxy of Go's has the module, or a file is not the published one.
    """
    folder = cache() / f"prometheus-operator-{VERSION}"
    missing = [name for name in SUMS if not (folder / name).exists()]
    if missing:
        fill(folder, missing, [_fetch])
    return folder


def _fetch(name: str, target: Path) -> None:
    chosen = os.environ.get("GOPROXY", "").split(",")[0].split("|")[0]
    url = f"{chosen if chosen.startswith('http') else PUBLIC_PROXY}/{MODULE}/@v/{VERSION}.zip"
    with progress.step(f"downloading {name}"):
        try:
            with urllib.request.urlopen(url, timeout=PATIENCE_SECONDS) as answer:
                packed = zipfile.ZipFile(io.BytesIO(answer.read()))
            content = packed.read(f"{MODULE}@{VERSION}/example/prometheus-operator-crd/{name}")
        except (OSError, zipfile.BadZipFile, KeyError) as error:
            raise BedError(f"{name} cannot be had from {url}: {error}") from error
    if (found := hashlib.sha256(content).hexdigest()) != SUMS[name]:
        raise BedError(f"{url}: the SHA-256 of {name} is {found}, published is {SUMS[name]}")
    target.write_bytes(content)
