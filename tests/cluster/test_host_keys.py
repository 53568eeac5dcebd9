"""Host keys are pinned: a host that shows another is never spoken to, and the person learns which key was seen."""

import asyncssh

from bed.slurm import SlurmCluster
from bed.sshdconf import KeyPair
from product.scene import Scene


def fingerprint_of(node: SlurmCluster) -> str:
    """As `ssh-keygen -l` prints it."""
    return asyncssh.import_public_key(node.known_hosts.split(" ", 1)[1]).get_fingerprint()


def logins(node: SlurmCluster) -> int:
    """How often somebody got as far as naming a user or a key."""
    return sum("Accepted" in line or "Failed" in line or "userauth" in line for line in node.sshd_log().splitlines())


def test_an_unknown_host_key_is_shown_and_nothing_is_sent_to_that_host(own: SlurmCluster, scene: Scene) -> None:
    """Else whoever sits in between would be handed a login."""
    cluster = scene.cluster(own, ready=False, hostKeys={"knownHosts": f"elsewhere.example.org {KeyPair.generate().public}"})
    ready = cluster.wait("Ready", "False", reason="HostKeyUnknown")
    assert fingerprint_of(own) in ready["message"]
    assert "what the site publishes" in ready["message"]
    assert cluster.condition("HostKeyVerified")["status"] == "False"
    assert cluster.condition("Stalled")["status"] == "True"
    assert logins(own) == 0
    scene.cluster(own, hostKeys={"knownHosts": own.known_hosts})


def test_a_changed_host_key_is_a_warning_with_both_keys(own: SlurmCluster, scene: Scene) -> None:
    """Else an attack and a reinstalled login node would look the same, and neither would be noticed."""
    cluster = scene.cluster(own)
    fresh = KeyPair.generate()
    own.sshd.stop()
    own.end_sessions()
    own.sshd.kill()
    own.write("ssh/hostkey", fresh.private, mode=0o600)
    before = logins(own)
    own.sshd.start()
    ready = cluster.wait("Ready", "False", reason="HostKeyMismatch")
    assert asyncssh.import_public_key(fresh.public).get_fingerprint() in ready["message"], "the key that was seen"
    assert fingerprint_of(own) in ready["message"], "the key that is pinned"
    assert logins(own) == before
    own.known_hosts = f"{own.host} {fresh.public}"
    scene.cluster(own)


def test_a_fingerprint_is_enough(hpc: SlurmCluster, scene: Scene) -> None:
    """Else people whose site publishes fingerprints would have to fetch the key from the host that they want to verify."""
    cluster = scene.cluster(hpc, hostKeys={"fingerprints": [KeyPairs.other, fingerprint_of(hpc)]})
    assert cluster.condition("HostKeyVerified")["reason"] == "Verified"
    mismatch = scene.cluster(hpc, "other", ready=False, hostKeys={"fingerprints": [KeyPairs.other]})
    ready = mismatch.wait("Ready", "False", reason="HostKeyMismatch")
    assert fingerprint_of(hpc) in ready["message"]


class KeyPairs:
    """A key of nobody's."""

    other = asyncssh.import_public_key(KeyPair.generate().public).get_fingerprint()


def test_known_hosts_may_lie_in_a_secret(hpc: SlurmCluster, scene: Scene) -> None:
    """Else a hundred Clusters of one site would each carry a copy."""
    cluster = scene.cluster(hpc, ready=False, hostKeys={"knownHostsSecretRef": {"name": "site", "key": "hosts"}})
    ready = cluster.wait("Ready", "False", reason="SecretNotFound")
    assert f"Secret {scene.namespace}/site" in ready["message"]
    assert "field hosts" in ready["message"]
    scene.secret("site", hosts="this is no host key")
    ready = cluster.wait("Ready", "False", reason="HostKeysInvalid")
    assert "line 1" in ready["message"]
    scene.secret("site", hosts=f"# of the site\n{hpc.known_hosts}")
    cluster.wait("Ready")
