"""One cell as it is played: a Slurm cluster and a namespace of its own, one Job on it, and what a fault keeps between its steps."""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from bed.errors import BedError
from bed.proxy import TcpProxy
from bed.slurm import SlurmCluster
from bed.slurmconf import SlurmConfig
from faults.ledger import Ledger
from faults.stage import Stage
from product.scene import Scene, Thing
from product.waiting import until

JOB = "sim"
ENDS = ("Complete", "Failed")
PATIENCE_SECONDS = 60.0
"""How long a Job may take from healing to its end: a controller's restart, the bed's longest pauses, and a slow machine."""
_CONFIG = {"nodes": 1, "gpus": 0}
SPEC = {"cancellationGracePeriodSeconds": 1, "memory": "60Mi", "timeLimit": "10m"}


@dataclass
class Play:
    """The parts of one cell. `kept` holds what a fault's steps hand to each other."""

    stage: Stage
    node: SlurmCluster
    scene: Scene
    ledger: Ledger
    proxy: TcpProxy | None = None
    spec: Mapping[str, Any] = field(default_factory=dict)
    script: Mapping[str, Any] = field(default_factory=dict)
    kept: dict[str, Any] = field(default_factory=dict)
    ends: ExitStack = field(default_factory=ExitStack)
    uid: str = ""

    @property
    def job(self) -> Thing:
        """The cell's Job."""
        return Thing(self.scene, "jobs", JOB)

    @property
    def cluster(self) -> Thing:
        """The cell's Cluster."""
        return Thing(self.scene, "clusters", "hpc")

    @property
    def run_id(self) -> str:
        """Slurm's id of the current attempt, empty without one."""
        return str(self.job.status.get("run", {}).get("id", ""))

    def join(self) -> None:
        """Apply the Cluster and wait until it is ready."""
        more: dict[str, Any] = {}
        if self.proxy is not None:
            key = self.node.known_hosts.split(" ", 1)[1]
            more = {"endpoints": [{"host": self.proxy.host, "port": self.proxy.port}],
                    "hostKeys": {"knownHosts": f"[{self.proxy.host}]:{self.proxy.port} {key}"}}
        self.scene.cluster(self.node, **more)

    def apply(self, **spec: Any) -> None:
        """Apply the Job."""
        failures = spec.pop("failures", 0)
        job = self.scene.job(JOB, self.ledger.script(failures=failures, **self.script), **{**SPEC, **self.spec, **spec})
        self.uid = job.uid

    def running(self, **spec: Any) -> None:
        """Apply the Job and wait until its script has started and the API server says so."""
        self.apply(**spec)
        until(lambda: self.ledger.lines("start"), "the script to start")
        self.job.wait("Running")

    @property
    def result(self) -> str:
        """Complete, Failed, gone, or waits."""
        return result_of(self.job)

    def wait_result(self, *results: str, seconds: float = PATIENCE_SECONDS) -> None:
        """Until the Job has come to one of these; a Job that does not is judged as it is then."""
        try:
            until(lambda: self.result in results, f"the Job to be {' or '.join(results)}", seconds)
        except AssertionError:
            return

    def admin(self, *command: str) -> str:
        """A command of the cluster's administrator; what it prints. Whether it worked is for the caller's next look."""
        return self.node.run(*command, user=False, check=False).stdout

    def close(self) -> None:
        """End what is the cell's own, whatever state it is in."""
        self.ends.close()
        if self.proxy is not None:
            self.proxy.close()
        self.node.stop()


def result_of(job: Thing) -> str:
    """What a Job has come to: Complete, Failed, gone, or waits."""
    found = job.read()
    if found is None:
        return "gone"
    held = {each["type"] for each in found.get("status", {}).get("conditions", []) if each["status"] == "True"}
    return next((kind for kind in ENDS if kind in held), "waits")


def open_play(stage: Stage, config: Mapping[str, Any], *, proxied: bool) -> Play:
    """A Slurm cluster with these settings and an empty namespace."""
    release = str(config.get("release", "24.11"))
    settings = {**_CONFIG, **{name: value for name, value in config.items() if name != "release"}}
    node = SlurmCluster.start(stage.bed, release, config=SlurmConfig(**settings))
    try:
        proxy = TcpProxy(node.host, node.port) if proxied else None
        return Play(stage, node, Scene(stage.api).open(), Ledger(node, JOB).open(), proxy)
    except (BedError, AssertionError, OSError):
        node.stop()
        raise
