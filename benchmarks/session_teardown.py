"""`session-teardown`: many Sessions deleted at once, each with a client connected through a real gateway, on a real Slurm."""

import selectors
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from threading import Thread

from bed.errors import BedError
from bed.state import Bed
from benchmarks.controller import ProductionGateway
from benchmarks.figures import Aim, Figure, Good, Result
from benchmarks.run import Run
from benchmarks.slurm_site import SlurmSite, slurm_site
from product.ownerkind import SESSION
from product.sessions import is_refused
from product.waiting import until

COUNTS: Mapping[int, tuple[float, float]] = {10: (0.3, 2.0), 100: (1.0, 8.0)}
"""How many Sessions, and in how many seconds all are to be cut off, and to be gone."""
SMALL: Mapping[int, tuple[float, float]] = {3: (0.3, 2.0)}

_SLICES = "/apis/discovery.k8s.io/v1/namespaces/{}/endpointslices"
_FIRST_PORT, _PORTS = 23000, 1000        # below what the kernel takes for connections that go out
_PATIENCE_SECONDS = 300.0
_LOOK_SECONDS = 0.005
_HERE = b"here"
_SERVER = f"""
import socket, sys, threading
server = socket.create_server(("0.0.0.0", int(sys.argv[1])))
while True:
    client = server.accept()[0]
    client.sendall({_HERE!r})
    threading.Thread(target=client.recv, args=(1,)).start()
"""
_BARE = """printf '#!/bin/sh\\nexec sleep 600\\n' >bare.sh
n=0; while [ $n -lt {count} ]; do sbatch --parsable --output=/dev/null bare.sh || exit; n=$((n + 1)); done >bare.ids
until [ "$(squeue -h -t RUNNING -o %i | wc -l)" = {count} ]; do sleep 0.2; done"""
_CANCEL = """scancel $(cat bare.ids); while [ "$(squeue -h -o %i)" ]; do sleep 0.05; done"""

_METHOD = """\
One controller and one gateway with the settings of production, one Slurm cluster which is asked each 2 s, and an API server with
etcd, all on this machine. So many Sessions run and are ready, and a client is connected to each. One request deletes them all. Cut
off: from there until each client's connection has ended and each Session's port on the gateway refuses. Gone: until a watch has
seen the last object go; by then each process was told to end, a listing that began after that lacks its job, and its directory is
down to a tombstone. Beside it as many jobs by `sbatch` alone: one `scancel` with all ids, and the time until `squeue` is empty.

Published for another tool, for 10 sessions: 20 to 30 s one after the other, and 10.94 s side by side (1.09 s each)."""
_BOUND = "the listing that has to begin after the cancellation, at most 2 s later; then three API writes a Session"


@dataclass(frozen=True, slots=True)
class Torn:
    """So many Sessions: seconds until they were cut off and gone, and by Slurm's commands alone; and what was left of them."""

    cut_seconds: float
    gone_seconds: float
    bare_seconds: float
    left: int

    def __str__(self) -> str:
        return f"cut off {self.cut_seconds:.2f} s, gone {self.gone_seconds:.2f} s, bare {self.bare_seconds:.2f} s, left {self.left}"


