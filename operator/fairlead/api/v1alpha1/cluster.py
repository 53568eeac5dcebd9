"""Cluster: a remote cluster reached over SSH."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, Literal

from pydantic import ConfigDict, Field

from fairlead.api.v1alpha1 import names
from fairlead.api.v1alpha1.meta import ApiModel, Condition, ObjectMeta, ObjectStatus, Timestamp, Written
from fairlead.api.v1alpha1.namespaces import ONE_OF_BOTH, AllowedNamespaces
from fairlead.api.v1alpha1.schema import ONE_WORD, Rule, marks, matches
from fairlead.api.v1alpha1.ssh import (
    AT_LEAST_200_MS,
    LOGIN_NAME,
    ONE_KIND_OF_HOST_KEYS,
    Connection,
    Endpoint,
    HostKeys,
    JumpHost,
    SecretReference,
)
from fairlead.api.v1alpha1.texts import RemotePath, Word

_PLAIN_PATH: Final = r"(/[A-Za-z0-9._@+-]+)+"
_NO_DOTS: Final = "!self.split('/').exists(part, part == '..' || part == '.')"
_FIXED: Final = "cannot be changed once the Cluster exists, since Jobs are known by it: make a Cluster with another name"


class ClusterPhase(StrEnum):
    """A Cluster's state in one word, derived from its conditions."""

    PENDING = "Pending"
    READY = "Ready"
    NOT_READY = "NotReady"
    SUSPENDED = "Suspended"
    TERMINATING = "Terminating"


class Polling(ApiModel):
    """How often the cluster is asked for the state of its Jobs."""

    interval_seconds: float = Field(default=2, le=3600, json_schema_extra=marks(AT_LEAST_200_MS))
    """Seconds between two polls while something is about to change."""
    max_interval_seconds: float = Field(default=30, le=86400, json_schema_extra=marks(AT_LEAST_200_MS))
    """Seconds between two polls while nothing changes."""
    timeout_seconds: float = Field(default=30, le=600, json_schema_extra=marks(AT_LEAST_200_MS))
    """Seconds after which a poll is given up; it then changes no Job's state."""


class SlurmSettings(ApiModel):
    """What is particular to a Slurm cluster."""

    bin_path: str | None = Field(default=None, max_length=1024, json_schema_extra=marks(
        matches(
            f"^{_PLAIN_PATH}$",
            "binPath is the absolute path of the folder that holds sbatch, such as /opt/slurm/bin, of letters, digits and . _ @ + - only",
        ),
        Rule(_NO_DOTS, "binPath may not hold the parts . or ..: write the folder's own path"),
    ))
    """Folder of sbatch, squeue, scancel, scontrol and sacct. Without it they are looked for in the login shell's PATH."""
    default_partition: str | None = Field(default=None, max_length=1024, json_schema_extra=marks(
        matches(ONE_WORD, "defaultPartition is a partition's name, without spaces: see sinfo on the cluster")
    ))
    """Partition of Jobs that name none. Without it Slurm's default holds."""
    default_account: str | None = Field(default=None, max_length=1024, json_schema_extra=marks(
        matches(ONE_WORD, "defaultAccount is an account's name, without spaces: see sacctmgr show associations on the cluster")
    ))
    """Account of Jobs that name none. Without it Slurm's default holds."""
    accounting: Literal["Auto", "Required", "None"] = "Auto"
    """Whether sacct is asked about Jobs that left the queue. Auto: where it answers. Required: the Cluster is not ready without it.
    None: never."""


class ProcessHost(Endpoint):
    """A bare host: its address, and what it has to hand out."""

    slots: int = Field(ge=1, le=1024)
    """How many slots its Jobs share; a Job takes ntasks times cpusPerTask of them, one if it says neither."""
    gpus: int = Field(default=0, ge=0, le=64)
    """How many GPUs its Jobs share: those with the numbers from 0 on, as CUDA counts them."""
    host_keys: HostKeys | None = Field(default=None, json_schema_extra=marks(ONE_KIND_OF_HOST_KEYS))
    """By what this host's key is recognised. Exactly one of its fields. Default: the Cluster's hostKeys."""

    @property
    def name(self) -> str:
        """By what the host is known in status and annotations: its address and port, which no other host of the Cluster has."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class ProcessSettings(ApiModel):
    """What is particular to bare hosts, which have no scheduler."""

    hosts: tuple[ProcessHost, ...] = Field(min_length=1, max_length=64, json_schema_extra=marks(keys=("host", "port")))
    """The hosts, each with the user and work folder of the Cluster. A Job runs on one of them, where it fits first; which one is decided
    when it is taken up, and stays. A host that is taken out of the list gets nothing more, and what it has waits for its return."""


class Limits(ApiModel):
    """How much of the cluster's queue Fairlead takes."""

    max_active_jobs: int | None = Field(default=None, ge=1, le=1_000_000)
    """Jobs that are on the cluster, or on their way there, at the same time; further ones wait here, in the order in which they came.
    Default: no limit of ours."""
    submit_per_second: float | None = Field(default=None, le=1000, json_schema_extra=marks(
        Rule("self >= 0.01", "write at least 0.01: a Job in a hundred seconds")
    ))
    """Submissions a second, on average. Default: no limit of ours."""


