"""Look-alikes of the two public bases, made of the same Debian release's packages where no registry can be reached.

The one for the build is a small Debian with Python, as `python:3.13-slim-trixie` is. The one that the program runs on has what the
distroless Python has: single packages unpacked, without a shell, without a package manager, and a user `nonroot`.
"""

import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path

from bed import progress
from bed.archive import KEYRING, apt_options, archive_urls
from bed.errors import BedError
from bed.image.buildah import Buildah
from bed.rootmaking import last_words

SUITE = "trixie"
BUILD_PACKAGES = ("ca-certificates", "python3", "python3-venv")
RUNTIME_PACKAGES = (
    "base-files", "netbase", "tzdata", "libc6", "libgcc-s1", "libstdc++6", "libssl3t64", "zlib1g", "libzstd1", "libbz2-1.0", "liblzma5",
    "libexpat1", "libffi8", "libsqlite3-0", "libuuid1", "libreadline8t64", "libncursesw6", "libtinfo6", "libdb5.3t64",
    "python3.13-minimal", "libpython3.13-minimal", "libpython3.13-stdlib",
)
_UNPACK = Path(__file__).with_name("runtime.sh")
_KINDS = ("build", "runtime")
_TIMESTAMP = "1767225600"
_CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_OWN_PIDS = ("unshare", "--mount", "--pid", "--fork", "--kill-child=KILL", "--mount-proc")


def recipe() -> str:
    """A short digest of what they are made of."""
    return hashlib.sha256(repr((SUITE, BUILD_PACKAGES, RUNTIME_PACKAGES, _CERTIFICATES)).encode() + _UNPACK.read_bytes()).hexdigest()[:8]


def names() -> tuple[str, str]:
    """The images' names: for the build, and to run on."""
    build, runtime = (f"localhost/fairlead-bed/{kind}-base:{recipe()}" for kind in _KINDS)
    return build, runtime


def ensure(buildah: Buildah) -> None:
    """Makes both if they are not there: about a minute. Raises BedError."""
    if all(map(buildah.has, names())):
        return
    buildah.call("rmi", "--all", "--force")   # what was built on others would be taken for built on these: buildah compares files alone
    with tempfile.TemporaryDirectory(dir=buildah.run) as place:
        build, runtime = (Path(place) / kind for kind in _KINDS)
        _make(build, runtime, buildah)
        for name, folder in zip(names(), (build, runtime), strict=True):
            _import(buildah, name, folder)


def _make(build: Path, runtime: Path, buildah: Buildah) -> None:
    """From the first archive that has the suite."""
    refusals = []
    for archive in archive_urls():
        sources = [f"deb [signed-by={KEYRING}] {archive} {SUITE} main"]
        options = ['APT::Install-Recommends "false"', 'Acquire::Retries "3"', 'Acquire::http::Timeout "30"', *apt_options()]
        hook = f"--customize-hook={_UNPACK} \"$1\" {runtime} {' '.join(RUNTIME_PACKAGES)}"
        argv = ["mmdebstrap", "--quiet", "--mode=root", "--variant=minbase", "--skip=cleanup/apt/lists", hook,
                *(f"--aptopt={option}" for option in options), f"--include={','.join(BUILD_PACKAGES)}", SUITE, str(build), *sources]
        with progress.step(f"making look-alikes of the image's bases ({SUITE})"):
            done = subprocess.run([*_OWN_PIDS, *argv], env={"PATH": _PATH, **buildah.mark},
                                  stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", check=False)
        if done.returncode == 0:
            return
        refusals.append(f"{archive}: {last_words(done.stdout + done.stderr)}")
        for folder in (build, runtime):
            shutil.rmtree(folder, ignore_errors=True)
    raise BedError("no archive of Debian gives look-alikes of the image's bases; tried were:\n" + "\n".join(refusals))


def _import(buildah: Buildah, name: str, folder: Path) -> None:
    container = buildah.call("from", "scratch")
    buildah.call("copy", "--quiet", container, folder, "/")
    user = ("--user", "65532:65532", "--env", f"SSL_CERT_FILE={_CERTIFICATES}") if (folder / "home" / "nonroot").is_dir() else ()
    buildah.call("config", "--env", f"PATH={_PATH}", "--env", "LANG=C.UTF-8", *user, container)
    buildah.call("commit", "--quiet", "--rm", *buildah.policy, "--timestamp", _TIMESTAMP, container, name)
