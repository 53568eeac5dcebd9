"""All contenders on their clusters: rounds of jobs in turns, jobs side by side, then every fault against each of them."""

import queue
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from typing import Final, TypeVar

from bed.errors import BedError
from bed.slurm import SlurmCluster, SlurmConfig, start_many
from bed.state import Bed
from benchmarks.peers import aiida, bare, flyte
from benchmarks.peers.aiida import AiiDA
from benchmarks.peers.bare import BareSsh
from benchmarks.peers.comparison import FAIRLEAD, Comparison, Contender, Measure
from benchmarks.peers.environments import Environment, NotHere
from benchmarks.peers.fairlead import Fairlead
from benchmarks.peers.faults import FAULTS, play
from benchmarks.peers.flyte import Flyte
from benchmarks.peers.peer import Peer
from benchmarks.peers.place import Cost, Place, need, until
from benchmarks.peers.verdicts import Kind, Verdict, judge
from benchmarks.run import Run
from product.remains import files_in

T = TypeVar("T")

LONG_SECONDS: Final = 20
_PATIENCE_SECONDS = 180.0
_TURN_SECONDS = 1800.0               # for what runs side by side
_BARE, _AIIDA, _FLYTE = "bare `ssh`", "AiiDA", "Flyte"
_SKYPILOT = ("SkyPilot is not among them: on Slurm it takes an allocation for a machine, and fetches uv, a Python and a runtime of its own "
             "there from the Internet, which these clusters do not reach.")


@dataclass(frozen=True, slots=True)
class Life:
    """One job: seconds to the id and from its end until that was told, and what it cost."""

    to_id: float
    to_end: float
    cost: Cost

    def __str__(self) -> str:
        return f"id {self.to_id:.2f} s, end {self.to_end:.2f} s, {self.cost}"


@dataclass(slots=True)
class Entry:
    """A contender on its cluster."""

    contender: Contender
    place: Place
    peer: Peer
    jobs: int = 0
    failed: int = 0

    def tag(self) -> str:
        """A name for the next job."""
        self.jobs += 1
        return f"job-{''.join(filter(str.isalpha, self.contender.name)).lower()}-{self.jobs}"

    def life(self, seconds: int) -> Life | None:
        """One job from the asking to the end; None when no good end was told within three minutes."""
        tag = self.tag()
        with self.place.counted() as cost:
            self.peer.begin(tag, self.place.short(tag, seconds))
            found = self._followed(tag)
        return Life(*found, cost()) if found else None

    def to_end(self, seconds: int) -> float | None:
        """Seconds until the end of a job was told; None as for `life`."""
        tag = self.tag()
        self.peer.begin(tag, self.place.short(tag, seconds))
        found = self._followed(tag)
        return found[1] if found else None

    def _followed(self, tag: str) -> tuple[float, float] | None:
        until(lambda: self.peer.seen(tag).ended, _PATIENCE_SECONDS)
        seen, ended = self.peer.seen(tag), self.place.ended_at(tag)
        if not seen.good or seen.asked is None or seen.submitted is None or seen.ended is None or ended is None:
            self.failed += 1
            return None
        return seen.submitted - seen.asked, seen.ended - ended


def measure(run: Run) -> Comparison:
    """Everything. Raises `BedError` when Fairlead or a cluster does not start."""
    absent = [_SKYPILOT]
    environments = [] if run.small else _installed(run, absent)
    with Bed.create("benchmarks peers") as bed:
        run.tell("starting a Slurm cluster for each, a control plane and the peers")
        clusters = start_many(bed, 2 + len(environments), config=SlurmConfig(nodes=2, cpus=8, accounting=True))
        entries = _entries(bed, clusters, environments, absent)
        try:
            lives = run.interleaved("a job of a second", {each.contender.name: partial(each.life, 1) for each in entries})
            long = [] if run.small else [_long(run, number, entries) for number in range(run.rounds)]
            removal = _removal(entries[0])
            verdicts = _faults(run, entries)
        finally:
            for each in entries:
                each.peer.close()
        absent += [f"{each.contender.name}: {each.failed} jobs without a fault were not told as finished within "
                   f"{_PATIENCE_SECONDS:g} s; the figures are of the others." for each in entries if each.failed]
        slurm = f"Slurm {clusters[0].release.version} with slurmdbd and two nodes; sshd with its default MaxSessions"
    return Comparison([each.contender for each in entries], absent, slurm, run.rounds, _measures(lives, long, removal), verdicts)


def _installed(run: Run, absent: list[str]) -> list[Environment]:
    there = []
    for environment in (aiida.ENVIRONMENT, flyte.ENVIRONMENT):
        run.tell(f"{environment.requirement} {environment.version}")
        try:
            environment.ensure()
            there.append(environment)
        except NotHere as error:
            absent.append(f"{error}.")
    return there


