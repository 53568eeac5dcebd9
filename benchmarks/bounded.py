"""Many more hosts than the pool may hold connections to, each asked once and then at random: what stays flat, and who waits how long."""

import asyncio
import multiprocessing
import os
import random
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

from bed.standin import StandIn
from bed.state import Bed
from benchmarks import transport
from benchmarks.cpu import open_files, resident_bytes
from benchmarks.figures import Aim, Figure, Good
from benchmarks.load import offered
from benchmarks.run import Run
from benchmarks.spread import percentile
from fairlead.domain.cluster.address import Address, Credentials, HostKeys
from fairlead.ssh.limits import PoolLimits
from fairlead.ssh.remote import SshRemote

_MIB = 1 << 20
_SAMPLE_SECONDS = 1.0
_FIRST_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is asked of how many."""

    hosts: int = 500
    held: int = 50
    rate: float = 25.0               # requests a second: nearly every one needs a new connection
    count: int = 150


SMALL = Sizes(hosts=12, held=3, rate=20, count=20)


@dataclass(frozen=True, slots=True)
class Sample:
    """The process at one moment."""

    connections: int
    resident_mib: float
    files: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one run: the P95 of the requests in seconds, and samples over time."""

    p95_seconds: float
    samples: Sequence[Sample]

    def __str__(self) -> str:
        last = self.samples[-1]
        return f"P95 {self.p95_seconds * 1000:.0f} ms, {last.connections} connections, {last.resident_mib:.0f} MiB, {last.files} files"


@dataclass(frozen=True, slots=True)
class AtOnce:
    """All hosts asked at once: the P95 in seconds, and how many were answered before one that had asked earlier."""

    p95_seconds: float
    overtaken: int


def measure(run: Run, sizes: Sizes) -> tuple[list[Figure], list[str]]:
    """The figures, and what they were over time in the last round."""
    many = f"{sizes.hosts} hosts at once, {sizes.held} connections held, {sizes.held} hosts after {sizes.held} without a bound beside it"
    waves = run.interleaved(many, {"all": lambda: asyncio.run(_at_once(sizes)), "waves": lambda: asyncio.run(_in_waves(sizes))})
    with Bed.create("benchmarks ssh-pool") as bed:
        run.tell(f"starting a stand-in for {sizes.hosts} hosts")
        servers = StandIn.start(bed, sizes.hosts)
        hosts = [Address(host.host, host.port, host.user, Credentials(host.private_key.encode()), HostKeys(known_hosts=host.known_hosts))
                 for host in servers.hosts]
        found = run.interleaved(f"{sizes.hosts} hosts at random", {
            "bounded": partial(_alone, hosts, sizes.held, sizes), "unbounded": partial(_alone, hosts, sizes.hosts, sizes),
        })
        servers.stop()
    ours, peer, low = found["bounded"], found["unbounded"], Good.LOW
    what = f"{sizes.hosts} hosts at random, {sizes.held} connections held, no bound beside it"
    figures = [
        Figure(f"{what}: connections, most", "held", low, _most(ours, "connections"), _most(peer, "connections"), [Aim(sizes.held)]),
        Figure(f"{what}: memory, most", "MiB", low, _most(ours, "resident_mib"), _most(peer, "resident_mib")),
        Figure(f"{what}: open files, most", "files", low, _most(ours, "files"), _most(peer, "files")),
        Figure(f"{what}: P95", "ms", low, [each.p95_seconds * 1000 for each in ours], [each.p95_seconds * 1000 for each in peer]),
        Figure(f"{many}: P95", "ms", low, [each.p95_seconds * 1000 for each in waves["all"]],
               [each.p95_seconds * 1000 for each in waves["waves"]], [Aim(1, ratio=True)],
               "a connection has to be closed before the next one is begun, by the same event loop"),
        Figure(f"{many}: requests answered out of turn", "requests", low, [float(each.overtaken) for each in waves["all"]], aims=[Aim(0)]),
    ]
    return figures, [_over_time(name, each[-1]) for name, each in (("With the bound", ours), ("Without", peer))]


async def _at_once(sizes: Sizes) -> AtOnce:
    """One request to each host, all asked at once, over the transport of 10 ms."""
    async with transport.PoolOnly(PoolLimits(connections=sizes.held)) as pool:
        return await _asked_once(pool, [transport.addresses(sizes.hosts)])


async def _in_waves(sizes: Sizes) -> AtOnce:
    """The same where nobody has to wait in the pool: as many as could be held are asked when all those before have answered."""
    hosts = transport.addresses(sizes.hosts)
    async with transport.PoolOnly(PoolLimits(connections=sizes.hosts)) as pool:
        return await _asked_once(pool, [hosts[first:first + sizes.held] for first in range(0, sizes.hosts, sizes.held)])


async def _asked_once(pool: transport.PoolOnly, waves: Sequence[Sequence[Address]]) -> AtOnce:
    """Waits count from the beginning of the first wave."""
    served, waits, began = list[int](), list[float](), time.perf_counter()

    async def one(number: int, host: Address) -> None:
        await pool.exchange(host, transport.TRUE)
        served.append(number)
        waits.append(time.perf_counter() - began)

    for wave in waves:
        await asyncio.gather(*(one(len(served) + place, host) for place, host in enumerate(wave)))
    return AtOnce(percentile(waits, 0.95), sum(earlier > later for earlier, later in pairwise(served)))


def _alone(hosts: Sequence[Address], held: int, sizes: Sizes) -> Outcome:
    """In a process of its own: memory that an earlier round has had does not count."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
        return process.submit(_at_random, hosts, held, sizes).result()


def _at_random(hosts: Sequence[Address], held: int, sizes: Sizes) -> Outcome:
    return asyncio.run(_asked(hosts, held, sizes))


async def _asked(hosts: Sequence[Address], held: int, sizes: Sizes) -> Outcome:
    turns = random.Random(1)         # the same hosts in each round and for both
    chosen = [turns.choice(hosts) for _ in range(sizes.count)]
    async with SshRemote(PoolLimits(connections=held)) as remote:
        samples: list[Sample] = []

        def look() -> None:
            samples.append(Sample(remote.seats.taken, resident_bytes(os.getpid()) / _MIB, open_files(os.getpid())))

        async def watch() -> None:
            while True:
                await asyncio.sleep(_SAMPLE_SECONDS)
                look()

        await _each_once(remote, hosts)
        watching = asyncio.create_task(watch())
        waits = await offered(lambda number: remote.exchange(chosen[number], transport.TRUE), sizes.rate, sizes.count)
        watching.cancel()
        look()
    return Outcome(percentile(waits, 0.95), samples)


async def _each_once(remote: SshRemote, hosts: Sequence[Address]) -> None:
    """What is remembered of each host is there from the start, and so are all connections that may be."""
    left = iter(hosts)

    async def work() -> None:
        for host in left:
            await remote.exchange(host, transport.TRUE)

    await asyncio.gather(*(work() for _ in range(_FIRST_AT_ONCE)))


def _most(outcomes: Sequence[Outcome], name: str) -> list[float]:
    return [max(float(getattr(sample, name)) for sample in each.samples) for each in outcomes]


def _over_time(name: str, outcome: Outcome) -> str:
    cells = ", ".join(f"{each.connections} / {each.resident_mib:.0f} / {each.files}" for each in outcome.samples)
    return f"{name}, connections / MiB / open files each {_SAMPLE_SECONDS:g} s in the last round: {cells}."