class ClusterSpec(ApiModel):
    """How to reach the cluster, and as whom."""

    model_config = ConfigDict(json_schema_extra=marks(
        Rule(
            "self.type == 'Slurm' ? has(self.endpoints) && !has(self.process) : has(self.process) && !has(self.endpoints)",
            "a Cluster of type Slurm has endpoints and no process; one of type Process has process.hosts and no endpoints",
        ),
        Rule(
            "has(self.hostKeys) || (has(self.process) && self.process.hosts.all(each, has(each.hostKeys)))",
            "write hostKeys, by which the server's host key is recognised: no host key is accepted unseen",
            ".hostKeys",
        ),
        Rule(
            "self.type == 'Slurm' || !has(self.credentials) || self.credentials == 'Shared'",
            "credentials: PerNamespace is for type Slurm: the slots of a bare host are handed out by one login, which knows no other's",
            ".credentials",
        ),
    ))

    type: Literal["Slurm", "Process"] = Field(json_schema_extra=marks(fixed=f"type {_FIXED}"))
    """What runs jobs there. Slurm: a Slurm cluster. Process: a bare host, whose slots and GPUs Fairlead hands out itself."""
    endpoints: tuple[Endpoint, ...] = Field(default=(), min_length=1, max_length=8, json_schema_extra=marks(keys=("host", "port")))
    """The login nodes of a Slurm cluster, which share users, homes and scheduler. Tried in this order until one answers, within
    connectTimeoutSeconds for all; that one is kept to while it answers. The host key of each must be one of hostKeys."""
    user: str = Field(max_length=128, json_schema_extra=marks(
        LOGIN_NAME,
        fixed=f"user {_FIXED}",
    ))
    """The login name on the cluster under which all Jobs run."""
    auth_secret_ref: SecretReference
    """Secret with the private key in ssh-privatekey (OpenSSH or PEM) and, where they apply, certificate and passphrase."""
    host_keys: HostKeys | None = Field(default=None, json_schema_extra=marks(ONE_KIND_OF_HOST_KEYS))
    """By what the server's host key is recognised. Exactly one of its fields; a host key that is not named there is never accepted.
    Needed, but where each of process.hosts has its own."""
    proxy_jump: tuple[JumpHost, ...] = Field(default=(), max_length=4)
    """Jump hosts on the way to the endpoints, the first to be connected to first, as ssh's ProxyJump. Clusters that name the same ones
    share the connections to them."""
    connection: Connection = Connection()
    """How connections to the login node are made and kept."""
    polling: Polling = Field(default=Polling(), json_schema_extra=marks(Rule(
        "!has(self.maxIntervalSeconds) || !has(self.intervalSeconds) || self.maxIntervalSeconds >= self.intervalSeconds",
         "maxIntervalSeconds may not be below intervalSeconds: raise it or lower intervalSeconds"
    )))
    """How often the cluster is asked for the state of its Jobs."""
    work_dir: str = Field(default=names.DEFAULT_WORK_DIR, max_length=1024, json_schema_extra=marks(
        matches(
            f"^~?{_PLAIN_PATH}$",
            "workDir is an absolute path, or one that starts with ~/ for the user's home, of letters, digits and . _ @ + - only, "
            "without a slash at its end",
        ),
        Rule(_NO_DOTS, "workDir may not hold the parts . or ..: write the folder's own path"),
        fixed=f"workDir {_FIXED}",
    ))
    """Folder on the cluster for Fairlead's own files, on a file system that login and compute nodes share; made when missing."""
    slurm: SlurmSettings = SlurmSettings()
    """What is particular to a Slurm cluster; of no effect where type is Process."""
    process: ProcessSettings | None = None
    """What is particular to bare hosts."""
    limits: Limits = Limits()
    """How much of the cluster's queue Fairlead takes."""
    allowed_namespaces: AllowedNamespaces = Field(default=AllowedNamespaces(), json_schema_extra=marks(ONE_OF_BOTH))
    """From which namespaces Jobs may run here, as `user`. A Job that was taken up runs to its end, also when this is narrowed."""
    credentials: Literal["Shared", "PerNamespace"] = Field(default="Shared", json_schema_extra=marks(fixed=f"credentials {_FIXED}"))
    """Whose login the Jobs of other namespaces use. Shared: the Cluster's. PerNamespace: each namespace its own, by a Secret there of the
    same name as `authSecretRef`, whose field `username` is the login name; never the Cluster's."""
    suspend: bool = False
    """While true, the cluster is not connected to: nothing is submitted, watched or cancelled there. Jobs that run there go on."""


