"""The real program for each actor of the model, and the command of it that each step is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from secrets import token_hex
from typing import Final

from fairlead.domain.run.answers import CancelPhase
from fairlead.domain.run.run import RunKey
from fairlead.schedulers.seam import Cancellation, Exchange, Query, Removal
from model.state import Script
from unit.sh.far_end import FarEnd, key, submission

USER_SCRIPT: Final = "#!/bin/sh\nbegin\necho begin {key} >>{ledger}\nend; code=$?\necho end {key} $code >>{ledger}\nexit $code\n"
"""Waits before its first and before its last instruction, and keeps a ledger."""

SBATCH_WORDS: Final = {
    "late": "sbatch: error: Batch job submission failed: Socket timed out on send/recv operation",
    "refuse": "sbatch: error: Batch job submission failed: Invalid account or account/partition combination specified",
    "defer": "sbatch: error: QOSMaxSubmitJobPerUserLimit",
}
"""What sbatch says at each fault of a submission."""

_REVOCATION = {"mkdir": "mkdir -m 700 runs/{key}", "ln": "ln -s revoked runs/{key}/", "readlink claim": "readlink runs/{key}/"}
_COMMANDS: Final[Mapping[str, Mapping[str, str]]] = {
    "submit": {
        "mkdir previous": "mkdir -m 700 runs/{previous}", "ln previous": "ln -s revoked runs/{previous}/",
        "readlink previous": "readlink runs/{previous}/", "mkdir": "mkdir -m 700 runs/{key}", "look": "readlink runs/{key}/",
        "squeue": "squeue",
        "sbatch": "sbatch", "mv id": "mv -f runs/{key}/.id", "mv refused": "mv -f runs/{key}/.refused",
        "rm refused": "rm -f runs/{key}/refused", "readlink claim": "readlink runs/{key}/", "scancel": "scancel",
    },
    "cancel": {**_REVOCATION, "squeue": "squeue", "scancel": "scancel"},
    "revoke": _REVOCATION,
    "only": {"squeue": "squeue", "scancel": "scancel"},
    "observe": {"squeue": "squeue", "look": "readlink runs/{key}/"},
    "listing": {"squeue": "squeue"},
    "tree": {"squeue": "squeue"},
    "remove": {"mv claim": "mv -f runs/{key}/", "rm the rest": "rm -rf runs/{key}/"},
    "start": {"ln -s claim": "ln -s", "readlink claim": "readlink", "mv started": "mv -f", "STARTS THE USER'S SCRIPT": "begin",
              "its script ends": "end", "mv finished": "mv -f", "its environment goes": "rm -f .*/env$"},
}
TO_THE_END: Final = "*"
NEXT: Final = "?"
_NOT_ITS_OWN = {"rm all but the claim": NEXT, "rm claim": "", "ln -s revoked claim": TO_THE_END, "rm the rest": TO_THE_END,
                "rm -r": TO_THE_END}
"""Steps that are several commands, or those of a script without a rule, which the real one has not."""


def command(kind: str, does: str, attempt: int) -> str:
    """What matches the command that a step is. Empty: a shell's own, which is done when the command before it is."""
    if kind == "remove" and does in _NOT_ITS_OWN:
        return _NOT_ITS_OWN[does]
    commands = _COMMANDS[kind]
    pattern = commands.get(does) or commands.get(does.split(" ", maxsplit=1)[0], "")
    return pattern.format(key=key(attempt), previous=key(attempt - 1) if attempt > 1 else "")


def stops(kind: str, attempt: int) -> tuple[str, ...]:
    """All commands of a script that are steps."""
    return tuple(pattern.format(key=key(attempt), previous=key(max(attempt - 1, 1))) for pattern in _COMMANDS[kind].values())


@dataclass(frozen=True, slots=True)
class Cast:
    """What the real programs are given."""

    far: FarEnd
    attempts: int
    requeue: bool

    @property
    def keys(self) -> tuple[RunKey, ...]:
        """What a deletion goes for: all attempts, and one more."""
        return tuple(key(attempt) for attempt in range(1, self.attempts + 2))

    def exchange(self, script: Script, ids: Sequence[str]) -> Exchange[object]:
        """The real script. `ids`: of duplicates."""
        slurm, known, fence, mine = self.far.slurm, self.far.known, token_hex(16), key(script.attempt)
        made: object
        match script.kind:
            case "submit":
                made = slurm.submit(fence, known, [submission(
                    mine, USER_SCRIPT.format(key=mine, ledger=self.far.root / "ledger"), login_shell=False, stdout_path="/dev/null",
                    resubmit=script.again, previous_is_lost=script.lost, requeue=self.requeue)])
            case "observe" | "listing":
                made = slurm.observe(fence, known, Query(dict.fromkeys(self.keys if script.kind == "listing" else (mine,), "")))
            case "remove":
                made = slurm.remove(fence, known, Removal((mine,)))
            case "tree":
                made = slurm.remove(fence, known, Removal((), sweep=True))
            case "revoke":
                made = slurm.cancel(fence, known, [Cancellation(mine, CancelPhase.REVOKE)])
            case "only" if script.why == "duplicate":
                made = slurm.cancel(fence, known, [Cancellation(mine, CancelPhase.END, tuple(ids))])
            case _:
                keys = self.keys if script.why in {"delete", "debt", "sweep"} else (mine,)
                made = slurm.cancel(fence, known, [Cancellation(each, CancelPhase.END) for each in keys])
        return made  # type: ignore[return-value]  # what comes of it is looked at by its type
