"""Job: a batch job on a Cluster."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import ConfigDict, Field

from fairlead.api.v1alpha1 import memory, owned_options, script_rules, time_limit
from fairlead.api.v1alpha1.meta import ApiModel, ClusterReference, ObjectMeta, OwnerStatus, Timestamp
from fairlead.api.v1alpha1.schema import NO_NUL, ONE_LINE, ONE_WORD, Rule, marks, matches
from fairlead.api.v1alpha1.texts import FileSize, RemotePath, Restarts, Word

_WHERE_PATH_STARTS: Final = r"(~|~/[^\x00-\x1f\x7f]*|/[^\x00-\x1f\x7f]*)"
_OUTPUT_PATH: Final = r"^([^%\x00-\x1f\x7f]|%([0-9]{0,2}[jJAa]|[xuN%]))*([^%/\x00-\x1f\x7f]|%([0-9]{0,2}[jJAa]|[xuN%]))$"
Argument = Annotated[str, Field(max_length=16384)]
_READ_ONLY_NAMES: Final = "['BASHOPTS', 'BASH_VERSINFO', 'EUID', 'PPID', 'SHELLOPTS', 'UID']"


def _fixed(field: str) -> str:
    return f"{field} cannot be changed once the Job exists: delete the Job and apply it again, or give it another name"


class JobPhase(StrEnum):
    """A Job's state in one word, derived from its conditions."""

    PENDING = "Pending"
    SUBMITTING = "Submitting"
    QUEUED = "Queued"
    RUNNING = "Running"
    SUSPENDED = "Suspended"
    COMPLETE = "Complete"
    FAILED = "Failed"
    TERMINATING = "Terminating"


class ScriptReference(ApiModel):
    """A field of a ConfigMap that holds the script."""

    name: str = Field(min_length=1, max_length=253)
    """Name of the ConfigMap."""
    key: str = Field(min_length=1, max_length=253)
    """The ConfigMap's field."""


class EnvVar(ApiModel):
    """A variable in the environment of the user's script."""

    name: str = Field(max_length=256, json_schema_extra=marks(
        matches("^[A-Za-z_][A-Za-z0-9_]*$", "the name of a variable is made of letters, digits and _ and does not start with a digit"),
        Rule(
            f"!(self in {_READ_ONLY_NAMES})",
            "shells keep BASHOPTS, BASH_VERSINFO, EUID, PPID, SHELLOPTS and UID for themselves: choose another name",
        ),
        Rule("self != 'FAIRLEAD_RUN'", "FAIRLEAD_RUN is set by Fairlead, which finds a Run's processes by it: choose another name"),
    ))
    """The variable's name."""
    value: str = Field(default="", max_length=32768, json_schema_extra=marks(
        Rule(NO_NUL, "the value of a variable may not hold a NUL character: no program could read it")
    ))
    """The variable's value, taken as it is: nothing in it is expanded."""


