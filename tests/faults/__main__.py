"""`python -m faults`: play the matrix, or part of it, then walk at random, and write the page about both."""

import argparse
import random
import time
from contextlib import ExitStack
from pathlib import Path

from bed import surroundings
from bed.errors import BedError
from bed.state import Bed
from faults import page, table
from faults.cell import Verdict
from faults.page import WalkResult
from faults.runner import run, stages
from faults.stage import Stage
from faults.table import Cell
from faults.walk import walk


def main() -> int:
    """Read the command line; the exit code is 1 if a promise was broken, 2 if the bed broke down."""
    options = _options()
    surroundings.settle()
    wanted = [each for each in table.chosen(options.count, options.seed) if any(text in each.name for text in options.only.split("|"))]
    if options.list:
        print("\n".join(each.name for each in wanted))
        return 0
    try:
        with Bed.create("faults") as bed, ExitStack() as stack:
            places = stages(bed, options.stages, stack)
            verdicts = run(wanted * options.times, places, _Teller(len(wanted) * options.times, options.traces).tell)
            walked = _walk(places[0], options.minutes, options.seed) if options.minutes else None
    except BedError as error:
        print(f"faults: {error}")
        return 2
    except KeyboardInterrupt:
        print("faults: interrupted; everything is removed")
        return 130
    if options.page:
        options.page.write_text(page.page(verdicts, walked), encoding="utf-8")
        print(f"written: {options.page}")
    broken = [each for each in verdicts if each.broken]
    for each in broken:
        print(f"BROKEN: {each.operation} x {each.fault}: {'; '.join(each.broken)}")
    return 1 if broken or (walked and walked.broken) else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m faults", description=__doc__)
    parser.add_argument("--only", default="", metavar="TEXT", help="only cells whose name holds this, as `sshd stopped`; several with |")
    parser.add_argument("--count", type=int, help="only so many cells by lot, each fault once before any comes twice (default: all)")
    parser.add_argument("--times", type=int, default=1, help="how often each cell is played (default: %(default)s)")
    parser.add_argument("--stages", type=int, default=2, help="how many cells are played side by side (default: %(default)s)")
    parser.add_argument("--minutes", type=float, default=0, help="how long the random walk is (default: none)")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000),
                        help="of the cells' order and of the walk (default: a new one)")
    parser.add_argument("--list", action="store_true", help="print the cells' names and play none")
    parser.add_argument("--traces", type=Path, metavar="FILE", help="append what was seen of broken cells to this file")
    parser.add_argument("--page", type=Path, metavar="FILE", help="write the page about this run")
    return parser.parse_args()


class _Teller:
    """Prints a line for each cell."""

    def __init__(self, count: int, traces: Path | None) -> None:
        self._began, self._done, self._count, self._traces = time.monotonic(), 0, count, traces

    def tell(self, cell: Cell, verdict: Verdict) -> None:
        self._done += 1
        words = "; ".join(verdict.broken) or "held"
        where = f"{self._done}/{self._count} {time.monotonic() - self._began:.0f} s"
        print(f"[{where}] {cell.name}: {words} ({verdict.seconds:.1f} s)", flush=True)
        if verdict.trace and self._traces:
            with self._traces.open("a", encoding="utf-8") as file:
                file.write(f"\n=== {cell.name}\n{words}\n{verdict.trace}\n")


def _walk(place: Stage, minutes: float, seed: int) -> WalkResult:
    print(f"random walk of {minutes:g} minutes, seed {seed}", flush=True)
    began, steps = time.monotonic(), 0

    def say(words: str) -> None:
        nonlocal steps
        steps += 1
        print(f"  {time.monotonic() - began:6.1f} s  {words}", flush=True)

    broken = walk(place, minutes, seed, say)
    print("\n".join(broken) or "everything held", flush=True)
    return WalkResult(minutes, seed, steps, broken)


if __name__ == "__main__":
    raise SystemExit(main())
