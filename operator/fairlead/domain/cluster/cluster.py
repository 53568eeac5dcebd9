"""A Cluster as Fairlead sees it, and its status as people and tools read it."""

from dataclasses import dataclass
from enum import IntEnum

from fairlead.api.v1alpha1.cluster import Circuit, ClusterPhase, ClusterSpec, ClusterStatus, ProcessHost, WorkDirStatus
from fairlead.api.v1alpha1.reasons import ClusterCondition, ClusterReason
from fairlead.api.v1alpha1.ssh import Endpoint, HostKeys
from fairlead.domain.cluster.residue import NOT_USED, Sweep, Use, agreement, in_use, residue, sweep_held
from fairlead.domain.conditions import Says, moment, told
from fairlead.domain.objects import ClusterName, ObjectRef
from fairlead.domain.pacing import Now
from fairlead.domain.run.answers import AccountingState, Probe


@dataclass(frozen=True, slots=True)
class Cluster:
    """One Cluster as it was last read. `has_finalizer`: ours is on it."""

    ref: ObjectRef
    resource_version: int
    generation: int
    deleting: bool
    has_finalizer: bool
    spec: ClusterSpec
    status: ClusterStatus
    forgives_debts: bool = False     # an annotation gives up what is owed there
    agreed_sweep: int = 0            # so many Runs may have lost their objects, by an annotation
    site: str = ""                   # as it is seen by one of several sites, and which; see `sites`

    @property
    def name(self) -> ClusterName:
        """By what Jobs and debts refer to it, also when it is made anew."""
        return self.ref.namespace, self.ref.name

    @property
    def login_namespace(self) -> str:
        """The namespace whose Secret logs in."""
        return self.ref.namespace if self.spec.process else self.site or self.ref.namespace

    @property
    def hosts(self) -> tuple[ProcessHost, ...]:
        """Its bare hosts, if it has any."""
        return self.spec.process.hosts if self.spec.process else ()

    def site_for(self, namespace: str, host: str) -> str | None:
        """Which site has the Jobs of a namespace on a host: empty for the Cluster's own, None as long as a host is to be chosen.

        None also for a host that the Cluster has never had: a text in a Job's status is no reason to begin anything.
        """
        if self.spec.process:
            if host:
                known = {each.name for each in self.hosts} | {each.name for each in self.status.hosts}
                return host if host in known else None
            return None if self.has_choice else self.hosts[0].name
        return namespace if self.spec.credentials == "PerNamespace" and namespace != self.ref.namespace else ""

    @property
    def has_choice(self) -> bool:
        """Whether it has several hosts, of which one is chosen for each Job."""
        return len(self.hosts) > 1

    @property
    def host(self) -> ProcessHost | None:
        """The bare host whose site this is; None if it is none, or was taken out of the spec."""
        return next((each for each in self.hosts if each.name == self.site), None)

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """Where this site answers SSH, in the order in which it is tried; none for a host that was taken out of the spec."""
        return self.spec.endpoints or ((self.host,) if self.host else ())

    @property
    def host_keys(self) -> HostKeys:
        """By what this site is recognised."""
        return (self.host.host_keys if self.host else None) or self.spec.host_keys or HostKeys()

    @property
    def marker(self) -> str:
        """The mark of the work folder as it was found or made, empty if never."""
        return (self.status.work_dir.marker or "") if self.status.work_dir else ""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a site cannot be worked with now."""

    reason: ClusterReason
    message: str


@dataclass(frozen=True, slots=True)
class Health:
    """What is known of a site: `probe` None until the first connection; `trouble` None while all is well; `sweep` None until the first."""

    probe: Probe | None = None
    trouble: Trouble | None = None
    accounting: AccountingState = AccountingState.ABSENT
    failures: int = 0
    retry_at_wall: float | None = None
    use: Use = NOT_USED
    sweep: Sweep | None = None


class Stage(IntEnum):
    """How far the way to a cluster was gone, in its order."""

    CREDENTIALS = 1
    NETWORK = 2
    HOST_KEY = 3
    LOGIN = 4
    WORK_DIR = 5
    SCHEDULER = 6
    ACCOUNTING = 7


_R = ClusterReason
_REASONS_AT: dict[Stage, tuple[ClusterReason, ...]] = {
    Stage.CREDENTIALS: (_R.HOST_REMOVED, _R.SECRET_NOT_FOUND, _R.SECRET_INVALID, _R.PASSPHRASE_REQUIRED),
    Stage.NETWORK: (_R.NO_FREE_CONNECTION, _R.NAME_NOT_RESOLVED, _R.CONNECTION_REFUSED, _R.CONNECT_TIMEOUT, _R.CONNECTION_LOST,
                    _R.NO_COMMON_ALGORITHM, _R.CONNECTION_FAILED, _R.INTERNAL_ERROR),
    Stage.HOST_KEY: (_R.HOST_KEYS_INVALID, _R.HOST_KEY_UNKNOWN, _R.HOST_KEY_MISMATCH),
    Stage.LOGIN: (_R.AUTHENTICATION_FAILED, _R.LOGIN_SHELL_FAILED),
    Stage.WORK_DIR: (_R.WORK_DIR_NOT_WRITABLE, _R.WORK_DIR_NOT_OURS, _R.WORK_DIR_NOT_SAFE),
    Stage.SCHEDULER: (_R.NO_SBATCH, _R.TOOLS_MISSING, _R.ENDS_AT_LOGOUT, _R.SCHEDULER_DOWN, _R.POLL_TIMED_OUT, _R.POLL_FAILED),
    Stage.ACCOUNTING: (_R.ACCOUNTING_DOWN,),
}
STAGE_OF = {reason: stage for stage, reasons in _REASONS_AT.items() for reason in reasons}
"""At which stage the way ended, for each reason that a site can fail with."""


@dataclass(frozen=True, slots=True)
class StageCondition:
    """One condition: False when the way ended from `since` to `proved` on, True when it ended later, Unknown when it ended before."""

    kind: ClusterCondition
    since: Stage
    proved: Stage
    good: ClusterReason


CHECKS = (
    StageCondition(ClusterCondition.REACHABLE, Stage.CREDENTIALS, Stage.LOGIN, ClusterReason.CONNECTED),
    StageCondition(ClusterCondition.HOST_KEY_VERIFIED, Stage.HOST_KEY, Stage.HOST_KEY, ClusterReason.VERIFIED),
    StageCondition(ClusterCondition.WORK_DIR_READY, Stage.WORK_DIR, Stage.WORK_DIR, ClusterReason.VERIFIED),
    StageCondition(ClusterCondition.SCHEDULER_AVAILABLE, Stage.SCHEDULER, Stage.SCHEDULER, ClusterReason.ANSWERING),
    StageCondition(ClusterCondition.ACCOUNTING_AVAILABLE, Stage.ACCOUNTING, Stage.ACCOUNTING, ClusterReason.ANSWERING),
)

NEEDS_A_PERSON = frozenset({
    ClusterReason.HOST_KEY_UNKNOWN, ClusterReason.HOST_KEY_MISMATCH, ClusterReason.HOST_KEYS_INVALID, ClusterReason.AUTHENTICATION_FAILED,
    ClusterReason.HOST_REMOVED, ClusterReason.SECRET_NOT_FOUND, ClusterReason.SECRET_INVALID, ClusterReason.PASSPHRASE_REQUIRED,
    ClusterReason.NO_COMMON_ALGORITHM, ClusterReason.NO_SBATCH, ClusterReason.TOOLS_MISSING,
    ClusterReason.ENDS_AT_LOGOUT, ClusterReason.WORK_DIR_NOT_WRITABLE, ClusterReason.WORK_DIR_NOT_OURS,
    ClusterReason.WORK_DIR_NOT_SAFE,
})


def report(cluster: Cluster, health: Health, now: Now, heartbeat_seconds: float) -> ClusterStatus | None:
    """The new status, or None when nothing that a person reads has changed and the last heartbeat is young enough."""
    old = cluster.status
    use, sweep, agreed = health.use, health.sweep, cluster.agreed_sweep
    says = [*(_said(check, cluster, health) for check in CHECKS), in_use(use), *sweep_held(sweep, old, agreed), *_summary(cluster, health)]
    probe = health.probe
    tree = probe.tree if probe else None
    fields: dict[str, object] = {
        "phase": _phase(cluster, health), "observed_generation": cluster.generation, "address": _address(cluster.spec),
        "active_runs": use.active_runs,
        "conditions": told(old.conditions, says, now.wall, cluster.generation), "circuit": _circuit(health, old.circuit),
        "residue": residue(use.debts), "sweep_agreement": agreement(sweep, old, agreed),
    }
    if probe and probe.version:
        fields["scheduler_version"] = probe.version
    if tree:
        known = old.work_dir if old.work_dir and old.work_dir.marker == tree.marker else None
        fields["work_dir"] = (known or WorkDirStatus()).having(path=tree.path, marker=tree.marker)
    status = old.having(**fields)
    last = old.last_heartbeat_time
    confirmed = health.trouble is None and probe is not None
    due = confirmed and (last is None or now.wall - last.timestamp() >= heartbeat_seconds)
    if status == old and not due:
        return None
    return status.having(last_heartbeat_time=moment(now.wall)) if confirmed else status


def accounting_fault(cluster: Cluster, accounting: AccountingState) -> str | None:
    """Why the Cluster cannot be worked with, when its spec requires accounting; None if it can."""
    if cluster.spec.slurm.accounting != "Required" or accounting is AccountingState.AVAILABLE:
        return None
    seen = "sacct does not answer" if accounting is AccountingState.DOWN else "the site keeps no accounting"
    return f"{seen}, and spec.slurm.accounting is Required: mend it there, or write Auto"


def _said(check: StageCondition, cluster: Cluster, health: Health) -> Says:
    """What one check says."""
    trouble = health.trouble
    if cluster.spec.suspend:
        return Says(check.kind, None, ClusterReason.SUSPENDED)
    if trouble is not None:
        stage = STAGE_OF.get(trouble.reason, Stage.NETWORK)
        if stage < check.since:
            return Says(check.kind, None, ClusterReason.NOT_CHECKED)
        return Says(check.kind, False, trouble.reason, trouble.message) if stage <= check.proved else Says(check.kind, True, check.good)
    if health.probe is None:
        return Says(check.kind, None, ClusterReason.CONNECTING)
    return _accounting(cluster, health) if check.kind is ClusterCondition.ACCOUNTING_AVAILABLE else Says(check.kind, True, check.good)


def _accounting(cluster: Cluster, health: Health) -> Says:
    kind = ClusterCondition.ACCOUNTING_AVAILABLE
    if health.accounting is AccountingState.AVAILABLE:
        return Says(kind, True, ClusterReason.ANSWERING)
    if health.accounting is AccountingState.DOWN:
        message = "sacct does not answer: the end of a job that left the queue is read from its directory alone"
        return Says(kind, False, ClusterReason.ACCOUNTING_DOWN, message)
    if cluster.spec.process:
        return Says(kind, False, ClusterReason.ACCOUNTING_OFF, "a bare host keeps none: how a Job ended is read from its directory")
    off = "spec.slurm.accounting is None" if cluster.spec.slurm.accounting == "None" else "the site keeps no accounting"
    return Says(kind, False, ClusterReason.ACCOUNTING_OFF, off)


def _summary(cluster: Cluster, health: Health) -> list[Says]:
    """Ready, and what kstatus reads: Stalled waits for a person, Reconciling for time."""
    trouble = health.trouble
    if cluster.spec.suspend:
        return _three(ClusterReason.SUSPENDED, "spec.suspend is true")
    if trouble:
        stalled = trouble.reason in NEEDS_A_PERSON
        return _three(trouble.reason, trouble.message, stalled=stalled, reconciling=not stalled)
    if health.probe is None:
        return _three(ClusterReason.CONNECTING, reconciling=True)
    return _three(ClusterReason.READY, ready=True)


def _three(reason: ClusterReason, message: str = "", *,
           ready: bool = False, stalled: bool = False, reconciling: bool = False) -> list[Says]:
    return [
        Says(ClusterCondition.READY, ready, reason, message),
        Says(ClusterCondition.STALLED, stalled, reason, message if stalled else ""),
        Says(ClusterCondition.RECONCILING, reconciling, reason),
    ]


def _address(spec: ClusterSpec) -> str:
    first, *more = spec.process.hosts if spec.process else spec.endpoints
    return f"{first.host} and {len(more)} more" if more else first.host


def _phase(cluster: Cluster, health: Health) -> ClusterPhase:
    if cluster.deleting:
        return ClusterPhase.TERMINATING
    if cluster.spec.suspend:
        return ClusterPhase.SUSPENDED
    if health.trouble:
        return ClusterPhase.NOT_READY
    return ClusterPhase.READY if health.probe else ClusterPhase.PENDING


def _circuit(health: Health, old: Circuit | None) -> Circuit:
    """Written when the circuit opens and closes, not at each failure in between: a dead cluster costs no status write a minute."""
    state = "Open" if health.retry_at_wall is not None and health.failures else "Closed"
    if old and old.state == state:
        return old
    return Circuit(state=state, failures=health.failures, next_retry_time=moment(health.retry_at_wall) if health.retry_at_wall else None)
