"""What polling costs: the login node, and the API server."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import pytest

from bed.controlplane import ControlPlane
from bed.controlplane.ports import free
from bed.existing import ExistingControlPlane
from bed.slurm import SlurmCluster
from cluster.poll_log import PollLog
from product.api import GROUP
from product.controller import Controller
from product.scene import Scene
from product.waiting import until

LONG = "#!/bin/sh\nsleep 600\n"
JOBS, JOBS_HERE = 100, 30            # a hundred in `make test-long`


@pytest.fixture
def poll_log(own: SlurmCluster) -> Iterator[PollLog]:
    log = PollLog(own)
    yield log
    log.close()


POLLS = 'fairlead_exchange_finished_seconds_count{kind="observe",outcome="ok"}'


@dataclass(frozen=True, slots=True)
class Counts:
    """What was seen so far: sessions that sshd has opened, calls of squeue before and after a look at the metric, and what that says."""

    sessions: int
    before: int
    polls: int
    after: int
    at: float                            # seconds of some clock

    @classmethod
    def now(cls, own: SlurmCluster, poll_log: PollLog, controller: Controller) -> "Counts":
        return cls(own.sessions(), len(poll_log.times), controller.counted(POLLS), len(poll_log.times), time.monotonic())


def are_submitted(scene: Scene, count: int) -> bool:
    """Whether so many Jobs wait or run on the cluster."""
    return sum(job.get("status", {}).get("phase") in {"Running", "Queued"} for job in scene.jobs()) == count


@pytest.mark.long
@pytest.mark.timeout(300)
def test_a_poll_is_one_exec_however_many_jobs_there_are(
    own: SlurmCluster, poll_log: PollLog, scene: Scene, controller: Controller, rounds: Callable[[int], int],
) -> None:
    """Else a hundred Jobs would put a hundred times the load on a login node, and its administrators would lock us out."""
    scene.cluster(own, polling={"intervalSeconds": 0.5, "maxIntervalSeconds": 0.5, "timeoutSeconds": 10})
    scene.job("j0", LONG, cancellationGracePeriodSeconds=1).wait("Running")
    for count in (1, max(rounds(JOBS), JOBS_HERE)):
        for number in range(1, count):
            scene.job(f"j{number}", LONG, cancellationGracePeriodSeconds=1)
        until(partial(are_submitted, scene, count), f"{count} Jobs to be submitted", 60)
        first = Counts.now(own, poll_log, controller)
        until(lambda first=first: len(poll_log.times) >= first.after + 10, "ten polls", 60)
        last = Counts.now(own, poll_log, controller)
        polls = last.polls - first.polls     # a poll is counted when it has ended: one may be under way at each look
        assert last.before - first.after - 1 <= polls <= last.after - first.before + 1, f"{count} Jobs: one call of squeue for each poll"
        sessions, calls = last.sessions - first.sessions, last.after - first.before
        probes = 2 + max(calls, last.at - first.at)  # the bed looks at credentials and site again every two seconds, polls slowly or not
        assert sessions <= calls + probes, f"{count} Jobs: no exec for each Job"
    for job in scene.jobs():
        scene.api.delete(f"{GROUP}/namespaces/{scene.namespace}/jobs/{job['metadata']['name']}")
    until(lambda: not scene.jobs(), "all Jobs to be gone", 150)


def test_polls_are_seldom_while_nothing_happens_and_frequent_else(own: SlurmCluster, poll_log: PollLog, scene: Scene) -> None:
    """Else an idle cluster would be asked all the time, or a busy one too late."""
    scene.cluster(own, polling={"intervalSeconds": 0.3, "maxIntervalSeconds": 6, "timeoutSeconds": 10})
    scene.job("quiet", LONG, cancellationGracePeriodSeconds=1).wait("Running")
    until(lambda: poll_log.gaps[-1:] > [4.0], "polls to become seldom")
    quiet = len(poll_log.gaps)
    scene.job("news", "#!/bin/sh\nuntil [ -e ~/seen ]; do sleep 0.1; done\n").wait("Running")
    (own.home / "seen").touch()
    until(lambda: any(gap < 2.0 for gap in poll_log.gaps[quiet:]), "polls to become frequent")


def writes(plane: ControlPlane, scene: Scene) -> list[str]:
    """Writes to the scene's Clusters so far."""
    return [f"{event['verb']} {event['requestURI']}" for event in plane.audit()
            if event["verb"] in {"patch", "update"} and f"/namespaces/{scene.namespace}/clusters/" in event["requestURI"]]


def test_a_cluster_of_which_nothing_changes_costs_the_api_server_nothing(
        own: SlurmCluster, poll_log: PollLog, scene: Scene, plane: ControlPlane | ExistingControlPlane, controller: Controller) -> None:
    """Else a thousand Clusters would keep an API server busy with heartbeats; one that is dead no less."""
    assert isinstance(plane, ControlPlane), "needs the bed's own audit log"
    scene.cluster(own)
    dead = scene.cluster(own, "dead", ready=False, endpoints=[{"host": own.host, "port": free(1)[0]}])
    dead.wait("Ready", "False", reason="ConnectionRefused")
    polls = len(poll_log.times)
    until(lambda: len(poll_log.times) > polls + 2, "what was written of their first looks to be in the audit log")
    polls, tries = len(poll_log.times), controller.counted("fairlead_breaker_opened_total")
    before = writes(plane, scene)
    until(lambda: len(poll_log.times) >= polls + 10, "ten polls", 40)
    until(lambda: controller.counted("fairlead_breaker_opened_total") >= tries + 3, "three more tries of the dead one", 40)
    assert writes(plane, scene) == before
