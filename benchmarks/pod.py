"""`pod`: an installation by its chart on a node: how soon it works, and what it costs its cluster while nothing happens."""

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from bed.login import LoginNode
from bed.slurm import SlurmCluster
from bed.state import Bed
from benchmarks.figures import Aim, Figure, Good, Result, number
from benchmarks.run import Run
from e2e.installation import CHART, Installation, Release
from e2e.place import OnNode, on_node
from product.api import Api
from product.scene import Scene
from product.waiting import until

_METHOD = """\
The image of this checkout, installed by its chart with the defaults of production, two replicas, on a node of the bed's own beside a Slurm
cluster. First each round is an installation from nothing: `helm install --wait`, then a Secret, a Cluster and a Job that runs `true`, until
it is Complete; Kubernetes tells in whole seconds when a container started and when its pod was ready. Then one installation is left alone:
requests are all that the accounts of the release sent to the API server, watches that began too, counted from the audit log; memory is
what the kubelet measures of each controller's container."""
_MIB = 1 << 20
_LIMIT_MIB = 512
_START_SECONDS = 3
_PATIENCE_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Sizes:
    """How long the installation is left alone before it is looked at, and for each round."""

    settle_seconds: float = 15.0
    seconds: float = 15.0


SMALL = Sizes(settle_seconds=1, seconds=2)


@dataclass(frozen=True, slots=True)
class First:
    """One installation, in seconds: until its replicas were ready, the slower one's own start, and until the first Job was Complete."""

    ready: float
    start: float
    complete: float

    def __str__(self) -> str:
        return f"ready after {self.ready:.1f} s (its start {self.start:.0f} s), Job Complete after {self.complete:.1f} s"


@dataclass(frozen=True, slots=True)
class Rest:
    """One round at rest: how long it was, the requests by resource, and the memory of who leads and of who waits."""

    seconds: float
    requests: Mapping[str, int]
    leader_bytes: int
    other_bytes: int

    def __str__(self) -> str:
        return f"{self.per_minute:.0f} requests a minute {dict(self.requests)}, {self.leader_bytes / _MIB:.0f} MiB"

    @property
    def per_minute(self) -> float:
        """All of them."""
        return 60 * sum(self.requests.values()) / self.seconds


def measure(run: Run) -> Result:
    """All figures."""
    sizes = SMALL if run.small else Sizes()
    with Bed.create("benchmarks pod") as bed:
        run.tell("starting a node and a Slurm cluster")
        host = SlurmCluster.start(bed)
        with on_node(bed) as place:
            firsts = run.interleaved("from nothing", {"pod": lambda: _first(place, host)})["pod"]
            with _installed(place) as installation:
                time.sleep(sizes.settle_seconds)
                empty = run.interleaved("without a Cluster", {"pod": lambda: _rest(place, installation, sizes.seconds)})["pod"]
                with _connected(place, host):
                    time.sleep(sizes.settle_seconds)
                    one = run.interleaved("with a Cluster", {"pod": lambda: _rest(place, installation, sizes.seconds)})["pod"]
    notes = [f"Requests a minute {what}: {_kinds(rests)}." for what, rests in (("without a Cluster", empty), ("with one", one))]
    return Result("pod", "An installation by the chart: pod", _METHOD, run.rounds, figures(firsts, empty, one), notes)


def figures(firsts: Sequence[First], empty: Sequence[Rest], one: Sequence[Rest]) -> list[Figure]:
    """The rounds as rows."""
    low, half = Good.LOW, [Aim(_LIMIT_MIB / 2)]
    return [
        Figure("`helm install --wait`, until both replicas are ready", "s", low, [each.ready for each in firsts]),
        Figure("A controller's container, from its start until its pod is ready, the slower of two that start at once", "s", low,
               [each.start for each in firsts], aims=[Aim(_START_SECONDS)], bound="two interpreters share the cores with the whole node"),
        Figure("From `helm install` until the first Job is Complete", "s", low, [each.complete for each in firsts]),
        Figure("API requests without a Cluster", "a minute", low, [each.per_minute for each in empty]),
        Figure("API requests with a Cluster", "a minute", low, [each.per_minute for each in one]),
        Figure(f"Memory of who leads, with a Cluster; its limit is {_LIMIT_MIB} MiB", "MiB", low,
               [each.leader_bytes / _MIB for each in one], aims=half),
        Figure("Memory of who waits", "MiB", low, [each.other_bytes / _MIB for each in one], aims=half),
    ]


def _first(place: OnNode, host: LoginNode) -> First:
    began = time.monotonic()
    with _installed(place) as installation:
        ready, start = time.monotonic() - began, max(installation.seconds_to_ready().values())
        with _connected(place, host) as scene:
            scene.job(command=["true"]).wait("Complete", seconds=_PATIENCE_SECONDS)
            return First(ready, start, time.monotonic() - began)


def _rest(place: OnNode, installation: Installation, seconds: float) -> Rest:
    began, at = time.monotonic(), len(place.audit())
    time.sleep(seconds)
    took, asked = time.monotonic() - began, place.audit()[at:]
    ours = [each for each in asked if each["user"]["username"].startswith(f"system:serviceaccount:{installation.namespace}:")]
    held = until(installation.resident_bytes, "the kubelet's measure of memory", _PATIENCE_SECONDS)
    leader = held.pop(installation.leader())
    return Rest(took, Counter(_kind(each) for each in ours), leader, max(held.values()))


def _kind(asked: Mapping[str, object]) -> str:
    about = asked.get("objectRef")
    return f"{asked['verb']} {about['resource']}" if isinstance(about, Mapping) and "resource" in about else str(asked["verb"])


def _kinds(rests: Sequence[Rest]) -> str:
    total: Counter[str] = Counter()
    for each in rests:
        total.update(each.requests)
    minutes = sum(each.seconds for each in rests) / 60
    return ", ".join(f"{kind} {number(count / minutes)}" for kind, count in total.most_common()) or "none"


@contextmanager
def _installed(place: OnNode) -> Iterator[Installation]:
    """With the settings of production; all of it is gone afterwards."""
    installation = Installation.named(place, Release(CHART, place.image, {}))
    installation.install()
    yield installation
    installation.uninstall()
    installation.remove_definitions()
    place.kubectl("delete", "namespace", installation.namespace)


@contextmanager
def _connected(place: OnNode, host: LoginNode) -> Iterator[Scene]:
    """A Cluster that is ready, polled as seldom as in production; it and its Jobs are deleted afterwards."""
    there, api = place.reach(host), Api(place.kubeconfig)
    try:
        scene = Scene(api).open()
        cluster = scene.cluster(host, endpoints=[{"host": there.host, "port": there.port}], hostKeys={"knownHosts": there.known_hosts},
                                polling={}, connection={})
        yield scene
        for job in scene.jobs():
            place.kubectl(f"--namespace={scene.namespace}", "delete", "flj", job["metadata"]["name"])
        cluster.delete()                     # and what is left of its Jobs there, which would take a minute
        scene.close()
    finally:
        api.close()
