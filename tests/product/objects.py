"""Jobs and Clusters as the domain sees them, made from the manifests that a user would write: for tests without an API server."""

from typing import Any

from fairlead.domain.cluster.cluster import Cluster
from fairlead.domain.cluster.reading import read_cluster
from fairlead.domain.job.job import Job
from fairlead.domain.job.job_reading import read_job
from fairlead.domain.pacing import Now
from fairlead.domain.run.run import RunKey

UID = "11111111-2222-4333-8444-555555555555"
OTHER_UID = "99999999-2222-4333-8444-555555555555"
KEY = RunKey(UID, 1)
"""The first attempt of the Job with this uid."""
NOW = Now(1000.0, 1.7e9)


def a_job(
    *, uid: str = UID, version: int = 1, has_finalizer: bool = True, deleting: bool = False, status: dict[str, Any] | None = None,
    **spec: Any,
) -> Job:
    """A Job `sim` on the Cluster `hpc`; `has_finalizer`: ours is on it, and without another `status` its first attempt is meant."""
    what = {} if {"script", "scriptRef"} & spec.keys() else {"command": ["true"]}
    if status is None:
        status = {"run": {"key": str(RunKey(uid, 1)), "attempt": 1}} if has_finalizer else {}
    metadata = _metadata("sim", uid, version, has_finalizer, deleting)
    return read_job({"metadata": metadata, "spec": {"clusterRef": {"name": "hpc"}, **what, **spec},
                     "status": status})


def submitted(run_id: str = "7", attempt: int = 1, **more: Any) -> dict[str, Any]:
    """The status of a Job that the scheduler has accepted as `run_id`; without an id, of one whose next attempt is only meant."""
    run = {"key": str(RunKey(UID, attempt)), "attempt": attempt} | ({"id": run_id, "state": "PENDING"} if run_id else {})
    return {"run": run, **more}


def a_cluster(*, uid: str = OTHER_UID, version: int = 1, has_finalizer: bool = True, deleting: bool = False, **spec: Any) -> Cluster:
    """The Cluster `hpc`."""
    whole = {"type": "Slurm", "endpoints": [{"host": "login.example", "port": 22}], "user": "ann", "authSecretRef": {"name": "hpc-key"},
             "hostKeys": {"fingerprints": ["SHA256:" + "A" * 43]}, **spec}
    return read_cluster({"metadata": _metadata("hpc", uid, version, has_finalizer, deleting), "spec": whole, "status": {}})


def _metadata(name: str, uid: str, version: int, has_finalizer: bool, deleting: bool) -> dict[str, Any]:
    return {"name": name, "namespace": "lab", "uid": uid, "resourceVersion": str(version), "generation": 1,
            "finalizers": ["fairlead.dev/remote-run"] if has_finalizer else [],
            **({"deletionTimestamp": "2026-01-01T00:00:00Z"} if deleting else {})}
