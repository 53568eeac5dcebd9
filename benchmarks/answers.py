"""The worst answer that a login node could print: what it costs to read, and for how long nobody else is served meanwhile."""

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Final

from benchmarks import worst_text
from benchmarks.figures import Aim, Figure, Good, Result
from benchmarks.run import Run
from fairlead.domain.errors import FairleadError
from fairlead.domain.run.observation import Observation
from fairlead.schedulers.fence import SEPARATOR
from fairlead.schedulers.seam import Exchange
from fairlead.ssh.reading import Reader

_MIB: Final = 1 << 20
_SEED: Final = 1
_TRIED_BYTES: Final = 256 * 1024
_TICK_SECONDS: Final = 0.001
_HELD_MS: Final = 100.0
_METHOD: Final = """A search with a fixed seed makes texts of rows as our scripts print them, with long, repeated, unfinished and forged
fields, and keeps what costs most to read. That text is read as the answer of a poll for as many Jobs as may answer at such a length, in the
way in which every answer is; beside it, the same text is parted into lines and fields by `str.split` alone. How long the event loop was
held is the longest time between two ticks of a timer of 1 ms meanwhile; beside it, the answer is read on the loop itself. All times are the
process's CPU time, so that what else runs on the machine does not count."""


@dataclass(frozen=True, slots=True)
class Took:
    """One reading: how long it took, and the longest time for which the event loop served nobody else, in CPU seconds of the process."""

    seconds: float
    held_seconds: float

    def __str__(self) -> str:
        return f"{self.seconds:.3g} s, loop held {self.held_seconds * 1000:.3g} ms"


def measure(run: Run) -> Result:
    """Seconds and held milliseconds for 1, 4 and 16 MiB."""
    recipe = worst_text.worst(_cost, _SEED, 30 if run.small else 100)
    run.tell(f"the worst text: {recipe}")
    figures: list[Figure] = []
    for mib in (1,) if run.small else (1, 4, 16):
        count = worst_text.keys_for(mib * _MIB)
        exchange, text = worst_text.poll(count), recipe.text(mib * _MIB, count)
        found = run.interleaved(f"{mib} MiB, {count} Jobs", {
            "beside": partial(_timed, exchange, text, aside=True), "split": partial(_split, text),
            "on the loop": partial(_timed, exchange, text, aside=False),
        })
        ours, peer, held = found["beside"], found["split"], found["on the loop"]
        what = f"{mib} MiB of the worst text"
        figures += [
            Figure(f"{what}, `str.split` beside it", "CPU s", Good.LOW, [each.seconds for each in ours], [each.seconds for each in peer]),
            Figure(f"{what}: event loop held, reading on the loop beside it", "ms", Good.LOW, [each.held_seconds * 1000 for each in ours],
                   [each.held_seconds * 1000 for each in held], [Aim(_HELD_MS)], "the interpreter clears up its memory in one go"),
        ]
    notes = [f"The worst text: {recipe}.", "Before there were bounds, 4 MiB of rows took 25 s on the loop, and 16 MiB did not end."]
    return Result("answers", "The worst answer of a login node", _METHOD, run.rounds, figures, notes)


def _cost(recipe: worst_text.Recipe) -> float:
    """CPU seconds to read a text of it; nothing for one that is refused at once."""
    count = worst_text.keys_for(_TRIED_BYTES)
    exchange, text = worst_text.poll(count), recipe.text(_TRIED_BYTES, count)
    began = time.process_time()
    with suppress(FairleadError):
        exchange.parse(text)
        return time.process_time() - began
    return 0.0


def _timed(exchange: Exchange[Observation], text: bytes, *, aside: bool) -> Took:
    return asyncio.run(_read(exchange, text, aside=aside))


async def _read(exchange: Exchange[Observation], text: bytes, *, aside: bool) -> Took:
    reader, gaps = Reader(), list[float]()

    async def tick() -> None:
        last = time.process_time()
        while True:
            await asyncio.sleep(_TICK_SECONDS)
            gaps.append(time.process_time() - last)
            last = time.process_time()

    ticking = asyncio.create_task(tick())
    await asyncio.sleep(0.02)
    gaps.clear()
    began = time.process_time()
    if aside:
        await reader.read(exchange, text)
    else:
        exchange.parse(text)
    seconds = time.process_time() - began
    await asyncio.sleep(0.02)
    ticking.cancel()
    reader.close()
    return Took(seconds, max(gaps))


def _split(text: bytes) -> Took:
    began = time.process_time()
    parted = [line.split(SEPARATOR) for line in text.decode("utf-8", "replace").split("\n")]
    seconds = time.process_time() - began
    assert parted   # kept until it is timed
    return Took(seconds, seconds)
