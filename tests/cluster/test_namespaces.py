"""Jobs of other namespaces: admitted or refused by the Cluster's spec.allowedNamespaces, and told why."""

from typing import Any
from uuid import uuid4

from bed.slurm import SlurmCluster
from cluster.teams import job_of
from product.controller import Controller
from product.scene import Scene, Thing
from product.starts import starts
from product.waiting import until

WRITES = "#!/bin/sh\necho $SLURM_JOB_ID >>~/{name}\n"
ENDLESS = "#!/bin/sh\nexec sleep 600\n"


def label(team: Scene, value: str | None) -> None:
    """Give the team's namespace a label, or take it away."""
    team.api.merge(f"/api/v1/namespaces/{team.namespace}", {"metadata": {"labels": {"queue": value}}})


def allow(cluster: Thing, allowed: dict[str, Any]) -> None:
    """Change the namespaces that are allowed."""
    cluster.scene.api.merge(cluster.path, {"spec": {"allowedNamespaces": {"selector": None} | allowed}})


def refused(job: Thing, says: str) -> None:
    """Told why, and nothing was begun."""
    job.wait("Submitted", "False", reason="NamespaceNotAllowed", says=says)
    assert job.status["phase"] == "Pending"
    assert "finalizers" not in (job.read() or {})["metadata"], "nothing was begun"


def is_refused(team: Scene, scene: Scene) -> bool:
    """Whether a new Job of the team is refused."""
    job = job_of(team, scene, f"try-{uuid4().hex[:6]}", "#!/bin/sh\n")
    return until(lambda: job.condition("Submitted"), "a word on a new Job")["reason"] == "NamespaceNotAllowed"


def test_a_job_of_another_namespace_waits_until_its_cluster_is_opened(hpc: SlurmCluster, scene: Scene, team: Scene) -> None:
    """Else whoever may make a Job anywhere would run it as the user of any Cluster; or a user would not learn why nothing happens."""
    cluster = scene.cluster(hpc)
    job = job_of(team, scene, "guest", WRITES.format(name="guest"))
    refused(job, f"{scene.namespace}/hpc takes no Jobs of other namespaces")
    homeless = team.job("homeless")
    assert f"{team.namespace}/hpc does not exist" in homeless.wait("Submitted", "False", reason="ClusterNotFound")["message"]
    scene.job("resident").wait("Complete")
    assert starts(hpc, "guest") == []
    allow(cluster, {"from": "All"})
    job.wait("Complete")
    assert starts(hpc, "guest") == [job.status["run"]["id"]]
    job.delete()


def test_labels_of_a_namespace_open_and_close_a_cluster(hpc: SlurmCluster, scene: Scene, team: Scene, controller: Controller) -> None:
    """Else an administrator would have to name each team in each Cluster, or a label that is taken away would go on to count."""
    scene.cluster(hpc, allowedNamespaces={"from": "Selector", "selector": {"matchLabels": {"queue": "night"}}})
    first = job_of(team, scene, "first", WRITES.format(name="labelled"))
    refused(first, f"the namespace {team.namespace}, whose labels")
    label(team, "day")
    scene.job("own-namespace").wait("Complete")
    refused(first, "whose labels")
    label(team, "night")
    first.wait("Complete")
    controller.daemon.kill()            # the next one knows no labels yet
    controller.ensure()
    second = job_of(team, scene, "second", WRITES.format(name="labelled"))
    second.wait("Complete")
    label(team, None)
    until(lambda: is_refused(team, scene), "a Job to be refused by labels that were taken away")   # they are read each five seconds
    third = job_of(team, scene, "third", WRITES.format(name="labelled"))
    refused(third, "whose labels")
    assert starts(hpc, "labelled") == [first.status["run"]["id"], second.status["run"]["id"]]


def test_what_was_taken_up_goes_on_when_the_cluster_is_closed_again(hpc: SlurmCluster, scene: Scene, team: Scene) -> None:
    """Else a Cluster that is closed to a namespace would lose sight of what runs there, or could not end it."""
    cluster = scene.cluster(hpc, allowedNamespaces={"from": "All"})
    runs = job_of(team, scene, "runs", ENDLESS)
    aside = job_of(team, scene, "aside", ENDLESS)
    for job in (runs, aside):
        job.wait("Running")
    allow(cluster, {"from": "Same"})
    aside.change(suspend=True)
    aside.wait("Suspended", reason="JobSuspended")
    aside.change(suspend=False)
    aside.wait("Ready", "False", reason="NamespaceNotAllowed")
    late = job_of(team, scene, "late", ENDLESS)
    refused(late, "takes no Jobs of other namespaces")
    assert runs.condition("Running")["status"] == "True"
    assert len(hpc.jobs_active()) == 1
    runs.delete()
    assert hpc.jobs_active() == []
    late.delete()
    aside.delete()


def test_a_deleted_cluster_waits_for_jobs_of_other_namespaces(hpc: SlurmCluster, scene: Scene, team: Scene) -> None:
    """Else with the Cluster the way to what runs there for another team would go."""
    cluster = scene.cluster(hpc, allowedNamespaces={"from": "All"})
    job = job_of(team, scene, "guest", ENDLESS)
    job.wait("Running")
    cluster.delete(wait=False)
    cluster.wait("InUse", reason="RunsActive")
    job.delete()
    cluster.wait_gone()
    assert hpc.jobs_active() == []