def _entries(bed: Bed, clusters: list[SlurmCluster], environments: list[Environment], absent: list[str]) -> list[Entry]:
    places = list(map(Place, clusters))
    ours = "the controller with all its defaults, and an API server with etcd; when it is killed it is started again, as Kubernetes does"
    theirs = (f"`benchmarks/peers/bare.sh`: `ssh host sbatch`, then `ssh host squeue` each {bare.POLL_SECONDS} s; when it is killed it is "
              "run again")
    entries = [
        Entry(Contender(FAIRLEAD, version("fairlead"), ours), places[0], Fairlead(bed, clusters[0])),
        Entry(Contender(_BARE, bare.version(), theirs), places[1], BareSsh(bed, clusters[1])),
    ]
    for environment, place in zip(environments, places[2:], strict=True):
        try:
            entries.append(_entry(bed, environment, place))
        except NotHere as error:
            absent.append(f"{error}.")
    return entries


def _entry(bed: Bed, environment: Environment, place: Place) -> Entry:
    if environment is flyte.ENVIRONMENT:
        how = "a `SlurmScriptTask` of its Slurm plugin in a local run, without a Flyte cluster; when it is killed it is run again"
        return Entry(Contender(_FLYTE, f"flyteplugins-slurm {environment.version}", how), place, Flyte(bed, place.cluster))
    how = (f"`verdi presto` with its daemon, `core.ssh_async` and `core.slurm`; {aiida.LOGIN_SECONDS:g} s between logins and "
           f"{aiida.POLL_SECONDS:g} s between looks at the queue, where its defaults are 15 s and 10 s; when its daemon is killed it is "
           "started again")
    return Entry(Contender(_AIIDA, environment.version, how), place, AiiDA(bed, place.cluster))


def _long(run: Run, number: int, entries: list[Entry]) -> dict[str, float | None]:
    found = side_by_side({each.contender.name: partial(each.to_end, LONG_SECONDS) for each in entries})
    told = ", ".join(f"{name} {value}" for name, value in found.items())
    run.tell(f"jobs of {LONG_SECONDS} s, round {number + 1} of {run.rounds}: {told}")
    return found


def _faults(run: Run, entries: list[Entry]) -> dict[Kind, dict[str, list[Verdict]]]:
    def all_of(entry: Entry) -> dict[Kind, Verdict]:
        found = {}
        for kind in FAULTS:
            found[kind] = _verdict(entry, kind)
            run.tell(f"{entry.contender.name}, {kind}: {found[kind].words}")
        return found

    met = side_by_side({each.contender.name: partial(all_of, each) for each in entries})
    return {kind: {name: [found[kind]] for name, found in met.items()} for kind in Kind}


def _verdict(entry: Entry, kind: Kind) -> Verdict:
    try:
        return judge(play(kind, entry.place, entry.peer, entry.tag()))
    except BedError as error:
        return Verdict(None, f"could not be played: {error}")


def _removal(fairlead: Entry) -> float:
    """Processes a job, when all Jobs of the rounds are deleted together, until nothing is left of them but their tombstones.

    Raises `BedError` when that takes more than three minutes.
    """
    assert isinstance(fairlead.peer, Fairlead)
    with fairlead.place.counted() as cost:
        count = fairlead.peer.remove_all()
        need(lambda: not files_in(fairlead.place.cluster.home), "the removal of what Jobs have left", _PATIENCE_SECONDS)
    return cost().processes / count


def _measures(lives: Mapping[str, list[Life | None]], long: list[dict[str, float | None]], removal: float) -> list[Measure]:
    def row(what: str, unit: str, value: Callable[[Life], float]) -> Measure:
        return Measure(what, unit, {name: [value(each) for each in found if each] for name, found in lives.items()})

    rows = [
        row("A job of a second: asking to id", "s", lambda life: life.to_id),
        row("A job of a second: end to its being told", "s", lambda life: life.to_end),
        row("Logins a job", "", lambda life: life.cost.logins),
        row("Sessions a job", "", lambda life: life.cost.sessions),
        row("Processes on the login node a job", "", lambda life: life.cost.processes),
        Measure("Processes on the login node to remove a job's files", "", {FAIRLEAD: [removal]}),
    ]
    if long:
        values = {name: [value for each in long if (value := each[name]) is not None] for name in long[0]}
        rows.insert(2, Measure(f"A job of {LONG_SECONDS} s: end to its being told", "s", values))
    return rows


def side_by_side(calls: Mapping[str, Callable[[], T]]) -> dict[str, T]:
    """All at the same time; the answers by name. Its threads hold up nobody's end: an interrupt does not wait for them.

    Raises:
        Exception: what the first that failed has raised.
    """
    done: queue.SimpleQueue[tuple[str, T | None, Exception | None]] = queue.SimpleQueue()

    def work(name: str, call: Callable[[], T]) -> None:
        try:
            done.put((name, call(), None))
        except Exception as error:  # noqa: BLE001  # raised below, in the thread that asked
            done.put((name, None, error))

    for name, call in calls.items():
        threading.Thread(target=work, args=(name, call), name=name, daemon=True).start()
    found: dict[str, T] = {}
    for _ in calls:
        name, value, error = done.get(timeout=_TURN_SECONDS)
        if error is not None:
            raise error
        found[name] = value  # type: ignore[assignment]  # None only beside an error
    return {name: found[name] for name in calls}
