"""`python -m benchmarks [NAME...]`: run them, print their tables, and write their sections of the page."""

import argparse
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from bed.errors import BedError
from bed.signals import INTERRUPTED, end_in_order
from benchmarks import answers, client, deletions, idle, logs, pod, session_teardown, ssh_exec, ssh_pool, submit, tenants
from benchmarks.figures import Result
from benchmarks.machine import Machine
from benchmarks.page import page, section
from benchmarks.peers import measure
from benchmarks.peers import page as peers_page
from benchmarks.run import Benchmark, Run

BENCHMARKS: Final[Mapping[str, Benchmark]] = MappingProxyType({
    "ssh-pool": ssh_pool.measure, "ssh-exec": ssh_exec.measure, "submit": submit.measure, "idle": idle.measure,
    "pod": pod.measure, "answers": answers.measure, "tenants": tenants.measure, "client": client.measure,
    "logs": logs.measure, "deletions": deletions.measure, "session-teardown": session_teardown.measure,
})
"""In the order of the page."""

PEERS: Final = "peers"
"""Only when it is named: it installs the peers, and writes a page of its own beside the other."""

LEAST_ROUNDS: Final = 5


def main() -> int:
    """Read the command line and measure; the exit code is 2 if the bed broke down, and 0 also where an aim is missed."""
    options = _options()
    end_in_order()
    began = time.monotonic()

    def tell(words: str) -> None:
        print(f"[{time.monotonic() - began:5.0f} s] {words}", file=sys.stderr, flush=True)

    try:
        for name in options.names or BENCHMARKS:
            tell(name)
            run = Run(options.rounds, options.small, tell)
            if name == PEERS:
                _compare(run, options.page)
                continue
            result = BENCHMARKS[name](run)
            machine = Machine.here(run.quiet.says)
            print(f"\n{section(result, machine)}", flush=True)
            if options.page:
                _write(options.page, result, machine)
                tell(f"written: {options.page}")
    except BedError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("benchmarks: interrupted; everything is removed", file=sys.stderr)
        return INTERRUPTED
    return 0


def _compare(run: Run, other_page: Path | None) -> None:
    comparison = measure.measure(run)
    text = peers_page.page(comparison, Machine.here(run.quiet.says), measure.LONG_SECONDS)
    print(f"\n{text}", flush=True)
    if other_page:
        path = other_page.with_name("comparison.md")
        path.write_text(text, encoding="utf-8")
        run.tell(f"written: {path}")


def _write(path: Path, result: Result, machine: Machine) -> None:
    old = path.read_text(encoding="utf-8") if path.exists() else ""
    path.write_text(page(old, [(result, machine)], tuple(BENCHMARKS)), encoding="utf-8")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME",
                        help=f"which to run, of {', '.join(BENCHMARKS)} (default: all these), or {PEERS}")
    parser.add_argument("--rounds", type=int, default=LEAST_ROUNDS, help="rounds of each measure (default: %(default)s)")
    parser.add_argument("--small", action="store_true", help="tiny numbers, to see that it works; writes no page")
    parser.add_argument("--page", type=Path, metavar="FILE", help="write the sections of this run into the page")
    options = parser.parse_args()
    if unknown := set(options.names) - BENCHMARKS.keys() - {PEERS}:
        parser.error(f"no benchmark is called {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)} and {PEERS}")
    if options.small:
        options.page = None
    elif options.rounds < LEAST_ROUNDS:
        parser.error(f"--rounds {options.rounds}: at least {LEAST_ROUNDS}, else the spread means nothing")
    return options


if __name__ == "__main__":
    raise SystemExit(main())
