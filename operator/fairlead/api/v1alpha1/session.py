"""Session: an interactive process on a Cluster, behind a Service."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Final, Literal

from pydantic import ConfigDict, Field

from fairlead.api.v1alpha1 import names
from fairlead.api.v1alpha1.job import Argument, EnvVar, JobSpec, Logs
from fairlead.api.v1alpha1.meta import ApiModel, ClusterReference, ObjectMeta, OwnerStatus, Timestamp
from fairlead.api.v1alpha1.schema import IMMUTABLE, Rule, marks, matches
from fairlead.api.v1alpha1.texts import Word

DEFAULT_SERVICE_PORT: Final = 80
GENERATED: Final = "Generated"
"""A token that is made for the Session."""
NAME_RULE: Final = Rule(
    "self.metadata.name.size() <= 63 && self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",
    "a Session's name is its Service's, too: at most 63 small letters, digits and -, a letter first, no - at the end",
)
_LABEL: Final = "^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$"
_LABEL_NAME: Final = "^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$"


def _fixed(field: str) -> str:
    return f"{field} cannot be changed once the Session exists: delete the Session and apply it again, or give it another name"


def _as_a_jobs(name: str, meaning: str = "") -> Any:
    """A Job's field of this name, with its rules and, without another, its meaning. That it is fixed is said of the object around it."""
    field = JobSpec.model_fields[name]
    rules = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    whole = {"default_factory": dict} if field.default_factory else {"default": field.default}
    made = Field(**whole, description=meaning or field.description,
                 json_schema_extra={key: value for key, value in rules.items() if key != IMMUTABLE})
    made.metadata = [*field.metadata]
    return made


class SessionPhase(StrEnum):
    """A Session's state in one word, derived from its conditions."""

    PENDING = "Pending"
    SUBMITTING = "Submitting"
    QUEUED = "Queued"
    RUNNING = "Running"
    SUSPENDED = "Suspended"
    ENDED = "Ended"
    FAILED = "Failed"
    TERMINATING = "Terminating"


class SessionResources(ApiModel):
    """What of its Cluster a Session asks for, in a Job's words. What is not said is as the Cluster and its partition have it."""

    partition: str | None = _as_a_jobs("partition")
    account: str | None = _as_a_jobs("account")
    qos: str | None = _as_a_jobs("qos")
    nodes: int | None = _as_a_jobs("nodes")
    ntasks: int | None = _as_a_jobs("ntasks")
    ntasks_per_node: int | None = _as_a_jobs("ntasks_per_node")
    cpus_per_task: int | None = _as_a_jobs("cpus_per_task")
    memory: int | str | None = _as_a_jobs("memory")
    gpus: int | None = _as_a_jobs("gpus")
    gres: str | None = _as_a_jobs("gres")
    constraint: str | None = _as_a_jobs("constraint")
    exclusive: bool = _as_a_jobs("exclusive")
    time_limit: str | None = _as_a_jobs("time_limit")
    extra_options: dict[str, Annotated[str, Field(max_length=1024)]] = _as_a_jobs("extra_options")


class SecretKeyReference(ApiModel):
    """A field of a Secret in the Session's namespace."""

    name: str = Field(min_length=1, max_length=253)
    """Name of the Secret."""
    key: str = Field(min_length=1, max_length=253)
    """The Secret's field."""


class HttpReadiness(ApiModel):
    """A GET that is answered with a status from 200 to 399."""

    path: str = Field(default="/", max_length=1024, json_schema_extra=marks(
        matches("^/[\\x21-\\x7e]*$", "path starts with / and has no spaces: write what follows the host in a URL, as in /api/status"),
    ))
    """What is asked for."""


class TcpReadiness(ApiModel):
    """A connection that is taken."""


class Readiness(ApiModel):
    """How a gateway finds out whether the process can be used. Exactly one is to be set."""

    model_config = ConfigDict(json_schema_extra=marks(
        Rule("has(self.http) != has(self.tcp)", "write one of http and tcp: http: {path: /} or tcp: {}"),
    ))

    http: HttpReadiness | None = None
    """It answers a GET, without the token, with a status from 200 to 399."""
    tcp: TcpReadiness | None = None
    """It takes connections."""


