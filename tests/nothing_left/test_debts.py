"""What could not be cleaned up when its object had to go: written down, shown, paid when the cluster is back, or given up by a person."""

import shutil

import pytest

from bed.slurm import SlurmCluster
from product.controller import Controller
from product.ledger import debts_of
from product.ownerkind import of_either_kind
from product.remains import remains_on
from product.scene import Scene, Thing
from product.waiting import until

LONG = "#!/bin/sh\nsleep 600\n"
SOON = {"deletionDeadlineSeconds": 1, "cancellationGracePeriodSeconds": 1}
FORGIVE = {"metadata": {"annotations": {"fairlead.dev/forgive-debts": "true"}}}


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


@of_either_kind(trials=0)
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
    assert f"20 Runs of deleted {scene.kind.name}s" in in_use["message"]
    assert "fairlead.dev/forgive-debts" in in_use["message"]
    event = jobs[0].wait_event("LetGo")
    assert event["type"] == "Warning"
    assert sum(event["message"].count(key) for key in keys) == 1, "it names the key"
    own.link_up()
    until(lambda: not debts_of(scene), "the debts to be paid", 60)
    assert own.jobs_active() == []
    until(lambda: not cluster.status.get("residue"), "the Cluster to say that nothing is owed")
    until(lambda: not remains_on(own, connected=True), "nothing of them to be left", 20)


@of_either_kind(trials=1)
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


@of_either_kind(trials=0)
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
    event = cluster.wait_event("DebtsForgiven")
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
    cluster.delete(wait=False)           # first: while it is not deleted, its finalizer is put on again
    scene.api.merge(cluster.path, {"metadata": {"finalizers": None}})
    cluster.wait_gone()
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


@of_either_kind(trials=0)
def test_a_job_that_does_not_leave_the_queue_goes_in_time_and_is_owed_until_it_has(own: SlurmCluster, scene: Scene) -> None:
    """Else a scheduler that takes a cancellation and does nothing would hold a namespace, or what it keeps would be forgotten."""
    scene.cluster(own)
    job = scene.job("waiting", LONG, extraOptions={"begin": "now+1hour"}, **SOON)
    job.wait("Submitted")
    own.shim("scancel", "exit 0")
    job.delete()
    [debt] = debts_of(scene).values()
    assert debt["reason"] == "NotEnded"
    assert len(own.jobs_active()) == 1
    own.unshim("scancel")
    until(lambda: not debts_of(scene), "the debt to be paid", 60)
    assert own.jobs_active() == []


def test_a_job_in_its_grace_is_not_let_go_by_a_short_deadline(own: SlurmCluster, scene: Scene) -> None:
    """Else a deadline that is over would cost a script the time to save its work."""
    scene.cluster(own)
    script = "#!/bin/bash\ntrap 'sleep 3; echo saved >> ~/checkpoint; exit 0' TERM\ntouch ~/on; sleep 600 & wait\n"
    job = scene.job("polite", script, deletionDeadlineSeconds=1, cancellationGracePeriodSeconds=20)
    until((own.home / "on").exists, "the script to have started")
    job.delete()
    assert (own.home / "checkpoint").read_text() == "saved\n"
    assert debts_of(scene) == {}
    assert "LetGo" not in [each["reason"] for each in job.events()]


@of_either_kind(trials=0)
def test_what_was_to_be_left_alone_is_not_ended_when_the_cluster_is_back(own: SlurmCluster, scene: Scene, controller: Controller) -> None:
    """Else deletionPolicy Orphan would hold only while the network does."""
    scene.cluster(own)
    job = scene.job("left", "#!/bin/sh\nwhile [ ! -e ~/leave ]; do sleep 0.1; done\n", deletionPolicy="Orphan", deletionDeadlineSeconds=1)
    job.wait("Running")
    [key] = let_go(scene, own, [job])
    assert debts_of(scene)[key]["reason"] == "NotLeftAlone"
    own.link_up()
    until(lambda: not debts_of(scene), "its directory to be marked", 60)
    controller.daemon.kill()             # the next one sweeps at its start
    controller.ensure()
    scene.job("witness", "#!/bin/sh\n").wait("Complete")
    assert len(own.jobs_active()) == 1
    (own.home / "leave").touch()
    until(lambda: own.jobs_active() == [], "the job to end by itself")
    for run in own.home.glob(f".fairlead/*/runs/{key[:36]}-*"):   # it is the user's now
        shutil.rmtree(run)


def test_jobs_whose_secret_went_first_go_in_time(own: SlurmCluster, scene: Scene, controller: Controller) -> None:
    """Else a namespace whose deletion takes the Secret before the Jobs would stay for ever, had the controller been restarted."""
    cluster = scene.cluster(own)
    [job] = running(scene, own, 1)
    controller.daemon.kill()
    secret = f"/api/v1/namespaces/{scene.namespace}/secrets/hpc-key"
    scene.api.delete(secret)
    controller.ensure()
    cluster.wait("Ready", "False", reason="SecretNotFound")
    job.delete()
    assert {debt["reason"] for debt in debts_of(scene).values()} == {"Unreachable"}
    scene.cluster(own)
    until(lambda: not debts_of(scene), "the debt to be paid with the Secret that is there again", 60)
    assert own.jobs_active() == []


def test_a_job_that_was_never_submitted_goes_in_time_and_nothing_of_it_is_left(own: SlurmCluster, scene: Scene) -> None:
    """Else a submission whose answer was lost could start when nobody knows of its Job any more."""
    scene.cluster(own)
    own.shim("sbatch", "exec sleep 60")
    job = scene.job("begun", LONG, **SOON)
    until(lambda: list(own.home.glob(f".fairlead/*/runs/{job.uid}-1")), "its directory to be made")
    keys = let_go(scene, own, [job])
    assert set(debts_of(scene)) == keys
    own.unshim("sbatch")
    own.link_up()
    until(lambda: not debts_of(scene), "the debt to be paid", 60)
    until(lambda: not remains_on(own, connected=True), "nothing but tombstones", 20)


@pytest.mark.parametrize("away", ["the controller", "the cluster"])
def test_a_namespace_goes_with_its_secret_and_its_cluster_pays_when_it_is_applied_again(
        own: SlurmCluster, scene: Scene, controller: Controller, away: str) -> None:
    """Else it would be in Terminating for ever, since no Secret can be made there; or what still runs would be forgotten with it."""
    scene.cluster(own)
    [job] = running(scene, own, 1)
    key, path = f"{job.uid}-1", f"/api/v1/namespaces/{scene.namespace}"
    if away == "the controller":
        controller.daemon.kill()
    else:
        own.link_down()
    scene.api.delete(path)
    until(lambda: scene.api.get(f"{path}/secrets/hpc-key") is None, "the Secret to be gone")
    controller.ensure()
    until(lambda: scene.api.get(path) is None, f"namespace {scene.namespace} to be gone", 60)
    assert list(debts_of(scene)) == [key]
    assert len(own.jobs_active()) == 1
    own.link_up()
    scene.open()
    scene.cluster(own)
    until(lambda: not debts_of(scene), "the debt to be paid by the Cluster of that name", 60)
    assert own.jobs_active() == []
