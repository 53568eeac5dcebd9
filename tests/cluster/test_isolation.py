"""One site's trouble is that site's: of twenty clusters two hang, and the others do not notice."""

import statistics
from collections.abc import Iterator
from itertools import pairwise

import pytest

from bed.standin import StandIn, StandInHost
from bed.state import Bed
from product.light import light_cluster
from product.scene import Scene, Thing
from product.waiting import until

COUNT, HUNG = 20, 2
INTERVAL_SECONDS = 2
INFINITE = float("inf")


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
    """A Cluster for a stand-in."""
    polling = {"intervalSeconds": INTERVAL_SECONDS, "maxIntervalSeconds": INTERVAL_SECONDS, "timeoutSeconds": 4}
    return light_cluster(scene, f"c{number}", host, polling=polling)


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
    bound = 1.5 * usual + 0.5
    best = [INFINITE] * len(healthy)     # what hangs delays the same ones each time; a machine that others use, now one and now another
    for _ in range(5):
        best = [min(pair) for pair in zip(best, usual_gaps(healthy, 4), strict=True)]
        if (late := max(best)) < bound:
            break
    assert late < bound, f"usually every {usual:.2f} s; while two hang, one of the others only every {late:.2f} s"
    for cluster in clusters[HUNG:]:
        assert cluster.condition("Ready")["status"] == "True"
    for number in range(HUNG):
        hosts.unhang(number)
    for cluster in clusters[:HUNG]:
        cluster.wait("Ready")
