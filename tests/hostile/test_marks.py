"""Our own marks on a Job, put there by somebody who may edit Jobs, or their status, and nothing else: none lets it past anything."""

from collections.abc import Callable, Iterator
from itertools import accumulate
from typing import Any

import pytest

from bed.slurm import SlurmCluster
from bed.sshd import SshHost
from bed.state import Bed
from cluster.teams import job_of
from product.controller import Controller
from product.ledger import debts_of
from product.scene import Scene, Thing
from product.starts import starts
from product.tenants import JOBS_AND_STATUS, Tenant
from product.waiting import until

FINALIZER = "fairlead.dev/remote-run"
INTRUDES = "#!/bin/sh\necho $SLURM_JOB_ID >>~/intruded\nexec sleep 600\n"
COUNTED = "#!/bin/sh\necho 1 >>~/held\nsleep 0.3\necho -1 >>~/held\n"


def marked(name: str, where: Scene, script: str, *, host: str = "", **spec: Any) -> dict[str, Any]:
    """A Job as an attacker makes it, or as `kubectl get -o yaml` has exported it."""
    annotations = {"fairlead.dev/host": host} if host else {}
    return {"metadata": {"name": name, "finalizers": [FINALIZER], "annotations": annotations},
            "spec": {"clusterRef": {"name": "hpc", "namespace": where.namespace}, "script": script, **spec}}


def write_status(person: Tenant, job: Thing, status: dict[str, Any]) -> None:
    """By hand, as whoever may."""
    assert person.tries("PATCH", f"{job.path}/status", {"status": status}, "application/merge-patch+json") == 200


def test_our_finalizer_on_a_new_job_opens_no_cluster(
        hpc: SlurmCluster, scene: Scene, team: Scene, tenant: Callable[..., Tenant], controller: Controller) -> None:
    """Else whoever may make Jobs anywhere runs a shell as the user of any Cluster."""
    cluster, person = scene.cluster(hpc), tenant(team)
    job = person.creates(marked("intruder", scene, INTRUDES, host="evil:22", deletionDeadlineSeconds=0))
    job.wait("Submitted", "False", reason="NamespaceNotAllowed")
    controller.daemon.kill()
    controller.ensure()
    scene.job("resident").wait("Complete")
    assert starts(hpc, "intruded") == []
    assert "run" not in job.status
    until(lambda: cluster.status["activeRuns"] == 0, "nothing of theirs to be counted")
    uid = job.uid
    job.delete()
    assert debts_of(team) == {}
    assert list(hpc.home.glob(f".fairlead/*/runs/{uid}-*")) == [], "nothing was done in the Cluster's home for a Job that it does not admit"
    person.creates(marked("stays", scene, INTRUDES))
    runs = scene.job("runs", "#!/bin/sh\nexec sleep 600\n", cancellationGracePeriodSeconds=0)
    runs.wait("Running")
    cluster.delete(wait=False)
    tenant(scene).creates(marked("late", scene, INTRUDES)).wait("Submitted", "False", reason="ClusterTerminating")
    runs.delete()
    cluster.wait_gone()


def test_a_status_that_was_written_by_hand_opens_no_cluster_and_takes_nobodys_place(
        hpc: SlurmCluster, scene: Scene, team: Scene, tenant: Callable[..., Tenant]) -> None:
    """Else a careless right to jobs/status in one namespace stops a Cluster of another, or runs as its user."""
    cluster, person = scene.cluster(hpc, limits={"maxActiveJobs": 1}), tenant(team, JOBS_AND_STATUS)
    forged = {"no id": (1, {}), "an id": (1, {"id": "1"}), "many attempts": (999_999, {"id": "1"})}
    jobs = []
    for number, (attempt, more) in enumerate(forged.values()):
        job = person.creates(marked(f"forged-{number}", scene, INTRUDES))
        write_status(person, job, {"phase": "Running", "host": "evil:22", "nextRetryTime": None,
                                   "run": {"key": f"{job.uid}-{attempt}", "attempt": attempt, **more}})
        jobs.append(job)
    scene.job("honest").wait("Complete")
    for job in jobs:
        job.wait("Submitted", "False", reason="NamespaceNotAllowed")
    assert starts(hpc, "intruded") == []
    for job in jobs:
        job.delete()
    assert debts_of(team) == {}
    until(lambda: cluster.status["activeRuns"] == 0, "nothing of theirs to be counted")


def test_jobs_that_bear_our_finalizer_take_their_turn(hpc: SlurmCluster, scene: Scene, tenant: Callable[..., Tenant]) -> None:
    """Else one person's Jobs go past maxActiveJobs, or keep everybody else's out of it."""
    scene.cluster(hpc, limits={"maxActiveJobs": 1})
    person = tenant(scene)
    jobs = [person.creates(marked(f"marked-{number}", scene, COUNTED)) if number % 2 else scene.job(f"honest-{number}", COUNTED)
            for number in range(4)]
    for job in jobs:
        job.wait("Complete")
    assert max(accumulate(int(word) for word in starts(hpc, "held"))) == 1


