"""Slurm's own configuration files as texts, for every release of the test bed. Pure: values in, text out."""

from dataclasses import dataclass
from pathlib import Path

from bed.cgroups import CGROUPS
from bed.releases import Release

INSIDE = "/srv/c"  # where a cluster's folder is mounted inside its namespaces
DATABASE_PASSWORD = "slurm"  # the database has no network port and lives as long as its cluster
_SCHEDULER = ("sched_interval=1", "bf_interval=1", "sched_min_interval=0", "batch_sched_delay=0", "default_queue_depth=200")
_PARTITIONS = ("debug", "gpu")


@dataclass(frozen=True, slots=True)
class SlurmConfig:
    """What a cluster of the bed is like. Nodes are slurmd processes; cpus, memory and gpus are per node and only claimed."""

    nodes: int = 2
    cpus: int = 8
    memory_mib: int = 8000
    gpus: int = 4
    proctrack: str = "linuxproc"  # or "cgroup": ends every process of a job and tells OUT_OF_MEMORY; see bed.cgroups
    accounting: bool = False  # slurmdbd and a MariaDB of its own
    min_job_age_seconds: int = 300
    max_job_count: int = 10000
    kill_wait_seconds: int = 2
    hooks: bool = False  # PrologSlurmctld and Epilog sleep or fail while /srv/c/hooks/slow or fail exists; Prolog: node-slow, node-fail
    submit_plugin: str = ""  # Lua with slurm_job_submit and slurm_job_modify, which slurmctld runs on each submission
    extra: tuple[str, ...] = ()  # lines for slurm.conf
    sshd_extra: tuple[str, ...] = ()  # lines for sshd_config
    login_shell: str = "/bin/bash"
    root: Path | None = None  # a root that is not, or not yet, the release's own in the cache


def node_names(cluster: str, config: SlurmConfig) -> list[str]:
    """The names of the cluster's nodes, in order."""
    return [f"{cluster}n{index}" for index in range(1, config.nodes + 1)]


def node_address(index: int) -> str:
    """Where what a job listens on by its node's name is found, and what another node's job does not: nodes share one network namespace."""
    return f"127.1.0.{index}"


def slurm_conf(cluster: str, config: SlurmConfig, release: Release) -> str:
    """slurm.conf: everything on one host, nodes told apart by their ports."""
    values = {
        "ClusterName": cluster, "SlurmctldHost": f"{cluster}(127.0.0.1)", "SlurmUser": "slurm", "SlurmdUser": "root",
        "AuthType": "auth/munge", "CredType": "cred/munge",
        "SlurmctldPort": 6817, "SlurmctldPidFile": f"{INSIDE}/slurmctld.pid", "SlurmdPidFile": f"{INSIDE}/slurmd.%n.pid",
        "SlurmctldLogFile": f"{INSIDE}/log/slurmctld.log", "SlurmdLogFile": f"{INSIDE}/log/slurmd.%n.log",
        "StateSaveLocation": f"{INSIDE}/state", "SlurmdSpoolDir": f"{INSIDE}/spool/%n", "SlurmctldDebug": "info", "SlurmdDebug": "info",
        "MpiDefault": "none", "ReturnToService": 2, "SlurmdParameters": "config_overrides",
        "SelectType": "select/cons_tres", "SelectTypeParameters": "CR_Core_Memory",
        "JobCompType": "jobcomp/filetxt", "JobCompLoc": f"{INSIDE}/log/jobcomp.txt",
        "JobAcctGatherType": "jobacct_gather/linux", "JobAcctGatherFrequency": "task=1",
        "MaxJobCount": config.max_job_count, "MaxArraySize": 10001, "MinJobAge": config.min_job_age_seconds,
        "SchedulerType": "sched/backfill", "SchedulerParameters": ",".join(_SCHEDULER),
        "KillWait": config.kill_wait_seconds, "InactiveLimit": 0, "OverTimeLimit": 0, "CompleteWait": 0, "EpilogMsgTime": 100,
        "SlurmctldTimeout": 30, "SlurmdTimeout": 60, "MessageTimeout": 10, "UnkillableStepTimeout": 60, "PropagateResourceLimits": "NONE",
        **_process_tracking(config, release),
    }
    if config.gpus:
        values["GresTypes"] = "gpu"
    if config.accounting:
        values |= {"AccountingStorageType": "accounting_storage/slurmdbd", "AccountingStorageHost": "127.0.0.1",
                   "AccountingStoragePort": 6819}
        if config.gpus:
            values["AccountingStorageTRES"] = "gres/gpu"
    if config.hooks:
        values |= {"PrologSlurmctld": f"{INSIDE}/hooks/prolog", "Epilog": f"{INSIDE}/hooks/epilog", "Prolog": f"{INSIDE}/hooks/node-prolog"}
    if config.submit_plugin:
        values["JobSubmitPlugins"] = "lua"
    gres = f" Gres=gpu:a100:{config.gpus}" if config.gpus else ""
    lines = [f"{key}={value}" for key, value in values.items()]
    lines += config.extra
    lines.append(f"NodeName={cluster}n[1-{config.nodes}] NodeHostname={cluster} NodeAddr=127.0.0.1 Port=[17001-{17000 + config.nodes}]"
                 f" CPUs={config.cpus} RealMemory={config.memory_mib}{gres} State=UNKNOWN")
    lines += [f"PartitionName={name} Nodes=ALL{' Default=YES' if name == _PARTITIONS[0] else ''} MaxTime=1-00:00:00 DefaultTime=60"
              " DefMemPerCPU=100 State=UP" for name in _PARTITIONS]
    return "\n".join(lines) + "\n"


