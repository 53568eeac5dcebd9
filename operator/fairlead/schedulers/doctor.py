"""A look at all that a Cluster needs at the far end, and changes nothing there: the program for it, and the rows that it prints. Pure.

The rows are read as far as they came: of a login node that hangs they say at what.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from fairlead.api.v1alpha1.cluster import ClusterSpec, ProcessHost
from fairlead.api.v1alpha1.texts import LATEST_TIME, clean
from fairlead.domain.run.run import Tree
from fairlead.schedulers import sh
from fairlead.schedulers.answers import TEXT_CHARACTERS, number
from fairlead.schedulers.fence import Row, read_begun
from fairlead.schedulers.slurm.refusals import sentence
from fairlead.schedulers.slurm.scheduler import SlurmTimeouts

MOST_BYTES: Final = 256 * 1024           # what is printed beyond it is no answer of ours
SILENT_SECONDS: Final = 45.0             # well above what one of its commands may take
STEPS: Final = ("", "login", "work-dir", "disk", "tree", "tools", "scontrol", "partitions", "nodes", "submit", "sacct", "limits", "logout",
                "processes", "size")
"""In the order in which the far end's programs come to them; of the two kinds each has its own."""
_LINE_END: Final = "\x1e"                # what the scripts make of a newline in a program's words


def program(fence: str, spec: ClusterSpec, host: ProcessHost | None = None, tree: Tree | None = None) -> str:
    """What is to be run there. `tree` is the work folder that is remembered, if one is."""
    limits = SlurmTimeouts()
    known = {"WORK_DIR": spec.work_dir, "KNOWN_TREE": tree.path if tree else "", "KNOWN_MARKER": tree.marker if tree else ""}
    if host is not None:
        own = {"FENCE": fence, "BIN_PATH": "", "INSTALLATION": "", "SLOTS": str(host.slots), "GPUS": str(host.gpus), **known}
        return sh.program(own, "host/host", "host/probe", "host/doctor", "common/doctor")
    slurm = spec.slurm
    return sh.program({
        "FENCE": fence, "BIN_PATH": slurm.bin_path or "", "ACCOUNTING": slurm.accounting, "PARTITION": slurm.default_partition or "",
        "ACCOUNT": slurm.default_account or "", "SBATCH_SECONDS": str(limits.sbatch_seconds),
        "SCONTROL_SECONDS": str(limits.scontrol_seconds), "SACCT_SECONDS": str(limits.sacct_seconds), **known,
    }, "slurm/slurm", "slurm/doctor", "common/doctor")


@dataclass(frozen=True, slots=True)
class Facts:
    """What was found, as far as it came. Texts are the far end's, in one line and bounded."""

    rows: Mapping[str, Sequence[Row]]
    noise_bytes: int                     # what came in front of the first row
    whole: bool

    @property
    def step(self) -> str:
        """At what it was when the last row came."""
        steps = self.rows.get("step", ())
        return self.word(steps[-1], 0) if steps else ""

    def has(self, kind: str) -> bool:
        """Whether there is such a row."""
        return bool(self.rows.get(kind))

    def text(self, kind: str, index: int = 0) -> str:
        """A field of the first row of a kind, empty if there is none."""
        rows = self.rows.get(kind, ())
        return self.word(rows[0], index) if rows else ""

    def count(self, kind: str, index: int = 0) -> int | None:
        """The number in a field of the first row of a kind, None if there is none."""
        rows = self.rows.get(kind, ())
        return number(rows[0].field(index), None) if rows else None

    def table(self, kind: str, width: int) -> list[tuple[str, ...]]:
        """All rows of a kind, each with so many fields."""
        return [tuple(clean(row.field(index), TEXT_CHARACTERS) for index in range(width)) for row in self.rows.get(kind, ())]

    def said_by_slurm(self, kind: str, index: int) -> str:
        """The words of one of Slurm's commands, without what stands in front of each."""
        rows = self.rows.get(kind, ())
        return sentence(rows[0].field(index).replace(_LINE_END, "\n")) if rows else ""

    @staticmethod
    def word(row: Row, index: int) -> str:
        """A field, as a person may see it."""
        return clean(row.field(index), TEXT_CHARACTERS)


def read(output: bytes, fence: str) -> Facts:
    """What `output` says, whole or not."""
    rows, noise_bytes = read_begun(output, fence)
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row.kind, []).append(row)
    return Facts(found, noise_bytes, whole=bool(rows) and rows[-1] == Row("end", ()))


def clock(facts: Facts) -> int | None:
    """The far end's, in epoch seconds, when it began."""
    seconds = facts.count("begin")
    return seconds if seconds is not None and seconds <= LATEST_TIME else None
