"""`python -m faults`: run the matrix, or part of it, and then a random walk."""

import argparse
import time
from contextlib import ExitStack
from pathlib import Path

from bed.state import Bed
from faults import table
from faults.cell import Verdict
from faults.runner import run, stages
from faults.table import Cell


def main() -> int:
    """Read the command line; the exit code is 1 if a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m faults", description=__doc__)
    parser.add_argument("--only", default="", metavar="TEXT", help="only cells whose name holds this: `delete x`, `sshd stopped`; several with |")
    parser.add_argument("--stages", type=int, default=2, help="how many cells are played side by side (default: %(default)s)")
    parser.add_argument("--list", action="store_true", help="print the cells' names and run none")
    parser.add_argument("--traces", type=Path, help="a file to which what was seen of broken cells is appended")
    options = parser.parse_args()
    wanted = [each for each in table.cells() if any(text in each.name for text in options.only.split("|"))]
    if options.list:
        print("\n".join(each.name for each in wanted))
        return 0
    began, done = time.monotonic(), 0

    def tell(cell: Cell, verdict: Verdict) -> None:
        nonlocal done
        done += 1
        print(f"[{done}/{len(wanted)} {time.monotonic() - began:.0f} s] {cell.name}: {'; '.join(verdict.broken) or 'held'} ({verdict.seconds:.1f} s)",
              flush=True)
        if verdict.trace and options.traces:
            with options.traces.open("a") as file:
                file.write(f"\n=== {cell.name}\n{'; '.join(verdict.broken)}\n{verdict.trace}\n")

    with Bed.create("faults") as bed, ExitStack() as stack:
        verdicts = run(wanted, stages(bed, options.stages, stack), tell)
    return 1 if any(each.broken for each in verdicts) else 0


if __name__ == "__main__":
    raise SystemExit(main())
