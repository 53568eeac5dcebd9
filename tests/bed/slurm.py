"""Real Slurm clusters, many side by side: slurmctld, slurmd, munge and sshd each, slurmdbd and MariaDB on request."""

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Self

from bed.cgroups import cgroup_supported
from bed.database import account_id, mariadb_of, munge_of
from bed.errors import BedError
from bed.faults import Service
from bed.login import LoginNode
from bed.releases import DEFAULT_RELEASE, Release, release_of
from bed.roots import root
from bed.slurmconf import INSIDE, SlurmConfig, cgroup_conf, gres_conf, node_address, node_names, slurm_conf, slurmdbd_conf
from bed.sshdconf import LoginOptions
from bed.state import Bed

__all__ = ["QueueRow", "SlurmCluster", "SlurmConfig", "cgroup_supported", "start_many"]

_READY_SECONDS = 60.0
_AT_ONCE = 8
_GPU_DEVICE = os.makedev(1, 3)  # /dev/null's numbers: a device file that every kernel has
_SEPARATOR = "\x1f"
_HOOK = f"#!/bin/sh\n[ -e {INSIDE}/hooks/slow ] && sleep 4\n[ -e {INSIDE}/hooks/fail ] && exit 1\nexit 0\n"


@dataclass(frozen=True, slots=True)
class QueueRow:
    """One line of squeue; array tasks stand alone."""

    job_id: str
    state: str
    reason: str
    name: str