class JobSpec(ApiModel):
    """What to run, where, and with what. What says what runs and where cannot be changed once the Job exists."""

    model_config = ConfigDict(json_schema_extra=marks(
        Rule(
            "[has(self.script), has(self.scriptRef), has(self.command)].filter(each, each).size() == 1",
            "write exactly one of script, scriptRef and command",
        ),
        Rule(
            "!has(self.args) || has(self.command)",
            "args stand beside command only: write what a script needs into the script, or into env",
            ".args",
        ),
    ))

    cluster_ref: ClusterReference = Field(json_schema_extra=marks(fixed=_fixed("clusterRef")))
    """The Cluster on which the Job runs."""
    script: str | None = Field(default=None, max_length=1_572_864, json_schema_extra=marks(*script_rules.RULES, fixed=_fixed("script")))
    """The script to run, with its #! line, at most 1 MiB. It runs as under sbatch: its #SBATCH lines count where the spec does not say
    otherwise. A script above 256 KiB needs `kubectl apply --server-side`, since plain `kubectl apply` keeps a copy in an annotation."""
    script_ref: ScriptReference | None = Field(default=None, json_schema_extra=marks(fixed=_fixed("scriptRef")))
    """The field of a ConfigMap in the Job's namespace that holds the script; read once, when the Job is first submitted."""
    command: tuple[Argument, ...] = Field(default=(), max_length=64, json_schema_extra=marks(
        Rule("size(self) > 0 && size(self[0]) > 0", "command starts with the program to run: write it as the first entry"),
        Rule(r"self.all(each, !each.contains('\x00'))", "an entry of command may not hold a NUL character: no program could read it"),
        fixed=_fixed("command"),
    ))
    """A program with its first arguments, instead of a script. Nothing in it is expanded by a shell."""
    args: tuple[Argument, ...] = Field(default=(), max_length=1024, json_schema_extra=marks(
        Rule(r"self.all(each, !each.contains('\x00'))", "an entry of args may not hold a NUL character: no program could read it"),
        fixed=_fixed("args"),
    ))
    """Further arguments for command."""
    env: tuple[EnvVar, ...] = Field(default=(), max_length=256, json_schema_extra=marks(keys=("name",), fixed=_fixed("env")))
    """Variables for the script, set after the login profile."""
    working_dir: str | None = Field(default=None, max_length=4096, json_schema_extra=marks(
        matches(
            f"^{_WHERE_PATH_STARTS}$",
            "workingDir is an absolute path on the cluster, or one that starts with ~/ for the user's home, on one line",
        ),
        fixed=_fixed("workingDir"),
    ))
    """Folder on the cluster in which the script starts. Default: the user's home."""
    stdout_path: str | None = Field(default=None, max_length=4096, json_schema_extra=marks(
        matches(_OUTPUT_PATH, "stdoutPath is a file's path on one line, with no % patterns but %j %J %A %a %x %u %N %%"),
        fixed=_fixed("stdoutPath"),
    ))
    """File for the script's output, absolute, from ~/, or relative to workingDir; missing folders are made. %j and %A are Slurm's id,
    %a the array task, %x the Job's name, %u the user, %N the first node, %% a percent sign. It is appended to, and stays when the Job is
    deleted. Default: %x-%j.out."""
    stderr_path: str | None = Field(default=None, max_length=4096, json_schema_extra=marks(
        matches(_OUTPUT_PATH, "stderrPath is a file's path on one line, with no % patterns but %j %J %A %a %x %u %N %%"),
        fixed=_fixed("stderrPath"),
    ))
    """File for the script's error output, as stdoutPath. Default: the same file as the output."""
    login_shell: bool = Field(default=True, json_schema_extra=marks(fixed=_fixed("loginShell")))
    """Whether the user's login profile is read on the compute node before the script starts, so that `module` is there."""
    partition: str | None = Field(default=None, max_length=1024, json_schema_extra=marks(
        matches(ONE_WORD, "partition is a partition's name, or several with commas between, without spaces"), fixed=_fixed("partition"),
    ))
    """Partition, or several with commas between, as sbatch --partition. Default: the Cluster's."""
    account: str | None = Field(default=None, max_length=1024, json_schema_extra=marks(
        matches(ONE_WORD, "account is an account's name, without spaces"), fixed=_fixed("account"),
    ))
    """Account that is charged, as sbatch --account. Default: the Cluster's."""
    qos: str | None = Field(default=None, max_length=1024, json_schema_extra=marks(
        matches(ONE_WORD, "qos is the name of a quality of service, without spaces"), fixed=_fixed("qos"),
    ))
    """Quality of service, as sbatch --qos."""
    nodes: int | None = Field(default=None, ge=1, le=1_000_000, json_schema_extra=marks(fixed=_fixed("nodes")))
    """Number of nodes, as sbatch --nodes."""
    ntasks: int | None = Field(default=None, ge=1, le=10_000_000, json_schema_extra=marks(fixed=_fixed("ntasks")))
    """Number of tasks, as sbatch --ntasks."""
    ntasks_per_node: int | None = Field(default=None, ge=1, le=1_000_000, json_schema_extra=marks(fixed=_fixed("ntasksPerNode")))
    """Tasks on each node, as sbatch --ntasks-per-node."""
    cpus_per_task: int | None = Field(default=None, ge=1, le=1_000_000, json_schema_extra=marks(fixed=_fixed("cpusPerTask")))
    """CPUs for each task, as sbatch --cpus-per-task."""
    memory: int | str | None = Field(default=None, json_schema_extra=marks(memory.RULE, fixed=_fixed("memory"), int_or_string=True))
    """Memory on each node, as a Kubernetes quantity (4Gi, 500Mi; 4G is 10^9 bytes); sbatch --mem gets it in MiB, rounded up."""
    gpus: int | None = Field(default=None, ge=1, le=1_000_000, json_schema_extra=marks(fixed=_fixed("gpus")))
    """Number of GPUs in all, as sbatch --gpus. For GPUs of a type write gres."""
    gres: str | None = Field(default=None, max_length=1024, json_schema_extra=marks(
        matches(ONE_WORD, "gres is written as sbatch --gres takes it, without spaces: gpu:2, gpu:a100:1, or several with commas between"),
        fixed=_fixed("gres"),
    ))
    """Generic resources on each node, as sbatch --gres: gpu:a100:2."""
    constraint: str | None = Field(default=None, max_length=1024, json_schema_extra=marks(
        matches(ONE_LINE, "constraint is written as sbatch --constraint takes it, on one line: a100&nvlink"), fixed=_fixed("constraint"),
    ))
    """Features that nodes must have, as sbatch --constraint: a100&nvlink."""
    exclusive: bool = Field(default=False, json_schema_extra=marks(fixed=_fixed("exclusive")))
    """Whether the Job shares its nodes with no other, as sbatch --exclusive."""
    time_limit: str | None = Field(default=None, max_length=32, json_schema_extra=marks(
        *time_limit.RULES, fixed=_fixed("timeLimit"), int_or_string=True,
    ))
    """How long the Job may run: 90m, 36h or 1d12h, or as Slurm writes it "12:00:00" or "1-12:00:00". Slurm rounds up to minutes.
    Default: the partition's."""
    extra_options: dict[str, Annotated[str, Field(max_length=1024)]] = Field(default_factory=dict, max_length=64, json_schema_extra=marks(
        Rule(
            "self.all(name, size(name) <= 64 && name.matches(r'^[a-z][a-z0-9-]+$'))",
            "extraOptions holds sbatch's long options without the dashes, each with its value: "
            'nice: "100", mail-type: END; a flag has the value ""',
        ),
        Rule(
            r"self.all(name, !self[name].matches(r'[\x00-\x1f\x7f]'))",
            "the value of an option is one line: remove line ends and control characters",
        ),
        *owned_options.RULES,
        fixed=_fixed("extraOptions"),
    ))
    """Further options of sbatch, each by its long name without the dashes; a flag has the value "". Options that Fairlead needs or that
    have a field here are refused."""
    requeue: bool = Field(default=False, json_schema_extra=marks(fixed=_fixed("requeue")))
    """Whether Slurm may start the Job again under the same id, after a node failure or when it was preempted: its script then runs from the
    beginning, and must bear that. Without it Slurm is told not to, and a second start of one attempt does not run the script."""
    suspend: bool = False
    """While true, nothing of the Job is on the cluster: not submitted, it stays so; waiting there, it is withdrawn; running, it is told to
    end. Set back to false, a new attempt follows, which counts as no failure."""
    priority: int = Field(default=0, ge=-1_000_000, le=1_000_000)
    """Which Jobs go first among those that wait for one Cluster: the higher, and of equals the older. It holds wherever Fairlead hands
    out the places: for limits.maxActiveJobs and limits.submitPerSecond, and in the queue of a bare host, where it counts as it was when the
    Job was submitted. A scheduler's own queue goes by the scheduler's own priorities."""
    backoff_limit: int = Field(default=0, ge=0, le=1000)
    """How often the Job is tried again after its script may have run and the attempt failed. What was refused by the scheduler, cancelled
    by somebody on the cluster, or ended for its use of memory would fail again, and is not tried again."""
    infrastructure_retries: int = Field(default=3, ge=0, le=1000)
    """How often an attempt is made again of which it is proved that the script never ran; counted apart from backoffLimit."""
    active_deadline_seconds: int | None = Field(default=None, ge=1, le=315_360_000)
    """The Job is ended, and has failed, so many seconds after it was taken up, whatever it was doing: waiting in the queue and trying again
    count too, time in which it was suspended does not. timeLimit is the scheduler's own limit, for a run alone."""
    ttl_seconds_after_finished: int | None = Field(default=None, ge=0, le=315_360_000)
    """The Job is deleted so many seconds after it has ended. Default: it stays."""
    cancellation_grace_period_seconds: int = Field(default=30, ge=0, le=3600)
    """Seconds between the signal TERM and the end by force when the Job is deleted, suspended or out of time while it runs."""
    deletion_policy: Literal["Cancel", "Orphan"] = "Cancel"
    """What a deletion does to what the Job has on the cluster. Cancel: it is ended, and nothing is left. Orphan: it is left alone there,
    and so is its directory, for good."""
    deletion_deadline_seconds: int = Field(default=600, ge=0, le=315_360_000)
    """A Job that is deleted while its cluster cannot be reached is let go after so many seconds; what is owed there is written down, shown
    in the Cluster's status under residue, and cleaned up when the cluster answers again."""


