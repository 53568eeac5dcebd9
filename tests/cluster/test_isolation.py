"""One site's trouble is that site's: of twenty clusters two hang, and the others do not notice."""

import statistics
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from bed.standin import StandIn, StandInHost
from bed.state import Bed
from product.scene import Scene, Thing
from product.waiting import until

COUNT, HUNG = 20, 2
INTERVAL_SECONDS = 2
SLURM = {
    "sbatch": "exit 1",
    "scancel": "exit 0",
    "squeue": 'date +%s.%N >>"$HOME/polls"',
    "scontrol": 'case $1 in ping) echo "Slurmctld(primary) at here is UP" ;; *) echo "slurm 24.11.5" ;; esac',
    "sacct": 'echo "Slurm accounting storage is disabled" >&2; exit 1',
}
"""A Slurm without jobs, of which only the polls are seen."""


def furnish(host: StandInHost) -> Path:
    """Give a stand-in its Slurm; the folder of its commands."""
    folder = host.home / "slurm"
    folder.mkdir()
    for name, text in SLURM.items():
        command = folder / name
        command.write_text(f"#!/bin/sh\n{text}\n")
        command.chmod(0o755)
    return folder


@pytest.fixture
def hosts(bed: Bed) -> Iterator[StandIn]:
    stand_in = StandIn.start(bed, COUNT)
    yield stand_in
    stand_in.stop()


def polls(host: StandInHost) -> list[float]:
    """When the host was polled, epoch seconds."""
    log = host.home / "polls"
    return [float(line) for line in log.read_text().splitlines()] if log.exists() else []


def apply(scene: Scene, number: int, host: StandInHost) -> Thing:
    """A Cluster for a stand-in. Its home goes with the stand-in, so the scene need not look at it."""
    cluster = scene.cluster(
        host, f"c{number}", ready=False, slurm={"binPath": str(furnish(host)), "accounting": "None"},  # type: ignore[arg-type]
        polling={"intervalSeconds": INTERVAL_SECONDS, "maxIntervalSeconds": INTERVAL_SECONDS, "timeoutSeconds": 4})
    del scene.nodes[f"c{number}"]
    return cluster


def usual_gaps(hosts: list[StandInHost], rounds: int) -> list[float]:
    """Wait for so many more polls of each; the median time between two polls, for each host."""
    before = [len(polls(host)) for host in hosts]
    until(lambda: all(len(polls(host)) > seen + rounds for host, seen in zip(hosts, before, strict=True)), "each to be polled", 60)
    times = [polls(host)[seen:] for host, seen in zip(hosts, before, strict=True)]
    return [statistics.median(after - one for one, after in pairwise(each)) for each in times]


@pytest.mark.timeout(240)
def test_two_hanging_clusters_of_twenty_delay_no_other(hosts: StandIn, scene: Scene) -> None:
    """Else one dead login node would leave the Jobs of all other clusters unwatched."""
    clusters = [apply(scene, number, host) for number, host in enumerate(hosts.hosts)]
    for cluster in clusters:
        cluster.wait("Ready", seconds=60)
    healthy = list(hosts.hosts[HUNG:])
    usual = statistics.median(usual_gaps(healthy, 3))
    for number in range(HUNG):
        hosts.hang(number)
    for cluster in clusters[:HUNG]:
        cluster.wait("Ready", "False", seconds=40)
    late = max(usual_gaps(healthy, 4))
    assert late < 1.5 * usual + 0.5, f"usually every {usual:.2f} s; while two hang, one of the others only every {late:.2f} s"
    for cluster in clusters[HUNG:]:
        assert cluster.condition("Ready")["status"] == "True"
    for number in range(HUNG):
        hosts.unhang(number)
    for cluster in clusters[:HUNG]:
        cluster.wait("Ready")
