"""`submit`: from apply to the scheduler's id and on to the end, by one controller on a real control plane and a real Slurm."""

import os
from collections.abc import Sequence

from bed.state import Bed
from benchmarks.figures import Aim, Figure, Good, Result
from benchmarks.run import Run
from benchmarks.slurm_site import CLUSTER, POLL_SECONDS, Round, Sizes, slurm_site
from benchmarks.spread import percentile

_METHOD = """\
One controller with the settings of production, one Slurm cluster which it asks each 2 s, an API server with etcd, and whoever applies and
watches, all on this machine. In each round Jobs are applied at a steady rate, and the time runs from before the apply until a watch shows
the id in the status. Then many are applied as fast as the API server takes them, and the time runs from the first apply to the last id;
beside it the same script by a loop of `sbatch` in a shell on the login node. Both go into a closed partition, so that no job runs beside
what is measured. Then the partition is opened, and Jobs of a second are followed to their end, from the last line of their script to
Complete in the status. API writes are the controller's, counted from the audit log. What is on the cluster: slurmctld, slurmd, sshd, the
scripts, and `sbatch` itself."""
_CORES = ("the CPU that a Job costs, added up over the rows below, comes from these cores, and the share says how far they were used. "
          "The API server takes five writes for it: the apply, the finalizer, the intent, the id and an Event. On the cluster the bare "
          "loop's part is Slurm's own, the rest is the script that makes sure of once: its Jobs come one after the other, at what one core "
          "gives. The next batch of 25 is submitted while the ids of the last are written down, so the cluster waits only while Jobs are "
          "taken up")
_JITTER = "a poll is due after 2 s give or take a tenth of that, then it is run, and what it found is written"

SMALL = Sizes(steady=5, many=10, followed=3)


def measure(run: Run) -> Result:
    """All figures."""
    sizes = SMALL if run.small else Sizes()
    with Bed.create("benchmarks submit") as bed:
        run.tell("starting a control plane, a Slurm cluster and the controller")
        with slurm_site(bed) as site:
            rounds = run.interleaved("submit", {"round": lambda: site.round(sizes)})["round"]
    return Result("submit", "Jobs: submit", _METHOD, run.rounds, figures(rounds, sizes))


def figures(rounds: Sequence[Round], sizes: Sizes) -> list[Figure]:
    """The rounds as rows."""
    steady, end = f"Apply to id in status, {sizes.rate:g} Jobs/s", "End on the cluster to Complete"
    lives, soon = [each.life for each in rounds], [Aim(POLL_SECONDS + 0.3)]
    parts = [
        Figure(f"CPU a Job meanwhile: {part}", "ms", Good.LOW, [each.cpu_ms[part] for each in rounds],
               [each.bare_cpu_ms for each in rounds] if part == CLUSTER else ()) for part in rounds[0].cpu_ms
    ]
    return [
        Figure(f"{steady}: p50", "s", Good.LOW, [percentile(each.to_id, 0.5) for each in rounds], aims=[Aim(0.3)], bound=_CORES),
        Figure(f"{steady}: p95", "s", Good.LOW, [percentile(each.to_id, 0.95) for each in rounds], aims=[Aim(1.0)], bound=_CORES),
        Figure(f"{sizes.many:,} Jobs at once, a loop of `sbatch` beside it", "Jobs/s", Good.HIGH, [each.rate for each in rounds],
               [each.bare_rate for each in rounds], [Aim(0.3, ratio=True)], _CORES),
        *parts,
        Figure("These cores meanwhile: share that all parts used", "%", Good.HIGH,
               [each.rate * sum(each.cpu_ms.values()) / 10 / len(os.sched_getaffinity(0)) for each in rounds]),
        Figure(f"{end}: p50", "s", Good.LOW, [percentile(each.to_complete, 0.5) for each in rounds], aims=soon, bound=_JITTER),
        Figure(f"{end}: p95", "s", Good.LOW, [percentile(each.to_complete, 0.95) for each in rounds], aims=soon, bound=_JITTER),
        Figure("API writes of a Job up to its id", "writes", Good.LOW, [life.writes_to_id for life in lives], aims=[Aim(3)]),
        Figure("API writes of a Job in its whole life", "writes", Good.LOW, [life.writes for life in lives], aims=[Aim(6)]),
        Figure("Events of a Job", "Events", Good.LOW, [life.events for life in lives], aims=[Aim(2)]),
    ]