class SlurmCluster(LoginNode):
    """A cluster whose login node, controller and compute nodes are one enclosure. Daemons are Services: kill, stop, cont, start."""

    def __init__(self, bed: Bed, release: Release, config: SlurmConfig) -> None:
        super().__init__(bed, release, "slurm",
                         LoginOptions(config.sshd_extra, config.login_shell, config.proctrack == "cgroup", root=config.root))
        self.config = config
        self.nodes = node_names(self.name, config)
        self._write_configuration()
        self.munged = munge_of(self)
        self.slurmctld = self._service("slurmctld", "/usr/sbin/slurmctld")
        self._slurmds = [self._service(f"slurmd.{node}", "/usr/sbin/slurmd", "-N", node) for node in self.nodes]
        self.mariadb: Service | None = None
        self._slurmdbd = self._service("slurmdbd", "/usr/sbin/slurmdbd")

    @classmethod
    def start(cls, bed: Bed, release: str = DEFAULT_RELEASE, *, config: SlurmConfig | None = None) -> Self:
        """A cluster with all nodes idle, in under a second (two to four more with accounting).

        Raises:
            BedError: an unknown release, cgroups that the machine lacks, or a daemon that does not start; with its log's last lines.
        """
        config = config or SlurmConfig()
        if config.proctrack == "cgroup" and not cgroup_supported():
            raise BedError('proctrack="cgroup" needs cgroup v1 with freezer, memory and cpuset; leave proctrack at "linuxproc" here')
        cluster = cls(bed, release_of(release), config)
        try:
            cluster._start_daemons()
        except BaseException:
            cluster.stop()
            raise
        return cluster

    @property
    def slurmdbd(self) -> Service:
        """The accounting daemon. Raises BedError for a cluster without one."""
        if not self.config.accounting:
            raise BedError(f"{self.name} has no slurmdbd: start it with SlurmConfig(accounting=True)")
        return self._slurmdbd

    def node(self, index: int) -> Service:
        """The slurmd of a node, counted from 1 as in its name. Raises BedError when there is no such node."""
        if not 1 <= index <= len(self._slurmds):
            raise BedError(f"{self.name} has no node {index}, but {', '.join(self.nodes)}")
        return self._slurmds[index - 1]

    def squeue(self, *options: str) -> list[QueueRow]:
        """What squeue lists: jobs that wait or run, and with options whatever they ask for."""
        fields = _SEPARATOR.join(("%i", "%T", "%r", "%j"))
        listed = self.run("squeue", "--noheader", "--array", f"--format={fields}", *options, user=False).stdout
        return [QueueRow(*line.split(_SEPARATOR, 3)) for line in listed.splitlines() if line.count(_SEPARATOR) >= 3]

    def squeue_all(self) -> list[QueueRow]:
        """Every job that slurmctld still knows, finished ones too."""
        return self.squeue("--states=all")

    def jobs_active(self) -> list[str]:
        """Ids of the jobs that wait, run or are ending."""
        return [row.job_id for row in self.squeue()]

    def _start_daemons(self) -> None:
        self.munged.start()
        self.sshd.start()
        if self.config.accounting:
            self.mariadb = mariadb_of(self)
            self.mariadb.start()
            self._slurmdbd.start()
            self._until(self._registered, self._slurmdbd)
        self.slurmctld.start("-c")
        for slurmd in self._slurmds:
            slurmd.start()
        self._until(self._all_idle, self.slurmctld)

    def _write_configuration(self) -> None:
        slurm = account_id(self.enclosure, "slurm")
        for folder in ("state", "spool", "dev", *(f"spool/{node}" for node in self.nodes)):
            (self.folder / folder).mkdir()
        for folder in ("state", "log"):
            os.chown(self.folder / folder, slurm, slurm)
        for index in range(self.config.gpus):
            os.mknod(self.folder / f"dev/gpu{index}", 0o20666, _GPU_DEVICE)
        self.write("etc/slurm/slurm.conf", slurm_conf(self.name, self.config, self.release))
        self.write("etc/slurm/gres.conf", gres_conf(self.name, self.config))
        self.write("etc/slurm/cgroup.conf", cgroup_conf(self.config, self.release))
        self.write("etc/slurm/plugstack.conf", "")
        self.write("etc/slurm/slurmdbd.conf", slurmdbd_conf(self.name), mode=0o600, uid=slurm)
        with (self.folder / "etc/hosts").open("a") as hosts:   # in place: the file is a mount point
            hosts.writelines(f"{node_address(index)} {node}\n" for index, node in enumerate(self.nodes, 1))
        self.write("log/jobcomp.txt", "", mode=0o666, uid=slurm)  # `sacct --completion` opens it for writing
        if self.config.hooks:  # before slurmctld starts: since 24.11 it ends when one is missing
            for hook in ("hooks/prolog", "hooks/epilog"):
                self.write(hook, _HOOK, mode=0o755)
            self.write("hooks/node-prolog", _HOOK.replace("/hooks/", "/hooks/node-"), mode=0o755)
        if self.config.submit_plugin:
            self.write("etc/slurm/job_submit.lua", self.config.submit_plugin)

    def _service(self, name: str, *argv: str) -> Service:
        return Service(name, self.enclosure, argv, self.folder / f"{name}.pid", self.folder / "log" / f"{name}.log")

    def _registered(self) -> bool:
        added = self.run("sacctmgr", "-i", "add", "cluster", self.name, user=False, check=False)
        return added.returncode == 0 or self.name in self.run("sacctmgr", "-n", "list", "cluster", user=False, check=False).stdout

    def _all_idle(self) -> bool:
        states = self.run("sinfo", "-h", "-N", "-p", "debug", "-o", "%t", user=False, check=False).stdout.split()
        return states == ["idle"] * self.config.nodes

    def _until(self, ready: Callable[[], bool], daemon: Service) -> None:
        deadline = time.monotonic() + _READY_SECONDS
        while not ready():
            if time.monotonic() > deadline or not daemon.alive:
                raise BedError(f"{self.name} (Slurm {self.release.version}) does not get ready: {daemon.tail(10)}")
            time.sleep(0.03)


def start_many(bed: Bed, count: int, release: str = DEFAULT_RELEASE, *, config: SlurmConfig | None = None) -> list[SlurmCluster]:
    """Several clusters of one kind, started in parallel."""
    root(release)  # made once, before the threads wait for it
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(lambda _: SlurmCluster.start(bed, release, config=config), range(count)))