class Application(ApiModel):
    """The process, and where it listens."""

    model_config = ConfigDict(json_schema_extra=marks(
        Rule("!has(self.tokenSecretRef) || !has(self.token)",
             "write one of tokenSecretRef and token: with tokenSecretRef the token is the one in that Secret", ".token"),
        Rule("has(self.command) != has(self.preset)",
             "write one of command and preset: command: [PROGRAM, ...] for a program of your own, or preset: Jupyter"),
        Rule(f"!has(self.preset) || !has(self.env) || self.env.all(each, each.name != '{names.JUPYTER_TOKEN_VARIABLE}')",
             f"{names.JUPYTER_TOKEN_VARIABLE} is the token's variable with preset: Jupyter: write tokenSecretRef, or leave it out", ".env"),
    ))

    command: tuple[Argument, ...] = Field(default=(), max_length=64, json_schema_extra=marks(
        Rule("size(self) > 0 && size(self[0]) > 0", "command starts with the program to run: write it as the first entry"),
        Rule(r"self.all(each, !each.contains('\x00'))", "an entry of command may not hold a NUL character: no program could read it"),
    ))
    """The program with its first arguments. Nothing in it is expanded by a shell. It stays in the foreground: with it the Session ends."""
    preset: Literal["Jupyter"] | None = None
    """In the place of command. Jupyter starts the JupyterLab, or else the Jupyter Server, that is in the user's PATH on the node; it has a
    token, and is ready once it refuses a request without that and answers one with it."""
    args: tuple[Argument, ...] = Field(default=(), max_length=1024, json_schema_extra=marks(
        Rule(r"self.all(each, !each.contains('\x00'))", "an entry of args may not hold a NUL character: no program could read it"),
    ))
    """Further arguments for command, or for the program of the preset. With Jupyter its options, but none that the preset gives itself."""
    env: tuple[EnvVar, ...] = Field(default=(), max_length=256, json_schema_extra=marks(
        Rule(f"self.all(each, each.name != '{names.TOKEN_VARIABLE}')",
             f"{names.TOKEN_VARIABLE} is the token's variable: write tokenSecretRef, or choose another name"), keys=("name",),
    ))
    """Variables for the process, set after the login profile. They travel in a file that the user alone can read, not in a command line."""
    working_dir: str | None = _as_a_jobs("working_dir", (
        "Folder on the cluster in which the process starts. Its output is appended to a file there, NAME-ID.out by the Session's name and "
        "the scheduler's id, which stays. Default: the user's home."
    ))
    token_secret_ref: SecretKeyReference | None = None
    """The token that clients have to show to the process, which gets it in the variable FAIRLEAD_TOKEN with each start, and has to ask for
    it itself. One line of UTF-8, at most 4 KiB. Until the Secret is there the Session waits. Whoever may make Sessions can have any such
    field of a Secret of the namespace handed to a process of his."""
    token: Literal["Generated", "None"] | None = None
    """In the place of tokenSecretRef: Generated has a random token made, in the field token of a Secret of the Session's name, which goes
    with the Session. Default: None; with a preset, Generated."""
    port: int = Field(ge=1, le=65535)
    """The TCP port on which the process listens, on its node. Choose one that nobody else uses there."""
    readiness: Readiness | None = None
    """When it can be used. Until then clients are refused. Default: once it takes connections (tcp); with a preset, as that says."""


class ServiceSettings(ApiModel):
    """The Service through which the Session is reached. It has the Session's name."""

    port: int = Field(default=DEFAULT_SERVICE_PORT, ge=1, le=65535)
    """The Service's port."""
    labels: dict[str, Annotated[str, Field(max_length=63)]] = Field(default_factory=dict, max_length=32, json_schema_extra=marks(
        Rule(f"self.all(name, size(name) <= 317 && name.matches(r'{_LABEL_NAME}') && self[name].matches(r'{_LABEL}'))",
             "a label is as Kubernetes has it: a name of letters, digits, -, _ and ., a DNS name and / before it if any, such a value"),
        Rule("!('app.kubernetes.io/managed-by' in self)", "app.kubernetes.io/managed-by is Fairlead's own label: choose another"),
    ))
    """Labels for the Service, beside Fairlead's own."""


class ExpirySettings(ApiModel):
    """When it is told that a Session is about to be ended."""

    warn_before_seconds: int = Field(default=300, ge=0, le=315_360_000)
    """So many seconds before that the condition Expiring is True, and an Event says it. 0: no warning. It may be changed at any time."""


