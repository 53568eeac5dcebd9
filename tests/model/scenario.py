"""Which part of the whole is searched: what the Job asks for, who takes part, and which faults may happen. Each scenario is one search."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

USER_ACTS: Final = frozenset({"apply", "delete", "wipe", "ahead", "forge", "shut", "suspend", "resume", "cluster"})
"""What people do, and may do beside any number of faults."""

FAULTS: Final[Mapping[str, str]] = MappingProxyType({
    "apply": "a person creates the object, which is there from the start otherwise",
    "delete": "a person deletes the object",
    "wipe": "somebody empties its status",
    "ahead": "or writes one that is an attempt ahead",
    "forge": "somebody puts our finalizer on",
    "shut": "the Cluster's owner closes it to the Job's namespace",
    "suspend": "a person suspends the Job",
    "resume": "and lets it go on",
    "cluster": "a person deletes the Cluster, whose tree goes once nothing but tombstones is there",
    "crash": "a controller dies; its script goes on at the far end",
    "die": "a script is cut off",
    "late": "sbatch fails, and its request is worked on later",
    "refuse": "sbatch says: never",
    "defer": "sbatch says: not now",
    "nolist": "squeue fails",
    "lose": "the scheduler forgets a job, whose start goes on",
    "reuse": "and gives its id to a request that it works on later",
    "foreign": "or to another Job's run",
    "namesake": "or to one of the same name",
    "rollback": "the scheduler comes back from an older state: the same id, restart count 0",
    "requeue": "the site requeues a running job",
    "part": "whose first node is only cut off",
    "kill": "a job dies by SIGKILL",
    "profile": "the login shell ends before the script",
    "unmark": "a profile, or the script, does away with the mark of its begin",
    "hollow": "a job is called COMPLETED and its wrapper never ran",
    "unseen": "an NFS client does not see an entry that is there",
    "lostreply": "mkdir works and says that it did not",
    "swap": "the tree is not mounted",
    "swapmid": "the mount changes between two file operations",
    "deadline": "the cluster stays out of reach past the deletion deadline",
})
"""All that can go wrong. Each happens at most once, and only where a scenario names it."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """One search. `faults`: how many may happen together, of those in `may`."""

    may: frozenset[str] = frozenset()
    faults: int = 1
    attempts: int = 1                # how many the Job allows
    leaders: int = 2                 # 2: another is elected at any moment, and the first goes on with what it is at
    submissions: int = 2             # of one attempt
    tasks: int = 1                   # above 1: an array
    codes: tuple[int, ...] = (0,)    # with which the user's script may end
    backoff: bool = False            # another attempt follows a failure
    requeue: bool = False            # the Job allows a requeue
    orphan: bool = False             # deletionPolicy: Orphan
    outsider: bool = False           # the Cluster is closed to the Job's namespace, and always was
    sweeps: bool = False             # a sweep may begin at any moment, not only when the object is gone
    older: bool = False              # the first leader is of a release that does not know the object's kind


def _may(*faults: str) -> frozenset[str]:
    return frozenset(faults)


ONCE: Final[Mapping[str, Scenario]] = MappingProxyType({
    "submit": Scenario(_may("late")),
    "submit-faults": Scenario(_may("crash", "late", "die", "nolist", "unseen", "lostreply", "swap"), leaders=1, faults=2),
    "hollow": Scenario(_may("hollow", "kill")),
    "refused": Scenario(_may("late", "refuse", "defer", "delete"), leaders=1, faults=2),
    "reuse": Scenario(_may("late", "lose", "reuse"), leaders=1, faults=3),
    "rollback": Scenario(_may("rollback", "crash"), leaders=1),
    "foreign": Scenario(_may("lose", "foreign", "delete"), leaders=1, faults=2),
    "namesake": Scenario(_may("lose", "namesake", "delete"), leaders=1, faults=2),
    "site-requeue": Scenario(_may("requeue", "part", "kill", "late"), leaders=1, codes=(0, 1), faults=2),
    "requeue": Scenario(_may("requeue", "part", "kill"), leaders=1, requeue=True, codes=(0, 1), faults=2),
    "requeue-delete": Scenario(_may("requeue", "delete", "crash"), leaders=1, requeue=True),
    "retry": Scenario(attempts=2, backoff=True, codes=(0, 1)),
    "retry-begun": Scenario(_may("profile", "unmark", "crash"), leaders=1, attempts=2, faults=2),
    "retry-faults": Scenario(_may("late", "lose", "kill", "crash"), leaders=1, attempts=2, backoff=True, codes=(0, 1)),
    "retry-requeue": Scenario(_may("requeue", "lose", "kill"), leaders=1, attempts=2, backoff=True, requeue=True, faults=2),
    "wipe": Scenario(_may("delete", "wipe"), leaders=1, attempts=2, backoff=True, codes=(1,)),
    "ahead": Scenario(_may("ahead", "late"), leaders=1, attempts=2),
    "outsider": Scenario(_may("forge", "ahead", "wipe", "delete"), attempts=2, outsider=True),
    "shut": Scenario(_may("shut", "crash", "die"), attempts=2, leaders=1, backoff=True, codes=(0, 1)),
    "suspend": Scenario(_may("suspend", "resume"), attempts=2, leaders=1, codes=(0, 1)),
    "suspend-two": Scenario(_may("suspend"), attempts=2),
    "suspend-faults": Scenario(_may("suspend", "resume", "kill"), attempts=2, leaders=1, codes=(1,)),
    "suspend-crash": Scenario(_may("suspend", "crash"), attempts=2, leaders=1, codes=(1,)),
    "suspend-late": Scenario(_may("suspend", "resume", "late"), attempts=2, leaders=1),
    "array": Scenario(_may("rollback", "kill"), leaders=1, tasks=2),
    "array-requeue": Scenario(_may("requeue"), leaders=1, tasks=2, requeue=True),
})
"""How a Job comes to its end."""

NOTHING_LEFT: Final[Mapping[str, Scenario]] = MappingProxyType({
    "delete": Scenario(_may("delete")),
    "delete-faults": Scenario(_may("delete", "crash", "late", "die", "nolist", "unseen", "swap", "swapmid", "lostreply"), leaders=1),
    "delete-swap": Scenario(_may("delete", "late", "swapmid"), leaders=1, faults=2),
    "ledger": Scenario(_may("delete", "deadline")),
    "ledger-faults": Scenario(_may("delete", "deadline", "late", "crash"), leaders=1),
    "sweep": Scenario(_may("apply", "delete"), sweeps=True),
    "older": Scenario(sweeps=True, older=True),
    "orphan": Scenario(_may("delete", "crash", "late"), orphan=True, sweeps=True, leaders=1),
    "orphan-two": Scenario(_may("delete"), orphan=True, sweeps=True),
    "cluster": Scenario(_may("delete", "cluster", "crash", "late"), leaders=1),
    "array-delete": Scenario(_may("delete"), leaders=1, tasks=2),
})
"""How its object goes, and what then becomes of what it had."""

SCENARIOS: Final[Mapping[str, Scenario]] = MappingProxyType({**ONCE, **NOTHING_LEFT})
"""All searches. Together they are what `make test` runs."""
