"""A login node and a compute node in one folder: a shell of choice, a home, and a Slurm of small programs that keep a table of jobs."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex
from typing import TypeVar

from fairlead.domain.run.answers import CancelAnswer, CancelPhase, Probe, SubmitAnswer
from fairlead.domain.run.installation import Installation
from fairlead.domain.run.observation import Observation
from fairlead.domain.run.request import Submission
from fairlead.domain.run.run import Owner, RunKey, StopWord, Tree
from fairlead.schedulers import sh
from fairlead.schedulers.seam import COMMAND, Cancellation, Exchange, Place, Query, Removal, Removed
from fairlead.schedulers.slurm.scheduler import BUILD, Slurm, SlurmTimeouts
from unit.sh import tools

T = TypeVar("T")

INSTALLATION = "here"
HERE = Installation(INSTALLATION, "6e1a7b9c-0000-4000-8000-000000000001", b"s" * 32)
UID = "0123abcd-0000-4000-8000-00000000000a"
OWNER = Owner("default", "hello", UID)
FAKES = Path(__file__).parent / "fakes"
SEPARATOR = "\x1f"


def key(attempt: int = 1, number: int = 10) -> RunKey:
    """A key; `number` makes another object's."""
    return RunKey(f"{UID[:-12]}{number:012x}", attempt)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a wrapper ended."""

    code: int
    output: str


@dataclass(slots=True)
class FarEnd:
    """One far end. Files named in `fakes/` make its Slurm refuse, hang, lie or die."""

    root: Path
    shell: str
    timeouts: SlurmTimeouts = field(default_factory=lambda: SlurmTimeouts(2, 2, 2, 2, 2, 1))
    accounting: str = "Auto"

    def __post_init__(self) -> None:
        for folder in ("bin", "home", "ids", "jobs", "argv", "batch", "environ", "umask", "tools"):
            (self.root / folder).mkdir()
        for fake in FAKES.iterdir():
            shutil.copy(fake, self.root / "bin" / fake.name)
        tools.furnish(self.root / "tools", self.shell)

    @property
    def home(self) -> Path:
        return self.root / "home"

    @property
    def slurm(self) -> Slurm:
        return Slurm(HERE, accounting=self.accounting, timeouts=self.timeouts)

    @property
    def tree(self) -> Path:
        return self.home / "work" / INSTALLATION

    @property
    def known(self) -> Tree:
        return Tree(str(self.tree), (self.tree / "marker").read_text().split("\n")[0])

    def run_dir(self, of: RunKey) -> Path:
        return self.tree / "runs" / str(of)

    def environment(self, **more: str) -> dict[str, str]:
        """What sshd gives a session; nothing of the test's own environment."""
        path = f"{self.root}/bin:{self.root}/tools"
        return {"HOME": str(self.home), "USER": "root", "LOGNAME": "root", "SHELL": str(self.root / "tools" / "sh"), "PATH": path} | more

    def send(self, stdin: bytes, *, own_group: bool = False, **environment: str) -> bytes:
        """What the exec command prints for these bytes on its standard input; `own_group`: it leads a group, as sshd starts it."""
        done = subprocess.run(
            [str(self.root / "tools" / "sh"), "-c", COMMAND], input=stdin, capture_output=True, env=self.environment(**environment),
            cwd=self.home, check=False, timeout=100, start_new_session=own_group,
        )
        return done.stdout

    @contextmanager
    def session(self) -> "Iterator[subprocess.Popen[bytes]]":
        """The exec command, in a group of its own, as sshd starts it."""
        process = subprocess.Popen([str(self.root / "tools" / "sh"), "-c", COMMAND], env=self.environment(), cwd=self.home,
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            for stream in (process.stdin, process.stdout):
                with suppress(BrokenPipeError):
                    stream.close()   # type: ignore[union-attr]

    def exchange(self, exchange: Exchange[T]) -> T:
        return exchange.parse(self.send(exchange.stdin()))

    def probe(self, *, marker: str = "", installation: Installation = HERE) -> Probe:
        return self.exchange(self.to_probe(marker, installation))

    def to_probe(self, marker: str = "", installation: Installation = HERE) -> Exchange[Probe]:
        scheduler = Slurm(installation, accounting=self.accounting, timeouts=self.timeouts)
        return scheduler.probe(token_hex(16), Place("~/work", installation, marker, token_hex(16)))

    def submit_all(self, submissions: Sequence[Submission]) -> dict[RunKey, SubmitAnswer]:
        answers = self.exchange(self.slurm.submit(token_hex(16), self.known, submissions))
        return dict(answers)

    def submit(self, submission: Submission) -> SubmitAnswer:
        return self.submit_all([submission])[submission.key]

    def observe(self, ids: dict[RunKey, str], *, touch: bool = False) -> Observation:
        return self.exchange(self.slurm.observe(token_hex(16), self.known, Query(ids, touch)))

    def cancel(self, of: RunKey, phase: CancelPhase, *only_ids: str, why: StopWord = StopWord.DELETE) -> CancelAnswer:
        return self.exchange(self.slurm.cancel(token_hex(16), self.known, [Cancellation(of, phase, only_ids, why)]))[of]

    def remove(self, *keys: RunKey, sweep: bool = False) -> Removed:
        return self.exchange(self.slurm.remove(token_hex(16), self.known, Removal(keys, sweep=sweep)))

    def jobs(self) -> list[str]:
        return sorted(entry.name for entry in (self.root / "jobs").iterdir())

    def argv(self, job_id: str) -> list[str]:
        return (self.root / "argv" / job_id).read_text().splitlines()

    def set_job(
        self, job_id: str, state: str, of: RunKey, *, reason: str = "None", name: str = OWNER.name, comment: str | None = None,
        command: str | None = None,
    ) -> None:
        """Put a job into the table, or change it."""
        mark = f"fairlead:{INSTALLATION}:{of}" if comment is None else comment
        path = f"runs/{of}/wrapper.sh" if command is None else command
        (self.root / "jobs" / job_id).write_text(SEPARATOR.join((state, name, mark, reason, path)) + "\n")

    def set_former_job(self, job_id: str, state: str, of: RunKey) -> None:
        """The same, as a release submitted it that put the key into the name."""
        self.set_job(job_id, state, of, name=f"{OWNER.name}-{of}", command="bin/0123456789abcdef/wrapper.sh")

    def forget_job(self, job_id: str) -> None:
        (self.root / "jobs" / job_id).unlink()

    def say(self, program: str, status: int, words: str) -> None:
        """From now on `program` exits with `status` and these words."""
        (self.root / f"{program}.says").write_text(f"{status}\n{words}\n")

    def shadow(self, program: str, script: str) -> None:
        """From now on `program` is this shell script; `real` in it is the real one."""
        real = shutil.which(program, path=self.environment()["PATH"])
        path = self.root / "bin" / program
        path.write_text(f"#!/bin/sh\nreal={real}\n{script}\n")
        path.chmod(0o700)

    def calls(self, program: str) -> list[str]:
        path = self.root / f"{program}.calls"
        return path.read_text().splitlines() if path.exists() else []

    def wrapper_command(self, job_id: str, of: RunKey, *, requeue: bool = False) -> list[str]:
        """As Slurm would start the job: a spooled copy of the wrapper, with the arguments that sbatch was given."""
        known = self.known
        spooled = self.root / f"spool-{job_id}"
        spooled.write_text(sh.WRAPPER)
        again = "--requeue" if requeue else "--no-requeue"
        arguments = [known.path, known.marker, str(of), BUILD, again, str(self.timeouts.watch_seconds)]
        return [str(self.root / "tools" / "sh"), str(spooled), *arguments]

    def job_environment(self, job_id: str, **more: str) -> dict[str, str]:
        return self.environment(SLURM_JOB_ID=job_id, SLURM_JOB_USER="root", SLURMD_NODENAME="n1", **more)

    def popen(self, job_id: str, of: RunKey, *, requeue: bool = False, **more: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            self.wrapper_command(job_id, of, requeue=requeue), env=self.job_environment(job_id, **more), cwd="/", text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
        )

    def processes(self) -> list[str]:
        """Command lines of the processes that have this far end's folder in their environment.

        Without `timeout`: busybox's outlives its command by a second.
        """
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if str(self.root).encode() in (process / "environ").read_bytes():
                    found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
            except OSError:
                continue
        return [line for line in found if not line.startswith("timeout ")]

    def run_job(self, job_id: str, of: RunKey, *, requeue: bool = False, **more: str) -> Ended:
        """Run the job to its end."""
        process = self.popen(job_id, of, requeue=requeue, **more)
        try:
            output, _ = process.communicate(timeout=60)
        finally:
            end(process)
        return Ended(process.returncode, output)


def wait_for(condition: Callable[[], bool], seconds: float = 100) -> None:
    """Until it is so, at the latest after some seconds."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, f"not within {seconds:g} s"
        time.sleep(0.02)


def end(process: "subprocess.Popen[str]") -> None:
    """End what a test has started, with its group."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    if process.stdout:
        process.stdout.close()


def submission(of: RunKey | None = None, script: str = "#!/bin/sh\necho hello\n", **more: object) -> Submission:
    """A small submission."""
    chosen = of or key()
    return Submission(chosen, Owner("default", "hello", chosen.uid), script.encode(), **more)  # type: ignore[arg-type]
