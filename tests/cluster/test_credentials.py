"""Credentials as people put them into Secrets: what works although it looks odd, and what is said of what cannot work."""

from collections.abc import Callable

import asyncssh
import pytest

from bed.slurm import SlurmCluster
from bed.sshdconf import KeyPair
from product.scene import Scene
from product.waiting import until

PASSPHRASE = "correct horse"


def locked(private_key: str) -> str:
    """The same key, behind a passphrase."""
    return asyncssh.import_private_key(private_key).export_private_key("openssh", passphrase=PASSPHRASE).decode()


def test_a_key_that_the_site_does_not_know_is_named_by_its_fingerprint(hpc: SlurmCluster, scene: Scene) -> None:
    """Else a person would have to guess which of their keys was offered."""
    stranger = KeyPair.generate()
    scene.secret("hpc-key", ssh_privatekey=stranger.private)
    cluster = scene.cluster(hpc, key=False, ready=False)
    ready = cluster.wait("Ready", "False", reason="AuthenticationFailed")
    fingerprint = asyncssh.import_public_key(stranger.public).get_fingerprint()
    assert fingerprint in ready["message"]
    assert "authorized_keys" in ready["message"]
    assert cluster.condition("HostKeyVerified")["status"] == "True", "it was checked before"
    assert cluster.condition("Reachable")["reason"] == "AuthenticationFailed"
    assert cluster.condition("Stalled")["status"] == "True", "only a person can mend this"
    scene.secret("hpc-key", ssh_privatekey=hpc.private_key)
    cluster.wait("Ready")
    assert cluster.condition("Stalled")["status"] == "False"


def test_a_secret_that_comes_later_is_found_without_anybody_touching_the_cluster(hpc: SlurmCluster, scene: Scene) -> None:
    """Else `kubectl apply -f folder/` would depend on the order of its files."""
    cluster = scene.cluster(hpc, key=False, ready=False)
    ready = cluster.wait("Ready", "False", reason="SecretNotFound")
    assert f"Secret {scene.namespace}/hpc-key does not exist" in ready["message"]
    assert "ssh-privatekey" in ready["message"]
    assert cluster.condition("HostKeyVerified")["status"] == "Unknown", "nobody was asked for a host key yet"
    scene.secret("hpc-key", ssh_privatekey=hpc.private_key)
    cluster.wait("Ready")


def test_a_secret_with_other_fields_is_told_apart_and_each_mistake_replaces_the_one_before(hpc: SlurmCluster, scene: Scene) -> None:
    """Else a person would correct one mistake and go on reading about it."""
    scene.secret("hpc-key", id_ed25519=hpc.private_key, note="mine")
    cluster = scene.cluster(hpc, key=False, ready=False)
    ready = cluster.wait("Ready", "False", reason="SecretInvalid")
    assert "no field ssh-privatekey (it has id-ed25519, note)" in ready["message"]
    scene.secret("hpc-key", ssh_privatekey=KeyPair.generate().public)
    cluster.wait("Ready", "False", reason="SecretInvalid", says="holds a public key")
    scene.secret("hpc-key", ssh_privatekey=hpc.private_key)
    cluster.wait("Ready")


def test_a_locked_key_asks_for_its_passphrase_and_works_with_it(hpc: SlurmCluster, scene: Scene) -> None:
    """Else a key with a passphrase could not be used, or the passphrase would show up somewhere."""
    scene.secret("hpc-key", ssh_privatekey=locked(hpc.private_key))
    cluster = scene.cluster(hpc, key=False, ready=False)
    ready = cluster.wait("Ready", "False", reason="PassphraseRequired")
    assert "field `passphrase`" in ready["message"]
    scene.secret("hpc-key", ssh_privatekey=locked(hpc.private_key), passphrase="wrong")
    cluster.wait("Ready", "False", reason="PassphraseRequired", says="does not open with")
    scene.secret("hpc-key", ssh_privatekey=locked(hpc.private_key), passphrase=PASSPHRASE)
    cluster.wait("Ready")
    assert PASSPHRASE not in str(cluster.read())


