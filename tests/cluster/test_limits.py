"""A Cluster's spec.limits: how much of the queue there Fairlead takes, and in which order Jobs get in."""

import time
from datetime import datetime

from bed.slurm import SlurmCluster
from product.controller import Controller
from product.scene import Scene, Thing
from product.starts import starts
from product.waiting import until

GATED = "#!/bin/sh\necho {n} >> ~/order; while [ ! -e ~/go-{n} ]; do sleep 0.1; done\n"


def gated(scene: Scene, count: int) -> list[Thing]:
    """Jobs, each made in a second of its own and named so that the API server lists them the other way round."""
    jobs = []
    for n in range(count):
        jobs.append(scene.job(f"job-{9 - n}", GATED.format(n=n)))
        second = int(time.time())
        until(lambda second=second: int(time.time()) > second, "the next second, since creation times are whole ones")
    return jobs


def order(own: SlurmCluster) -> list[int]:
    """The Jobs' numbers, in the order in which they started."""
    return [int(number) for number in starts(own, "order")]


def version(job: Thing) -> str:
    """Which write to the object was the last."""
    return str((job.read() or {})["metadata"]["resourceVersion"])


def test_jobs_get_in_one_after_the_other_in_the_order_in_which_they_came(own: SlurmCluster, scene: Scene, controller: Controller) -> None:
    """Else who came first would wait behind who came last, or a site's limit for its users would be hit by us."""
    scene.cluster(own, limits={"maxActiveJobs": 1})
    jobs = gated(scene, 4)
    until(lambda: order(own) == [0], "the first Job to start")
    waiting = jobs[2].wait("Submitted", "False", reason="ClusterLimitReached")
    assert "spec.limits.maxActiveJobs" in waiting["message"]
    assert "finalizers" not in (jobs[2].read() or {})["metadata"], "nothing was begun"
    seen = version(jobs[2])
    (own.home / "go-0").touch()
    until(lambda: order(own) == [0, 1], "the second Job to start")
    assert len(own.jobs_active()) == 1
    assert version(jobs[2]) == seen, "who waits is told once"
    controller.daemon.kill()
    (own.home / "go-1").touch()
    controller.ensure()
    until(lambda: order(own) == [0, 1, 2], "the third Job to start, though a controller came that knows only the list")
    jobs[3].delete()
    (own.home / "go-2").touch()
    jobs[2].wait("Complete")


def test_the_higher_priority_gets_in_first_also_when_it_was_raised_later(own: SlurmCluster, scene: Scene) -> None:
    """Else an urgent Job would wait behind a hundred others, and nobody could do anything about it."""
    scene.cluster(own, limits={"maxActiveJobs": 1})
    jobs = gated(scene, 3)
    until(lambda: order(own) == [0], "the first Job to start")
    jobs[2].change(priority=5)
    (own.home / "go-0").touch()
    until(lambda: order(own) == [0, 2], "the raised Job to start")
    for number in (2, 1):
        (own.home / f"go-{number}").touch()
    jobs[1].wait("Complete")


def test_a_raised_limit_counts_at_once(own: SlurmCluster, scene: Scene) -> None:
    """Else one would have to make the Jobs again."""
    cluster = scene.cluster(own, limits={"maxActiveJobs": 1})
    jobs = [scene.job(f"job-{n}", GATED.format(n=n)) for n in range(3)]
    until(lambda: len(order(own)) == 1, "one Job to start")
    until(lambda: sum(job.condition("Submitted").get("reason") == "ClusterLimitReached" for job in jobs) == 2, "two Jobs to wait")
    scene.api.merge(cluster.path, {"spec": {"limits": {"maxActiveJobs": 2}}})
    until(lambda: len(order(own)) == 2, "a second Job to start")
    scene.api.merge(cluster.path, {"spec": {"limits": None}})
    until(lambda: sorted(order(own)) == [0, 1, 2], "all Jobs to start")
    for n in range(3):
        (own.home / f"go-{n}").touch()
    for job in jobs:
        job.wait("Complete")


def test_no_more_is_submitted_in_a_second_than_is_allowed(own: SlurmCluster, scene: Scene) -> None:
    """Else a site that ends users who flood its scheduler would end us."""
    scene.cluster(own, limits={"submitPerSecond": 0.5})
    jobs = [scene.job(f"job-{n}") for n in range(3)]
    for job in jobs:
        job.wait("Complete")
    times = sorted(datetime.fromisoformat(job.status["submitTime"]) for job in jobs)
    assert (times[2] - times[0]).total_seconds() >= 3, "of the 4 seconds one may be lost, since times are cut to whole seconds"


def test_one_that_makes_room_gives_its_place_away_and_waits_for_another(own: SlurmCluster, scene: Scene) -> None:
    """Else a Job that was set aside would keep the next one out, or come back over the limit."""
    scene.cluster(own, limits={"maxActiveJobs": 1})
    first = scene.job("first", GATED.format(n=0), cancellationGracePeriodSeconds=1)
    until(lambda: order(own) == [0], "the first Job to start")
    second = scene.job("second", GATED.format(n=1))
    second.wait("Submitted", "False", reason="ClusterLimitReached")
    first.change(suspend=True)
    first.wait("Suspended", reason="JobSuspended")
    until(lambda: order(own) == [0, 1], "the second Job to start")
    first.change(suspend=False)
    first.wait("Ready", "False", reason="ClusterLimitReached")
    assert order(own) == [0, 1]
    for n in range(2):
        (own.home / f"go-{n}").touch()
    for job in (second, first):
        job.wait("Complete")
    assert order(own) == [0, 1, 0]
