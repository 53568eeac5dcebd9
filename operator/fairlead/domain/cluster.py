"""A Cluster as Fairlead sees it: its address, and its status as people and tools read it."""

from collections.abc import Mapping
from dataclasses import dataclass

from fairlead.api.v1alpha1 import names
from fairlead.api.v1alpha1.cluster import Circuit, ClusterPhase, ClusterSpec, ClusterStatus, WorkDirStatus
from fairlead.api.v1alpha1.reasons import ClusterCondition, ClusterReason
from fairlead.domain.address import Address, Credentials, HostKeys
from fairlead.domain.conditions import Says, moment, told
from fairlead.domain.errors import Unreadable
from fairlead.domain.objects import ObjectRef
from fairlead.domain.pacing import Now
from fairlead.domain.run import AccountingState, Probe


@dataclass(frozen=True, slots=True)
class Cluster:
    """One Cluster as it was last read. `held` says that our finalizer is on it."""

    ref: ObjectRef
    resource_version: int
    generation: int
    deleting: bool
    held: bool
    spec: ClusterSpec
    status: ClusterStatus

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
    """What is known of a site: `probe` None until the first connection; `trouble` None while all is well."""

    probe: Probe | None = None
    trouble: Trouble | None = None
    accounting: AccountingState = AccountingState.ABSENT
    failures: int = 0
    retry_at_wall: float | None = None
    active_runs: int = 0
    waiting_jobs: int = 0


CHECKS: tuple[tuple[ClusterCondition, frozenset[ClusterReason]], ...] = (
    (ClusterCondition.HOST_KEY_VERIFIED, frozenset({
        ClusterReason.HOST_KEY_UNKNOWN, ClusterReason.HOST_KEY_MISMATCH, ClusterReason.HOST_KEYS_INVALID})),
    (ClusterCondition.REACHABLE, frozenset({
        ClusterReason.AUTHENTICATION_FAILED, ClusterReason.NAME_NOT_RESOLVED, ClusterReason.CONNECTION_REFUSED, ClusterReason.CONNECT_TIMEOUT,
        ClusterReason.CONNECTION_LOST, ClusterReason.CONNECTION_FAILED, ClusterReason.SECRET_NOT_FOUND, ClusterReason.SECRET_INVALID,
        ClusterReason.PASSPHRASE_REQUIRED, ClusterReason.LOGIN_SHELL_FAILED})),
    (ClusterCondition.WORK_DIR_READY, frozenset({ClusterReason.WORK_DIR_NOT_WRITABLE, ClusterReason.WORK_DIR_NOT_OURS})),
    (ClusterCondition.SCHEDULER_AVAILABLE, frozenset({
        ClusterReason.NO_SBATCH, ClusterReason.SCHEDULER_DOWN, ClusterReason.POLL_TIMED_OUT, ClusterReason.POLL_FAILED})),
    (ClusterCondition.ACCOUNTING_AVAILABLE, frozenset({ClusterReason.ACCOUNTING_DOWN})),
)
"""The checks in the order in which they are made, and the reasons with which each can fail."""

NEEDS_A_PERSON = frozenset({
    ClusterReason.HOST_KEY_UNKNOWN, ClusterReason.HOST_KEY_MISMATCH, ClusterReason.HOST_KEYS_INVALID, ClusterReason.AUTHENTICATION_FAILED,
    ClusterReason.SECRET_NOT_FOUND, ClusterReason.SECRET_INVALID, ClusterReason.PASSPHRASE_REQUIRED, ClusterReason.NO_SBATCH,
    ClusterReason.WORK_DIR_NOT_WRITABLE, ClusterReason.WORK_DIR_NOT_OURS, ClusterReason.INVALID_SPEC,
})
_GOOD = {
    ClusterCondition.HOST_KEY_VERIFIED: ClusterReason.VERIFIED, ClusterCondition.REACHABLE: ClusterReason.CONNECTED,
    ClusterCondition.WORK_DIR_READY: ClusterReason.VERIFIED, ClusterCondition.SCHEDULER_AVAILABLE: ClusterReason.ANSWERING,
    ClusterCondition.ACCOUNTING_AVAILABLE: ClusterReason.ANSWERING,
}


def known_hosts_of(cluster: Cluster, secret: Mapping[str, bytes] | None) -> str:
    """The known_hosts text in the Secret that knownHostsSecretRef names. Raises `Unreadable` when Secret or field is missing."""
    keys = cluster.spec.host_keys.known_hosts_secret_ref
    if keys is None:
        return ""
    if secret is None or keys.key not in secret:
        msg = f"Secret {cluster.ref.namespace}/{keys.name} with the field {keys.key} does not exist: put the known_hosts lines there"
        raise Unreadable(msg, ClusterReason.SECRET_NOT_FOUND)
    return secret[keys.key].decode("utf-8", "replace")


def address_of(cluster: Cluster, secret: Mapping[str, bytes] | None, known_hosts: str) -> Address:
    """Where and as whom to connect. `known_hosts` is the text of the Secret that knownHostsSecretRef names, if it names one.

    Raises `Unreadable` when the Secret is missing or lacks the private key.
    """
    spec, name = cluster.spec, cluster.spec.auth_secret_ref.name
    where = f"Secret {cluster.ref.namespace}/{name}"
    if secret is None:
        raise Unreadable(f"{where} does not exist: create it with the private key under {names.PRIVATE_KEY_FIELD}", ClusterReason.SECRET_NOT_FOUND)
    key = secret.get(names.PRIVATE_KEY_FIELD, b"")
    if not key.strip():
        there = ", ".join(sorted(secret)) or "no field at all"
        raise Unreadable(f"{where} has no field {names.PRIVATE_KEY_FIELD} (it has {there}): put the private key there")
    credentials = Credentials(key, secret.get(names.PASSPHRASE_FIELD) or None, secret.get(names.CERTIFICATE_FIELD) or None)
    keys = HostKeys(spec.host_keys.known_hosts or known_hosts, spec.host_keys.fingerprints)
    endpoint = spec.endpoints[0]
    return Address(
        endpoint.host, endpoint.port, spec.user, credentials, keys, spec.connection.connect_timeout_seconds,
        spec.connection.keepalive_interval_seconds, spec.connection.max_connections, spec.connection.max_channels_per_connection,
    )


