"""The command that makes a root from one source of one archive, and what of a failure is worth telling. Pure."""

from pathlib import Path

from bed.archive import KEYRING
from bed.releases import UNWANTED, Release, Source

# An archive frozen in time has expired Release files for the suites that still move; their signatures are checked all the same.
_APT = ('APT::Install-Recommends "false"', 'Acquire::Check-Valid-Until "false"', 'Acquire::Retries "3"', 'Acquire::http::Timeout "30"')
_MOVING = ("404  Not Found", "Hash Sum mismatch", "File has unexpected size")  # apt's words for a mirror that changed under our hands
_WORDS_LINES = 3


def mmdebstrap(release: Release, source: Source, archive: str, options: list[str], target: Path) -> list[str]:
    """The command line; `options` are lines of apt.conf that hold on this machine."""
    lines = [f"deb [signed-by={KEYRING}] {archive} {source.suite} main"]
    hooks = []
    if source.library_suite:
        lines.append(f"deb [signed-by={KEYRING}] {archive} {source.library_suite} main")
        pins = "".join(f"Package: {what}\\nPin: release n={source.library_suite}\\nPin-Priority: {priority}\\n\\n"
                       for what, priority in (("libmariadb3", 1001), ("*", -1)))
        hooks = [f"--setup-hook=printf '{pins}' > \"$1/etc/apt/preferences.d/mariadb\""]
    return ["mmdebstrap", "--quiet", "--mode=root", "--variant=minbase", *hooks,
            *(f"--aptopt={option}" for option in (*_APT, *options)), *(f"--dpkgopt=path-exclude={path}" for path in UNWANTED),
            f"--include={','.join(release.packages)}", source.suite, str(target), *lines]


def is_moving(output: str) -> bool:
    """Whether it failed since the mirror was being brought up to date, so that lists and packages were of different hours."""
    return any(words in output for words in _MOVING)


def last_words(output: str) -> str:
    """The last lines that name an error, else the last ones, as one line."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith(("E:", "W: Failed", "bed:"))]
    return " | ".join((errors or lines)[-_WORDS_LINES:])
