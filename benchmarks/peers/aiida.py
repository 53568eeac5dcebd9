"""AiiDA, by `verdi presto` with its daemon: core.ssh_async over the user's ssh configuration, and core.slurm."""

import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

from bed.enclosure import HOME
from bed.processes import of_bed
from bed.slurm import SlurmCluster
from bed.state import Bed
from benchmarks.peers.driven import DRIVERS, Drivers
from benchmarks.peers.environments import Environment, NotHere
from benchmarks.peers.home import home_for
from benchmarks.peers.peer import Seen

ENVIRONMENT = Environment("aiida", "2.9.4", "aiida-core")
LOGIN_SECONDS = 1.0              # between two logins; by default 15
POLL_SECONDS = 2.0               # between two looks at the queue; by default 10
_SECONDS = 120


class AiiDA:
    """A profile of its own, for one cluster. Its computer is set to answer soon, not to AiiDA's own defaults."""

    def __init__(self, bed: Bed, cluster: SlurmCluster) -> None:
        self._bed = bed
        self._folder = home_for(bed, cluster, "aiida")
        self._env = {"AIIDA_PATH": str(self._folder)}
        self._drivers = Drivers(bed, self._folder, self._env)
        self._verdi("presto", "--profile-name", "peers", "--use-zeromq")
        self._call(ENVIRONMENT.python, DRIVERS / "aiida_driver.py", "setup", cluster.host, f"{HOME}/aiida", LOGIN_SECONDS, POLL_SECONDS)
        self._verdi("daemon", "start", "1")

    def begin(self, tag: str, script: str) -> None:
        self._drivers.begin(tag, script, [ENVIRONMENT.python, DRIVERS / "aiida_driver.py", "job"])

    def seen(self, tag: str) -> Seen:
        return self._drivers.seen(tag)

    def kill(self) -> None:
        """The daemon and its workers; the driver only looks, and lives on."""
        for pid in self._daemon_pids():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def again(self, tag: str) -> None:
        self._verdi("daemon", "start", "1")

    def close(self) -> None:
        self._drivers.kill()
        self.kill()

    def _daemon_pids(self) -> set[int]:
        """Of the bed's processes those of this environment that no driver is."""
        return {pid for pid in of_bed(self._bed.id) if _is_daemon(pid)}

    def _verdi(self, *words: str) -> None:
        self._call(ENVIRONMENT.folder / "bin/verdi", *words)

    def _call(self, *argv: str | Path | float) -> None:
        own = {"HOME": str(self._folder), "TMPDIR": str(self._folder)} | self._env
        env = {"PATH": f"{ENVIRONMENT.folder}/bin:/usr/bin:/bin", "LC_ALL": "C.UTF-8", **self._bed.env, **own}
        try:
            done = subprocess.run(list(map(str, argv)), env=env, capture_output=True, text=True, timeout=_SECONDS, check=False,
                                  stdin=subprocess.DEVNULL, cwd=self._folder)
        except subprocess.TimeoutExpired as error:
            raise NotHere(f"AiiDA does not start within {_SECONDS} s") from error
        if done.returncode:
            raise NotHere(f"AiiDA does not start: {(done.stderr or done.stdout).strip()[-300:]}")


def _is_daemon(pid: int) -> bool:
    try:
        line = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
    return str(ENVIRONMENT.folder).encode() in line and b"aiida_driver.py" not in line
