"""What a person sees through kubectl."""

import json

import pytest

from .conftest import resource
from .manifests import cluster, job

CONDITION = {
    "type": "Ready", "status": "False", "reason": "Running", "message": "It runs on node n1.",
    "lastTransitionTime": "2031-05-01T12:00:00Z", "observedGeneration": 1,
}
JOB_STATUS = {
    "observedGeneration": 1, "phase": "Running", "conditions": [CONDITION],
    "run": {
        "key": "0000-2", "attempt": 2, "id": "4711", "state": "RUNNING", "reason": "None", "node": "n1",
    },
    "attempts": [{
        "key": "0000-1", "attempt": 1, "id": "4710", "exitCode": 137, "signal": 9, "outcome": "NeverStarted",
        "startTime": "2031-05-01T12:00:00Z", "endTime": "2031-05-01T12:00:01Z",
    }],
    "infrastructureFailures": 1, "nextRetryTime": "2031-05-01T12:00:00Z", "restarts": 0, "submitTime": "2031-05-01T12:00:00Z",
    "estimatedStartTime": "2031-05-01T12:00:00Z", "startTime": "2031-05-01T12:00:00Z", "endTime": "2031-05-01T12:00:00Z",
    "logs": {"stdoutPath": "/a", "stderrPath": "/b", "bytes": 5000000000, "tail": "é"}, "observationSource": "squeue",
}
CLUSTER_STATUS = {
    "observedGeneration": 1, "phase": "Ready", "conditions": [CONDITION | {"status": "True", "reason": "Ready", "message": "All is well."}],
    "address": "login.example.org", "schedulerVersion": "slurm 24.11.5", "activeRuns": 3,
    "workDir": {"path": "/home/ada/.fairlead", "marker": "x"},
    "lastHeartbeatTime": "2031-05-01T12:00:00Z", "circuit": {"state": "Open", "failures": 2, "nextRetryTime": "2031-05-01T12:00:00Z"},
}


@pytest.fixture
def set_status(kubectl, keep):
    """Create an object and write its status as the controller does."""
    def create(manifest: dict, status: dict) -> dict:
        keep(manifest)
        patch = json.dumps({"status": status})
        name = f"{resource(manifest)}/{manifest['metadata']['name']}"
        kubectl("patch", name, "--subresource=status", "--type=merge", "--patch", patch, check=True)
        return kubectl.read(manifest)

    return create


@pytest.mark.parametrize(("manifest", "status"), [
    pytest.param(job("known"), JOB_STATUS, id="Job"), pytest.param(cluster("known"), CLUSTER_STATUS, id="Cluster"),
])
def test_status_is_kept_whole(set_status, manifest, status):
    """A field that the schema does not know would be dropped, and what was seen on the cluster forgotten."""
    assert set_status(manifest, status)["status"] == status


def test_applying_does_not_touch_the_status(set_status, keep):
    """A second kubectl apply would make a finished Job look like a new one."""
    set_status(job("again"), JOB_STATUS)
    assert keep(job("again") | {"status": {"phase": "Pending"}})["status"]["phase"] == "Running"


@pytest.mark.parametrize("manifest", [pytest.param(job("unseen"), id="Job"), pytest.param(cluster("unseen"), id="Cluster")])
def test_what_nobody_has_seen_says_so(keep, manifest):
    """Flux would take a Job for done in the moment in which it is applied."""
    assert keep(manifest)["status"] == {"observedGeneration": 0}


def columns(text: str) -> list[str]:
    return text.splitlines()[0].split()


def test_get_jobs(set_status, kubectl):
    """kubectl get would not show where a Job is and how it does."""
    set_status(job("shown"), JOB_STATUS)
    brief, wide = kubectl("get", "flj").stdout, kubectl("get", "flj", "shown", "--output=wide").stdout
    assert columns(brief) == ["NAME", "CLUSTER", "PHASE", "REASON", "JOB-ID", "AGE"]
    assert columns(wide) == ["NAME", "CLUSTER", "PHASE", "REASON", "JOB-ID", "AGE", "STATE", "EXIT", "NODE", "MESSAGE"]
    row = wide.splitlines()[1]
    assert all(word in row for word in ("shown", "hpc", "Running", "4711", "RUNNING", "n1", "It runs on node n1."))


def test_get_clusters(set_status, kubectl):
    """kubectl get would not show which Cluster is ready, and why another is not."""
    set_status(cluster("shown"), CLUSTER_STATUS)
    wide = kubectl("get", "flc", "shown", "--output=wide").stdout
    assert columns(wide) == ["NAME", "HOST", "PHASE", "REASON", "ACTIVE", "AGE", "USER", "VERSION", "MESSAGE"]
    assert all(word in wide for word in ("login.example.org", "Ready", "3", "ada", "slurm 24.11.5", "All is well."))


def test_get_the_whole_category(kubectl, keep):
    """kubectl get fairlead would leave something out."""
    keep(cluster("one"))
    keep(job("two"))
    assert set(kubectl("get", "fairlead", "--output=name").stdout.split()) >= {"cluster.fairlead.dev/one", "job.fairlead.dev/two"}


def test_jobs_of_one_cluster(kubectl, keep):
    """Nobody could ask for the Jobs of a Cluster without reading them all."""
    keep(job("here"))
    keep(job("there", clusterRef={"name": "other"}))
    found = kubectl("get", "jobs.fairlead.dev", "--field-selector=spec.clusterRef.name=other", "--output=name")
    assert found.stdout.split() == ["job.fairlead.dev/there"]


@pytest.mark.parametrize(("path", "sentence"), [
    pytest.param("jobs.spec.memory", "Memory on each node, as a Kubernetes quantity", id="field of a Job"),
    pytest.param("jobs.spec.env.value", "nothing in it is expanded", id="field of a list"),
    pytest.param("jobs.status.run.state", "The remote scheduler's own word", id="field of a status"),
    pytest.param("clusters.spec.hostKeys.fingerprints", "as `ssh-keygen -l` prints them", id="field of a Cluster"),
    pytest.param("clusters.spec.workDir", "Cannot be changed.", id="field that stays"),
])
def test_explain(kubectl, path, sentence):
    """kubectl explain would not say what to write."""
    resource, _, field = path.partition(".")
    text = kubectl("explain", f"{resource}.{field}", "--api-version=fairlead.dev/v1alpha1", check=True).stdout
    assert sentence in " ".join(text.split())


def test_wait_for_a_condition(set_status, kubectl):
    """Scripts could not wait for the end of a Job."""
    set_status(job("waited"), JOB_STATUS | {"conditions": [CONDITION | {"type": "Complete", "status": "True"}]})
    assert kubectl("wait", "--for=condition=Complete", "flj/waited", "--timeout=10s").returncode == 0


def test_examples_are_taken_by_the_server(kubectl, request):
    """A newcomer's first kubectl apply would fail."""
    example = request.config.rootpath / "examples" / "01-hello"
    answer = kubectl("create", "--dry-run=server", "--output=name", "--filename", str(example))
    assert (answer.stderr, answer.stdout.split()) == ("", ["cluster.fairlead.dev/hpc", "job.fairlead.dev/hello"])
