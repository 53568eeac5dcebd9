"""`ssh-exec`: the product's SSH layer beside OpenSSH's client: cold to many hosts, warm to few, and a poll of many."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from bed.sshd import SshHost
from bed.state import Bed
from benchmarks.figures import Aim, Figure, Good, Result
from benchmarks.hosts import addresses_of, start_hosts
from benchmarks.openssh import OpenSsh, Spent
from benchmarks.run import Run
from benchmarks.spread import percentile
from benchmarks.transport import TRUE
from fairlead.domain.cluster.address import Address
from fairlead.domain.errors import RemoteFault
from fairlead.schedulers.seam import COMMAND, Exchange
from fairlead.ssh.remote import SshRemote

_METHOD = """\
The way that every exchange of the controller takes (`SshRemote`: its pool, deadlines and bounds), beside OpenSSH's client with the same
key, key exchange and cipher. Where nothing else is said, both run the same command line with the same input, a shell that reads its program
from standard input; and both have at most 50 in flight. CPU is that of the client side: for Fairlead the whole process, for OpenSSH the
`ssh` processes and masters without what it costs to start them. Client and sshds share the machine, and no network lies between them."""
_SERVER = "the far end (login shell, `sh`, `dd`, and sshd's part) costs the same CPU whoever asks, on the same cores"
_NOISE = "both are told by the slowest of a hundred hosts on these cores, which differs from poll to poll"
_CLIENT = "nearly all of it is asyncssh's, which is Python: packets, and at a login the handshake; pool and deadlines are a tenth"
_BYTES = 200_000


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is asked."""

    hosts: int = 100
    warm_hosts: int = 10
    execs: int = 300
    at_once: int = 50
    stopped: int = 10


SMALL = Sizes(hosts=4, warm_hosts=2, execs=8, stopped=1)
POLL_SECONDS = 5.0
LISTING: Exchange[bytes] = Exchange("observe", "cat listing", b"", POLL_SECONDS, 1 << 20, lambda output: output)
"""A poll: what `squeue` prints for two thousand jobs."""


def measure(run: Run) -> Result:
    """All figures."""
    sizes = SMALL if run.small else Sizes()
    with Bed.create("benchmarks ssh-exec") as bed, asyncio.Runner() as loop:
        run.tell(f"starting {sizes.hosts} sshds")
        hosts = start_hosts(bed, sizes.hosts)
        for host in hosts:
            (host.home / "listing").write_bytes(b"x" * _BYTES)
        peer = OpenSsh(bed, hosts, sizes.at_once)
        figures = cold(run, hosts, peer, loop)
        run.tell(f"making {sizes.hosts} master connections")
        peer.start_masters()
        kept = SshRemote()
        try:
            loop.run(_ask(kept, addresses_of(hosts)))
            figures += warm(run, Warm(hosts, sizes, peer, kept, loop))
            figures += polls(run, Warm(hosts, sizes, peer, kept, loop))
        finally:
            loop.run(kept.close())
    return Result("ssh-exec", "Commands: ssh-exec", _METHOD, run.rounds, figures)


@dataclass(frozen=True, slots=True)
class Warm:
    """Hosts to which both sides are connected."""

    hosts: Sequence[SshHost]
    sizes: Sizes
    peer: OpenSsh
    kept: SshRemote
    loop: asyncio.Runner


def cold(run: Run, hosts: Sequence[SshHost], peer: OpenSsh, loop: asyncio.Runner) -> list[Figure]:
    """Connect, log in and run, once on each host."""
    addresses = addresses_of(hosts)

    async def afresh() -> Spent:
        async with SshRemote() as remote:
            return await _ask(remote, addresses)

    found = run.interleaved(f"cold, {len(hosts)} hosts", {
        "ours": lambda: loop.run(afresh()), "ssh": lambda: peer.run(COMMAND, TRUE.stdin(), range(len(hosts)), kept=False),
    })
    return _pair(f"{len(hosts)} cold hosts, `ssh` a host beside it", found["ours"], found["ssh"], (1.3, 4))


