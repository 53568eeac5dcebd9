"""`python -m model`, from tests/: search, and show the shortest trace to what breaks."""

import argparse
import sys
import time

from model.properties import LIMIT
from model.rules import RULES
from model.scenario import SCENARIOS
from model.search import search


def main() -> int:
    """Exit code 1 when a property breaks that no limit explains."""
    parser = argparse.ArgumentParser(prog="python -m model", description="Search the protocol for what must never happen.")
    parser.add_argument("--without", action="append", default=[], metavar="RULE", choices=RULES, help=f"take away: {', '.join(RULES)}")
    parser.add_argument("--only", action="append", default=[], metavar="SCENARIO", choices=SCENARIOS, help=", ".join(SCENARIOS))
    parser.add_argument("--trace", action="store_true", help="show a shortest trace to each violation")
    chosen = parser.parse_args()
    failed = states = 0
    for name in chosen.only or SCENARIOS:
        began = time.monotonic()
        found = search(SCENARIOS[name], frozenset(chosen.without))
        seconds = time.monotonic() - began
        print(f"{name:15} {found.states:8,} states {found.steps:9,} steps {seconds:5.1f} s  {found.endings}", flush=True)
        states += found.states
        for what, trace in sorted(found.broken.items()):
            failed |= not what.startswith(LIMIT)
            print(f"    {what}")
            if chosen.trace:
                print(*(f"      {number:3}  {step}" for number, step in enumerate(trace, 1)), sep="\n")
    print(f"{states:,} states")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
