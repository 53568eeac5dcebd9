"""A Session as a gateway sees it: whether it is to be reached now, and where its process listens. Pure."""

import re
from dataclasses import dataclass
from typing import Final

from fairlead.api.v1alpha1.session import SessionPhase
from fairlead.domain.objects import ClusterName, ObjectRef
from fairlead.domain.run.service import Question
from fairlead.domain.session.session import Session

LOOPBACK: Final = "127.0.0.1"
_FIRST_OF_MANY: Final = re.compile(r"([^\[\],]*)\[([0-9]+)[^\]]*\]([^,\[\]]*)")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Where a Session's current Run is to be reached. `host` is the Cluster's bare host on which it runs, empty on a Slurm cluster."""

    ref: ObjectRef
    cluster: ClusterName
    host: str
    run_key: str
    node: str
    port: int
    asked: Question | None = None    # by HTTP, to see whether the process is ready; None: that it listens is enough
    idle_timeout_seconds: int | None = None


def wanted(session: Session) -> Wanted | None:
    """Where it is to be reached; None: it is not, or not any more. Its host is the scheduler's node, whatever anybody wrote elsewhere."""
    run = session.status.run
    is_served = session.status.phase == SessionPhase.RUNNING and not session.deleting and not session.spec.suspend
    if not is_served or run is None or run.key != str(session.key):
        return None
    node = first_node(run.node) if run.node and not session.host else LOOPBACK
    return Wanted(session.ref, session.cluster, session.host, run.key, node, session.spec.application.port, session.asked,
                  session.spec.idle_timeout_seconds)


def first_node(nodes: str) -> str:
    """The first of Slurm's list of nodes, on which the process was started: `n3` of `n[3-5,7],m1`."""
    many = _FIRST_OF_MANY.match(nodes)
    return f"{many[1]}{many[2]}{many[3]}" if many else nodes.partition(",")[0]
