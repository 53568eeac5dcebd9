"""A trace of the model, carried out on the real scripts: each step of the model lets the real program go on to the same point.

Where a real part decides otherwise than the trace, the rule that the trace lacks has held: from there on the controllers of the trace
are not followed, since theirs is another world, and what is under way goes on.
"""

import re
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fairlead.domain.run.answers import SubmitWord
from fairlead.domain.run.run import RunKey
from fairlead.schedulers.seam import COMMAND, Exchange
from fairlead.schedulers.slurm.scheduler import SlurmTimeouts
from model.gates import Gated
from model.heard import Heard
from model.search import Step
from model.stand_ins import NEXT, SBATCH_WORDS, TO_THE_END, Cast, command, stops
from model.state import NOBODY, Controller, Script, Start
from unit.sh.far_end import FarEnd, key

_ENDS = frozenset({"done", "failed", "lost", "refused", "never ran", "suspended", "stopped"})
UNHURRIED: Final = SlurmTimeouts(60, 60, 60, 60, 60, 600)
"""Nothing may run into a time-out while it waits at a gate."""
STRANGER: Final = 9
"""The number of another Job, in its key."""


@dataclass(slots=True)
class UnderWay:
    """A script that runs."""

    gated: Gated
    exchange: Exchange[object]
    script: Script


