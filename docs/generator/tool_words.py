"""What Argo CD and Flux call an object by the reason of its condition Ready. tests/gitops asks these tools' own libraries for each word."""

from dataclasses import dataclass
from typing import Final

from fairlead.api.v1alpha1.reasons import ClusterReason, JobReason, Word
from fairlead.domain.cluster.cluster import NEEDS_A_PERSON, STAGE_OF


@dataclass(frozen=True, slots=True)
class ToolWords:
    """Argo CD's health and Flux's status; of several, the first is that of an object at first."""

    argo_cd: tuple[str, ...]
    flux: tuple[str, ...]


_ON_ITS_WAY: Final = ToolWords(("Progressing",), ("InProgress",))
_FAILED: Final = ToolWords(("Degraded",), ("Failed",))
_SET_ASIDE: Final = ToolWords(("Suspended",), ("InProgress",))
_WELL: Final = ToolWords(("Healthy",), ("Current",))
_LAPSED: Final = ToolWords(("Progressing", "Degraded"), ("InProgress",))
"""A new Cluster is on its way; one that was ready before is worse off than before."""

CLUSTER: Final[dict[Word, ToolWords]] = {
    **{reason: _FAILED if reason in NEEDS_A_PERSON else _LAPSED for reason in STAGE_OF},
    ClusterReason.READY: _WELL, ClusterReason.CONNECTING: _ON_ITS_WAY, ClusterReason.SUSPENDED: _SET_ASIDE,
}
_J = JobReason
_ENDS: Final = (
    _J.INVALID_SCRIPT, _J.SUBMISSION_REJECTED, _J.DEPENDENCY_NEVER_SATISFIED, _J.NON_ZERO_EXIT_CODE, _J.SIGNALED, _J.TIME_LIMIT_EXCEEDED,
    _J.OOM_KILLED, _J.NODE_FAILURE, _J.BOOT_FAILURE, _J.PREEMPTED, _J.CANCELLED_EXTERNALLY, _J.ENVIRONMENT_FAILURE, _J.OUTPUT_NOT_WRITABLE,
    _J.END_UNEXPLAINED, _J.NEVER_STARTED, _J.BACKOFF_LIMIT_EXCEEDED, _J.DEADLINE_EXCEEDED, _J.LOST, _J.NOT_SHARED,
)
_WAITS: Final = (
    _J.CLUSTER_NOT_FOUND, _J.NAMESPACE_NOT_ALLOWED, _J.CLUSTER_NOT_READY, _J.CLUSTER_SUSPENDED, _J.CLUSTER_TERMINATING,
    _J.CLUSTER_LIMIT_REACHED, _J.NO_FREE_HOST, _J.HOST_UNKNOWN, _J.SCRIPT_REF_NOT_FOUND, _J.SUBMITTING, _J.SUBMISSION_UNKNOWN,
    _J.SUBMISSION_DEFERRED, _J.QUEUED, _J.RUNNING, _J.COMPLETING, _J.STATE_UNKNOWN, _J.UNEXPLAINED, _J.RETRYING, _J.JOB_RESUMED,
    _J.INTERNAL_ERROR, _J.WRITE_REFUSED,
)
JOB: Final[dict[Word, ToolWords]] = {
    **dict.fromkeys(_ENDS, _FAILED), **dict.fromkeys(_WAITS, _ON_ITS_WAY),
    _J.COMPLETED: _WELL, _J.UNSCHEDULABLE: _FAILED, _J.HELD: _SET_ASIDE, _J.SUSPENDED: _SET_ASIDE,
    _J.JOB_SUSPENDED: ToolWords(("Progressing", "Suspended"), ("InProgress",)),
    _J.RUN_DIRECTORY_MISSING: ToolWords(("Degraded",), ("InProgress",)),
    _J.CLUSTER_UNREACHABLE: ToolWords(("Progressing",), ("Terminating",)),
}
