"""Which algorithms a login node may have: modern ones, the best of those that both sides know; and what is told of one that has none."""

import re
from collections.abc import Callable, Iterator

import asyncssh
import pytest

from bed.slurmconf import INSIDE
from bed.sshd import SshHost
from bed.state import Bed
from fairlead.api.v1alpha1.reasons import ClusterReason
from fairlead.domain.cluster.address import Address, Credentials, HostKeys
from fairlead.domain.errors import Refused, Unreachable
from fairlead.schedulers.seam import Exchange
from fairlead.ssh.remote import SshRemote
from product.scene import Scene

TRUE: Exchange[bytes] = Exchange("observe", "echo yes", b"", 10.0, 1 << 16, lambda output: output)
PQ = "mlkem768x25519-sha256"

Start = Callable[..., SshHost]


@pytest.fixture
def start(bed: Bed) -> Iterator[Start]:
    """Starts hosts with lines of sshd_config."""
    started: list[SshHost] = []

    def start(*lines: str, release: str = "24.11") -> SshHost:
        started.append(SshHost.start(bed, release, sshd_extra=(*lines, "LogLevel DEBUG1")))
        return started[-1]

    yield start
    for host in started:
        host.stop()


async def asked(host: SshHost, known_hosts: str = "", key: str = "") -> bytes:
    """One exec there."""
    address = Address(host.host, host.port, host.user, Credentials((key or host.private_key).encode()),
                      HostKeys(known_hosts=known_hosts or host.known_hosts), connect_timeout_seconds=60.0)
    async with SshRemote() as remote:
        return await remote.exchange(address, TRUE)


def agreed(host: SshHost, what: str) -> set[str]:
    """What sshd says was agreed on: `kex: algorithm`, or the cipher and MAC of `kex: server->client`."""
    return set(re.findall(rf"debug1: kex: {what}:? (.+?) \[", host.sshd_log()))


@pytest.mark.parametrize(("release", "kex"), [("24.11", PQ), ("22.05", "curve25519-sha256"), ("20.11", "curve25519-sha256")])
async def test_the_best_that_both_sides_have_is_agreed_on(start: Start, release: str, kex: str) -> None:
    """Else what is recorded today could be read once there is a quantum computer, or an old login node could not be reached."""
    host = start(release=release)
    assert await asked(host) == b"yes\n"
    assert agreed(host, "algorithm") == {kex}
    assert agreed(host, "server->client cipher") == {"aes128-gcm@openssh.com MAC: <implicit> compression: none"}


@pytest.mark.parametrize("line", [
    "KexAlgorithms ecdh-sha2-nistp256", "KexAlgorithms diffie-hellman-group16-sha512", "Ciphers aes256-ctr",
    "Ciphers aes128-ctr\nMACs hmac-sha2-512", "Ciphers chacha20-poly1305@openssh.com",
])
@pytest.mark.filterwarnings("default:Diffie-Hellman over finite fields")
async def test_a_site_that_is_restricted_to_one_of_ours_is_reached(start: Start, line: str) -> None:
    """Else a site that keeps to FIPS 140, or has hardened its sshd, could not be used."""
    assert await asked(start(*line.splitlines())) == b"yes\n"


WEAK = {
    "KexAlgorithms diffie-hellman-group14-sha1,diffie-hellman-group-exchange-sha256": "key exchange",
    "KexAlgorithms diffie-hellman-group14-sha256": "key exchange",
    "Ciphers aes128-cbc,3des-cbc": "encryption",
    "Ciphers aes128-ctr\nMACs hmac-sha1,hmac-sha1-etm@openssh.com": "MAC",
}


@pytest.mark.parametrize("line", WEAK)
async def test_weak_algorithms_alone_are_refused_by_name(start: Start, line: str) -> None:
    """Else a login would be read or changed on its way, or nobody would learn what the site has to allow."""
    with pytest.raises(Refused) as failure:
        await asked(start(*line.splitlines()))
    assert failure.value.reason is ClusterReason.NO_COMMON_ALGORITHM
    offered = line.rpartition(" ")[2].replace(",", ", ")
    assert f"offers no {WEAK[line]} algorithm that Fairlead accepts. It offers {offered}" in str(failure.value)


@pytest.mark.parametrize("signature", ["rsa-sha2-512", "rsa-sha2-256", "ssh-rsa"])
async def test_an_rsa_host_key_is_accepted_with_sha2_and_never_with_sha1(start: Start, signature: str) -> None:
    """Else a site with old keys could not be reached; or one whose signature was forged could."""
    host, key = start(f"HostKey {INSIDE}/ssh/rsa", f"HostKeyAlgorithms {signature}"), asyncssh.generate_private_key("ssh-rsa")
    host.write("ssh/rsa", key.export_private_key().decode(), mode=0o600)
    host.sshd.kill()
    host.sshd.start()
    pin = f"{host.host} {key.export_public_key().decode()}"
    if signature != "ssh-rsa":
        assert await asked(host, pin) == b"yes\n"
        return
    with pytest.raises(Unreachable, match="no host key that is ed25519, ECDSA or RSA with SHA-2"):
        await asked(host, pin)


@pytest.mark.parametrize("signature", ["rsa-sha2-512", "rsa-sha2-256", "ssh-rsa"])
async def test_an_rsa_key_of_ours_signs_with_sha2_and_never_with_sha1(start: Start, signature: str) -> None:
    """Else a key that thousands have could not log in; or its signature could be forged."""
    host, key = start(f"PubkeyAcceptedAlgorithms {signature}"), asyncssh.generate_private_key("ssh-rsa", key_size=3072)
    host.write("ssh/authorized_keys", key.export_public_key().decode())
    if signature != "ssh-rsa":
        assert await asked(host, key=key.export_private_key().decode()) == b"yes\n"
        return
    with pytest.raises(Refused, match="that its sshd accepts rsa-sha2-512 or rsa-sha2-256"):
        await asked(host, key=key.export_private_key().decode())


def test_a_cluster_says_what_its_login_node_offers_and_what_is_accepted(start: Start, scene: Scene) -> None:
    """Else a person would see a Cluster that cannot be reached, and not learn why."""
    cluster = scene.bare_host(start("Ciphers aes128-ctr", "MACs hmac-sha1"), ready=False)
    said = cluster.wait("Ready", "False", reason="NoCommonAlgorithm")["message"]
    assert "It offers hmac-sha1; Fairlead accepts hmac-sha2-256-etm@openssh.com" in said
    assert cluster.condition("Stalled")["status"] == "True", "a person has to act"
    assert cluster.condition("HostKeyVerified")["status"] == "Unknown"