class Stage:
    """One far end, and what of a trace is under way on it."""

    def __init__(self, far: FarEnd, attempts: int, requeue: bool) -> None:
        self.far = far
        self.requeue = requeue
        self.cast = Cast(far, attempts, requeue)
        self.ledger = far.root / "ledger"
        self.followed = True             # whether the real controller has decided as that of the trace so far
        self.promised: dict[int, int] = {}   # attempt: how often it had begun when it was said that it never will again
        self.ids: dict[int, str] = {}    # the model's id of a job: the real one
        self._lost_id = 0
        self._started = 0
        self._scripts: dict[tuple[int, str, int], UnderWay] = {}
        self._latest: dict[int, tuple[int, str, int]] = {}   # the script that each controller has begun last, in the same flow
        self._starts: dict[int, Gated] = {}
        self._newest: dict[str, Gated] = {}
        self._all: list[Gated] = []
        self._restarts: Counter[str] = Counter()
        self._heard = Heard()

    # What is seen from outside.

    def runs(self, attempt: int) -> int:
        """How often the user's script of an attempt has begun."""
        return self._lines().count(f"begin {key(attempt)}")

    def overlaps(self) -> bool:
        """Whether scripts of two attempts were under way at once."""
        open_keys: set[str] = set()
        for line in self._lines():
            word, whose, *_ = line.split()
            open_keys = open_keys | {whose} if word == "begin" else open_keys - {whose}
            if len(open_keys) > 1:
                return True
        return False

    def state_of(self, job_id: str) -> str:
        """The scheduler's word for a job, or nothing."""
        path = self.far.root / "jobs" / job_id
        return path.read_text().split("\x1f")[0] if path.exists() else ""

    def state_of_strangers(self) -> list[str]:
        """The scheduler's words for the jobs of another object."""
        theirs, jobs = str(key(number=STRANGER)), self.far.root / "jobs"
        return [self.state_of(job_id) for job_id in self.far.jobs() if theirs in (jobs / job_id).read_text()]

    def _lines(self) -> list[str]:
        return self.ledger.read_text().splitlines() if self.ledger.exists() else []

    # The trace.

    def play(self, trace: Sequence[Step]) -> None:
        """Carry out each step."""
        for step in trace:
            match step.who:
                case Script() as script:
                    self._script_step(script, step)
                case Start() as start:
                    self._start_step(start, step.does)
                case Controller() as controller:
                    self._controller_step(controller, step)
                case "scheduler":
                    self._scheduler_step(step.does)

    def finish(self) -> None:
        """All that is under way goes on to its end, and so does every job that waits in the queue."""
        for under_way in list(self._scripts.values()):
            under_way.gated.finishes()
            self._answered(under_way)
        for start in self._starts.values():
            start.finishes()
        for job_id in self.far.jobs():
            if self.state_of(job_id) == "PENDING":
                self._launch(job_id, self._key_of(job_id)).finishes()

    def commands_of(self, kind: str, attempt: int) -> list[str]:
        """Let one script, or the one start of an attempt's job, run from its begin to its end: the commands that it stops before."""
        if kind == "start":
            gated = self._launch(self.ids[attempt], key(attempt))
        else:
            gated = self._begun(Script(NOBODY, kind, attempt, kind, "")).gated
        before, met = set(self.far.jobs()), []
        while not gated.has_ended:
            met.append(gated.at)
            gated.go("0")
        for job_id in sorted(set(self.far.jobs()) - before):
            self._accepted(job_id)
        return met

    def submit_again(self) -> SubmitWord:
        """What a controller does whose Job waits, when it is time."""
        script = Script(0, "submit", 1, "submit", "", again=True)
        self._latest.clear()
        self._script_step(script, Step(script, "readlink claim"))
        self._hear_out(0)
        assert self._heard.submitted is not None
        return self._heard.submitted.word

    def close(self) -> None:
        """Nothing of it stays."""
        for gated in self._all:
            gated.close()

    # Scripts.

    def _script_step(self, script: Script, step: Step) -> None:
        under_way = self._scripts.get(self._place(script)) or self._enters(script)
        if under_way is None:
            return
        gated, wanted = under_way.gated, command(script.kind, step.does, script.attempt)
        if step.fault in SBATCH_WORDS:
            self.far.say("sbatch", 1, SBATCH_WORDS[step.fault])
        if step.fault == "swapmid":
            self._mount_another_tree()
        before = set(self.far.jobs())
        if wanted == TO_THE_END:
            gated.finishes()
        elif wanted:
            gated.passes(wanted.removeprefix(NEXT))
            while wanted == "squeue" and gated.at.startswith(wanted):    # by name, and by comment
                gated.go()
        (self.far.root / "sbatch.says").unlink(missing_ok=True)
        if step.does == "sbatch" and not step.fault:
            self._accepted(*sorted(set(self.far.jobs()) - before))
        if gated.has_ended:
            self._answered(under_way)

    def _mount_another_tree(self) -> None:
        """At the path of ours. Who is in ours already stays there."""
        self.far.tree.rename(self._away)
        (self.far.tree / "runs").mkdir(parents=True)

    def _mount_ours(self) -> None:
        if self._away.exists():
            assert list(self.far.tree.rglob("*")) == [self.far.tree / "runs"], "something was put into a tree that is not ours"
            shutil.rmtree(self.far.tree)
            self._away.rename(self.far.tree)

    @property
    def _away(self) -> Path:
        return self.far.tree.with_name("elsewhere")

    @staticmethod
    def _place(script: Script) -> tuple[int, str, int]:
        return script.owner, script.kind, script.attempt

    def _enters(self, script: Script) -> UnderWay | None:
        """Begin a script, if the real controller would."""
        if self._latest.get(script.owner) == self._place(script):
            return None                  # it has ended sooner than that of the trace
        self._hear_out(script.owner)
        self.followed = self.followed and self._heard.would_begin(script)
        if not self.followed:
            return None
        self._latest[script.owner] = self._place(script)
        self._scripts[self._place(script)] = under_way = self._begun(script)
        return under_way

    def _begun(self, script: Script) -> UnderWay:
        exchange = self.cast.exchange(script, self._heard.others)
        shell = str(self.far.root / "tools" / "sh")
        gated = self._gated([shell, "-c", COMMAND], self.far.environment(), stops(script.kind, script.attempt), exchange.stdin())
        return UnderWay(gated, exchange, script)

    def _gated(self, argv: list[str], environment: dict[str, str], stop_at: tuple[str, ...], stdin: bytes = b"") -> Gated:
        gated = Gated(self.far.root / "gated" / str(len(self._all)), argv, environment, stop_at, stdin)
        self._all.append(gated)
        return gated

    def _hear_out(self, owner: int) -> None:
        """A controller goes on: its script has come to its end."""
        for under_way in [each for place, each in self._scripts.items() if place[0] == owner]:
            under_way.gated.finishes()
            self._answered(under_way)

    def _answered(self, under_way: UnderWay) -> None:
        """A script has answered."""
        script = under_way.script
        self._scripts.pop(self._place(script), None)
        self._mount_ours()
        if script.owner == NOBODY:
            return
        self._heard.take(script, key(script.attempt), under_way.exchange.parse(under_way.gated.output))

    # Controllers.

    def _controller_step(self, controller: Controller, step: Step) -> None:
        self._latest.pop(controller.number, None)
        if step.fault == "crash":
            for place, under_way in list(self._scripts.items()):
                if place[0] == controller.number:
                    del self._scripts[place]
                    under_way.script = under_way.script._replace(owner=NOBODY)
                    self._scripts[self._place(under_way.script)] = under_way
        if not step.does.startswith("writes "):
            return
        why = step.does.removeprefix("writes ")
        self._hear_out(controller.number)
        self.followed = self.followed and self._heard.would_write(why)
        if self.followed and why in _ENDS:
            self.promised[controller.attempt] = self.runs(controller.attempt)
        if self.followed and why in {"release", "paid"}:
            self.promised = {attempt: self.runs(attempt) for attempt in range(1, self.cast.attempts + 1)}

    # The scheduler.

    def _scheduler_step(self, does: str) -> None:
        number = int(found[1]) if (found := re.search(r"(?:job|id) (\d+)", does)) else 0
        job_id = self.ids.get(number, "")
        mine = self._key_of(job_id) if job_id and self.state_of(job_id) else None
        if does.startswith("starts"):
            self._started += 1
            if mine and self.state_of(job_id) == "PENDING":
                self.far.set_job(job_id, "RUNNING", mine)
                self._starts[self._started] = self._launch(job_id, mine)
        elif does.startswith("works on the request"):
            self._works_late(self.ids.get(self._lost_id, "") if number else "")
        elif does.startswith("gives id"):
            self.far.set_job(self.ids[self._lost_id], "RUNNING", key(number=STRANGER), name="theirs")
        elif mine:
            self._happens(does, job_id, number)

    def _happens(self, does: str, job_id: str, number: int) -> None:
        """Something happens to a job that is there."""
        mine = self._key_of(job_id)
        match does.split(" ", maxsplit=1)[0]:
            case "forgets":
                self.far.forget_job(job_id)
                self._lost_id = number
            case "comes":
                self.far.set_job(job_id, "PENDING", mine)
            case "requeues":
                self.far.set_job(job_id, "PENDING", mine)
                self._restarts[job_id] += 1
                if "cut off" not in does:
                    self._kill(job_id)
            case "kills":
                self.far.forget_job(job_id)
                self._kill(job_id)
            case "ends" if self.state_of(job_id) == "CANCELLED":
                self._kill(job_id)
            case "calls":
                self.far.set_job(job_id, "COMPLETED", mine)

    def _works_late(self, again: str) -> None:
        """A request that sbatch gave up is worked on after all; its job has a new id, or one that was given out before."""
        ids = self.far.root / "ids"
        job_id = again or str(100 + len(list(ids.iterdir())))
        (ids / job_id).mkdir(exist_ok=True)
        self.far.set_job(job_id, "PENDING", key())
        if not again:
            self._accepted(job_id)

    def _accepted(self, *job_ids: str) -> None:
        """The model counts its jobs as they are accepted."""
        self.ids[len(self.ids) + 1] = job_ids[0] if job_ids else ""

    def _key_of(self, job_id: str) -> RunKey:
        comment = (self.far.root / "jobs" / job_id).read_text().split("\x1f")[2]
        return next(each for each in self.cast.keys if comment.endswith(str(each)))

    # Starts.

    def _launch(self, job_id: str, of: RunKey) -> Gated:
        argv = self.far.wrapper_command(job_id, of, requeue=self.requeue)
        environment = self.far.job_environment(job_id, SLURM_RESTART_COUNT=str(self._restarts[job_id]))
        self._newest[job_id] = self._gated(argv, environment, stops("start", of.attempt))
        return self._newest[job_id]

    def _start_step(self, start: Start, does: str) -> None:
        gated = self._starts.get(start.nonce)
        if gated is None:
            return
        if ended := re.fullmatch(r"its script ends with (\d+)", does):
            gated.passes("end", order=ended[1])
        elif does.startswith("mv finished"):
            gated.finishes()
        elif wanted := command("start", does.split(" (", maxsplit=1)[0], start.attempt):
            gated.passes(wanted)
        job_id = self.ids[start.id]
        if gated.has_ended and not start.forgotten and self.state_of(job_id):
            self.far.forget_job(job_id)

    def _kill(self, job_id: str) -> None:
        """The last start of a job."""
        if job_id in self._newest:
            self._newest[job_id].kill()