@dataclass
class Sessions:
    """The parts, and what they were asked for."""

    site: SlurmSite
    gateway: ProductionGateway
    numbers: Iterator[int]

    def torn_down(self, many: int) -> Torn:
        """One round. Raises `BedError` when Sessions do not come to where they should within five minutes."""
        names = self._ready(many)
        places = self._places(names)
        with ExitStack() as clients:
            connected = [clients.enter_context(_connected(each)) for each in places.values()]
            began, cut = time.monotonic(), list[float]()
            beside = Thread(target=lambda: cut.append(_cut_off(connected, list(places.values()))))
            beside.start()
            self.site.delete_all()
            self.site.seen.until("gone", names, lambda seen: seen.gone, _PATIENCE_SECONDS)
            gone = time.monotonic()
            beside.join()
        left = self._left()
        bare = self._bare(many)
        return Torn(cut[0] - began, gone - began, bare, left)

    def peak_mib(self) -> Mapping[str, float]:
        """The most memory that each process has had."""
        return {"gateway": _peak_mib(self.gateway.daemon.pid), "controller": _peak_mib(self.site.controller.daemon.pid)}

    def _ready(self, many: int) -> list[str]:
        names = []
        for number in (next(self.numbers) for _ in range(many)):
            port = _FIRST_PORT + number % _PORTS
            names.append(f"lab-{number}")
            self.site.scene.job(names[-1], application={"command": ["python3", "-c", _SERVER, f"{port}"], "port": port})
        self.site.seen.until("ready", names, lambda seen: seen.ready, _PATIENCE_SECONDS)
        return names

    def _places(self, names: Sequence[str]) -> dict[str, tuple[str, int]]:
        items = (self.site.scene.api.get(_SLICES.format(self.site.scene.namespace)) or {})["items"]
        places = {each["metadata"]["name"]: (each["endpoints"][0]["addresses"][0], each["ports"][0]["port"]) for each in items}
        return {name: places[name] for name in names}

    def _left(self) -> int:
        """Jobs, slices and processes of theirs that are there, once the API server's own collector has had its time."""
        def there() -> int:
            items = (self.site.scene.api.get(_SLICES.format(self.site.scene.namespace)) or {})["items"]
            serving = [pid for pid in self.site.cluster.pids() if _SERVER.encode() in _command(pid)]
            return len(items) + len(self.site.cluster.jobs_active()) + len(serving)

        with suppress(AssertionError):
            until(lambda: there() == 0, "nothing to be left", 60)
        return there()

    def _bare(self, many: int) -> float:
        self.site.cluster.run("sh", "-c", _BARE.format(count=many), timeout=_PATIENCE_SECONDS)
        began = time.monotonic()
        self.site.cluster.run("sh", "-c", _CANCEL, timeout=_PATIENCE_SECONDS)
        return time.monotonic() - began


def measure(run: Run) -> Result:
    """All figures."""
    counts = SMALL if run.small else COUNTS
    with Bed.create("benchmarks session-teardown") as bed:
        run.tell("starting a control plane, a Slurm cluster, the controller and a gateway")
        with _sessions(bed) as sessions:
            rounds = run.interleaved("session-teardown", {f"{many}": partial(sessions.torn_down, many) for many in counts})
            peak = sessions.peak_mib()
    of = {many: rounds[f"{many}"] for many in counts}
    return Result("session-teardown", "Sessions: teardown", _METHOD, run.rounds, figures(of, peak, counts))


def figures(rounds: Mapping[int, Sequence[Torn]], peak: Mapping[str, float], counts: Mapping[int, tuple[float, float]]) -> list[Figure]:
    """The rounds as rows."""
    rows = []
    for many, of in rounds.items():
        cut, gone = counts[many]
        cuts, ends, bare = zip(*((each.cut_seconds, each.gone_seconds, each.bare_seconds) for each in of), strict=True)
        rows += [
            Figure(f"{many} Sessions cut off", "s", Good.LOW, cuts, aims=[Aim(cut)], bound="the gateway's half second for streams to end"),
            Figure(f"{many} Sessions gone, one `scancel` beside it", "s", Good.LOW, ends, bare, [Aim(gone)], _BOUND),
            Figure(f"{many} Sessions: jobs, slices and processes left", "", Good.LOW, [float(each.left) for each in of], aims=[Aim(0)]),
        ]
    return [*rows, *(Figure(f"Most memory of the {part}", "MiB", Good.LOW, [value]) for part, value in peak.items())]


@contextmanager
def _sessions(bed: Bed) -> Iterator[Sessions]:
    with slurm_site(bed, SESSION) as site:
        gateway = ProductionGateway(bed, site.plane, site.cluster.enclosure.network.outer)
        gateway.start()
        try:
            yield Sessions(site, gateway, count(1))
        finally:
            gateway.stop()


def _connected(place: tuple[str, int]) -> socket.socket:
    client = socket.create_connection(place, timeout=30)
    if client.recv(len(_HERE), socket.MSG_WAITALL) != _HERE:
        raise BedError(f"what answers at {place} is not the Session's process")
    return client


def _cut_off(clients: Sequence[socket.socket], places: Sequence[tuple[str, int]]) -> float:
    """When all of these connections have ended, and all of these ports refuse (monotonic)."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    with selectors.DefaultSelector() as waiting:
        for client in clients:
            waiting.register(client, selectors.EVENT_READ)
        while waiting.get_map() and time.monotonic() < deadline:
            for key, _ in waiting.select(1.0):
                waiting.unregister(key.fileobj)      # nobody sends anything more: it has ended
    left = list(places)
    while left and time.monotonic() < deadline:
        left = [place for place in left if not is_refused(place)]
        time.sleep(_LOOK_SECONDS if left else 0)
    if left:
        raise BedError(f"{len(left)} ports are open after {_PATIENCE_SECONDS:g} s: {left[:3]}")
    return time.monotonic()


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _peak_mib(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024