class SessionSpec(ApiModel):
    """What to run, where, and how it is reached."""

    cluster_ref: ClusterReference = Field(json_schema_extra=marks(fixed=_fixed("clusterRef")))
    """The Cluster on which the Session runs."""
    resources: SessionResources = Field(default_factory=SessionResources, json_schema_extra=marks(fixed=_fixed("resources")))
    """What of the Cluster it asks for. Default: what its partition gives."""
    application: Application = Field(json_schema_extra=marks(fixed=_fixed("application")))
    """The process, and where it listens."""
    service: ServiceSettings = Field(default_factory=ServiceSettings)
    """The Service through which it is reached."""
    suspend: bool = False
    """While true, nothing of the Session is on the cluster: not submitted, it stays so; waiting there, it is withdrawn; running, it is told
    to end. Its Service stays, with its address. Set back to false, the process starts anew."""
    max_lifetime_seconds: int | None = Field(default=None, ge=1, le=315_360_000)
    """The Session is ended so many seconds after its process was first seen to run, also while somebody uses it. A suspended one begins
    anew when it goes on. It may be changed at any time. Default: as long as resources.timeLimit allows."""
    idle_timeout_seconds: int | None = Field(default=None, le=315_360_000, json_schema_extra=marks(
        Rule("self >= 60", "idleTimeoutSeconds is 60 or more: what is shorter would end a Session while somebody reads its answer"),
    ))
    """A Session that is ready, and for whose clients its gateway has carried no byte for so many seconds, is ended. A page that asks for
    something now and then keeps it, though nobody looks at it. It may be changed at any time. Default: it is never ended for that."""
    expiry: ExpirySettings = Field(default_factory=ExpirySettings)
    """The warning before it is ended by maxLifetimeSeconds or idleTimeoutSeconds, or by its scheduler at resources.timeLimit."""
    startup_deadline_seconds: int = Field(default=1800, ge=1, le=315_360_000)
    """A process that a gateway looks for, and that has not been ready so many seconds after it was first seen to run, is told to end, and
    the Session has failed. It may be changed at any time."""
    cancellation_grace_period_seconds: int = Field(default=5, ge=0, le=3600)
    """Seconds between the signal TERM and the end by force when the Session is deleted, suspended or out of time while it runs."""
    deletion_deadline_seconds: int = Field(default=30, ge=0, le=315_360_000)
    """A Session that is deleted while its cluster cannot be reached is let go after so many seconds; what is owed there is written down,
    shown in the Cluster's status under residue, and cleaned up when the cluster answers again."""

    @property
    def deletion_policy(self) -> Literal["Cancel"]:
        """What runs ends with its deletion: a process that nobody reaches any more is of no use."""
        return "Cancel"


class ServiceReference(ApiModel):
    """The Session's Service, in its namespace."""

    name: Word
    """Its name."""
    cluster_ip: Word | None = Field(default=None, alias="clusterIP")
    """Its address inside the Kubernetes cluster."""
    port: int | None = None
    """Its port."""


class SessionStatus(OwnerStatus):
    """How far the Session has come."""

    service_ref: ServiceReference | None = None
    """The Service through which it is reached."""
    url: Word | None = None
    """Where it is reached from inside the Kubernetes cluster, if it speaks HTTP."""
    submit_time: Timestamp | None = None
    """When the scheduler accepted the latest attempt."""
    estimated_start_time: Timestamp | None = None
    """When the scheduler expects the Session to start."""
    running_since: Timestamp | None = None
    """When its process was first seen to run, by the controller's clock."""
    ready_since: Timestamp | None = None
    """When its process was first seen to be ready since then."""
    last_activity_time: Timestamp | None = None
    """When a byte was last carried for its clients, by the controller's clock. Not there while bytes are carried, and while its gateway
    does not know."""
    last_activity_report: Word | None = None
    """The gateway's own word for that, by which it is known again: its times are by another clock."""
    expiration_time: Timestamp | None = None
    """When it is ended, by what is known now: the first of maxLifetimeSeconds, idleTimeoutSeconds and resources.timeLimit."""
    end_time: Timestamp | None = None
    """When its process ended, by its node's clock."""
    logs: Logs | None = None
    """Where the output is, and its end."""
    observation_source: Word | None = None
    """What the state was last read from: squeue, scontrol or sacct, host (a bare host itself), or sentinel (a file of the run wrapper)."""


class Session(ApiModel):
    """An interactive process on a Cluster, behind a Service."""

    metadata: ObjectMeta
    spec: SessionSpec
    """What to run, where, and how it is reached."""
    status: SessionStatus = SessionStatus()
    """How far the Session has come."""
