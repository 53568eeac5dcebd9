"""Where Debian packages come from on this machine."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

DEFAULT_ARCHIVE = "http://deb.debian.org/debian"
RETIRED = "http://archive.debian.org/debian"
"""Where a suite goes when its support has ended."""
FROZEN = "http://snapshot.debian.org/archive/debian/20261128T000000Z"
"""Debian's own snapshots: the archive as it was when every release of the bed was known to be there."""
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_PASSED_ON = ("proxy", "proxy-auto-detect", "check-valid-until")  # settings of the machine's apt that a foreign root needs too


def archive_urls(apt: Path = Path("/etc/apt")) -> list[str]:
    """All archives that may have a suite, in the order in which they are asked: first the one that the machine's own apt uses.

    One that cannot be reached says so within seconds.
    """
    own = next((url for url in _source_urls(apt) if url.rstrip("/").endswith("/debian")), DEFAULT_ARCHIVE).rstrip("/")
    return list(dict.fromkeys((own, DEFAULT_ARCHIVE, RETIRED, FROZEN)))


def apt_options() -> list[str]:
    """The machine's proxy and expiry settings as lines of apt.conf, so that a root is fetched the way the machine fetches."""
    dump = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, check=False).stdout
    lines = (line.rstrip(";") for line in dump.splitlines() if line.startswith("Acquire::"))
    return [line for line in lines if line.split(" ", 1)[0].lower().rpartition("::")[2] in _PASSED_ON and '""' not in line]


def _source_urls(apt: Path) -> Iterator[str]:
    """URLs of both forms of apt sources: stanzas (`*.sources`) and lines (`*.list`)."""
    for file in sorted(apt.glob("sources.list.d/*.sources")):
        for line in file.read_text(errors="replace").splitlines():
            field, _, value = line.partition(":")
            if field.strip().lower() == "uris":
                yield from value.split()
    for file in [apt / "sources.list", *sorted(apt.glob("sources.list.d/*.list"))]:
        if not file.is_file():
            continue
        for line in file.read_text(errors="replace").splitlines():
            words = line.split("#", 1)[0].split()
            if words[:1] == ["deb"]:
                yield from (word for word in words[1:] if "://" in word)
