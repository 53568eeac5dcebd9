"""Planted secrets, a whole run with its failures, and then a look wherever a secret might show up: on both ends."""

import json
from typing import Any

import asyncssh
import pytest
from watched import command_lines, files_with

from bed.login import LoginNode
from bed.slurm import SlurmCluster
from bed.sshdconf import KeyPair
from product.controller import Controller
from product.either import cluster_on
from product.scene import Scene
from product.waiting import until

PASSPHRASE = "planted-passphrase-b1946ac92492"
WRONG = "planted-wrong-5d2347f7a8c1"
VALUE = "planted-value-591785b794601e"
SCRIPT = "#!/bin/sh\n[ \"$TOKEN\" = " + VALUE[:-4] + "\"" + VALUE[-4:] + "\" ] || exit 7\nuntil [ -e $HOME/enough ]; do sleep 0.1; done\n"
"""Knows whether the value has arrived, and does not hold it in one piece."""
RECORDED = ("sbatch", "squeue", "scancel", "scontrol", "sacct", "setsid", "env", "mv", "cat")
RECORDS = "printf '%s ' \"$0\" \"$@\" >>$HOME/argv; echo >>$HOME/argv; exec $REAL \"$@\""


@pytest.fixture(params=["own", "host"], ids=["Slurm", "bare host"])
def node(request: pytest.FixtureRequest) -> LoginNode:
    """A cluster of either kind, of the test's own. Name it before `scene`."""
    found: LoginNode = request.getfixturevalue(request.param)
    return found


def _locked(private_key: str) -> str:
    return asyncssh.import_private_key(private_key).export_private_key("openssh", passphrase=PASSPHRASE).decode()


def _body(private_key: str) -> list[str]:
    """The lines between the first and the last one of a key's text."""
    return private_key.strip().splitlines()[1:-1]


def _shown(scene: Scene) -> str:
    """All that people may read of a namespace but specs, which the user has written himself: statuses, Events, annotations, the ledger."""
    objects: list[dict[str, Any]] = []
    for path in (f"/apis/fairlead.dev/v1alpha1/namespaces/{scene.namespace}/jobs",
                 f"/apis/fairlead.dev/v1alpha1/namespaces/{scene.namespace}/clusters",
                 f"/api/v1/namespaces/{scene.namespace}/events", "/api/v1/namespaces/default/configmaps",
                 "/apis/coordination.k8s.io/v1/namespaces/default/leases"):
        for each in (scene.api.get(path) or {"items": []})["items"]:
            each.pop("spec", None)
            each["metadata"].get("annotations", {}).pop("kubectl.kubernetes.io/last-applied-configuration", None)
            objects.append(each)
    return json.dumps(objects)


def test_no_secret_shows_up_anywhere(node: LoginNode, scene: Scene, controller: Controller) -> None:
    """A key, a passphrase or a token in a log, a status or a process list is known to everybody who reads there, and for ever."""
    stranger, locked = KeyPair.generate(), _locked(node.private_key)
    keys = [*_body(node.private_key), *_body(locked), *_body(stranger.private), *_body(_locked(stranger.private))]
    secrets = [PASSPHRASE, WRONG, VALUE, *keys]
    is_slurm = isinstance(node, SlurmCluster)
    for command in RECORDED if is_slurm else RECORDED[5:]:
        node.shim(command, RECORDS)
    began = controller.log.stat().st_size
    with command_lines(*secrets) as in_command_lines:
        scene.secret("hpc-key", ssh_privatekey=locked, passphrase=WRONG)
        cluster = cluster_on(node, scene, key=False, ready=False)
        cluster.wait("Ready", "False", reason="PassphraseRequired")
        scene.secret("hpc-key", ssh_privatekey=_locked(stranger.private), passphrase=PASSPHRASE)
        cluster.wait("Ready", "False", reason="AuthenticationFailed")
        right = node.known_hosts
        cluster.change(hostKeys={"knownHosts": f"{node.host} {stranger.public}"})
        scene.secret("hpc-key", ssh_privatekey=locked, passphrase=PASSPHRASE)
        cluster.wait("Ready", "False", reason="HostKeyMismatch")
        cluster.change(hostKeys={"knownHosts": right})
        cluster.wait("Ready")
        refused = scene.job("refused", partition="nowhere", env=[{"name": "TOKEN", "value": VALUE}]) if is_slurm else None
        scene.config_map("scripts", {"bad.sh": "echo no first line\n"})
        invalid = scene.job("invalid", scriptRef={"name": "scripts", "key": "bad.sh"}, env=[{"name": "TOKEN", "value": VALUE}])
        job = scene.job("whole", SCRIPT, env=[{"name": "TOKEN", "value": VALUE}])
        job.wait("Running")
        invalid.wait("Failed", reason="InvalidScript")
        if refused:
            refused.wait("Failed", reason="SubmissionRejected")
        in_files = files_with(node.home, *secrets)
        (node.home / "enough").touch()
        assert job.wait_ended()["phase"] == "Complete", "the value has arrived"
        cancelled = scene.job("cancelled", "#!/bin/sh\nsleep 600\n", env=[{"name": "TOKEN", "value": VALUE}],
                              cancellationGracePeriodSeconds=0)
        cancelled.wait("Running")
        cancelled.delete()
        shown, page = _shown(scene), controller.metrics()
    log = controller.log.read_bytes()[began:].decode(errors="replace")
    recorded = (node.home / "argv").read_text(errors="replace")
    assert ("sbatch" if is_slurm else "cat") in recorded, "the commands were looked at"
    assert "hpc" in shown, "the objects were looked at"
    assert "told" in log, "the log was looked at"
    for place, text in {"the log": log, "statuses, Events and the ledger": shown, "metrics": page, "command lines at the far end": recorded,
                        "command lines": "\n".join(in_command_lines), "sshd's log": node.sshd_log()}.items():
        assert [word for word in secrets if word in text] == [], f"in {place}"
    for path, mode in in_files.items():
        whose = path.relative_to(node.home).parts
        assert whose[0] == ".fairlead", f"{path} is outside of the work folder"
        assert whose[2] == "runs", f"{path} is no Run's"
        assert mode & 0o077 == 0, f"{path} can be read by others"
        assert not files_with(path.parent, *keys, PASSPHRASE, WRONG), "no way in at the far end at all"
    for each in (job, invalid, *([refused] if refused else [])):
        each.delete()
    until(lambda: not files_with(node.home, *secrets), "nothing of it to be left at the far end")
    elsewhere = [path for path in files_with(node.folder, *secrets) if path.relative_to(node.folder).parts[0] != "ssh"]
    assert elsewhere == [], "in files of the node: logs, and what its scheduler keeps"