class Circuit(ApiModel):
    """Whether connecting is tried at all after failures in a row."""

    state: str | None = None
    """Closed (all is well) or Open (waiting for nextRetryTime)."""
    failures: int | None = Field(default=None, ge=0)
    """Failures in a row."""
    next_retry_time: Timestamp | None = None
    """When the next attempt is made."""


class WorkDirStatus(Written):
    """The work folder as it was found or made."""

    path: RemotePath | None = None
    """Its absolute path on the cluster."""
    marker: Word | None = None
    """The random mark by which Fairlead knows the folder as its own."""


class Residue(ApiModel):
    """A Run that may have left something on the cluster, and whose object is gone."""

    key: str = Field(max_length=128)
    """Name of the Run on the cluster: the object's uid and the number of the attempt."""
    kind: str | None = None
    """Kind of the object that is gone."""
    namespace: str | None = None
    """Its namespace."""
    name: str | None = None
    """Its name."""
    host: str | None = None
    """On which of the Cluster's bare hosts, if it has any."""
    since: Timestamp | None = None
    """When it was written down."""
    reason: str | None = None
    """Unreachable: the cluster did not answer before the object had to go. NotEnded: it answered, and the Run was still there.
    NotLeftAlone: it was to be left alone, and could not be marked so. Unaccounted: cleaned up, yet nobody has said that it ended."""


class SweepAgreement(ApiModel):
    """A person's agreement to a sweep, as far as it has been used."""

    number: int = Field(ge=0)
    """The number in the annotation fairlead.dev/agree-to-sweep."""
    left: int = Field(ge=0)
    """How many Runs it still allows to be cleaned up; with 0 it is spent, until the annotation is taken away or has another number."""


class SiteStatus(Written):
    """How one of several sites of a Cluster stands: a login, or a host."""

    work_dir: WorkDirStatus | None = None
    """Where Fairlead's files lie there, and their mark: remembered for as long as something of a Job may be there."""
    conditions: tuple[Condition, ...] = Field(default=(), json_schema_extra=marks(keys=("type",)))
    """Ready, with the reason of whatever is wrong, and SweepHeld: as the Cluster's own, for this site."""
    sweep_agreement: SweepAgreement | None = None
    """What is left of the agreement in the annotation fairlead.dev/agree-to-sweep, here."""


class LoginStatus(SiteStatus):
    """How the login of another namespace stands, with `credentials: PerNamespace`."""

    namespace: str = Field(max_length=63)
    """The namespace, whose Jobs and whose Secret it is."""
    user: str | None = None
    """The login name in its Secret."""


class HostStatus(SiteStatus):
    """How a bare host stands."""

    name: str = Field(max_length=300)
    """Its address and port."""
    active_runs: int | None = Field(default=None, ge=0)
    """Runs on the host that have not ended."""


class ClusterStatus(ObjectStatus):
    """What is known of the cluster."""

    address: str | None = None
    """Where it is reached: the first endpoint or host, and how many more there are."""
    scheduler_version: Word | None = None
    """The scheduler's version, such as slurm 24.11.5; of a bare host its kernel's."""
    active_runs: int | None = Field(default=None, ge=0)
    """Runs on the cluster that have not ended."""
    work_dir: WorkDirStatus | None = None
    """The work folder as it was found or made."""
    last_heartbeat_time: Timestamp | None = None
    """When this status was last confirmed; written each five minutes if nothing else changes."""
    circuit: Circuit | None = None
    """Whether connecting is tried at all after failures in a row."""
    residue: tuple[Residue, ...] = Field(default=(), max_length=100, json_schema_extra=marks(keys=("key",)))
    """What is still owed on the cluster, the oldest first, 100 entries at most; `fairlead debts` lists all."""
    sweep_agreement: SweepAgreement | None = None
    """What is left of the agreement in the annotation fairlead.dev/agree-to-sweep, once it has been read."""
    logins: tuple[LoginStatus, ...] = Field(default=(), max_length=1000, json_schema_extra=marks(keys=("namespace",)))
    """How the logins of other namespaces stand, with `credentials: PerNamespace`: those whose Jobs use the Cluster."""
    hosts: tuple[HostStatus, ...] = Field(default=(), max_length=128, json_schema_extra=marks(keys=("name",)))
    """How the hosts of a Cluster of type Process stand. The Cluster's own conditions are those of a host that is ready, if one is."""


class Cluster(ApiModel):
    """A remote cluster reached over SSH."""

    metadata: ObjectMeta
    spec: ClusterSpec
    """How to reach the cluster, and as whom."""
    status: ClusterStatus = ClusterStatus()
    """What is known of the cluster."""
