"""`python -m scale`: the two scenes in full, printed, and written into a page."""

import argparse
import time
from pathlib import Path

from bed import surroundings
from bed.controlplane import ControlPlane
from bed.errors import BedError
from bed.state import Bed
from product.account import account
from product.controller import Controller
from product.resources import install
from scale.crowd import Crowd, crowd
from scale.exodus import Exodus, exodus
from scale.grounds import grounds

_PAGE = """<!-- Made by `make scale`; run it again to change it. -->

# At scale

Two scenes on real parts on one machine: a Kubernetes API server, one Slurm cluster, sshd, and the controller as a process. API writes are
counted from the API server's audit log, execs by the login node's sshd, starts by a ledger that the Jobs write on the node.

- {}

How long the first takes says more about the machine than about the controller: it carries API server, Slurm and a thousand shells, too,
and the controller starts anew for a good part of the time.
"""


def main() -> int:
    """Play both scenes; the exit code is 1 if a promise was broken, 2 if the bed broke down."""
    options = _options()
    surroundings.settle()
    began = time.monotonic()

    def tell(words: str) -> None:
        print(f"[{time.monotonic() - began:5.0f} s] {words}", flush=True)

    results: list[Crowd | Exodus] = []
    try:
        with Bed.create("scale") as bed:
            plane = ControlPlane.start(bed)
            install(plane)
            controller = Controller(bed, account(plane)).start()
            with grounds(bed, plane, controller) as place:
                results.append(crowd(place, options.jobs, options.kill_seconds, tell))
                tell(results[-1].says)
            for deadline_seconds in (None, options.deadline_seconds):
                with grounds(bed, plane, controller) as place:
                    results.append(exodus(place, options.leavers, deadline_seconds, tell))
                    tell(results[-1].says)
            controller.stop()
    except BedError as error:
        print(f"scale: {error}")
        return 2
    except KeyboardInterrupt:
        print("scale: interrupted; everything is removed")
        return 130
    broken = [words for result in results for words in result.broken]
    if options.page:
        options.page.write_text(_PAGE.format("\n- ".join(result.says for result in results)), encoding="utf-8")
        print(f"written: {options.page}")
    print("\n".join(f"BROKEN: {words}" for words in broken) or "everything held")
    return 1 if broken else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m scale", description=__doc__)
    parser.add_argument("--jobs", type=int, default=1000, help="Jobs of a second (default: %(default)s)")
    parser.add_argument("--kill-seconds", type=float, default=2.5, help="that the controller leads before it dies (default: %(default)s)")
    parser.add_argument("--leavers", type=int, default=200, help="Jobs of the namespace that is deleted (default: %(default)s)")
    parser.add_argument("--deadline-seconds", type=int, default=30, metavar="N",
                        help="their deletionDeadlineSeconds while the link is down (default: %(default)s)")
    parser.add_argument("--page", type=Path, metavar="FILE", help="write the page about this run")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