class Logs(ApiModel):
    """Where the output is, and its end."""

    stdout_path: RemotePath | None = None
    """File on the cluster with the script's output."""
    stderr_path: RemotePath | None = None
    """File on the cluster with the script's error output."""
    bytes: FileSize = None
    """Size of the output file when the Job ended."""
    tail: str | None = Field(default=None, max_length=16384)
    """The last 4 KiB of the output when the Job ended, without control characters; of a progress bar its last state."""


class JobStatus(OwnerStatus):
    """How far the Job has come."""

    active_since: Timestamp | None = None
    """From when activeDeadlineSeconds counts: when the Job was taken up, or last resumed. Not there while it is suspended."""
    active_seconds: int | None = Field(default=None, ge=0)
    """What had counted against activeDeadlineSeconds before the Job was last suspended."""
    restarts: Restarts = None
    """How often the scheduler started the latest attempt again."""
    submit_time: Timestamp | None = None
    """When the scheduler accepted the latest attempt."""
    estimated_start_time: Timestamp | None = None
    """When the scheduler expects the Job to start."""
    start_time: Timestamp | None = None
    """When the script started."""
    end_time: Timestamp | None = None
    """When the Job ended."""
    logs: Logs | None = None
    """Where the output is, and its end."""
    observation_source: Word | None = None
    """What the state was last read from: squeue, scontrol or sacct, host (a bare host itself), or sentinel (a file of the run wrapper)."""


class Job(ApiModel):
    """A batch job on a Cluster: it runs once, and nothing of it is left when it is deleted, but the files that it wrote."""

    metadata: ObjectMeta
    spec: JobSpec
    """What to run, where, and with what."""
    status: JobStatus = JobStatus()
    """How far the Job has come."""
