"""Good manifests: the API server takes them, fills in the defaults, and keeps them as they were written."""

import json

import pytest

from fairlead.api.v1alpha1.cluster import Cluster
from fairlead.api.v1alpha1.job import Job
from fairlead.api.v1alpha1.session import Session

from .manifests import FINGERPRINT, SCRIPT, WHOLE_JOB, cluster, job, session

MODELS = {"Job": Job, "Cluster": Cluster, "Session": Session}
UNICODE = "Grüße, \"quotes\", 'more', $(no), `no`, \\, tab\t, separators \x1e\x1f, 漢字 🚀\nnext line\r"


def good(name, manifest):
    return pytest.param(manifest, id=name)


@pytest.mark.parametrize("manifest", [
    good("smallest", job()),
    good("name of 253 characters", job("a" * 253)),
    good("script of another interpreter", job(script="#!/usr/bin/env python3\nprint('é')\n")),
    good("script with everything", job(script=f"#!/bin/sh\n: '{UNICODE}'\n")),
    good("script from a ConfigMap", job(script=None, scriptRef={"name": "scripts", "key": "train.sh"})),
    good("command", job(script=None, command=["python3", "-c", UNICODE])),
    good("command and args", job(script=None, command=["echo"], args=["", "a b", UNICODE])),
    good("environment", job(env=[{"name": "A"}, {"name": "_b1", "value": UNICODE}, {"name": "PATH", "value": "/opt/bin"}])),
    good("home", job(workingDir="~")),
    good("folder in the home", job(workingDir="~/my data/é")),
    good("absolute folder", job(workingDir="/scratch/ada")),
    good("output patterns", job(stdoutPath="~/out/%x/%j-%A-%a-%u-%N-%%.out", stderrPath="/scratch/%j.err")),
    good("output beside the working directory", job(stdoutPath="train.log")),
    good("no login shell", job(loginShell=False)),
    good("where", job(partition="gpu,debug", account="physics", qos="high-prio")),
    good("how much", job(nodes=2, ntasks=8, ntasksPerNode=4, cpusPerTask=2, gpus=8, exclusive=True)),
    good("gres and constraint", job(gres="gpu:a100:2,shard:1", constraint="[rack1*2&rack2*4]|(a100&nvlink)")),
    good("memory in binary units", job(memory="4Gi")),
    good("memory in decimal units", job(memory="1.5G")),
    good("memory in bytes", job(memory=1073741824)),
    good("time with units", job(timeLimit="1d2h3m4s")),
    good("time as Slurm writes it", job(timeLimit="1-12:00:00")),
    good("time as a clock", job(timeLimit="12:00:00")),
    good("options", job(extraOptions={"nice": "100", "mail-type": "END,FAIL", "mem-per-gpu": "8G", "overcommit": "", "time-min": "1:00"})),
    good("Cluster of another namespace", job(clusterRef={"name": "hpc", "namespace": "shared"})),
    good("no grace", job(cancellationGracePeriodSeconds=0)),
    good("smallest Cluster", cluster()),
    good("two login nodes", cluster(endpoints=[{"host": "login1"}, {"host": "login2", "port": 2222}])),
    good("jump hosts", cluster(proxyJump=[
        {"host": "bastion", "user": "ada", "authSecretRef": {"name": "bastion"}, "hostKeys": {"fingerprints": [FINGERPRINT]}},
        {"host": "inner", "port": 2222, "user": "al", "authSecretRef": {"name": "k"}, "hostKeys": {"knownHostsSecretRef": {"name": "k"}}},
    ])),
    good("bare host", cluster(type="Process", endpoints=None, process={"hosts": [{"host": "box", "port": 2222, "slots": 16, "gpus": 4}]})),
    good("address and port", cluster(endpoints=[{"host": "2001:db8::1", "port": 2222}])),
    good("user of a domain", cluster(user="HPC\\ada.lovelace@example.org")),
    good("host keys in a Secret", cluster(hostKeys={"knownHostsSecretRef": {"name": "keys"}})),
    good("host keys by fingerprint", cluster(hostKeys={"fingerprints": [FINGERPRINT]})),
    good("work folder", cluster(workDir="/scratch/ada_1/fair-lead.d")),
    good("Slurm programs", cluster(slurm={"binPath": "/opt/slurm/24.11/bin"})),
    good("Slurm settings", cluster(slurm={"defaultPartition": "gpu", "defaultAccount": "physics", "accounting": "None"})),
    good("fast polls", cluster(polling={"intervalSeconds": 0.2, "maxIntervalSeconds": 0.5, "timeoutSeconds": 2})),
    good("suspended", cluster(suspend=True)),
    good("open to all namespaces", cluster(allowedNamespaces={"from": "All"})),
    good("with a login for each namespace", cluster(allowedNamespaces={"from": "All"}, credentials="PerNamespace")),
    good("open to some namespaces", cluster(allowedNamespaces={"from": "Selector", "selector": {
        "matchLabels": {"team": "physics"}, "matchExpressions": [{"key": "stage", "operator": "NotIn", "values": ["trial"]},
                                                                 {"key": "quota", "operator": "Exists"}]}})),
    good("a preset", session(application={"command": None, "preset": "Jupyter"})),
    good("a preset with all that it may have", session(application={
        "command": None, "preset": "Jupyter", "args": ["--allow-root"], "env": [{"name": "A", "value": "1"}],
        "tokenSecretRef": {"name": "a", "key": "b"}, "readiness": {"tcp": {}}})),
    good("a preset without a token", session(application={"command": None, "preset": "Jupyter", "token": "None"})),
])
def test_taken_as_written(kubectl, manifest):
    """What a user may write would be refused, or reach the cluster as something else."""
    answer = kubectl.offer(manifest)
    assert answer.stderr == ""
    read = json.loads(answer.stdout)
    for field, value in manifest["spec"].items():
        assert _without_defaults(read["spec"][field], value) == value
    assert MODELS[manifest["kind"]].model_validate(read).metadata.name == manifest["metadata"]["name"]