def test_a_job_that_runs_keeps_its_place_whatever_its_label_says(hpc: SlurmCluster, scene: Scene, tenant: Callable[..., Tenant]) -> None:
    """Else one person has twice as many Jobs on a cluster as its owner allows, with each label twice as many again."""
    scene.cluster(hpc, limits={"maxActiveJobs": 1})
    person = tenant(scene)
    script = "#!/bin/sh\necho 1 >>~/labelled\nuntil [ -e ~/labelled-go ]; do sleep 0.1; done\necho -1 >>~/labelled\n"
    runs = scene.job("runs", script)
    runs.wait("Running")
    waits = person.creates(marked("waits", scene, script))
    waits.wait("Submitted", "False", reason="ClusterLimitReached")
    label = {"metadata": {"labels": {"fairlead.dev/finished": "true"}}}
    assert person.tries("PATCH", runs.path, label, "application/merge-patch+json") == 200
    runs.wait_event("LabelRemoved")
    assert "run" not in waits.status, "it was not taken up while the other one was out of sight"
    (hpc.home / "labelled-go").touch()
    for job in (runs, waits):
        job.wait("Complete")
    assert max(accumulate(int(word) for word in starts(hpc, "labelled"))) == 1


def test_a_cluster_that_was_closed_hands_nothing_in_and_loses_nothing(
        own: SlurmCluster, scene: Scene, team: Scene, faulty: Callable[[str], Controller], controller: Controller) -> None:
    """Else a namespace that a Cluster has shut out goes on running new attempts there, or what it has there runs on unseen."""
    cluster = scene.cluster(own, allowedNamespaces={"from": "All"})
    dying = faulty("remote.submit:after:1:kill")
    handed_in = job_of(team, scene, "handed-in", "#!/bin/sh\necho $SLURM_JOB_ID >>~/starts\nuntil [ -e ~/go ]; do sleep 0.1; done\n")
    until(lambda: not dying.daemon.alive, "the controller to die behind its submission", 60)
    cluster.change(allowedNamespaces={"from": "Same"})
    controller.ensure()
    handed_in.wait("Running")
    (own.home / "go").touch()
    handed_in.wait("Complete")
    assert starts(own) == [handed_in.status["run"]["id"]]


def test_an_attempt_after_a_cluster_was_closed_waits(own: SlurmCluster, scene: Scene, team: Scene) -> None:
    """Else backoffLimit: 1000 is a right to run there for ever."""
    cluster = scene.cluster(own, allowedNamespaces={"from": "All"}, limits={"maxActiveJobs": 1})
    script = "#!/bin/sh\necho $SLURM_JOB_ID >>~/starts\nuntil [ -e ~/go ]; do sleep 0.1; done\nexit 1\n"
    job = job_of(team, scene, "fails", script, backoffLimit=3)
    job.wait("Running")
    cluster.change(allowedNamespaces={"from": "Same"})
    (own.home / "go").touch()
    job.wait("Submitted", "False", reason="NamespaceNotAllowed", says="takes no Jobs of other namespaces")
    scene.job("takes-the-place").wait("Complete")
    assert len(starts(own)) == 1
    cluster.change(allowedNamespaces={"from": "All"})
    assert job.wait("Failed", reason="BackoffLimitExceeded")
    assert len(starts(own)) == 4


@pytest.fixture
def hosts(bed: Bed) -> Iterator[tuple[SshHost, SshHost]]:
    """Two hosts of the test's own. A test names them before `scene`."""
    both = SshHost.start(bed), SshHost.start(bed)
    yield both
    for host in both:
        host.stop()


def test_the_host_of_a_job_is_not_changed_by_a_mark(
        hosts: tuple[SshHost, SshHost], scene: Scene, tenant: Callable[..., Tenant], controller: Controller) -> None:
    """Else an annotation runs a Job a second time on another host, or gets it past those who wait."""
    scene.bare_hosts(*hosts)
    first, second = (f"{host.host}:{host.port}" for host in hosts)
    person = tenant(scene)
    wait = "#!/bin/sh\necho x >>~/starts\nuntil [ -e ~/go ]; do sleep 0.1; done\n"
    runs = person.creates(marked("runs", scene, wait, host=second))
    runs.wait("Running")
    assert runs.status["host"] == second, "a wish among the Cluster's hosts"
    waits = person.creates(marked("waits", scene, wait, host=second))
    waits.wait("Submitted", "False", reason="NoFreeHost")
    elsewhere = person.creates(marked("elsewhere", scene, wait, host="evil:22"))
    elsewhere.wait("Running")
    assert elsewhere.status["host"] == first
    change = {"metadata": {"annotations": {"fairlead.dev/host": first}}}
    assert person.tries("PATCH", runs.path, change, "application/merge-patch+json") == 200
    Thing(scene, "jobs", "runs").wait_event("HostKept")
    controller.daemon.kill()
    controller.ensure()
    for host in hosts:
        (host.home / "go").touch()
    for job in (runs, waits, elsewhere):
        job.wait("Complete")
    assert runs.status["host"] == second
    assert (len(starts(hosts[0])), len(starts(hosts[1]))) == (1, 2)
