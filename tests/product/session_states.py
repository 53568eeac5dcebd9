"""States of a Session, each made by what the controller writes of the news that lead to it, in their order."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from fairlead.api.v1alpha1 import names
from fairlead.api.v1alpha1.reasons import JobReason, SessionReason
from fairlead.api.v1alpha1.session import SessionStatus
from fairlead.domain.pacing import Now
from fairlead.domain.run import news as said
from fairlead.domain.run.evidence import Ended
from fairlead.domain.run.memory import Closing
from fairlead.domain.run.observation import Finished, Listed, Started
from fairlead.domain.run.quiet import Quiet
from fairlead.domain.run.retry import Again, Over
from fairlead.domain.run.run import RunState
from fairlead.domain.run.service import KeptService, NoService, Served, TunnelState
from fairlead.domain.session.session import Session
from fairlead.domain.session.session_reading import read_session
from fairlead.domain.session.session_report import report
from fairlead.domain.session.session_status import served
from product.objects import KEY, NOW, UID, submitted
from product.states import LATER, Meant, State, body

Told = said.News | Served
SERVICE: Final = KeptService("lab", 80, "10.0.0.7")
REACHED: Final = Served(SERVICE, TunnelState.OPEN)
AT_REST: Final = replace(REACHED, quiet=Quiet(1_700_000_000, 1_700_000_120))
ENDED: Final = Ended(Finished("7", 0, 0, 1_700_000_000), Started("7", 0, "n1", 1_700_000_000), RunState.COMPLETED, "", None, "sentinel")


def live(state: RunState, *, node: str = "n1", detailed: bool = True) -> said.Live:
    """What a listing shows of it."""
    return said.Live(Listed(KEY, "7", state, state.name, "", node, None, None, "squeue"), detailed)


def _closing(reason: JobReason) -> Closing:
    return Closing(reason, "x")


RUNS: Final = live(RunState.RUNNING)
TIME_IS_OVER: Final = said.Failed(_closing(JobReason.DEADLINE_EXCEEDED), Over(JobReason.DEADLINE_EXCEEDED, "x", 1, 0))
REFUSED: Final = said.Failed(_closing(JobReason.SUBMISSION_REJECTED), Over(JobReason.SUBMISSION_REJECTED, "x", 0, 0))
STEPS: Final[Sequence[tuple[Meant, tuple[Told, ...]]]] = (
    (Meant.GOES_ON, ()),
    (Meant.GOES_ON, (said.Waiting(JobReason.CLUSTER_NOT_READY, "x"),)),
    (Meant.GOES_ON, (said.Waiting(SessionReason.TOKEN_NOT_FOUND, "x"),)),
    (Meant.GOES_ON, (said.KeptOut("x"),)),
    (Meant.GOES_ON, (said.Begun(),)),
    (Meant.GOES_ON, (said.Accepted("7"),)),
    (Meant.GOES_ON, (live(RunState.PENDING),)),
    (Meant.SET_ASIDE, (live(RunState.HELD),)),
    (Meant.STUCK, (live(RunState.STUCK),)),
    (Meant.GOES_ON, (RUNS,)),
    (Meant.GOES_ON, (RUNS, Served(SERVICE, None))),
    (Meant.GOES_ON, (RUNS, Served(SERVICE, TunnelState.OPENING))),
    (Meant.GOES_ON, (RUNS, Served(NoService(True, "taken"), TunnelState.OPEN))),
    (Meant.DONE, (RUNS, REACHED)),
    (Meant.DONE, (RUNS, REACHED, AT_REST)),
    (Meant.GOES_ON, (RUNS, REACHED, Served(SERVICE, TunnelState.BROKEN))),
    (Meant.GOES_ON, (RUNS, REACHED, AT_REST, Served(SERVICE, TunnelState.BROKEN))),
    (Meant.SET_ASIDE, (RUNS, REACHED, live(RunState.SUSPENDED))),
    (Meant.GOES_ON, (RUNS, REACHED, said.Unexplained("x"))),
    (Meant.STRANDED, (RUNS, REACHED, said.Vanished("x"))),
    (Meant.GOES_ON, (said.Accepted("7"), said.Retried(_closing(JobReason.NODE_FAILURE), Again(1.0, 0, 1, "x")))),
    (Meant.FAILED, (RUNS, REACHED, said.Completed(ENDED))),
    (Meant.FAILED, (RUNS, REACHED, TIME_IS_OVER)),
    (Meant.FAILED, (RUNS, REACHED, AT_REST, TIME_IS_OVER)),
    (Meant.FAILED, (said.Begun(), REFUSED)),
)


def of_sessions() -> list[State]:
    """One for each way there; those of one that is suspended or deleted beside them."""
    aside = (RUNS, REACHED, said.Parking(), said.SetAside(_closing(JobReason.JOB_SUSPENDED), 0.0))
    return [
        *(_state(meant, a_session(maxLifetimeSeconds=1), told) for meant, told in STEPS),
        _state(Meant.SET_ASIDE, a_session(suspend=True), aside),
        _state(Meant.GOES_ON, a_session(), aside),
        _state(Meant.GOING, a_session(deleting=True), (RUNS, REACHED)),
        _state(Meant.GOING, a_session(deleting=True), (RUNS, said.DeletionWaits("x"))),
    ]


def a_session(status: dict[str, Any] | None = None, *, deleting: bool = False, **spec: Any) -> Session:
    """A Session that has begun."""
    metadata = {"name": "lab", "namespace": "team", "uid": UID, "resourceVersion": "1", "generation": 1, "finalizers": [names.FINALIZER],
                **({"deletionTimestamp": "2026-01-01T00:00:00Z"} if deleting else {})}
    whole = {"clusterRef": {"name": "hpc"}, "application": {"command": ["server"], "port": 8888}, **spec}
    return read_session({"metadata": metadata, "spec": whole, "status": status or submitted()})


def after(session: Session, *told: Told, now: Now = NOW) -> Session:
    """The Session once all of that was told."""
    for each in told:
        status = (served(session, each, now) if isinstance(each, Served) else report(session, each, now)).status
        if status is not None:
            assert isinstance(status, SessionStatus)
            session = replace(session, status=status)
    return session


def _state(meant: Meant, session: Session, told: Sequence[Told]) -> State:
    session = after(session, *told, now=LATER)
    ready = session.status.condition("Ready")
    return State(body(session, session.status if ready else None), meant, ready.reason if ready else "")
