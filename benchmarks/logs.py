"""`logs`: a training log with a progress bar, read as `fairlead logs` reads it, folded and with `--raw`, beside `ssh` and `cat`."""

import asyncio
import os
import time
from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import dataclass, replace

from bed.enclosure import HOME
from bed.errors import BedError
from bed.sshd import SshHost
from bed.state import Bed
from benchmarks.figures import Figure, Good, Result
from benchmarks.hosts import addresses_of
from benchmarks.openssh import OpenSsh
from benchmarks.run import Run
from fairlead.domain.cluster.address import Address
from fairlead.domain.run.run import RunKey, Tree
from fairlead.schedulers import output
from fairlead.schedulers.output import LogPlace, Nothing, Reading
from fairlead.schedulers.seam import Exchange
from fairlead.ssh.stream import printing_at

_METHOD = """\
A log of 500 MB as tqdm writes it: of each epoch three thousand redraws of a bar, then a line. It is read to its end over a new connection:
by the program that `fairlead logs` sends, folded and with `--raw`, and by `ssh HOST cat FILE`. Bytes are those that the far end's programs
print, before SSH encrypts them. The far end, which folds, shares the machine with the reader, and no network lies between them."""
_BYTES = 500_000_000
_SMALL_BYTES = 3_000_000
_MEGA = 1_000_000
_REDRAWS = 3000
_BAR_CELLS = 40
_PARTS = " ▏▎▍▌▋▊▉█"
_FENCE = "f" * 32
_KEY = RunKey("0123abcd-0000-4000-8000-00000000000a", 1)
_MARKER = "0" * 32


@dataclass(frozen=True, slots=True)
class Read:
    """What one reading took."""

    seconds: float
    megabytes: float

    def __str__(self) -> str:
        return f"{self.seconds:.2f} s, {self.megabytes:.3f} MB"


def measure(run: Run) -> Result:
    """All figures."""
    size = _SMALL_BYTES if run.small else _BYTES
    with Bed.create("benchmarks logs") as bed, asyncio.Runner() as loop:
        run.tell(f"writing a log of {size / _MEGA:.0f} MB")
        host = SshHost.start(bed)
        tree = _write(host, size)
        peer, [address] = OpenSsh(bed, [host], 1), addresses_of([host])
        size = (host.home / "log").stat().st_size

        def cat() -> Read:
            return Read(peer.run("cat log", b"", [0], kept=False, least_bytes=size).seconds, size / _MEGA)

        found = run.interleaved("logs", {
            "folded": lambda: loop.run(_read(address, tree, raw=False)),
            "raw": lambda: loop.run(_read(address, tree, raw=True)),
            "cat": cat,
        })
    seconds = {name: [each.seconds for each in reads] for name, reads in found.items()}
    sent = {name: [each.megabytes for each in reads] for name, reads in found.items()}
    return Result("logs", "A log with a progress bar: logs", _METHOD, run.rounds, [
        Figure("`fairlead logs`, until all is read", "s", Good.LOW, seconds["folded"], seconds["cat"]),
        Figure("`fairlead logs`, sent", "MB", Good.LOW, sent["folded"], sent["cat"]),
        Figure("`fairlead logs --raw`, until all is read", "s", Good.LOW, seconds["raw"], seconds["cat"]),
        Figure("`fairlead logs --raw`, sent", "MB", Good.LOW, sent["raw"], sent["cat"]),
    ])


async def _read(address: Address, tree: Tree, *, raw: bool) -> Read:
    """Read all, each time from where the reading before ended, as the command does. Raises `BedError` when a reading gives nothing."""
    began, sent, reading, size = time.perf_counter(), 0, Reading(_KEY, raw=raw), 1
    async with printing_at(address) as line:
        while reading.offset < size:
            exchange = Exchange("logs", output.program(_FENCE, tree, reading), reading.unshown, 0.0, 0, bytes)
            before, place, unshown = reading.offset, None, bytearray()
            async with aclosing(line.output(exchange)) as pieces:
                async for piece in pieces:
                    sent += len(piece)
                    if raw and place is not None:
                        reading = replace(reading, offset=reading.offset + len(piece))
                        continue
                    unshown += piece
                    while place is None and b"\n" in unshown:
                        row, _, unshown = unshown.partition(b"\n")
                        found = output.read_row(bytes(row), _FENCE)
                        if isinstance(found, Nothing):
                            raise BedError(found.why)
                        if isinstance(found, LogPlace):
                            place, size = found, found.size
                            offset = found.offset + (len(unshown) if raw else 0)
                            reading = replace(reading, path=found.path, start=found.start, offset=offset)
                    if place is not None and not raw:
                        reading = _folded(unshown, reading)
            if reading.offset == before:
                raise BedError(f"the log could not be read beyond byte {before}")
    return Read(time.perf_counter() - began, sent / _MEGA)


def _folded(unshown: bytearray, reading: Reading) -> Reading:
    """Take the whole pieces out of what has come; where the next reading would go on."""
    while (end := unshown.find(b"\n")) >= 0:
        text = output.read_text_row(bytes(unshown[:end]), _FENCE)
        if text is None:
            raise BedError("the far end printed something else than the log")
        if len(unshown) < end + 1 + text.size:
            break
        del unshown[:end + 1 + text.size]
        reading = replace(reading, offset=text.offset, unshown=text.unshown)
    return reading


def _write(host: SshHost, size: int) -> Tree:
    """A log, and the directory of a Run whose output it is."""
    home, tree = host.home, host.home / "tree"
    run = tree / "runs" / str(_KEY)
    run.mkdir(parents=True, mode=0o700)
    (tree / "marker").write_text(f"{_MARKER}\n", encoding="utf-8")
    (run / "started-0").write_text(f"1 0 1700000000 n1\n{HOME}/log\n{HOME}/log\n", encoding="utf-8")
    owner = home.stat()
    for each in (tree, tree / "marker", tree / "runs", run, run / "started-0"):
        os.chown(each, owner.st_uid, owner.st_gid)
    for folder in (tree, tree / "runs", run):
        folder.chmod(0o700)
    with (home / "log").open("wb") as log:
        for epoch in _epochs():
            log.write(epoch)
            if log.tell() >= size:
                break
    return Tree(f"{HOME}/tree", _MARKER)


def _epochs() -> Iterator[bytes]:
    """One after another, as tqdm draws them, each with a line behind."""
    bars = []
    for number in range(_REDRAWS):
        full, part = divmod(number * _BAR_CELLS * 8 // _REDRAWS, 8)
        bar = ("█" * full + _PARTS[part]).ljust(_BAR_CELLS)
        bars.append(f"{number * 100 // _REDRAWS:3d}%|{bar}| {number}/{_REDRAWS} [00:{number // 100:02d}<00:30, 99.9it/s]")
    epoch = 0
    while True:
        epoch += 1
        yield ("".join(f"\rEpoch {epoch}: {bar}" for bar in bars) + f"\nepoch {epoch}: loss 0.123, accuracy 0.987\n").encode()
