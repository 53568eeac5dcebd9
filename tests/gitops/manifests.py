"""Manifests as a repository has them: the examples, and one of each kind with every field that can stand beside the others."""

from pathlib import Path
from typing import Any

import yaml

from bed.login import LoginNode

EXAMPLES = Path(__file__).parents[2] / "examples"
Manifest = dict[str, Any]
TRACKED = {"labels": {"team": "physics", "app.kubernetes.io/instance": "jobs"}, "annotations": {"argocd.argoproj.io/tracking-id": "jobs:x"}}
"""What a person and Argo CD write beside the spec."""


def filled_in(example: str, node: LoginNode) -> list[Manifest]:
    """The manifests of an example, for a real host."""
    known = node.known_hosts.strip().splitlines()[0]
    found = []
    for file in sorted((EXAMPLES / example).rglob("*.yaml")):
        text = file.read_text(encoding="utf-8").replace("HOST ssh-ed25519 KEY", known)
        text = text.replace("host: HOST ", f"host: {node.host} ").replace("user: USER ", f"user: {node.user} ")
        found += list(yaml.safe_load_all(text.replace("port: 22 ", f"port: {node.port} ")))
    return found


def whole_cluster(node: LoginNode, name: str) -> Manifest:
    """A Cluster of a Slurm login node with all that it can say."""
    return _manifest("Cluster", name, {
        "type": "Slurm", "endpoints": [{"host": node.host, "port": node.port}], "user": node.user, "authSecretRef": {"name": f"{name}-ssh"},
        "hostKeys": {"knownHosts": node.known_hosts},
        "connection": {"connectTimeoutSeconds": 5, "keepaliveIntervalSeconds": 20, "maxConnections": 1, "maxChannelsPerConnection": 3},
        "polling": {"intervalSeconds": 0.3, "maxIntervalSeconds": 1, "timeoutSeconds": 10}, "workDir": "~/.fairlead-whole",
        "slurm": {"accounting": "Auto"}, "suspend": False, "limits": {"maxActiveJobs": 50, "submitPerSecond": 10},
        "allowedNamespaces": {"from": "Selector", "selector": {"matchLabels": {"team": "physics"}, "matchExpressions": [
            {"key": "stage", "operator": "NotIn", "values": ["trial"]}]}},
        "credentials": "Shared",
    })


def whole_job(name: str, cluster: str, script: str) -> Manifest:
    """A Job with all that it can say and that a small Slurm cluster takes."""
    return _manifest("Job", name, {
        "clusterRef": {"name": cluster}, "script": script, "env": [{"name": "A", "value": "1"}, {"name": "EMPTY"}],
        "loginShell": False, "workingDir": "~", "stdoutPath": "~/%x-%j.out", "stderrPath": "~/%x-%j.err", "nodes": 1, "ntasks": 1,
        "ntasksPerNode": 1, "cpusPerTask": 1, "memory": "0.1G", "exclusive": False, "timeLimit": "00:10:00", "extraOptions": {"nice": "1"},
        "requeue": True, "suspend": False, "priority": 5, "backoffLimit": 1, "infrastructureRetries": 2, "activeDeadlineSeconds": 3600,
        "ttlSecondsAfterFinished": 86400, "cancellationGracePeriodSeconds": 1, "deletionPolicy": "Cancel", "deletionDeadlineSeconds": 300,
    })


def set_aside(cluster: str, namespace: str) -> list[Manifest]:
    """What stays suspended, with the fields that exclude those above or that no test cluster has."""
    keys = {"knownHostsSecretRef": {"name": "keys"}}
    jump = {"host": "bastion.example.org", "user": "ann", "authSecretRef": {"name": "key"}, "hostKeys": keys}
    return [
        _manifest("Job", "aside", {
            "clusterRef": {"name": cluster, "namespace": namespace}, "command": ["python3", "-c"], "args": ["print(1)", ""],
            "partition": "gpu", "account": "physics", "qos": "high", "gpus": 2, "constraint": "a100", "memory": 1073741824, "suspend": True,
        }),
        _manifest("Job", "aside-too", {
            "clusterRef": {"name": cluster}, "scriptRef": {"name": "scripts", "key": "train.sh"}, "gres": "gpu:a100:2", "suspend": True,
        }),
        _manifest("Session", "aside", {
            "clusterRef": {"name": cluster},
            "resources": {"partition": "gpu", "memory": "4Gi", "timeLimit": "8h", "extraOptions": {"nice": "1"}},
            "application": {
                "command": ["python3", "-m"], "args": ["http.server", "18231"], "port": 18231, "env": [{"name": "A", "value": "1"}],
                "tokenSecretRef": {"name": "token", "key": "token"}, "readiness": {"http": {"path": "/"}},
            },
            "service": {"port": 8080, "labels": {"team": "physics"}}, "maxLifetimeSeconds": 28800, "suspend": True,
            "startupDeadlineSeconds": 600, "idleTimeoutSeconds": 3600, "expiry": {"warnBeforeSeconds": 600},
            "cancellationGracePeriodSeconds": 1, "deletionDeadlineSeconds": 60,
        }),
        _manifest("Cluster", "aside", {
            "type": "Slurm", "endpoints": [{"host": "login1.example.org"}, {"host": "login2.example.org", "port": 2222}], "user": "ann",
            "authSecretRef": {"name": "key"}, "hostKeys": {"fingerprints": ["SHA256:" + "A" * 43]}, "proxyJump": [jump],
            "slurm": {"binPath": "/opt/slurm/bin", "defaultPartition": "gpu", "defaultAccount": "physics"}, "suspend": True,
        }),
    ]


def _manifest(kind: str, name: str, spec: Manifest) -> Manifest:
    return {"apiVersion": "fairlead.dev/v1alpha1", "kind": kind, "metadata": {"name": name, **TRACKED}, "spec": spec}