def report(cluster: Cluster, health: Health, now: Now, heartbeat_seconds: float) -> ClusterStatus | None:
    """The new status, or None when nothing that a person reads has changed and the last heartbeat is young enough."""
    old = cluster.status
    says = [*_checks(cluster, health), _in_use(health), *_summary(cluster, health)]
    probe = health.probe
    tree = probe.tree if probe else None
    fields: dict[str, object] = {
        "phase": _phase(cluster, health), "observed_generation": cluster.generation, "active_runs": health.active_runs,
        "conditions": told(old.conditions, says, now.wall, cluster.generation), "circuit": _circuit(health, old.circuit),
    }
    if probe and probe.version:
        fields["scheduler_version"] = probe.version
    if tree:
        fields["work_dir"] = WorkDirStatus(path=tree.path, marker=tree.marker)
    status = old.model_copy(update=fields)
    last = old.last_heartbeat_time
    due = health.trouble is None and probe is not None and (last is None or now.wall - last.timestamp() >= heartbeat_seconds)
    if status == old and not due:
        return None
    return status.model_copy(update={"last_heartbeat_time": moment(now.wall)}) if due or health.trouble is None and probe else status


def _checks(cluster: Cluster, health: Health) -> list[Says]:
    trouble = health.trouble
    if cluster.spec.suspend:
        return [Says(kind, None, ClusterReason.SUSPENDED) for kind, _ in CHECKS]
    failed = next((n for n, (_, reasons) in enumerate(CHECKS) if trouble and trouble.reason in reasons), None)
    says: list[Says] = []
    for n, (kind, _) in enumerate(CHECKS):
        if trouble and failed is not None and n == failed:
            says.append(Says(kind, False, trouble.reason, trouble.message))
        elif failed is not None and n < failed and not (kind is ClusterCondition.HOST_KEY_VERIFIED and health.probe is None and failed == 1
                                                        and trouble and trouble.reason is not ClusterReason.AUTHENTICATION_FAILED):
            says.append(Says(kind, True, _GOOD[kind]))
        elif failed is not None or health.probe is None:
            says.append(Says(kind, None, ClusterReason.NOT_CHECKED if failed is not None else ClusterReason.CONNECTING))
        elif kind is ClusterCondition.ACCOUNTING_AVAILABLE:
            says.append(_accounting(cluster, health))
        else:
            says.append(Says(kind, True, _GOOD[kind]))
    if failed is not None and CHECKS[failed][0] is ClusterCondition.HOST_KEY_VERIFIED and trouble:
        says[1] = Says(ClusterCondition.REACHABLE, False, trouble.reason, trouble.message)
    return says


def _accounting(cluster: Cluster, health: Health) -> Says:
    kind = ClusterCondition.ACCOUNTING_AVAILABLE
    if health.accounting is AccountingState.AVAILABLE:
        return Says(kind, True, ClusterReason.ANSWERING)
    if health.accounting is AccountingState.DOWN:
        return Says(kind, False, ClusterReason.ACCOUNTING_DOWN, "sacct does not answer: the end of a job that left the queue is read from its directory alone")
    off = "spec.slurm.accounting is None" if cluster.spec.slurm.accounting == "None" else "the site keeps no accounting"
    return Says(kind, False, ClusterReason.ACCOUNTING_OFF, off)


def _in_use(health: Health) -> Says:
    if health.active_runs or health.waiting_jobs:
        return Says(ClusterCondition.IN_USE, True, ClusterReason.RUNS_ACTIVE, "Jobs of this Cluster have not ended")
    return Says(ClusterCondition.IN_USE, False, ClusterReason.NOT_IN_USE)


def _summary(cluster: Cluster, health: Health) -> list[Says]:
    ready, stalled, busy = ClusterCondition.READY, ClusterCondition.STALLED, ClusterCondition.RECONCILING
    trouble = health.trouble
    if cluster.spec.suspend:
        return [Says(ready, False, ClusterReason.SUSPENDED, "spec.suspend is true"), Says(stalled, False, ClusterReason.SUSPENDED),
                Says(busy, False, ClusterReason.SUSPENDED)]
    if trouble:
        person = trouble.reason in NEEDS_A_PERSON
        return [Says(ready, False, trouble.reason, trouble.message), Says(stalled, person, trouble.reason, trouble.message if person else ""),
                Says(busy, not person, trouble.reason)]
    if health.probe is None:
        return [Says(ready, False, ClusterReason.CONNECTING), Says(stalled, False, ClusterReason.CONNECTING), Says(busy, True, ClusterReason.CONNECTING)]
    return [Says(ready, True, ClusterReason.READY), Says(stalled, False, ClusterReason.READY), Says(busy, False, ClusterReason.READY)]


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
    return Circuit(state=state, failures=health.failures, next_retry_time=moment(health.retry_at_wall) if state == "Open" and health.retry_at_wall else None)