def gres_conf(cluster: str, config: SlurmConfig) -> str:
    """gres.conf: GPUs that are device files of the cluster's folder."""
    if not config.gpus:
        return ""
    return f"NodeName={cluster}n[1-{config.nodes}] Name=gpu Type=a100 File={INSIDE}/dev/gpu[0-{config.gpus - 1}]\n"


def cgroup_conf(config: SlurmConfig, release: Release) -> str:
    """cgroup.conf: off where it can be, or version 1 with memory limits."""
    plugin = "CgroupPlugin=cgroup/v1\n" if release.number >= 2205 else ""  # older releases know no other
    if config.proctrack == "cgroup":
        return f"{plugin}CgroupMountpoint={CGROUPS}\nConstrainRAMSpace=yes\nAllowedSwapSpace=0\n"
    return "CgroupPlugin=disabled\n" if release.number >= 2405 else plugin


def slurmdbd_conf(cluster: str) -> str:
    """slurmdbd.conf for the MariaDB of the same cluster."""
    values = {
        "AuthType": "auth/munge", "DbdHost": cluster, "DbdAddr": "127.0.0.1", "DbdPort": 6819, "SlurmUser": "slurm", "DebugLevel": "info",
        "LogFile": f"{INSIDE}/log/slurmdbd.log", "PidFile": f"{INSIDE}/slurmdbd.pid", "StorageType": "accounting_storage/mysql",
        "StorageHost": "localhost", "StorageUser": "slurm", "StoragePass": DATABASE_PASSWORD, "StorageLoc": "slurm", "CommitDelay": 1,
    }
    return "".join(f"{key}={value}\n" for key, value in values.items())


def _process_tracking(config: SlurmConfig, release: Release) -> dict[str, str | int]:
    if config.proctrack == "cgroup":
        values: dict[str, str | int] = {"ProctrackType": "proctrack/cgroup", "TaskPlugin": "task/cgroup"}
    else:
        values = {"ProctrackType": f"proctrack/{config.proctrack}", "JobAcctGatherParams": "OverMemoryKill"}
        if release.number < 2311:
            values["TaskPlugin"] = "task/none"
    if release.number < 2311:  # from 23.11 on there are no plugins of this name, and leaving the word out means the same
        values["SwitchType"] = "switch/none"
    return values
