"""What an owner asks for with one attempt: what is to run, and on which resources. Each kind makes it of its spec, for a preparer.

A preparer makes a `Submission` of it: all that goes to the far end.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from fairlead.domain.run.run import Owner, RunKey


class Resources(Protocol):
    """Where and of how much an attempt runs, in sbatch's words. None: nothing is asked for, and the Cluster's defaults hold.

    Memory is a Kubernetes quantity, a time limit as people write it (90m, 1-12:00:00).
    """

    @property
    def partition(self) -> str | None: ...  # noqa: D102  sbatch's own word, as all of these
    @property
    def account(self) -> str | None: ...  # noqa: D102
    @property
    def qos(self) -> str | None: ...  # noqa: D102
    @property
    def nodes(self) -> int | None: ...  # noqa: D102
    @property
    def ntasks(self) -> int | None: ...  # noqa: D102
    @property
    def ntasks_per_node(self) -> int | None: ...  # noqa: D102
    @property
    def cpus_per_task(self) -> int | None: ...  # noqa: D102
    @property
    def memory(self) -> int | str | None: ...  # noqa: D102
    @property
    def gpus(self) -> int | None: ...  # noqa: D102
    @property
    def gres(self) -> str | None: ...  # noqa: D102
    @property
    def constraint(self) -> str | None: ...  # noqa: D102
    @property
    def exclusive(self) -> bool: ...  # noqa: D102
    @property
    def time_limit(self) -> str | None: ...  # noqa: D102

    @property
    def extra_options(self) -> Mapping[str, str]:
        """Further options by their long names; a flag has the value ""."""
        ...

    @property
    def working_dir(self) -> str | None:
        """None: the user's home, or what the script says."""
        ...

    @property
    def stdout_path(self) -> str | None:
        """None: the default file, or what the script says."""
        ...

    @property
    def stderr_path(self) -> str | None:
        """None: the same file as the output, or what the script says."""
        ...


@dataclass(frozen=True, slots=True)
class RunRequest:
    """One attempt of one owner."""

    key: RunKey
    owner: Owner
    resources: Resources
    script: str | None = None        # its text, which may have `#SBATCH` lines; None: `command` runs
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    login_shell: bool = True
    requeue: bool = False            # the scheduler may start it again under the same id
    priority: int = 0                # where Fairlead keeps the queue: the higher, the sooner


@dataclass(frozen=True, slots=True)
class Size:
    """So many slots and GPUs: what a host has, or what a Job takes of it."""

    slots: int
    gpus: int = 0

    def holds(self, other: "Size") -> bool:
        """Whether the other fits into this."""
        return other.slots <= self.slots and other.gpus <= self.gpus

    def __add__(self, other: "Size") -> "Size":
        return Size(self.slots + other.slots, self.gpus + other.gpus)

    def __sub__(self, other: "Size") -> "Size":
        return Size(self.slots - other.slots, self.gpus - other.gpus)


@dataclass(frozen=True, slots=True)
class Submission:
    """All that one attempt needs at the far end. `options` are the scheduler's own argv, spec fields already in them."""

    key: RunKey
    owner: Owner
    script: bytes
    options: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    working_dir: str = ""            # empty: the remote user's home; may begin with ~/
    stdout_path: str = ""            # empty: %x-%j.out in working_dir
    stderr_path: str = ""            # empty: the same file as standard output
    login_shell: bool = True
    arguments: tuple[str, ...] = ()  # $1... of the script
    requeue: bool = False
    priority: int = 0                # where Fairlead keeps the queue: the higher, the sooner
    size: Size = field(default_factory=lambda: Size(0))   # what it takes of a host, where Fairlead hands out slots and GPUs
    resubmit: bool = False           # a `not yet` has lasted long enough, or a waiting refusal: submit again under the same key
    job_name: str = ""               # what the script finds as its job's name where a scheduler has one; empty: the scheduler's
    previous_is_lost: bool = False   # the intent says that the attempt before this one was judged Lost
