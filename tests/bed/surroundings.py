"""What tests see of the person and the shell that started them: as little as can be, and the same everywhere.

Once, at the start of a test run, for it and for all that it starts. Settings of Slurm, ssh, git or kubectl, a language, a home with files
in it, a umask or a limit would else decide what a test says.
"""

import os
import resource
import signal
import sys
import time
from collections.abc import MutableMapping
from pathlib import Path
from typing import Final

from bed.processes import MARK

NO_HOME: Final = "/nonexistent"
"""As for accounts that have none: nothing is read there, and what is written there is a fault."""
FILES: Final = 8192
"""How many files may be open: more than any test needs, less than systems forbid."""

_KEPT: Final = {
    "PATH", "TMPDIR", "TERM", "COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "CI", "USER", "LOGNAME", "VIRTUAL_ENV", MARK,
    "XDG_CACHE_HOME", "KUBEBUILDER_ASSETS", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE",   # where parts of the bed come from
    "http_proxy", "https_proxy", "all_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY",
}
_KEPT_PREFIXES: Final = ("PYTEST_", "PYTHON", "COV", "GO", "PIP_", "UV_")
_LOCAL: Final = "localhost,127.0.0.1,::1"   # a proxy is for the bed's parts, and not between them
_DEFAULT_SIGNALS: Final = (signal.SIGHUP, signal.SIGQUIT, signal.SIGTERM)   # nohup(1) and shells have them ignored, which is inherited


def settle(*kept: str) -> None:
    """Make the surroundings of this process plain; `kept` are further variables that have a meaning here."""
    plain(os.environ, Path.home(), kept)
    time.tzset()
    os.umask(0o022)
    for number in _DEFAULT_SIGNALS:
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (FILES if most == resource.RLIM_INFINITY else min(FILES, most), most))
    for limit in (resource.RLIMIT_FSIZE, resource.RLIMIT_DATA, resource.RLIMIT_AS):
        _, most = resource.getrlimit(limit)
        resource.setrlimit(limit, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))


def plain(environment: MutableMapping[str, str], home: Path, kept: tuple[str, ...] = ()) -> None:
    """Leave of an environment what tests may see; what was fetched stays where it is found below the person's home."""
    for name in [*environment]:
        if name not in _KEPT | {*kept} and not name.startswith(_KEPT_PREFIXES):
            del environment[name]
    if str(home) != NO_HOME:   # else it was done before: by who started us
        environment.setdefault("XDG_CACHE_HOME", str(home / ".cache"))
        environment.setdefault("GOPATH", str(home / "go"))
        environment.setdefault("GOENV", str(home / ".config/go/env"))
    if environment.pop("PYTHONDONTWRITEBYTECODE", ""):   # else each Python that tests start would compile all that it imports
        environment["PYTHONPYCACHEPREFIX"] = f"{sys.prefix}/bytecode"
    environment.update(HOME=NO_HOME, LC_ALL="C.UTF-8", LANG="C.UTF-8", TZ="UTC")
    for name in ("no_proxy", "NO_PROXY"):
        if environment.get("http_proxy") or environment.get("HTTP_PROXY"):
            environment[name] = ",".join(filter(None, (environment.get(name), _LOCAL)))
