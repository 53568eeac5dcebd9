"""docs/reliability.md: what was run, and how it came out. Pure: verdicts in, text out."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from faults.cell import Verdict
from faults.fault import ALL, Fault, Group
from faults.operations import OPERATIONS
from faults.table import FAULTS
from generator.markdown import table

_INTRODUCTION = """<!-- Made by `make faults`; run it again to change it. -->

# Reliability

Fairlead promises two things: what was applied happens exactly once, and nothing is left. Here is what these promises were tried against.
Each row is a fault, each column a moment of a Job's life in which it strikes. Every combination was played on real parts: a Kubernetes API
server, a Slurm cluster of its own, sshd, the controller as a process. Then the fault was healed, the Job went on to its end, and everything
was deleted.

A number says in how many runs everything held, judged from outside: by a ledger that the Job's own script writes on the node, by the
scheduler's records, by the API server and by the machine. Everything means:

- No Job ran twice at once, or more often than its attempts allow.
- None was lost: each came to its end once the fault was healed, or says in a condition what it waits for.
- None was called Complete that did not end with exit code 0.
- After its deletion nothing was left: no job, no process, no connection, no file but its tombstone.

Bold, as **2/3**: it held in two of three runs. A dash: the two do not meet; below each table stands why. Empty:
not played in the last run.
"""
_MOMENTS = """## The moments

"""
_WALK = """## The random walk

After the matrix, Jobs, what people do to them, and faults follow each other at random, and are healed at random. The same seed walks the
same way again: `make faults MINUTES={minutes:g} SEED={seed}`.

"""


@dataclass(frozen=True, slots=True)
class WalkResult:
    """How a random walk came out."""

    minutes: float
    seed: int
    steps: int
    broken: Sequence[str]


def page(verdicts: Sequence[Verdict], walk: WalkResult | None) -> str:
    """The whole page."""
    runs = Counter((each.fault, each.operation) for each in verdicts)
    held = Counter((each.fault, each.operation) for each in verdicts if not each.broken)
    faults_met = len({fault for fault, _ in runs})
    counts = (f"In the last run: {len(runs)} combinations of {faults_met} faults and {len(ALL)} operations, played {runs.total()} times; "
              f"{held.total()} times everything held.\n")
    parts = [_INTRODUCTION, counts, _MOMENTS + table(["Operation", "What happens"], _moments())]
    for group in Group:
        faults = [each for each in FAULTS if each.group is group]
        rows = [[each.name, *(_count(each, name, runs[each.name, name], held[each.name, name]) for name in ALL)] for each in faults]
        parts.append(f"## {group}\n\n{table(['Fault', *ALL], rows)}\n{_notes(faults)}")
    if walk is not None:
        parts.append(_WALK.format(minutes=walk.minutes, seed=walk.seed) + _walked(walk))
    return "\n".join(parts)


def _moments() -> list[list[str]]:
    return [[each.name, each.says[0].upper() + each.says[1:]] for each in OPERATIONS.values()]


def _count(fault: Fault, operation: str, runs: int, held: int) -> str:
    if operation not in fault.with_ or fault.impossible:
        return "-"
    if runs == 0:
        return ""
    return str(held) if runs == held else f"**{held}/{runs}**"


def _notes(faults: Iterable[Fault]) -> str:
    """Why some do not meet: one line for each reason."""
    reasons: dict[str, list[str]] = {}
    for each in faults:
        if each.impossible:
            reasons.setdefault(f"not possible on this bed, because {each.impossible}", []).append(each.name)
        elif each.why and set(each.with_) != set(ALL):
            reasons.setdefault(each.why, []).append(each.name)
    lines = [f"- {'; '.join(names) if len(names) <= 4 else f'{len(names)} of these'}: {reason}." for reason, names in reasons.items()]
    return "\n".join(lines) + ("\n" if lines else "")


def _walked(walk: WalkResult) -> str:
    said = "everything held" if not walk.broken else "; ".join(walk.broken)
    return f"In the last run: {walk.steps} steps in {walk.minutes:g} min with seed {walk.seed}; {said}.\n"
