"""One Slurm cluster with its controller, and a round of what is measured of Jobs on it."""

import re
import resource
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from bed.controlplane import ControlPlane
from bed.slurm import SlurmCluster, SlurmConfig
from bed.state import Bed
from benchmarks.controller import ProductionController
from benchmarks.cpu import cpu_seconds
from benchmarks.jobs_seen import JobsSeen
from benchmarks.spread import percentile
from product.account import account
from product.api import GROUP, Api
from product.ownerkind import JOB, OwnerKind
from product.resources import install
from product.scene import Scene

POLL_SECONDS = 2.0
CLUSTER = "all on the cluster"       # the part whose CPU the bare loop uses too

_SCRIPT = "#!/bin/sh\ntrue\n"
_TELLING = '#!/bin/sh\nsleep 1\ndate "+$SLURM_JOB_NAME %s.%N" >>~/ends\n'
_LOOP = """printf '#!/bin/sh\\ntrue\\n' >bare.sh
n=0; while [ $n -lt {count} ]; do sbatch --parsable --output=/dev/null bare.sh >/dev/null || exit; n=$((n + 1)); done"""
_LASTING = "#!/bin/sh\nexec sleep 600\n"
_PLAIN_JOBS = """printf '{script}' >bare.sh
n=0; while [ $n -lt {count} ]; do sbatch --parsable --output=/dev/null bare.sh || exit; n=$((n + 1)); done >bare.ids"""
_CANCEL_LOOP = """while read -r id; do scancel "$id"; done <bare.ids
while [ "$(squeue -h -o %i)" ]; do sleep 0.1; done"""
_RUN_NAME = re.compile(r"(?P<job>.+)-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}-[0-9]+")
_WRITES = {"create", "update", "patch", "delete"}
_PATIENCE_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many Jobs in each round."""

    steady: int = 80
    rate: float = 10.0               # a second
    many: int = 200                  # in five rounds a thousand
    followed: int = 30
    followed_rate: float = 4.0


@dataclass(frozen=True, slots=True)
class Life:
    """What the followed Jobs of a round came to, a Job."""

    writes_to_id: float
    writes: float
    events: float


@dataclass(frozen=True, slots=True)
class Round:
    """What one round came to: seconds to the id and from end to Complete, Jobs a second, and CPU by part in milliseconds a Job."""

    to_id: Sequence[float]
    to_complete: Sequence[float]
    rate: float
    cpu_ms: Mapping[str, float]
    bare_rate: float
    bare_cpu_ms: float
    life: Life

    def __str__(self) -> str:
        cpu = ", ".join(f"{part} {value:.0f} ms" for part, value in self.cpu_ms.items())
        return (f"id p50 {percentile(self.to_id, 0.5):.2f} s p95 {percentile(self.to_id, 0.95):.2f} s; {self.rate:.1f}/s ({cpu}), bare "
                f"{self.bare_rate:.1f}/s ({self.bare_cpu_ms:.0f} ms); end p50 {percentile(self.to_complete, 0.5):.2f} s "
                f"p95 {percentile(self.to_complete, 0.95):.2f} s; {self.life}")


@dataclass(frozen=True, slots=True)
class Emptied:
    """Seconds until Jobs that were deleted together were gone, and until the queue was empty by a loop of scancel."""

    seconds: float
    bare_seconds: float

    def __str__(self) -> str:
        return f"{self.seconds:.2f} s, bare {self.bare_seconds:.2f} s"


@dataclass
class SlurmSite:
    """The parts, and how many Jobs were made."""

    plane: ControlPlane
    cluster: SlurmCluster
    controller: ProductionController
    scene: Scene
    seen: JobsSeen
    made: int = 0

    def round(self, sizes: Sizes) -> Round:
        """All measures once. Raises `BedError` when Jobs do not come to where they should within ten minutes."""
        self.close_partition()
        to_id = self.steady(sizes.steady, sizes.rate)
        self.clear()
        rate, cpu_ms = self._many(sizes.many)
        self.clear()
        bare_rate, bare_cpu_ms = self._bare(sizes.many)
        self._partition("UP")
        to_complete, life = self._followed(sizes)
        self.clear()
        return Round(to_id, to_complete, rate, cpu_ms, bare_rate, bare_cpu_ms, life)

    def close_partition(self) -> None:
        """What is submitted waits."""
        self._partition("DOWN")

    def steady(self, count: int, rate: float) -> list[float]:
        """Seconds from apply to id of each of so many Jobs, `rate` a second."""
        applied = self._apply(count, rate, _SCRIPT)
        return [at - applied[name] for name, at in self._submitted(applied).items()]

    def _many(self, count: int) -> tuple[float, dict[str, float]]:
        """Jobs a second from the first apply to the last id, and milliseconds of CPU a Job by part."""
        before = self._cpu()
        applied = self._apply(count, 0, _SCRIPT)
        last = max(self._submitted(applied).values())
        after = self._cpu()
        return count / (last - min(applied.values())), {part: (after[part] - before[part]) / count * 1000 for part in before}

    def _bare(self, count: int) -> tuple[float, float]:
        """The same by a loop of sbatch on the login node."""
        before, began = self._cpu()[CLUSTER] + _children_seconds(), time.monotonic()
        self.cluster.run("sh", "-c", _LOOP.format(count=count), timeout=_PATIENCE_SECONDS)
        rate, cpu = count / (time.monotonic() - began), self._cpu()[CLUSTER] + _children_seconds() - before
        self.cluster.run("scancel", "--user=user", timeout=_PATIENCE_SECONDS)
        return rate, cpu / count * 1000

    def _followed(self, sizes: Sizes) -> tuple[list[float], Life]:
        """Seconds from the script's end to Complete of each Job, and what each cost the API server."""
        began = time.time()
        applied = self._apply(sizes.followed, sizes.followed_rate, _TELLING)
        submitted = self._submitted(applied)
        self.seen.until("released", list(applied), lambda seen: seen.released, _PATIENCE_SECONDS)
        ends = {}
        for line in (self.cluster.home / "ends").read_text(encoding="utf-8").splitlines():
            name, at = line.split()
            if found := _RUN_NAME.fullmatch(name):
                ends[found["job"]] = float(at)
        return [(self.seen.jobs[name].ended or 0.0) - ends[name] for name in applied], self._life(submitted, began)

    def _life(self, submitted: Mapping[str, float], began: float) -> Life:
        to_id = writes = events = 0
        for each in self.plane.audit():
            at, about = datetime.fromisoformat(each["requestReceivedTimestamp"]).timestamp(), each.get("objectRef", {})
            if each.get("userAgent") != "fairlead" or each["verb"] not in _WRITES or at < began:
                continue
            events += about.get("resource") == "events" and about.get("namespace") == self.scene.namespace
            if about.get("resource") == "jobs" and about.get("name") in submitted:
                writes += 1
                to_id += at <= submitted[about["name"]]
        return Life(to_id / len(submitted), writes / len(submitted), events / len(submitted))

    def _apply(self, count: int, rate: float, script: str) -> dict[str, float]:
        """Apply so many Jobs, `rate` a second or (0) without a pause; when the apply of each began (epoch seconds)."""
        applied, began = {}, time.monotonic()
        for number in range(count):
            if rate:
                time.sleep(max(0.0, began + number / rate - time.monotonic()))
            self.made += 1
            applied[f"job-{self.made}"] = time.time()
            self.scene.job(f"job-{self.made}", script)
        return applied

    def _submitted(self, applied: Mapping[str, float]) -> dict[str, float]:
        """When the id of each was seen."""
        self.seen.until("submitted", list(applied), lambda seen: seen.submitted, _PATIENCE_SECONDS)
        return {name: self.seen.jobs[name].submitted or 0.0 for name in applied}

    def emptied(self, count: int, *, running: bool) -> Emptied:
        """So many Jobs that wait or run, deleted at once; then the same by Slurm's own commands alone."""
        self._partition("UP" if running else "DOWN")
        script = _LASTING if running else _SCRIPT
        applied = self._apply(count, 0, script)
        self.seen.until("there", list(applied), lambda seen: seen.phase == "Running" if running else seen.submitted, _PATIENCE_SECONDS)
        began = time.monotonic()
        self.clear()
        seconds = time.monotonic() - began
        self.cluster.run("sh", "-c", _PLAIN_JOBS.format(count=count, script=script.replace("\n", "\\n")), timeout=_PATIENCE_SECONDS)
        if running:
            while self.cluster.run("squeue", "-h", "-t", "RUNNING", "-o", "%i").stdout.count("\n") < count:
                time.sleep(0.2)
        began = time.monotonic()
        self.cluster.run("sh", "-c", _CANCEL_LOOP, timeout=_PATIENCE_SECONDS)
        return Emptied(seconds, time.monotonic() - began)

    def clear(self) -> None:
        """Delete all Jobs, and wait until nothing is left of them."""
        there = [name for name, seen in self.seen.jobs.items() if not seen.gone]
        self.delete_all()
        self.seen.until("gone", there, lambda seen: seen.gone, _PATIENCE_SECONDS)

    def delete_all(self) -> None:
        """Ask for the deletion of all by one request."""
        self.scene.api.delete(f"{GROUP}/namespaces/{self.scene.namespace}/{self.scene.kind.plural}")

    def _partition(self, state: str) -> None:
        """DOWN: what is submitted waits."""
        self.cluster.run("scontrol", "update", "PartitionName=debug", f"State={state}", user=False)

    def _cpu(self) -> dict[str, float]:
        return {
            "API server and etcd": cpu_seconds([self.plane.apiserver.pid, self.plane.etcd.pid]),
            CLUSTER: cpu_seconds(self.cluster.pids()),
            "controller": cpu_seconds([self.controller.daemon.pid]),
            "who applies and watches": time.process_time(),
        }


@contextmanager
def slurm_site(bed: Bed, kind: OwnerKind = JOB) -> Iterator[SlurmSite]:
    """Everything started, for Jobs or for Sessions.

    It ends with the bed: that a deletion leaves nothing is tested elsewhere, and takes a minute in production.
    """
    plane = ControlPlane.start(bed)
    install(plane)
    cluster = SlurmCluster.start(bed, config=SlurmConfig(nodes=4, cpus=32, memory_mib=64000, max_job_count=20_000))
    controller = ProductionController(bed, account(plane))
    controller.start()
    api = Api(plane.kubeconfig)
    try:
        scene = Scene(api, kind=kind).open()
        scene.cluster(cluster, polling={"intervalSeconds": POLL_SECONDS, "maxIntervalSeconds": POLL_SECONDS})
        with JobsSeen(plane.kubeconfig, scene.namespace, kind.plural) as seen:
            yield SlurmSite(plane, cluster, controller, scene, seen)
    finally:
        api.close()
        controller.stop()


def _children_seconds() -> float:
    """CPU of programs that this process has started and that have ended, with theirs."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
