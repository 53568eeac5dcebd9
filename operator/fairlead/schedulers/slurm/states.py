"""Slurm's job states: twelve base states and the flags that squeue prints in their place (https://slurm.schedmd.com/job_state_codes.html).

squeue, sacct and scontrol print one word. A word that is not in the table is UNKNOWN: never the end of a Run.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType

from fairlead.domain.run.run import RunState

WORDS: Mapping[str, RunState] = MappingProxyType({
    # Base states.
    "BOOT_FAIL": RunState.BOOT_FAILED,
    "CANCELLED": RunState.CANCELLED,
    "COMPLETED": RunState.COMPLETED,
    "DEADLINE": RunState.TIMED_OUT,
    "FAILED": RunState.FAILED,
    "NODE_FAIL": RunState.NODE_FAILED,
    "OUT_OF_MEMORY": RunState.OUT_OF_MEMORY,
    "PENDING": RunState.PENDING,
    "PREEMPTED": RunState.PREEMPTED,
    "RUNNING": RunState.RUNNING,
    "SUSPENDED": RunState.SUSPENDED,
    "TIMEOUT": RunState.TIMED_OUT,
    # Flags; a flag is printed instead of its base state.
    "COMPLETING": RunState.FINISHING,
    "CONFIGURING": RunState.STARTING,
    "LAUNCH_FAILED": RunState.BOOT_FAILED,
    "POWER_UP_NODE": RunState.STARTING,
    "RECONFIG_FAIL": RunState.BOOT_FAILED,
    "REQUEUED": RunState.PENDING,            # the same id runs again
    "REQUEUE_FED": RunState.PENDING,
    "REQUEUE_HOLD": RunState.HELD,
    "RESIZING": RunState.RUNNING,
    "RESV_DEL_HOLD": RunState.HELD,
    "REVOKED": RunState.CANCELLED,           # a federation runs it elsewhere
    "SIGNALING": RunState.RUNNING,
    "SPECIAL_EXIT": RunState.HELD,
    "STAGE_OUT": RunState.FINISHING,
    "STOPPED": RunState.SUSPENDED,
    "UPDATE_DB": RunState.RUNNING,
    "EXPEDITING": RunState.PENDING,          # 25.11 on: requeued ahead of the queue
})

HELD_REASONS = frozenset({
    "JobHeldUser", "JobHeldAdmin", "job requeued in held state", "launch failed requeued held", "user env retrieval failed requeued held",
})
"""Why a PENDING job will not start before somebody releases it. Slurm prints PENDING with these reasons where its state is REQUEUE_HOLD."""

STUCK_REASONS = re.compile(
    r"PartitionTimeLimit|AccountNotAllowed|QOSNotAllowed|InvalidAccount|InvalidQOS|BadConstraints"
    r"|(?:QOS|Assoc)(?:Max\w{1,40}PerJob|MaxWall|Min)\w{0,40}")
"""Why a PENDING job will not start before somebody changes it, or the site: it asks for more than is allowed to one job
(https://slurm.schedmd.com/job_reason_codes.html). What nodes that come back may clear is left out: PartitionNodeLimit, PartitionConfig."""


def read(word: str, reason: str = "") -> RunState:
    """Give the state that `word` says, as squeue (`%T`), scontrol or sacct print it; `CANCELLED by 1000` and `CANCELLED+` are CANCELLED.

    `reason` turns PENDING into HELD where only a person can release the job, and into STUCK where its limits would have to change.
    scontrol writes its blanks as underscores.
    """
    first = word.split(" by ", 1)[0].removesuffix("+")
    state = WORDS.get(first, RunState.UNKNOWN)
    if state is RunState.PENDING and (reason in HELD_REASONS or reason.replace("_", " ") in HELD_REASONS):
        return RunState.HELD
    if state is RunState.PENDING and STUCK_REASONS.fullmatch(reason):
        return RunState.STUCK
    return state
