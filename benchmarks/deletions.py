"""`deletions`: many Jobs deleted at once, by one controller on a real control plane and a real Slurm, beside a loop of `scancel`."""

from collections.abc import Sequence
from dataclasses import dataclass

from bed.state import Bed
from benchmarks.figures import Aim, Figure, Good, Result
from benchmarks.run import Run
from benchmarks.slurm_site import Emptied, SlurmSite, slurm_site

MANY = 100
SMALL = 50

_METHOD = """\
One controller with the settings of production, one Slurm cluster which it asks each 2 s, an API server with etcd, and whoever deletes and
watches, all on this machine. So many Jobs are on the cluster: waiting in a closed partition, or running a script that ends at TERM. One
request deletes them all, and the time runs from there until a watch has seen the last of them go: by then each was revoked and told to end,
a listing that began after that lacks it, and its directory is down to a tombstone. Beside it the same jobs, by `sbatch` alone: a loop of
`scancel` in a shell on the login node, and the time until `squeue` is empty."""
_BOUND = "one `scancel` for each key, by id and name; the listing that has to begin after it; and two API writes a Job"


@dataclass(frozen=True, slots=True)
class Round:
    """One round: waiting and running Jobs."""

    waiting: Emptied
    running: Emptied

    def __str__(self) -> str:
        return f"waiting {self.waiting}; running {self.running}"


def measure(run: Run) -> Result:
    """Both figures."""
    count = SMALL if run.small else MANY
    with Bed.create("benchmarks deletions") as bed:
        run.tell("starting a control plane, a Slurm cluster and the controller")
        with slurm_site(bed) as site:
            rounds = run.interleaved("deletions", {"round": lambda: _round(site, count)})["round"]
    return Result("deletions", "Jobs: deletions", _METHOD, run.rounds, figures(rounds, count))


def figures(rounds: Sequence[Round], count: int) -> list[Figure]:
    """The rounds as rows."""
    return [
        Figure(f"{count} {state} Jobs deleted at once, a loop of `scancel` beside it", "s", Good.LOW, [each.seconds for each in of],
               [each.bare_seconds for each in of], [Aim(1 / 3, ratio=True)], _BOUND)
        for state, of in (("waiting", [each.waiting for each in rounds]), ("running", [each.running for each in rounds]))
    ]


def _round(site: SlurmSite, count: int) -> Round:
    return Round(site.emptied(count, running=False), site.emptied(count, running=True))
