"""`idle`: what a controller costs that watches many Clusters and many live Jobs, of which nothing changes."""

import os
import shutil
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bed.controlplane import ControlPlane
from bed.standin import StandIn, StandInHost
from bed.state import Bed
from benchmarks.controller import ProductionController
from benchmarks.cpu import cpu_seconds, resident_bytes
from benchmarks.figures import Aim, Figure, Good, Result
from benchmarks.jobs_seen import JobsSeen
from benchmarks.run import Run
from product.account import account
from product.api import GROUP, Api
from product.resources import install
from product.scene import Scene

_METHOD = """\
One controller with the settings of production, 100 Clusters and 10 running Jobs on each. The login nodes are light stand-ins: SSH servers
in one process that run what they are sent by `sh`, with a `squeue` that is a shell script beside a table of jobs. After the last change two
minutes pass, until each cluster is asked as seldom as it will be; then each round is one minute. API writes are the controller's, counted
from the audit log; a heartbeat each 5 minutes for each Cluster is 20 a minute, and the Lease is renewed each 4 s."""
_FAKES = Path(__file__).parents[1] / "tests" / "unit" / "sh" / "fakes"
_FOLDERS = ("ids", "argv", "environ", "umask", "jobs")
_WRITES = {"create", "update", "patch", "delete"}
_PATIENCE_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many of what, and for how long."""

    clusters: int = 100
    jobs: int = 10                   # on each
    settle_seconds: float = 120.0
    seconds: float = 60.0            # of a round


SMALL = Sizes(clusters=2, jobs=2, settle_seconds=1, seconds=2)


@dataclass(frozen=True, slots=True)
class Window:
    """One round: how long it was, the controller's CPU seconds, its memory, and its API writes and execs by kind."""

    seconds: float
    cpu_seconds: float
    resident_bytes: int
    writes: Mapping[str, int]
    execs: int

    def __str__(self) -> str:
        return (f"{self.cpu_seconds / self.seconds:.1%} of a core, {self.resident_bytes / (1 << 20):.0f} MiB, writes {dict(self.writes)}, "
                f"{self.execs} execs")


def measure(run: Run) -> Result:
    """All figures."""
    sizes = SMALL if run.small else Sizes()
    with Bed.create("benchmarks idle") as bed:
        run.tell(f"starting a control plane, {sizes.clusters} stand-ins and the controller")
        plane = ControlPlane.start(bed)
        install(plane)
        controller = ProductionController(bed, account(plane))
        controller.start()
        empty = resident_bytes(controller.daemon.pid)
        hosts = [_equipped(host) for host in StandIn.start(bed, sizes.clusters).hosts]
        with _watched(plane, hosts, sizes, run):
            run.tell(f"settling for {sizes.settle_seconds:g} s")
            time.sleep(sizes.settle_seconds)
            windows = run.interleaved("idle", {"controller": lambda: _window(plane, controller, sizes.seconds)})["controller"]
        controller.daemon.kill()         # what it watches goes with the bed
    note = f"The same controller without a Cluster holds {empty / (1 << 20):.0f} MiB"
    return Result("idle", "A controller at rest: idle", _METHOD, run.rounds, figures(windows, sizes), [f"{note}."])


def figures(windows: Sequence[Window], sizes: Sizes) -> list[Figure]:
    """The rounds as rows; heartbeats come in bursts, so the whole of the rounds counts."""
    minutes = sum(each.seconds for each in windows) / 60
    total: Counter[str] = Counter()
    for each in windows:
        total.update(each.writes)
    what, low = f"{sizes.clusters} Clusters, {sizes.clusters * sizes.jobs:,} Jobs", Good.LOW
    beats = sizes.clusters / 5
    rest = sum(count for resource, count in total.items() if resource not in {"clusters", "leases"})
    return [
        Figure(f"{what}: CPU", "% of a core", low, [100 * each.cpu_seconds / each.seconds for each in windows]),
        Figure(f"{what}: memory", "MiB", low, [each.resident_bytes / (1 << 20) for each in windows]),
        Figure(f"{what}: execs", "a minute", low, [60 * each.execs / each.seconds for each in windows]),
        Figure("API writes: heartbeats of Clusters, over all rounds", "a minute", low, [total["clusters"] / minutes], aims=[Aim(beats)]),
        Figure("API writes: the Lease, over all rounds", "a minute", low, [total["leases"] / minutes]),
        Figure("API writes: all others, over all rounds", "a minute", low, [rest / minutes], aims=[Aim(0)]),
    ]


def _equipped(host: StandInHost) -> StandInHost:
    """With a Slurm made of shell scripts in its home."""
    root = host.home / "slurm"
    shutil.copytree(_FAKES, root / "bin")
    owner = host.home.stat()
    for folder in _FOLDERS:
        (root / folder).mkdir()
    for path in (root, *root.rglob("*")):
        os.chown(path, owner.st_uid, owner.st_gid)
    return host


@contextmanager
def _watched(plane: ControlPlane, hosts: Sequence[StandInHost], sizes: Sizes, run: Run) -> Iterator[None]:
    """All Clusters ready, and all Jobs running on them."""
    api = Api(plane.kubeconfig)
    try:
        scene = Scene(api).open()
        scene.secret("key", ssh_privatekey=hosts[0].private_key)
        for number, host in enumerate(hosts):
            spec = {"type": "Slurm", "endpoints": [{"host": host.host, "port": host.port}], "user": host.user,
                    "authSecretRef": {"name": "key"}, "hostKeys": {"knownHosts": host.known_hosts},
                    "slurm": {"binPath": str(host.home / "slurm" / "bin")}}
            manifest = {"apiVersion": "fairlead.dev/v1alpha1", "kind": "Cluster", "metadata": {"name": f"c{number}"}, "spec": spec}
            api.apply(f"{GROUP}/namespaces/{scene.namespace}/clusters/c{number}", manifest)
        names = [f"j{job}-c{number}" for number in range(len(hosts)) for job in range(sizes.jobs)]
        with JobsSeen(plane.kubeconfig, scene.namespace) as seen:
            for name in names:
                scene.job(name, cluster=name.rpartition("-")[2])
            run.tell(f"{len(names)} Jobs applied")
            seen.until("submitted", names, lambda job: job.submitted, _PATIENCE_SECONDS)
            for host in hosts:
                _start_all(host)
            seen.until("running", names, lambda job: job.phase == "Running", _PATIENCE_SECONDS)
            yield
    finally:
        api.close()


def _start_all(host: StandInHost) -> None:
    """All jobs that wait in its table run now."""
    for file in (host.home / "slurm" / "jobs").iterdir():
        aside = file.with_name(f".{file.name}")
        aside.write_text(file.read_text(encoding="utf-8").replace("PENDING", "RUNNING", 1), encoding="utf-8")
        aside.rename(file)


def _window(plane: ControlPlane, controller: ProductionController, seconds: float) -> Window:
    pid, began, at = controller.daemon.pid, time.monotonic(), len(plane.audit())
    cpu, execs = cpu_seconds([pid]), _execs(controller)
    time.sleep(seconds)
    took, used, more = time.monotonic() - began, cpu_seconds([pid]) - cpu, _execs(controller) - execs
    ours = [each for each in plane.audit()[at:] if each.get("userAgent") == "fairlead" and each["verb"] in _WRITES]
    return Window(took, used, resident_bytes(pid), Counter(str(each.get("objectRef", {}).get("resource")) for each in ours), more)


def _execs(controller: ProductionController) -> int:
    """How many exchanges with login nodes have ended."""
    lines = controller.metrics().splitlines()
    return int(sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith("fairlead_exchange_finished_seconds_count")))
