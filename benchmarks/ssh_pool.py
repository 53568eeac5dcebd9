"""`ssh-pool`: the product's pool beside one that holds a lock while it connects, over a transport of 10 ms and over real sshd."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol, Self

from bed.state import Bed
from benchmarks import bounded, transport
from benchmarks.figures import Aim, Figure, Good, Result
from benchmarks.hosts import addresses_of, dial_real, start_hosts
from benchmarks.load import offered
from benchmarks.locked import LockedPool
from benchmarks.run import Run
from benchmarks.spread import percentile
from fairlead.domain.cluster.address import Address
from fairlead.schedulers.seam import Exchange
from fairlead.ssh.limits import PoolLimits
from fairlead.ssh.remote import SshRemote

_METHOD = """\
The pool beside one that holds a lock while it connects, as many do; both run a request by the same code on the same kind of connection, so
that only who waits for whom differs. First over a transport that takes 10 ms to connect and answers at once: what is left is the pool. Each
measure begins with a new pool; a request of the offered load counts from the moment at which it was due, so that a generator that falls
behind hides nothing. Then over real sshd, one for each host, where the far end's cryptography takes part. Last, many more hosts than the
pool may hold connections to, over real SSH to light servers in one process: each once, then at random; beside the same pool that may hold
a connection to each."""

_SERVER = "each login costs sshd 20 ms of CPU, and all sshds share this machine's cores with the client"
_LOOP = ("all requests are work for one event loop on one core, which begins all connects before it waits for the first, and passes all "
         "answers on once they are there; the rows of CPU say what each costs it: a task for the exchange and one for the connection, so "
         "that who gives up or hangs takes nobody along, seat, gate, deadlines, channel")
_TURNS = ("nothing is held: a request needs five turns of the event loop, and shares those in which all the others begin or end their "
          "connects")
_TIMER = "a wait of 10 ms ends at the next millisecond of the event loop, and whenever something else on these cores lets go of one"


class Pool(Protocol):
    """Both pools."""

    async def __aenter__(self) -> Self: ...
    async def __aexit__(self, kind: None, error: None, trace: None, /) -> None: ...
    async def exchange(self, address: Address, exchange: Exchange[bytes], /) -> bytes: ...


Scene = Callable[[Pool], Awaitable[float]]


@dataclass(frozen=True, slots=True)
class Played:
    """One round: what the scene gave, and the CPU seconds of this process meanwhile."""

    seconds: float
    cpu_seconds: float

    def __str__(self) -> str:
        return f"{self.seconds:.4g} s"


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is asked."""

    many: int = 100                  # hosts
    requests: int = 5000             # to one warm host
    workers: int = 50
    rates: Sequence[float] = (10, 100, 500, 1000, 5000)
    seconds: float = 1.0             # of offered load: at 100 requests a second one in ten is the first to its host
    real: Sequence[int] = (10, 100)


SMALL = Sizes(many=12, requests=100, rates=(100,), seconds=0.1, real=(2,))
FEW = 10                             # hosts
P95_AIMS_MS = {10: 13, 100: 12, 500: 2, 1000: 2, 5000: 2}


def measure(run: Run) -> Result:
    """All figures."""
    sizes = SMALL if run.small else Sizes()
    figures = [*over_transport(run, sizes), *over_sshd(run, sizes)]
    more, notes = bounded.measure(run, bounded.SMALL if run.small else bounded.Sizes())
    return Result("ssh-pool", "Connections: ssh-pool", _METHOD, run.rounds, [*figures, *more], notes)


def over_transport(run: Run, sizes: Sizes) -> list[Figure]:
    """The pool alone."""
    hosts, count = transport.addresses(sizes.many), sizes.many
    few, wide = hosts[:FEW], PoolLimits(connects=count, execs=count)
    cases = [
        Case(f"{FEW} cold hosts, all answered", lambda pool: _cold(pool, few), aims=[Aim(11)], bound=f"{_TIMER}; and {_LOOP}"),
        Case(f"{count} cold hosts, {count} connects at once", lambda pool: _cold(pool, hosts), wide, count, [Aim(6700)], _LOOP),
        Case(f"{count} cold hosts, by default 50 connects at once", lambda pool: _cold(pool, hosts), requests=count),
        Case("One warm host", lambda pool: _warm(pool, hosts[0], sizes), requests=sizes.requests, aims=[Aim(10_000)], bound=_LOOP),
        *(_load(few, rate, sizes.seconds) for rate in sizes.rates),
        Case(f"Lock time: P95 to a warm host while {count - 1} others connect", lambda pool: _beside(pool, hosts), aims=[Aim(1)],
             bound=_TURNS),
    ]
    return [figure for case in cases for figure in case.figures(run, transport.PoolOnly, lambda: LockedPool(lambda _: transport.dial()))]


