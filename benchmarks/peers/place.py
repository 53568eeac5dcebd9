"""One peer's Slurm: the scripts that run there and write down that they did, the faults, and what is counted on its login node."""

import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from bed.enclosure import HOME
from bed.errors import BedError
from bed.slurm import SlurmCluster
from bed.sshdconf import KeyPair
from benchmarks.peers.forks import Forks

_FOLDER = "told"
_LOOK_SECONDS = 0.05
_SETTLE_SECONDS = 3.0            # what a peer still does by itself once it has seen an end
_QUESTIONS = 'case " $* " in *" --version "*|*" -V "*|*" --help "*) exec $REAL "$@";; esac'
_ACCEPTS_AND_HANGS = f"""{_QUESTIONS}
if mkdir {HOME}/{_FOLDER}/hung 2>/dev/null; then
  $REAL "$@" >/dev/null 2>&1
  echo $$ >{HOME}/{_FOLDER}/hangs
  exec sleep 3600
fi
exec $REAL "$@"
"""
_ACCEPTS_AND_IS_SLOW = f"""{_QUESTIONS}
said=$($REAL "$@"); code=$?
if mkdir {HOME}/{_FOLDER}/accepted 2>/dev/null; then sleep 5; fi
printf '%s\\n' "$said"; exit $code
"""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a job took on the login node: logins, sessions and processes."""

    logins: int
    sessions: int
    processes: int


@dataclass(slots=True)
class Place:
    """A cluster, and what the jobs of its peer have written in the home there."""

    cluster: SlurmCluster

    def __post_init__(self) -> None:
        folder = self.cluster.home / _FOLDER
        folder.mkdir()
        os.chown(folder, self.cluster.enclosure.uid, self.cluster.enclosure.uid)

    @staticmethod
    def short(tag: str, seconds: int) -> str:
        """A script that writes down that it began, sleeps, and writes down that it ended."""
        return _script(tag, f"sleep {seconds}")

    @staticmethod
    def held(tag: str) -> str:
        """The same, but it lasts until `let_end`, ten minutes at most."""
        return _script(tag, f"n=0; while [ ! -e {HOME}/{_FOLDER}/{tag}.go ] && [ $n -lt 3000 ]; do sleep 0.2; n=$((n + 1)); done")

    def let_end(self, tag: str) -> None:
        """A held job goes on to its end."""
        self._file(tag, "go").touch()

    def starts(self, tag: str) -> int:
        """How often the script has begun."""
        return len(_lines(self._file(tag, "starts")))

    def ended_at(self, tag: str) -> float | None:
        """When the script first came to its last line (epoch seconds), None if it has not."""
        lines = _lines(self._file(tag, "ends"))
        return float(lines[0]) if lines else None

    def accepted(self) -> bool:
        """Whether the slow sbatch has handed its job in."""
        return (self.cluster.home / _FOLDER / "accepted").exists()

    @contextmanager
    def counted(self) -> Iterator[Callable[[], Cost]]:
        """While open, and for three seconds more, what is done on the login node is counted."""
        logins, sessions = self._logins(), self.cluster.sessions()
        with Forks({self.cluster.sshd.pid}) as forks:
            yield lambda: Cost(self._logins() - logins, self.cluster.sessions() - sessions, forks.count)
            time.sleep(_SETTLE_SECONDS)

    def sbatch_hangs(self) -> None:
        """The next submission is accepted, and its sbatch prints nothing and does not end."""
        self.cluster.shim("sbatch", _ACCEPTS_AND_HANGS)

    def sbatch_is_slow(self) -> None:
        """The next submission is accepted, and its id comes five seconds later."""
        self.cluster.shim("sbatch", _ACCEPTS_AND_IS_SLOW)

    def squeue_is_empty(self) -> None:
        """From now on squeue lists nothing and ends with 0."""
        self.cluster.shim("squeue", "exit 0")

    @contextmanager
    def another_host_key(self) -> Iterator[None]:
        """While open, the server has another host key and no old connection lives; afterwards it has its own again."""
        path = self.cluster.folder / "ssh/hostkey"
        own = path.read_text()
        self._host_key(path, KeyPair.generate().private)
        try:
            yield
        finally:
            self._host_key(path, own)

    def calm(self) -> None:
        """No fault and no job is left."""
        self.calm_commands()
        self.cluster.run("scancel", "--user=user", user=False, check=False)
        with suppress(OSError, ValueError):
            pid = int((self.cluster.home / _FOLDER / "hangs").read_text())
            (self.cluster.home / _FOLDER / "hangs").unlink()
            if pid in self.cluster.user_pids():
                os.kill(pid, signal.SIGKILL)
        for name in ("hung", "accepted"):
            with suppress(FileNotFoundError):
                (self.cluster.home / _FOLDER / name).rmdir()
        until(lambda: not self.running(), 60)

    def calm_commands(self) -> None:
        """Slurm's own commands answer again."""
        for command in ("sbatch", "squeue"):
            self.cluster.unshim(command)

    def running(self) -> list[str]:
        """Ids of the jobs that wait or run."""
        return self.cluster.jobs_active()

    def _host_key(self, path: Path, text: str) -> None:
        path.write_text(text)
        self.cluster.sshd.kill()
        self.cluster.end_sessions()
        self.cluster.sshd.start()

    def _logins(self) -> int:
        return len(re.findall(r"^Accepted publickey for ", self.cluster.sshd_log(), re.MULTILINE))

    def _file(self, tag: str, kind: str) -> Path:
        return self.cluster.home / _FOLDER / f"{tag}.{kind}"


def until(reached: Callable[[], object], seconds: float) -> bool:
    """Wait until it is so, at most so many seconds; whether it came to be."""
    deadline = time.monotonic() + seconds
    while not reached():
        if time.monotonic() > deadline:
            return False
        time.sleep(_LOOK_SECONDS)
    return True


def need(reached: Callable[[], object], what: str, seconds: float) -> None:
    """The same, where nothing goes on without it. Raises `BedError`."""
    if not until(reached, seconds):
        raise BedError(f"{what}: not within {seconds:g} s")


def _script(tag: str, body: str) -> str:
    told = f"{HOME}/{_FOLDER}/{tag}"
    return f'#!/bin/bash\necho "$SLURM_JOB_ID" >>{told}.starts\n{body}\ndate +%s.%N >>{told}.ends\n'


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
