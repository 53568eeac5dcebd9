"""sbatch's options that are not a user's to pass through: what Fairlead needs itself, and what has a field of its own.

Pure data for both readers: the CRD refuses these names in ``spec.extraOptions``, and the schedulers look at the same table when they read
a script's ``#SBATCH`` lines. Names and letters: https://slurm.schedmd.com/sbatch.html.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from fairlead.api.v1alpha1.schema import Rule


class Treatment(Enum):
    """What happens to the option in a script's ``#SBATCH`` line."""

    PASSED = "passed to sbatch, unless the spec has the field"
    MAPPED = "taken as the field's value, unless the spec has the field"
    REFUSED = "refused, with the line and the reason"


@dataclass(frozen=True, slots=True)
class OwnedOption:
    """An option of sbatch by its long name and letter, and why it is not passed through as it is.

    `field` is the Job field that says the same; `because` ends a sentence that begins with the option's name. `idle` are the values, in
    lower case, that a ``#SBATCH`` line may give it all the same, since they ask for what is done anyway; "*" is any.
    """

    name: str
    because: str
    letter: str = ""
    field: str = ""
    directive: Treatment = Treatment.REFUSED
    idle: frozenset[str] = frozenset()

    def asks_for_nothing(self, value: str) -> bool:
        """Whether a script's line with this value changes nothing."""
        return "*" in self.idle or value.lower() in self.idle

    @property
    def sentence(self) -> str:
        """Say why the option may not stand in extraOptions, and what to write instead."""
        return f"extraOptions may not hold {self.name}: {self.because}"


def _field(name: str, field: str, letter: str = "", directive: Treatment = Treatment.PASSED) -> OwnedOption:
    return OwnedOption(name, f"write spec.{field} instead", letter, field, directive)


_REQUEUE: Final = "Fairlead decides whether a job may start again"
_PRINTS: Final = "Fairlead reads what sbatch prints"
_ENVIRONMENT: Final = "Fairlead makes the job's environment; write spec.env instead"

OWNED_OPTIONS: Final[tuple[OwnedOption, ...]] = (
    _field("partition", "partition", "p"),
    _field("account", "account", "A"),
    _field("qos", "qos", "q"),
    _field("nodes", "nodes", "N"),
    _field("ntasks", "ntasks", "n"),
    _field("ntasks-per-node", "ntasksPerNode"),
    _field("tasks-per-node", "ntasksPerNode"),
    _field("cpus-per-task", "cpusPerTask", "c"),
    _field("mem", "memory"),
    _field("gpus", "gpus", "G"),
    _field("gres", "gres"),
    _field("constraint", "constraint", "C"),
    _field("exclusive", "exclusive"),
    _field("time", "timeLimit", "t"),
    _field("output", "stdoutPath", "o", Treatment.MAPPED),
    _field("error", "stderrPath", "e", Treatment.MAPPED),
    _field("chdir", "workingDir", "D", Treatment.MAPPED),
    OwnedOption("job-name", "metadata.name is the job's name, and a #SBATCH line may give it another", "J", "", Treatment.MAPPED),
    OwnedOption("open-mode", "output files are always appended to", idle=frozenset({"append", "a"})),
    OwnedOption("input", "a job's input is empty; let the script read its file", "i"),
    OwnedOption("wrap", "write spec.command and spec.args, or spec.script"),
    OwnedOption("export", _ENVIRONMENT, idle=frozenset({"all"})),
    OwnedOption("export-file", _ENVIRONMENT),
    OwnedOption("get-user-env", _ENVIRONMENT, idle=frozenset({"*"})),
    OwnedOption("propagate", "the limits of Fairlead's login are not the job's; let the script call ulimit"),
    OwnedOption("requeue", _REQUEUE),
    OwnedOption("no-requeue", _REQUEUE, idle=frozenset({""})),
    OwnedOption("array", "job arrays are not supported yet; apply one Job for each task", "a"),
    OwnedOption("hold", "a held job waits for a person on the cluster; apply the Job when it may run", "H"),
    OwnedOption("wait", "Fairlead watches the job itself", "W"),
    OwnedOption("test-only", "nothing would be submitted"),
    OwnedOption("parsable", _PRINTS, idle=frozenset({""})),
    OwnedOption("quiet", _PRINTS, "Q", idle=frozenset({""})),
    OwnedOption("verbose", _PRINTS, "v", idle=frozenset({""})),
    OwnedOption("help", _PRINTS, "h"),
    OwnedOption("usage", _PRINTS),
    OwnedOption("version", _PRINTS, "V"),
    OwnedOption("clusters", "the job would go to another Slurm cluster than the one that spec.clusterRef names", "M"),
    OwnedOption("cluster", "the job would go to another Slurm cluster than the one that spec.clusterRef names"),
    OwnedOption("uid", "the job runs as the Cluster's spec.user"),
    OwnedOption("gid", "the job runs as the Cluster's spec.user"),
)
BY_NAME: Final = {option.name: option for option in OWNED_OPTIONS}
BY_LETTER: Final = {option.letter: option for option in OWNED_OPTIONS if option.letter}
# sbatch takes `part` for `partition`; no option of sbatch in full is the beginning of one in the table.
_ABBREVIATIONS: Final = Rule(
    "self.all(name, name in {0} || !{0}.exists(each, each.startsWith(name)))".format([option.name for option in OWNED_OPTIONS]),
    "write an option's name in full: sbatch would take this one for an option that extraOptions may not hold",
)
RULES: Final = (_ABBREVIATIONS, *(Rule(f"!('{option.name}' in self)", option.sentence) for option in OWNED_OPTIONS))
