"""What could not be cleaned up when its object had to go: written down, shown, paid when the cluster is back, or given up by a person."""

from collections.abc import Iterator

import pytest

from bed.slurm import SlurmCluster
from product.controller import Controller
from product.ledger import debts_of
from product.remains import remains_on
from product.scene import Scene, Thing
from product.waiting import until

LONG = "#!/bin/sh\nsleep 600\n"
SOON = {"deletionDeadlineSeconds": 1, "cancellationGracePeriodSeconds": 1}
FORGIVE = {"metadata": {"annotations": {"fairlead.dev/forgive-debts": "true"}}}


@pytest.fixture
def own(slurm) -> Iterator[SlurmCluster]:
    """A Slurm cluster whose link a test may cut. Name it before `scene`, so that it outlives the scene; its link is up again then."""
    cluster: SlurmCluster = slurm()
    yield cluster
    cluster.link_up()


@pytest.fixture
def scene(scene: Scene, own: SlurmCluster) -> Iterator[Scene]:
    """The link is up again when everything is deleted."""
    yield scene
    own.link_up()


def running(scene: Scene, own: SlurmCluster, count: int) -> list[Thing]:
    """So many Jobs that run."""
    jobs = [scene.job(f"long-{n}", LONG, **SOON) for n in range(count)]
    until(lambda: len(own.jobs_active()) == count, f"{count} jobs to be on the cluster", 60)
    for job in jobs:
        job.wait("Submitted")
    return jobs


def let_go(scene: Scene, own: SlurmCluster, jobs: list[Thing]) -> set[str]:
    """Cut the link and delete them; the keys that are owed once they are gone."""
    keys = {f"{job.uid}-1" for job in jobs}
    own.link_down()
    for job in jobs:
        job.delete(wait=False)
    for job in jobs:
        job.wait_gone()
    return keys


def test_jobs_deleted_while_their_cluster_is_away_go_in_time_and_are_ended_when_it_is_back(own: SlurmCluster, scene: Scene) -> None:
    """Else a namespace could not be deleted until somebody plugs in a cable, or GPUs would stay in use when it is plugged in."""
    cluster = scene.cluster(own)
    jobs = running(scene, own, 20)
    keys = let_go(scene, own, jobs)
    owed = debts_of(scene)
    assert set(owed) == keys
    assert {debt["reason"] for debt in owed.values()} == {"Unreachable"}
    until(lambda: len(cluster.status.get("residue", [])) == 20, "the debts in the Cluster's status")
    in_use = cluster.condition("InUse")
    assert (in_use["status"], in_use["reason"]) == ("True", "DebtsOwed")
    assert "20 Runs of deleted Jobs" in in_use["message"]
    assert "fairlead.dev/forgive-debts" in in_use["message"]
    [event] = [each for each in jobs[0].events() if each["reason"] == "LetGo"]
    assert event["type"] == "Warning"
    assert sum(each["message"].count(key) for key in keys for each in [event]) == 1, "it names the key"
    own.link_up()
    until(lambda: not debts_of(scene), "the debts to be paid", 60)
    assert own.jobs_active() == []
    until(lambda: not cluster.status.get("residue"), "the Cluster to say that nothing is owed")
    until(lambda: not remains_on(own, connected=True), "nothing of them to be left", 20)


def test_a_controller_that_comes_anew_pays_what_another_has_written_down(own: SlurmCluster, scene: Scene, controller: Controller) -> None:
    """Else a restart in the wrong hour would leave jobs running for ever."""
    cluster = scene.cluster(own)
    let_go(scene, own, running(scene, own, 12))
    controller.daemon.kill()
    own.link_up()
    controller.ensure()
    until(lambda: not debts_of(scene), "the debts to be paid", 60)
    assert own.jobs_active() == []
    assert cluster.condition("SweepHeld") == {}, "what is in the ledger arouses no suspicion"


def test_a_deleted_cluster_waits_for_its_debts_until_a_person_gives_them_up(own: SlurmCluster, scene: Scene) -> None:
    """Else with the Cluster the last word of what still runs there would go, or a Cluster that is gone for good could not be deleted."""
    cluster = scene.cluster(own)
    keys = let_go(scene, own, running(scene, own, 2))
    cluster.delete(wait=False)
    cluster.wait("InUse", reason="DebtsOwed")
    until(lambda: cluster.status.get("phase") == "Terminating", "the Cluster to say that it is being deleted")
    scene.api.merge(cluster.path, FORGIVE)
    cluster.wait_gone()
    assert debts_of(scene) == {}
    [event] = [each for each in cluster.events() if each["reason"] == "DebtsForgiven"]
    assert event["type"] == "Warning"
    assert all(key in event["message"] for key in keys)
    own.link_up()
    scene.cluster(own)
    until(lambda: own.jobs_active() == [], "the sweep to end what was given up, now that a Cluster leads there again", 60)


def test_to_give_up_debts_counts_only_while_the_cluster_is_deleted(own: SlurmCluster, scene: Scene) -> None:
    """Else an annotation that was left on a Cluster would give up what could be paid."""
    cluster = scene.cluster(own)
    scene.api.merge(cluster.path, FORGIVE)
    keys = let_go(scene, own, running(scene, own, 1))
    until(lambda: cluster.status.get("residue"), "the debt in the Cluster's status")
    assert set(debts_of(scene)) == keys
    own.link_up()
    until(lambda: not debts_of(scene), "the debt to be paid", 60)
    assert own.jobs_active() == []


def test_a_job_whose_cluster_was_never_there_again_goes_in_time_and_is_owed(own: SlurmCluster, scene: Scene) -> None:
    """Else a Cluster that somebody removed by force would keep its Jobs' namespace from being deleted."""
    cluster = scene.cluster(own)
    [job] = running(scene, own, 1)
    scene.api.merge(cluster.path, {"metadata": {"finalizers": None}})
    cluster.delete()
    job.delete()
    [debt] = debts_of(scene).values()
    assert (debt["cluster_name"], debt["reason"]) == ("hpc", "Unreachable")
    assert own.jobs_active() != []
    scene.cluster(own)
    until(lambda: not debts_of(scene), "the debt to be paid once the Cluster is applied again", 60)
    assert own.jobs_active() == []


def test_a_job_of_a_suspended_cluster_goes_in_time(own: SlurmCluster, scene: Scene) -> None:
    """Else maintenance would keep everything from being deleted."""
    scene.cluster(own)
    [job] = running(scene, own, 1)
    cluster = scene.cluster(own, suspend=True, ready=False)
    cluster.wait("Ready", "False", reason="Suspended")
    job.delete()
    assert len(debts_of(scene)) == 1
    assert len(own.jobs_active()) == 1, "a suspended cluster is left alone"
    scene.cluster(own, suspend=False)
    until(lambda: not debts_of(scene), "the debt to be paid", 60)
    assert own.jobs_active() == []