def warm(run: Run, at: Warm) -> list[Figure]:
    """Many small commands over kept connections to a few hosts."""
    turns = [number % at.sizes.warm_hosts for number in range(at.sizes.execs)]
    addresses = addresses_of(at.hosts[:at.sizes.warm_hosts])
    wanted = [addresses[turn] for turn in turns]
    found = run.interleaved(f"warm, {len(turns)} commands", {
        "ours": lambda: at.loop.run(_ask(at.kept, wanted)),
        "ControlMaster": lambda: at.peer.run(COMMAND, TRUE.stdin(), turns, kept=True),
        "bare": lambda: at.peer.run("true", b"", turns, kept=True),
    })
    what = f"{len(turns)} commands on {at.sizes.warm_hosts} warm hosts, ControlMaster beside it"
    return [*_pair(what, found["ours"], found["ControlMaster"], (2.1, 8)),
            *_pair(f"{what} running a bare `true`", found["ours"], found["bare"])]


def polls(run: Run, at: Warm) -> list[Figure]:
    """200 kB from each of many hosts; then with some of them stopped."""
    addresses = addresses_of(at.hosts)
    numbers = range(len(at.hosts))
    found = run.interleaved(f"poll of {len(at.hosts)} hosts", {
        "ours": lambda: at.loop.run(_ask(at.kept, addresses, LISTING)),
        "ControlMaster": lambda: at.peer.run(COMMAND, LISTING.stdin(), numbers, kept=True, least_bytes=_BYTES),
    })
    living, stopped = addresses[:-at.sizes.stopped], at.hosts[-at.sizes.stopped:]
    waits = run.interleaved(f"poll, P95 of {len(living)} hosts", {
        "with all well": partial(_p95, at, len(living)), "with some stopped": partial(_with_stopped, at, stopped, len(living)),
    })
    times = [ill / well for ill, well in zip(waits["with some stopped"], waits["with all well"], strict=True)]
    what = f"Poll of {len(at.hosts)} warm hosts, 200 kB each, ControlMaster beside it"
    ill = f"The same with {len(stopped)} of them stopped: P95 of the others, as a multiple of that with none"
    return [*_pair(what, found["ours"], found["ControlMaster"], (1.5, 0)), Figure(ill, "x", Good.LOW, times, aims=[Aim(1.2)], bound=_NOISE)]


async def _ask(remote: SshRemote, addresses: Sequence[Address], exchange: Exchange[bytes] = TRUE) -> Spent:
    """Ask all at once; those that do not answer are left out of `each`."""
    each: list[float] = []

    async def one(address: Address) -> None:
        at = time.perf_counter()
        try:
            await remote.exchange(address, exchange)
        except RemoteFault:
            return
        each.append(time.perf_counter() - at)

    began, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*map(one, addresses))
    return Spent(time.perf_counter() - began, time.process_time() - cpu, each)


def _p95(at: Warm, living: int) -> float:
    """Of those that answered. Raises `RuntimeError` when one did not that should have."""
    at.loop.run(_ask(at.kept, addresses_of(at.hosts)))           # all connected
    spent = at.loop.run(_ask(at.kept, addresses_of(at.hosts), LISTING))
    if len(spent.each) < living:
        msg = f"only {len(spent.each)} hosts answered a poll, of {living} that live"
        raise RuntimeError(msg)
    return percentile(spent.each[:living], 0.95)


def _with_stopped(at: Warm, stopped: Sequence[SshHost], living: int) -> float:
    at.loop.run(_ask(at.kept, addresses_of(at.hosts)))
    for host in stopped:
        host.stop_sshd()
    try:
        spent = at.loop.run(_ask(at.kept, addresses_of(at.hosts), LISTING))
    finally:
        for host in stopped:
            host.cont_sshd()
    return percentile(spent.each, 0.95) if len(spent.each) == living else float("inf")


def _pair(what: str, ours: Sequence[Spent], peer: Sequence[Spent], aims: tuple[float, float] = (0, 0)) -> list[Figure]:
    """Time and client CPU of the same work; an aim of 0 is none."""
    wall, cpu = ([Aim(limit, ratio=True)] if limit else [] for limit in aims)
    return [
        Figure(what, "s", Good.LOW, [each.seconds for each in ours], [each.seconds for each in peer], wall, _SERVER),
        Figure(f"{what}: client CPU", "s", Good.LOW, [each.cpu_seconds for each in ours], [each.cpu_seconds for each in peer], cpu,
               _CLIENT),
    ]
