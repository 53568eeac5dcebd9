"""The smallest good manifests, to be changed by tests."""

SCRIPT = "#!/bin/sh\ntrue\n"
FINGERPRINT = "SHA256:" + "aB3/" * 10 + "x+Z"
WHOLE_JOB = {
    "env": [{"name": "A", "value": "1"}], "workingDir": "/a", "stdoutPath": "a", "stderrPath": "a", "partition": "a", "account": "a",
    "qos": "a", "nodes": 1, "ntasks": 1, "ntasksPerNode": 1, "cpusPerTask": 1, "memory": "1Gi", "gpus": 1, "gres": "gpu:1",
    "constraint": "a", "timeLimit": "1h", "extraOptions": {"nice": "1"},
}
"""A Job's fields, all but those that exclude each other, each with a value that can be changed to another good one."""


def _manifest(kind: str, name: str, spec: dict) -> dict:
    fields = {field: value for field, value in spec.items() if value is not None}
    return {"apiVersion": "fairlead.dev/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": fields}


def job(name: str = "hello", **spec) -> dict:
    """A Job; a field given as None is left out."""
    return _manifest("Job", name, {"clusterRef": {"name": "hpc"}, "script": SCRIPT} | spec)


def cluster(name: str = "hpc", **spec) -> dict:
    """A Cluster; a field given as None is left out."""
    smallest = {
        "type": "Slurm", "endpoints": [{"host": "login.example.org"}], "user": "ada", "authSecretRef": {"name": "hpc-ssh"},
        "hostKeys": {"knownHosts": "login.example.org ssh-ed25519 AAAA"},
    }
    return _manifest("Cluster", name, smallest | spec)


def session(name: str = "lab", application: dict | None = None, **spec) -> dict:
    """A Session; `application` is laid over what works, and a field given as None is left out of it."""
    process = {"command": ["server"], "port": 8888} | (application or {})
    process = {field: value for field, value in process.items() if value is not None}
    return _manifest("Session", name, {"clusterRef": {"name": "hpc"}, "application": process} | spec)