def over_sshd(run: Run, sizes: Sizes) -> list[Figure]:
    """Connect, log in and run, on real sshd."""
    with Bed.create("benchmarks ssh-pool") as bed:
        run.tell(f"starting {max(sizes.real)} sshds")
        hosts = addresses_of(start_hosts(bed, max(sizes.real)))
        cases = [Case(f"{count} cold hosts with real sshd, all answered", partial(_cold, hosts=hosts[:count]),
                      aims=[Aim(2.7, ratio=True)], bound=_SERVER) for count in sizes.real]
        return [figure for case in cases for figure in case.figures(run, SshRemote, lambda: LockedPool(dial_real()))]


@dataclass(frozen=True, slots=True)
class Case:
    """One measure: what is asked of a new pool, which gives seconds; with `requests` told as requests a second, and with their CPU."""

    what: str
    scene: Scene
    limits: PoolLimits | None = None
    requests: int = 0
    aims: Sequence[Aim] = ()
    bound: str = ""

    def figures(self, run: Run, ours: Callable[[PoolLimits | None], Pool], peer: Callable[[], Pool]) -> list[Figure]:
        """Both pools in turns."""
        played = run.interleaved(self.what, {"pool": partial(self._play, lambda: ours(self.limits)), "locked": partial(self._play, peer)})

        def row(what: str, unit: str, good: Good, value: Callable[[Played], float]) -> Figure:
            return Figure(what, unit, good, list(map(value, played["pool"])), list(map(value, played["locked"])))

        if not self.requests:
            return [replace(row(self.what, "ms", Good.LOW, lambda each: each.seconds * 1000), aims=self.aims, bound=self.bound)]
        rate = row(self.what, "requests/s", Good.HIGH, lambda each: self.requests / each.seconds)
        return [replace(rate, aims=self.aims, bound=self.bound),
                row(f"{self.what}: CPU a request", "us", Good.LOW, lambda each: each.cpu_seconds * 1e6 / self.requests)]

    def _play(self, make: Callable[[], Pool]) -> Played:
        """In an event loop and with a pool of its own."""
        async def play() -> Played:
            async with make() as pool:
                began = time.process_time()
                seconds = await self.scene(pool)
                return Played(seconds, time.process_time() - began)

        return asyncio.run(play())


def _load(hosts: Sequence[Address], rate: float, seconds: float) -> Case:
    """The wait of 95 of 100 requests at a steady rate."""
    what, aim = f"P95 at {rate:,.0f} requests/s to {len(hosts)} hosts, cold at first", P95_AIMS_MS.get(int(rate))
    return Case(what, partial(_p95, hosts=hosts, rate=rate, seconds=seconds), aims=[Aim(aim)] if aim else [],
                bound=_TIMER if rate <= len(hosts) * 10 else _LOOP)


async def _cold(pool: Pool, hosts: Sequence[Address]) -> float:
    """Seconds until each of the hosts, none of them connected, has answered once."""
    began = time.perf_counter()
    await asyncio.gather(*(pool.exchange(host, transport.TRUE) for host in hosts))
    return time.perf_counter() - began


async def _warm(pool: Pool, host: Address, sizes: Sizes) -> float:
    """Seconds for all requests to one connected host."""
    await pool.exchange(host, transport.TRUE)

    async def work() -> None:
        for _ in range(sizes.requests // sizes.workers):
            await pool.exchange(host, transport.TRUE)

    began = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(sizes.workers)))
    return time.perf_counter() - began


async def _p95(pool: Pool, hosts: Sequence[Address], rate: float, seconds: float) -> float:
    """Seconds within which 95 of 100 requests were answered that come at a steady rate, the first ones to cold hosts."""
    waits = await offered(lambda number: pool.exchange(hosts[number % len(hosts)], transport.TRUE), rate, int(rate * seconds))
    return percentile(waits, 0.95)


async def _beside(pool: Pool, hosts: Sequence[Address]) -> float:
    """Seconds that 95 of 100 requests to a connected host take at most while all the others are being connected."""
    warm, cold = hosts[0], hosts[1:]
    await pool.exchange(warm, transport.TRUE)
    connecting = asyncio.gather(*(pool.exchange(host, transport.TRUE) for host in cold))
    await asyncio.sleep(0)           # their turn first
    waits = []
    while not connecting.done():
        began = time.perf_counter()
        await pool.exchange(warm, transport.TRUE)
        waits.append(time.perf_counter() - began)
    await connecting
    return percentile(waits, 0.95)
