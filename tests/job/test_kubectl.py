"""What a person sees with kubectl, and what a Job's life costs the API server."""

import json
from itertools import pairwise

from bed.controlplane import ControlPlane
from bed.slurm import SlurmCluster
from product.api import GROUP
from product.scene import Scene
from product.waiting import until


def test_kubectl_waits_lists_and_describes(scene: Scene, hpc: SlurmCluster, plane: ControlPlane) -> None:
    """Else people would need a tool of ours to see what their Job does."""
    scene.cluster(hpc)
    job = scene.job("seen", "#!/bin/sh\necho result\n")
    bad = scene.job("bad", "#!/bin/sh\nexit 4\n")
    here = ("-n", scene.namespace)
    plane.kubectl(*here, "wait", "--for=condition=Complete", "--timeout=60s", "jobs.fairlead.dev/seen")
    plane.kubectl(*here, "wait", "--for=condition=Failed", "--timeout=60s", "flj/bad")
    plane.kubectl(*here, "wait", "--for=condition=Ready", "--timeout=60s", "flc/hpc", "flj/seen")
    number = job.status["run"]["id"]
    wide = plane.kubectl(*here, "get", "flj", "-o", "wide", "--no-headers").stdout.splitlines()
    assert [line.split()[:3] for line in wide] == [["bad", "hpc", "Failed"], ["seen", "hpc", "Complete"]]
    assert number in wide[1].split()
    assert "NonZeroExitCode" in wide[0]
    both = plane.kubectl(*here, "get", "fairlead", "--no-headers").stdout
    assert "cluster.fairlead.dev/hpc" in both
    assert "job.fairlead.dev/seen" in both
    job.wait_event("Completed")
    described = plane.kubectl(*here, "describe", "flj", "seen").stdout
    for words in (f"submitted as job {number} (attempt 1)", f"job {number} ended with exit code 0", "Stdout Path:", "result"):
        assert words in described
    assert "the script exited with code 4" in plane.kubectl(*here, "describe", "flj", "bad").stdout
    assert bad.condition("Failed")["observedGeneration"] == 1


def writes(plane: ControlPlane, namespace: str) -> list[str]:
    """Fairlead's writes in this namespace, and none of a Cluster's."""
    ours = [event for event in plane.audit() if event.get("userAgent") == "fairlead" and event["verb"] not in {"get", "list", "watch"}]
    here = [event["objectRef"] for event in ours if event.get("objectRef", {}).get("namespace") == namespace]
    return [f"{each['resource']}/{each.get('subresource', '')}" for each in here if each["resource"] in {"jobs", "events"}]


def of_a_busy_site(plane: ControlPlane, path: str, since: str) -> int:
    """How many versions of a Job there were since that say only what a site takes its time for: to begin it, or to clear up behind it."""
    watch = f"{path}?watch=true&timeoutSeconds=3&resourceVersion={since}"
    seen = [json.loads(line)["object"].get("status", {}) for line in plane.kubectl("get", "--raw", watch).stdout.splitlines()]
    said = [(each.get("phase"), *(word["reason"] for word in each.get("conditions", []) if word["type"] == "Ready")) for each in seen]
    return sum((after == before and after[0] == "Queued") or after[1:] == ("Completing",) for before, after in pairwise(said))


def test_a_job_costs_six_writes_and_two_events(scene: Scene, hpc: SlurmCluster, plane: ControlPlane) -> None:
    """Else ten thousand Jobs would keep the API server busy with Fairlead alone."""
    scene.cluster(hpc)
    jobs = f"{GROUP}/namespaces/{scene.namespace}/jobs"
    since = (scene.api.get(jobs) or {})["metadata"]["resourceVersion"]
    job = scene.job("cheap", "#!/bin/sh\nsleep 2\n")
    job.wait("Complete")
    until(lambda: not (job.read() or {"metadata": {}})["metadata"].get("finalizers"), "the finalizer to be off")
    job.delete()
    until(lambda: writes(plane, scene.namespace).count("events/") >= 2, "the Events, which are written behind the status")
    made = writes(plane, scene.namespace)
    assert made.count("events/") == 2, made
    assert len([each for each in made if each.startswith("jobs/")]) <= 6 + of_a_busy_site(plane, jobs, since), made


def test_a_job_applied_before_its_cluster_runs_once_it_is_there(scene: Scene, hpc: SlurmCluster) -> None:
    """Else `kubectl apply -f folder/` would depend on the order of its files."""
    job = scene.job("early", "#!/bin/sh\necho now\n")
    assert "does not exist" in job.wait("Submitted", "False", reason="ClusterNotFound")["message"]
    scene.cluster(hpc)
    job.wait("Complete")


def test_applying_the_same_manifest_again_changes_nothing(scene: Scene, hpc: SlurmCluster) -> None:
    """Else a GitOps tool that applies every few minutes would run a Job again, or fight with Fairlead over it."""
    scene.cluster(hpc)
    job = scene.job("same", "#!/bin/sh\necho x >> ~/same-ran\n")
    job.wait("Complete")
    until(lambda: not (job.read() or {"metadata": {}})["metadata"].get("finalizers"), "the finalizer to be off")
    before = job.read()
    scene.job("same", "#!/bin/sh\necho x >> ~/same-ran\n")
    assert job.read() == before
    assert (hpc.home / "same-ran").read_text() == "x\n"