def _without_defaults(read, written):
    if isinstance(written, dict):
        return {field: _without_defaults(read[field], value) for field, value in written.items()}
    if isinstance(written, list):
        return [_without_defaults(*pair) for pair in zip(read, written, strict=True)]
    return read


def test_defaults_of_a_job(kubectl):
    """A Job of two fields would do something else than the documentation says."""
    assert json.loads(kubectl.offer(job()).stdout)["spec"] == {
        "clusterRef": {"name": "hpc"}, "script": SCRIPT, "loginShell": True, "exclusive": False, "cancellationGracePeriodSeconds": 30,
        "requeue": False, "suspend": False, "priority": 0, "backoffLimit": 0, "infrastructureRetries": 3,
        "deletionPolicy": "Cancel", "deletionDeadlineSeconds": 600,
    }


def test_defaults_of_a_cluster(kubectl):
    """A Cluster of seven lines would poll, connect or keep its files in another way than the documentation says."""
    assert json.loads(kubectl.offer(cluster()).stdout)["spec"] == cluster()["spec"] | {
        "endpoints": [{"host": "login.example.org", "port": 22}],
        "connection": {"connectTimeoutSeconds": 10, "keepaliveIntervalSeconds": 15, "maxConnections": 1, "maxChannelsPerConnection": 4},
        "polling": {"intervalSeconds": 2, "maxIntervalSeconds": 30, "timeoutSeconds": 30},
        "slurm": {"accounting": "Auto"}, "workDir": "~/.fairlead", "suspend": False, "limits": {}, "allowedNamespaces": {"from": "Same"},
        "credentials": "Shared",
    }


@pytest.mark.parametrize("manifest", [
    good("Job", job("twice", **WHOLE_JOB)), good("Cluster", cluster("twice", hostKeys={"fingerprints": [FINGERPRINT]})),
])
def test_applying_twice_changes_nothing(kubectl, keep, manifest):
    """Argo CD and Flux would report a difference for ever, and each report would wake the controller."""
    first = keep(manifest)
    second = keep(manifest)    # the default of a status that no controller has written is stored with it, once
    assert (second["spec"], second["metadata"]["generation"]) == (first["spec"], first["metadata"]["generation"])
    assert keep(manifest)["metadata"]["resourceVersion"] == second["metadata"]["resourceVersion"]
    assert kubectl("diff", "--server-side", "--filename=-", manifest=manifest).stdout == ""


def test_script_of_a_megabyte(keep):
    """A generated script of a megabyte could not be submitted."""
    text = "#!/bin/sh\n" + "# 0123456789 0123456789 0123456789 0123456789 0123456789 0123\n" * 16_000
    assert keep(job("large", script=text))["spec"]["script"] == text


def test_grace_may_be_changed(keep):
    """Nobody could shorten the wait of a Job that is to go."""
    keep(job("grace"))
    assert keep(job("grace", cancellationGracePeriodSeconds=0))["spec"]["cancellationGracePeriodSeconds"] == 0
