"""A Cluster's life: applied late, suspended, deleted while Jobs run, replaced under its name."""

from bed.slurm import SlurmCluster
from product.remains import remains_on
from product.scene import Scene
from product.waiting import until, until_equal

LONG = "#!/bin/sh\nwhile [ ! -e $HOME/enough ]; do sleep 0.2; done\n"


def test_a_job_may_be_applied_before_its_cluster(hpc: SlurmCluster, scene: Scene) -> None:
    """Else `kubectl apply -f folder/` would depend on the order of its files."""
    job = scene.job("early")
    submitted = job.wait("Submitted", "False", reason="ClusterNotFound")
    assert f"Cluster {scene.namespace}/hpc does not exist" in submitted["message"]
    scene.cluster(hpc)
    job.wait("Complete")


def test_a_suspended_cluster_is_left_alone_and_its_jobs_go_on(own: SlurmCluster, scene: Scene) -> None:
    """Else maintenance would be answered by retries, or cost running Jobs."""
    cluster = scene.cluster(own)
    job = scene.job("through", LONG)
    job.wait("Running")
    scene.cluster(own, suspend=True, ready=False)
    cluster.wait("Ready", "False", reason="Suspended")
    assert cluster.status["phase"] == "Suspended"
    until(lambda: own.connections() == 0, "the connection to be closed")
    waiting = scene.job("waiting")
    waiting.wait("Submitted", "False", reason="ClusterSuspended")
    (own.home / "enough").touch()
    until(lambda: own.jobs_active() == [], "the running job to end by itself")
    assert job.condition("Running")["status"] == "True", "nobody looked, so nobody knows"
    assert own.connections() == 0, "none was made meanwhile"
    scene.cluster(own, suspend=False)
    job.wait("Complete")
    waiting.wait("Complete")


def test_a_suspended_cluster_without_jobs_can_be_deleted(own: SlurmCluster, scene: Scene) -> None:
    """Else it would stay in Terminating until somebody resumes what they want to be rid of."""
    cluster = scene.cluster(own)
    job = scene.job("once")
    job.wait("Complete")
    job.delete()
    until(lambda: not remains_on(own, connected=True), "the Job's directory to be gone")
    scene.cluster(own, suspend=True, ready=False)
    cluster.wait("Ready", "False", reason="Suspended")
    cluster.delete()


def test_a_deleted_cluster_stays_until_its_jobs_have_ended(own: SlurmCluster, scene: Scene) -> None:
    """Else Jobs would run on that nobody can see or cancel any more."""
    cluster = scene.cluster(own)
    job = scene.job("through", LONG)
    job.wait("Running")
    cluster.delete(wait=False)
    until(lambda: cluster.status.get("phase") == "Terminating", "the Cluster to say that it is being deleted")
    in_use = cluster.condition("InUse")
    assert (in_use["status"], in_use["reason"]) == ("True", "RunsActive")
    late = scene.job("late")
    late.wait("Submitted", "False", reason="ClusterTerminating")
    (own.home / "enough").touch()
    job.wait("Complete")
    cluster.wait_gone()
    until(lambda: own.connections() == 0, "the connection to be closed")
    late.wait("Submitted", "False", reason="ClusterNotFound")
    assert job.condition("Complete")["status"] == "True"


def test_a_cluster_that_is_replaced_under_its_name_is_another_cluster(own: SlurmCluster, hpc: SlurmCluster, scene: Scene) -> None:
    """Else a moved login node would need a new name in every manifest."""
    cluster = scene.cluster(own)
    first = cluster.uid
    scene.job("before").wait("Complete")
    cluster.delete()
    scene.cluster(hpc)
    assert cluster.uid != first
    after = scene.job("after", "#!/bin/sh\nhostname\n")
    after.wait("Complete")
    assert after.status["logs"]["tail"].strip() == hpc.name
    until_equal(own.connections, 0, "the connection to the first one to be closed")


def test_a_deleted_cluster_leaves_what_another_has_under_the_same_login_alone(own: SlurmCluster, scene: Scene) -> None:
    """Else to delete one of two Clusters that lead to one login would end what runs for the other."""
    first = scene.cluster(own, "first")
    second = scene.cluster(own, "second")
    scene.job("done", cluster="first").wait("Complete")
    job = scene.job("runs", "#!/bin/sh\nwhile [ ! -e ~/go-on ]; do sleep 0.1; done\n", cluster="second")
    begun = f".fairlead/*/runs/{job.uid}-1/started-0"
    until(lambda: list(own.home.glob(begun)), "its script to start")
    first.delete()
    assert list(own.home.glob(begun)), "its directory is whole"
    (own.home / "go-on").touch()
    job.wait("Complete")
    second.delete()
    assert not (own.home / ".fairlead").exists(), "the last one takes the tree along"
