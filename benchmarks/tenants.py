"""`tenants`: what an honest namespace has of its controller while another does its worst."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial

from bed import cgroups
from bed.standin import StandIn
from bed.state import Bed
from benchmarks.cpu import cpu_seconds, resident_bytes
from benchmarks.figures import Aim, Figure, Good, Result
from benchmarks.run import Run
from benchmarks.slurm_site import SlurmSite, slurm_site
from benchmarks.spread import percentile
from fairlead.ssh.key_cost import BCRYPT_ROUNDS
from product.api import GROUP
from product.mean import login, silent_hosts, slow_logins
from product.scene import Scene

_METHOD = """\
One controller with the settings of production and one Slurm cluster, as for `submit`, on which an honest namespace has Jobs applied at a
steady rate into a closed partition; the time runs from before the apply until a watch shows the id. Meanwhile another namespace does its
worst: Clusters of hosts that take a connection and say nothing; many logins at hosts that take them, each with its own connection; keys
that ask for as many rounds as are done at all; many Jobs on a Cluster that is silent. Each round plays all of them, and a quiet time, in
turns. Beside each stands the quiet time of the same round. The servers that are logged in to stand for other machines: they run only where
no other part needs the cores (cpu.idle). All else shares them: what it costs the API server and the controller to make, to serve and to
delete objects and logins is in the figures."""
_CORES = "all parts share these cores: the API server and who applies take them from the honest Jobs too"
QUIET = "quiet"
_SETTLE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much of each."""

    jobs: int = 20
    rate: float = 6.0                # a second
    silent: int = 30
    logins: int = 200
    hosts: int = 10
    slow_keys: int = 6
    many: int = 1000                 # Jobs


SMALL = Sizes(jobs=3, silent=2, logins=4, hosts=2, slow_keys=1, many=10)


@dataclass(frozen=True, slots=True)
class Window:
    """What the honest namespace had, and what the controller used."""

    to_id: Sequence[float]           # seconds
    cpu_share: float                 # of a core
    resident_bytes: int

    def __str__(self) -> str:
        return (f"p50 {percentile(self.to_id, 0.5):.2f} s, p95 {percentile(self.to_id, 0.95):.2f} s, {self.cpu_share:.0%} of a core, "
                f"{self.resident_bytes / (1 << 20):.0f} MiB")


def measure(run: Run) -> Result:
    """All figures."""
    sizes = SMALL if run.small else Sizes()
    with Bed.create("benchmarks tenants") as bed:
        run.tell("starting a control plane, a Slurm cluster, stand-ins and the controller")
        stand_ins = StandIn.start(bed, sizes.hosts)
        cgroups.idle(f"flb{bed.id}-others", stand_ins.daemon.pid)
        with slurm_site(bed) as site:
            site.close_partition()
            stage = Stage(site, stand_ins, sizes)
            seen = run.interleaved("tenants", {name: partial(stage.window, name) for name in (QUIET, *stage.attacks)})
        stand_ins.stop()
    return Result("tenants", "One namespace beside another: tenants", _METHOD, run.rounds, figures(seen))


def figures(seen: Mapping[str, Sequence[Window]]) -> list[Figure]:
    """The rounds as rows: the honest wait, then what the controller used."""
    rows: list[Figure] = []
    kinds: list[tuple[str, str, Callable[[Window], float], list[Aim], str]] = [
        ("apply to id, p50", "s", lambda each: percentile(each.to_id, 0.5), [], ""),
        ("apply to id, p95", "s", lambda each: percentile(each.to_id, 0.95), [Aim(0.5, ratio=True)], _CORES),
        ("controller's CPU", "% of a core", lambda each: 100 * each.cpu_share, [], ""),
        ("controller's memory", "MiB", lambda each: each.resident_bytes / (1 << 20), [], ""),
    ]
    for what, unit, value, aims, bound in kinds:
        quiet = list(map(value, seen[QUIET]))
        rows.append(Figure(f"Quiet: {what}", unit, Good.LOW, quiet))
        rows += [Figure(f"{name}: {what}, a quiet time beside it", unit, Good.LOW, list(map(value, windows)), quiet, aims, bound)
                 for name, windows in seen.items() if name != QUIET]
    return rows


class Stage:
    """The attacks by name, and windows of time beside each."""

    def __init__(self, site: SlurmSite, stand_ins: StandIn, sizes: Sizes) -> None:
        self._site, self._stand_ins, self._sizes = site, stand_ins, sizes
        self.attacks: dict[str, Callable[[Scene, Sequence[int]], None]] = {
            f"{sizes.silent} silent hosts": self._silent, f"{sizes.logins} logins": self._logins,
            f"{sizes.slow_keys} slow keys": self._slow_keys, f"{sizes.many:,} Jobs": self._many,
        }

    def window(self, name: str) -> Window:
        """A while in which an honest namespace works, beside an attack, or none."""
        with self._under_attack(name):
            pid, began = self._site.controller.daemon.pid, time.monotonic()
            before = cpu_seconds([pid])
            to_id = self._site.steady(self._sizes.jobs, self._sizes.rate)
            used = (cpu_seconds([pid]) - before) / (time.monotonic() - began)
            window = Window(to_id, used, resident_bytes(pid))
        self._site.clear()
        return window

    @contextmanager
    def _under_attack(self, name: str) -> Iterator[None]:
        if name == QUIET:
            yield
            return
        with ExitStack() as stack:
            ports = stack.enter_context(silent_hosts(self._sizes.silent))
            mean = Scene(self._site.scene.api).open()
            stack.callback(mean.close)
            self.attacks[name](mean, ports)
            time.sleep(_SETTLE_SECONDS)
            yield

    def _silent(self, mean: Scene, ports: Sequence[int]) -> None:
        mean.secret("key", ssh_privatekey=self._stand_ins.hosts[0].private_key)
        for number, port in enumerate(ports):
            login(mean, f"silent-{number}", port, "key", connection={"connectTimeoutSeconds": 60})

    def _logins(self, mean: Scene, _: Sequence[int]) -> None:
        mean.secret("key", ssh_privatekey=self._stand_ins.hosts[0].private_key)
        for number in range(self._sizes.logins):
            host = self._stand_ins.hosts[number % len(self._stand_ins.hosts)]
            login(mean, f"login-{number}", host.port, "key", user=host.user, hostKeys={"knownHosts": host.known_hosts},
                  connection={"keepaliveIntervalSeconds": 15 + number})

    def _slow_keys(self, mean: Scene, ports: Sequence[int]) -> None:
        slow_logins(mean, ports[0], BCRYPT_ROUNDS, self._sizes.slow_keys)

    def _many(self, mean: Scene, ports: Sequence[int]) -> None:
        self._silent(mean, ports[:1])
        path = f"{GROUP}/namespaces/{mean.namespace}/jobs"
        for number in range(self._sizes.many):
            mean.api.request("POST", path, {"apiVersion": "fairlead.dev/v1alpha1", "kind": "Job", "metadata": {"name": f"many-{number}"},
                                            "spec": {"clusterRef": {"name": "silent-0"}, "command": ["true"]}})
