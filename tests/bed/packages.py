"""Debian packages that the bed needs: installed only when missing, said before, and an interrupted dpkg repaired first."""

import fcntl
import os
import shutil
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from bed import progress
from bed.errors import BedError
from bed.state import require_root

LOCK_SECONDS = 300
_PAUSE_SECONDS = 0.5
_FRONTEND_LOCK = Path("/var/lib/dpkg/lock-frontend")
_JOURNAL = Path("/var/lib/dpkg/updates")
_NO_DAEMON = """
if ! [ -e /usr/sbin/policy-rc.d ]; then
  trap 'rm -f /usr/sbin/policy-rc.d' EXIT
  printf '#!/bin/sh\\nexit 101\\n' >/usr/sbin/policy-rc.d && chmod 755 /usr/sbin/policy-rc.d || exit
fi
"$0" "$@"
"""
"""What packages install is not started by the machine, unless it has said itself what is (invoke-rc.d(8))."""

_BROKEN = {"half-installed", "unpacked", "half-configured", "triggers-awaited", "triggers-pending"}


def ensure(*names: str) -> None:
    """Makes sure that Debian packages are installed.

    Raises:
        BedError: not Debian, not root, or apt-get cannot install them; the message has its last words.
    """
    if _is_broken():
        require_root()
        _await_others()
        if _is_broken():
            progress.say("an interrupted installation of Debian packages is being completed: dpkg --configure -a")
            _run("dpkg --configure -a", "dpkg", "--configure", "-a")
    states = _states()
    missing = [name for name in names if states.get(name) != "installed"]
    if not missing:
        return
    require_root()
    progress.say(f"installing Debian packages that are missing: {' '.join(missing)}")
    install = ("sh", "-c", _NO_DAEMON, "apt-get", "install", "-y", "--no-install-recommends", "-o",
               f"DPkg::Lock::Timeout={LOCK_SECONDS}", *missing)
    what = f"apt-get install {' '.join(missing)}"
    try:
        _run(what, *install)
    except BedError:  # lists that are missing or out of date name packages that are no longer there
        _run("apt-get update", "apt-get", "update", "-o", f"DPkg::Lock::Timeout={LOCK_SECONDS}")
        _run(what, *install)


def _is_broken() -> bool:
    return bool(_BROKEN & set(_states().values())) or any(_JOURNAL.glob("[0-9]*"))


def _await_others() -> None:
    """Waits until nobody installs packages, such as an installation of ours whose starter was killed: dpkg itself would refuse at once."""
    deadline = time.monotonic() + LOCK_SECONDS
    with progress.step("waiting for another installation of Debian packages"), _FRONTEND_LOCK.open("a") as lock:
        while time.monotonic() < deadline:
            with suppress(BlockingIOError, PermissionError):  # which of the two is the kernel's choice, see fcntl(2)
                fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            time.sleep(_PAUSE_SECONDS)
    raise BedError(f"another program has installed Debian packages for {LOCK_SECONDS} s; `fuser -v {_FRONTEND_LOCK}` shows which")


def _states() -> dict[str, str]:
    """Every package that dpkg knows and its state (dpkg-query(1), `db:Status-Status`)."""
    if shutil.which("dpkg-query") is None or shutil.which("apt-get") is None:
        raise BedError("the test bed needs Debian 12 or newer: dpkg and apt-get are not in PATH")
    listed = subprocess.run(["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n"], capture_output=True, text=True, check=False)
    return dict(line.split() for line in listed.stdout.splitlines() if line.count(" ") == 1)


def _run(what: str, *argv: str) -> None:
    """Runs a package command to its end, whatever happens to us: one that is killed half-way leaves the machine's packages broken.

    So it has a session of its own and not the bed's mark, and its output goes to a file and not to a pipe that could break.
    """
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
    with progress.step(what), tempfile.TemporaryFile() as output:
        process = subprocess.Popen(argv, env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True)
        try:
            process.wait()
        except KeyboardInterrupt:
            progress.say(f"waiting for `{what}` to finish: stopped half-way it would leave broken packages")
            process.wait()
            raise
        if process.returncode:
            output.seek(0)
            words = output.read().decode(errors="replace").strip().splitlines()[-8:]
            raise BedError(f"`{what}` failed with exit code {process.returncode}:\n" + "\n".join(words))
