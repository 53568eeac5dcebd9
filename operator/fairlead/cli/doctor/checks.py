"""Which checks there are at the far end, in their order, and what each needs: a table of rules over the facts. Pure."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from fairlead.cli.doctor import rules_of_host, rules_of_login, rules_of_place, rules_of_slurm
from fairlead.cli.doctor.finding import Finding, Result, RuleFinding
from fairlead.cli.doctor.view import View
from fairlead.schedulers.doctor import STEPS

Rule = Callable[[View], RuleFinding | None]


@dataclass(frozen=True, slots=True)
class Check:
    """One check. `step`: at what the far end's program is meanwhile. A rule that finds nothing to say leaves the line out."""

    name: str
    step: str
    rule: Rule
    needs: tuple[str, ...] = ()


LOGIN: Final = (
    Check("shell", "login", rules_of_login.shell),
    Check("PATH", "login", rules_of_login.path, ("shell",)),
    Check("clock", "login", rules_of_login.clock, ("shell",)),
)
PLACE: Final = (
    Check("workDir", "work-dir", rules_of_place.folder, ("shell",)),
    Check("exec", "disk", rules_of_place.executable, ("workDir",)),
    Check("space", "disk", rules_of_place.space, ("workDir",)),
    Check("tree", "tree", rules_of_place.tree, ("workDir",)),
)
SLURM: Final = (
    Check("sbatch", "tools", rules_of_slurm.sbatch, ("shell",)),
    Check("scontrol", "scontrol", rules_of_slurm.scontrol, ("shell",)),
    Check("partitions", "partitions", rules_of_slurm.partitions, ("scontrol",)),
    Check("shared", "nodes", rules_of_place.shared, ("workDir", "scontrol")),
    Check("submit", "submit", rules_of_slurm.submit, ("sbatch", "scontrol", "partitions")),
    Check("sacct", "sacct", rules_of_slurm.sacct, ("shell",)),
    Check("limits", "limits", rules_of_slurm.limits, ("sacct",)),
)
HOST: Final = (
    Check("tools", "tools", rules_of_host.tools, ("shell",)),
    Check("logout", "logout", rules_of_host.logout, ("shell",)),
    Check("processes", "processes", rules_of_host.processes, ("tools",)),
    Check("slots", "size", rules_of_host.slots, ("shell",)),
)
OF_FAR_END: Final[Mapping[str, Sequence[Check]]] = {"Slurm": (*LOGIN, *PLACE, *SLURM), "Process": (*LOGIN, *PLACE, *HOST)}


def at_far_end(view: View) -> Iterator[Finding]:
    """What the checks of this kind of Cluster find."""
    verdicts: dict[str, Result] = {}
    for check in OF_FAR_END[view.spec.type]:
        finding = _one(check, view, verdicts)
        if finding is not None:
            verdicts[check.name] = finding.verdict
            yield finding


def skipped(names: Iterable[str], because: str) -> Iterator[Finding]:
    """Checks that nobody could make."""
    return (Finding(name, Result.SKIPPED, f"not looked at, because of {because}") for name in names)


def _one(check: Check, view: View, verdicts: Mapping[str, Result]) -> Finding | None:
    for need in check.needs:
        if verdicts.get(need) in {Result.WRONG, Result.SKIPPED}:
            return Finding(check.name, Result.SKIPPED, f"not looked at, because of {need}")
    if not view.facts.whole and check.step != "login":
        at = STEPS.index(view.facts.step) if view.facts.step in STEPS else 0
        if STEPS.index(check.step) == at:
            return Finding(check.name, Result.WRONG, f"the login node hung or broke off here ({view.broken or 'its answer was cut'}): "
                                                      "have it looked at, or try again")
        if STEPS.index(check.step) > at:
            return Finding(check.name, Result.SKIPPED, "not looked at, because the answer ended before")
    found = check.rule(view)
    return None if found is None else Finding(check.name, found.verdict, found.words)
