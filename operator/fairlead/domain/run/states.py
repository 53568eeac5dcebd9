"""What the reports of all kinds say of a Run by its state. The phases are each kind's own."""

from typing import Final

from fairlead.api.v1alpha1.reasons import JobReason
from fairlead.domain.run.run import RunState

SUBMITTING: Final = frozenset({JobReason.SUBMITTING, JobReason.SUBMISSION_UNKNOWN, JobReason.SUBMISSION_DEFERRED})
"""Reasons of one that is on its way to the scheduler."""

SAID_OF_STATE: Final[dict[RunState, tuple[bool, JobReason]]] = {
    RunState.PENDING: (False, JobReason.QUEUED),
    RunState.STARTING: (False, JobReason.QUEUED),
    RunState.HELD: (False, JobReason.HELD),
    RunState.STUCK: (False, JobReason.UNSCHEDULABLE),
    RunState.RUNNING: (True, JobReason.RUNNING),
    RunState.FINISHING: (True, JobReason.COMPLETING),
    RunState.SUSPENDED: (True, JobReason.SUSPENDED),
    RunState.UNKNOWN: (True, JobReason.STATE_UNKNOWN),
}
"""Whether it runs, or else is queued, and the reason."""


def said_of(state: RunState) -> tuple[bool, JobReason]:
    """The same of any state; one that has an end is not told by a listing."""
    return SAID_OF_STATE.get(state, (True, JobReason.STATE_UNKNOWN))
