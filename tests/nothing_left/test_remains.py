"""What is left when objects go in unusual ways. Scene.close() looks at the machine after each test as well."""

from bed.slurm import SlurmCluster
from product.controller import Controller
from product.ownerkind import of_either_kind
from product.remains import remains_on
from product.scene import Scene
from product.waiting import until

LONG = "#!/bin/sh\necho started\nsleep 600\n"


@of_either_kind(trials=0)
def test_a_deleted_namespace_takes_its_running_jobs_with_it(scene: Scene, hpc: SlurmCluster) -> None:
    """Else it would stay in Terminating, with Jobs that nobody can reach: the Secret is deleted beside the Jobs that need it."""
    scene.cluster(hpc)
    jobs = [scene.job(f"long-{n}", LONG, cancellationGracePeriodSeconds=1) for n in range(3)]
    for job in jobs:
        job.wait("Running")
    path = f"/api/v1/namespaces/{scene.namespace}"
    scene.api.delete(path)
    until(lambda: scene.api.get(path) is None, f"namespace {scene.namespace} to be gone", 60)
    until(lambda: not remains_on(hpc, connected=False), "nothing to be left of the namespace's Jobs", 20)


@of_either_kind(trials=1, sessions=1)
def test_a_job_whose_finalizer_was_taken_off_by_hand_ends_on_the_cluster(scene: Scene, hpc: SlurmCluster, controller: Controller) -> None:
    """Else the way in which people end a stuck deletion would leave GPUs in use for ever."""
    scene.cluster(hpc)
    job = scene.job("forced", LONG)
    job.wait("Running")
    until(lambda: controller.counted(f"fairlead_{scene.kind.plural}_watched") >= 1, f"it to be counted among the {scene.kind.name}s")
    scene.api.merge(job.path, {"metadata": {"finalizers": None}})
    job.delete()
    until(lambda: not hpc.jobs_active(), "the job to end on the cluster", 20)
    until(lambda: not remains_on(hpc, connected=True), "its directory to be taken down", 20)


@of_either_kind(trials=0)
def test_a_finished_job_that_goes_while_nobody_watches_is_buried_later(scene: Scene, hpc: SlurmCluster, controller: Controller) -> None:
    """Else each restart of the controller would leave directories behind on the cluster."""
    scene.cluster(hpc)
    job = scene.job("brief", "#!/bin/sh\necho done\n")
    job.wait("Complete")
    until(lambda: (job.read() or {})["metadata"].get("labels", {}).get("fairlead.dev/finished"), "the finished label")
    controller.stop()
    job.delete()
    assert remains_on(hpc, connected=True) != []
    controller.ensure()
    until(lambda: not remains_on(hpc, connected=True), "the directory to be taken down", 30)


@of_either_kind(trials=0)
def test_a_wiped_status_comes_back_from_the_cluster(scene: Scene, hpc: SlurmCluster) -> None:
    """Else a restored backup or a slip of a tool would run a Job twice."""
    scene.cluster(hpc)
    job = scene.job("wiped", "#!/bin/sh\necho $SLURM_JOB_ID >> ~/wiped.txt\nuntil [ -e ~/wiped.go ]; do sleep 0.1; done\n")
    job.wait("Running")
    run_id = job.status["run"]["id"]
    scene.api.merge(job.path, {"status": None}, "/status")
    until(lambda: job.status.get("run", {}).get("id") == run_id, "the id to come back")
    (hpc.home / "wiped.go").touch()
    job.wait("Complete")
    assert (hpc.home / "wiped.txt").read_text(encoding="utf-8").split() == [run_id]


def test_a_restart_of_the_api_server_costs_no_job(scene: Scene, hpc: SlurmCluster, plane) -> None:
    """Else maintenance of the control plane would lose users' results."""
    scene.cluster(hpc)
    job = scene.job("patient", "#!/bin/sh\necho $SLURM_JOB_ID >> ~/patient.txt\nsleep 2\n")
    job.wait("Submitted")
    plane.restart_apiserver()
    job.wait("Complete", seconds=60)
    assert len((hpc.home / "patient.txt").read_text(encoding="utf-8").split()) == 1
