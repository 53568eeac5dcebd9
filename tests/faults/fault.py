"""What a fault is: a row of the table, with the steps that make it happen and what a user may expect afterwards."""

import time
from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from enum import StrEnum
from typing import Any

from faults.play import Play
from product.waiting import until

Act = Callable[[Play], object]

SUBMIT, POLL, END, CANCEL, DELETE, RETRY, SUSPEND, ADOPT = ALL = (
    "submit", "poll", "end", "cancel", "delete", "retry", "suspend and resume", "adopt at restart")
"""The operations' names, in the order of a Job's life."""
SUBMITTING = (SUBMIT, RETRY)
CANCELLING = (CANCEL, DELETE, SUSPEND)
STARTED = (POLL, END, DELETE, RETRY, SUSPEND, ADOPT)

COMPLETE, FAILED = frozenset({"Complete"}), frozenset({"Failed"})
EITHER = COMPLETE | FAILED
WAITS = frozenset({"waits"})
"""A Job that goes on waiting, and says in a condition what for."""
MET_SECONDS = 30.0


class Group(StrEnum):
    """Which part fails."""

    CONTROLLER = "Controller and API server"
    LINK = "Link, sshd and credentials"
    SLURM = "Slurm"
    LOGIN_NODE = "Login node and file system"
    SCRIPT = "The user's script"
    TENANT = "People with few rights"


def nothing(play: Play) -> None:
    """No step."""


@dataclass(frozen=True)
class Fault:
    """One fault. `strike` comes before the operation is begun, `during` once it was, `heal` after it was met, or after `lasts_seconds`."""

    name: str
    _: KW_ONLY
    group: Group
    strike: Act = nothing
    during: Act = nothing
    heal: Act = nothing
    met: Callable[[Play], object] | None = None
    """Whether it has struck; a fault that never does is a mistake of the table."""
    lasts_seconds: float = 0.0
    with_: tuple[str, ...] = ALL
    """The operations with which it makes sense."""
    why: str = ""
    """Why not with the others."""
    config: Mapping[str, Any] = field(default_factory=dict)
    """What the Slurm cluster must be like."""
    setup: Act = nothing
    """Before the Cluster is applied."""
    proxied: bool = False
    spec: Mapping[str, Any] = field(default_factory=dict)
    script: Mapping[str, str] = field(default_factory=dict)
    """What the user's script does besides: `early` or `late`."""
    ends: frozenset[str] = COMPLETE
    """How a Job may end that is not deleted."""
    afterwards: Callable[[Play], list[str]] = lambda _play: []
    """What else is to be judged at the end."""
    again: int = 0
    """How many starts beyond the attempts are right, since the Job allows a requeue."""
    breaks_server: bool = False
    """Whether it restarts or stops the API server, which must be the bed's own then."""
    impossible: str = ""
    """Why no bed of ours can make it happen."""

    def last(self, play: Play) -> None:
        """Wait until it was met."""
        if self.met is not None:
            until(lambda: self.met and self.met(play), f"the fault {self.name!r} to strike", MET_SECONDS)
        if self.lasts_seconds:
            time.sleep(self.lasts_seconds)