@pytest.mark.parametrize("mangled", [
    pytest.param(lambda key: key.replace("\n", "\r\n"), id="Windows line ends"),
    pytest.param(lambda key: key.rstrip("\n"), id="no last newline"),
    pytest.param(lambda key: f"\n  \n{key}\n\n", id="space around it"),
])
def test_a_key_that_was_pasted_by_hand_works(hpc: SlurmCluster, scene: Scene, mangled: Callable[[str], str]) -> None:
    """Else an editor's line ends would cost a person an afternoon."""
    scene.secret("hpc-key", ssh_privatekey=mangled(hpc.private_key))
    scene.cluster(hpc, key=False).wait("Ready")


def test_a_rotated_secret_is_used_without_losing_the_cluster(own: SlurmCluster, scene: Scene) -> None:
    """Else rotating keys would need a restart, or look like an outage."""
    cluster = scene.cluster(own)
    job = scene.job("through", "#!/bin/sh\nsleep 600\n", cancellationGracePeriodSeconds=1)
    job.wait("Running")
    since = cluster.condition("Ready")["lastTransitionTime"]
    fresh = KeyPair.generate()
    own.write("ssh/authorized_keys", f"{own_public(own)}\n{fresh.public}\n")
    scene.secret("hpc-key", ssh_privatekey=fresh.private)
    fingerprint = asyncssh.import_public_key(fresh.public).get_fingerprint()
    until_logged(own, fingerprint)
    assert cluster.condition("Ready")["status"] == "True"
    assert cluster.condition("Ready")["lastTransitionTime"] == since, "the Cluster was not ready in between"
    assert job.condition("Running")["status"] == "True"


def test_a_secret_rotated_while_a_submission_is_under_way_leaves_it_its_answer_and_the_old_login_no_longer_than_that(
    own: SlurmCluster, scene: Scene,
) -> None:
    """Else a rotation would leave submissions without an answer, or the key that was withdrawn logged in for as long as it likes."""
    cluster = scene.cluster(own)
    since = cluster.condition("Ready")["lastTransitionTime"]
    own.shim("sha256sum", 'touch ~/waits; until [ -e ~/let ]; do sleep 0.05; done; exec $REAL "$@"')
    job = scene.job("hello")
    until((own.home / "waits").exists, "a submission that is under way")
    fresh = KeyPair.generate()
    own.write("ssh/authorized_keys", f"{fresh.public}\n")
    scene.secret("hpc-key", ssh_privatekey=fresh.private)
    until_logged(own, asyncssh.import_public_key(fresh.public).get_fingerprint())
    assert "id" not in job.status.get("run", {}), "the submission is still under way"
    until(lambda: own.connections() == 2, "the new connection beside the old one")
    withdrawn = own.sshd_log().count(asyncssh.import_private_key(own.private_key).get_fingerprint())
    (own.home / "let").touch()
    assert job.run_id, "its submission has ended"
    until(lambda: own.connections() == 1, "the old connection to be gone")
    assert job.wait_ended()["phase"] == "Complete"
    assert job.status["run"]["attempt"] == 1, "its submission was answered, and not made again"
    assert own.sshd_log().count(asyncssh.import_private_key(own.private_key).get_fingerprint()) == withdrawn, "it was not offered again"
    assert cluster.condition("Ready")["lastTransitionTime"] == since, "the Cluster was ready all the time"


def own_public(node: SlurmCluster) -> str:
    """The public half of the key that the login node takes."""
    return (node.folder / "ssh/authorized_keys").read_text().strip()


def until_logged(node: SlurmCluster, words: str) -> None:
    """Until sshd's log tells of it."""
    until(lambda: words in node.sshd_log(), f"a login with {words}")
