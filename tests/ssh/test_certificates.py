"""Certificates of hosts and users, with real sshds: an authority is trusted for what it signed, and for nothing else."""

import time

import asyncssh
import pytest
from ssh_addresses import address_of, script

from bed.slurmconf import INSIDE
from bed.sshd import SshHost
from fairlead.api.v1alpha1.reasons import ClusterReason
from fairlead.domain.cluster.address import Credentials, HostKeys
from fairlead.domain.errors import Refused, Unreadable

TRUE = script("echo yes")
AUTHORITY, OTHER = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
HOUR = 3600


@pytest.fixture(scope="module")
def certified(bed):
    """A host whose sshd shows a certificate, once it has been given one."""
    host = SshHost.start(bed, sshd_extra=(f"HostCertificate {INSIDE}/ssh/hostkey-cert.pub",))
    yield host
    host.stop()


def give(host, authority=AUTHORITY, **fields) -> None:
    """Let the host show a certificate of its key."""
    key = asyncssh.import_private_key((host.folder / "ssh/hostkey").read_text())
    certificate = authority.generate_host_certificate(key, "a host", **{"principals": [host.host], **fields})
    host.write("ssh/hostkey-cert.pub", certificate.export_certificate().decode())
    host.sshd.kill()
    host.sshd.start()


def line(host, key=AUTHORITY, mark="@cert-authority ", name="") -> str:
    """A line of known_hosts."""
    return f"{mark}{name or host.host} {key.export_public_key().decode().strip()}\n"


def pinned(host, *lines: str):
    return address_of(host, host_keys=HostKeys("".join(lines)))


@pytest.mark.parametrize("name", ["{}", "other.example.org,{}", "*"], ids=["the host's", "several", "any"])
async def test_a_host_certificate_is_trusted_through_its_authority(certified, remote, name):
    """Else a site that signs its host keys would have to be pinned host by host."""
    give(certified)
    assert await remote.exchange(pinned(certified, line(certified, name=name.format(certified.host))), TRUE) == b"yes\n"


@pytest.mark.parametrize(("fields", "words"), [
    ({"principals": ["other.example.org"]}, "Certificate principal mismatch"),
    ({"valid_before": int(time.time()) - HOUR}, "Certificate expired"),
    ({"valid_after": int(time.time()) + HOUR, "valid_before": int(time.time()) + 2 * HOUR}, "Certificate not yet valid"),
], ids=["of another host", "an hour too old", "an hour too young"])
async def test_a_host_certificate_that_is_not_valid_is_refused_with_what_to_compare(certified, remote, fields, words):
    """Else a stolen old certificate would be trusted, or a clock that is an hour off would be a riddle."""
    give(certified, **fields)
    with pytest.raises(Refused, match=rf"{words}.*Compare the clocks.*names with {certified.host}") as failure:
        await remote.exchange(pinned(certified, line(certified)), TRUE)
    assert failure.value.reason is ClusterReason.HOST_KEY_MISMATCH


@pytest.mark.parametrize("which", ["its authority", "its key"])
async def test_a_revoked_key_is_refused_whoever_signed_it(certified, remote, which):
    """Else a key that was stolen would be trusted because of its certificate."""
    give(certified)
    revoked = line(certified, mark="@revoked ", name="*") if which == "its authority" else f"@revoked {certified.known_hosts}\n"
    with pytest.raises(Refused, match="is revoked") as failure:
        await remote.exchange(pinned(certified, line(certified), revoked), TRUE)
    assert failure.value.reason is ClusterReason.HOST_KEY_MISMATCH


async def test_a_certificate_of_an_authority_that_is_not_pinned_is_refused_with_its_fingerprint(certified, remote):
    """Else anybody's authority would do."""
    give(certified, OTHER)
    with pytest.raises(Refused, match=OTHER.get_fingerprint().replace("+", r"\+")) as failure:
        await remote.exchange(pinned(certified, line(certified)), TRUE)
    assert failure.value.reason is ClusterReason.HOST_KEY_MISMATCH


async def test_an_authority_that_is_pinned_for_another_host_is_not_trusted_for_this_one(certified, remote):
    """Else a department's authority could sign for the whole site."""
    give(certified)
    with pytest.raises(Refused) as failure:
        await remote.exchange(pinned(certified, line(certified, name="other.example.org")), TRUE)
    assert failure.value.reason is ClusterReason.HOST_KEY_UNKNOWN


async def test_a_pinned_key_is_trusted_although_its_certificate_is_not(certified, remote):
    """Else a site that changes its authority would lock out those who pinned the key itself."""
    give(certified, OTHER)
    assert await remote.exchange(pinned(certified, line(certified), certified.known_hosts + "\n"), TRUE) == b"yes\n"
    assert await remote.exchange(pinned(certified, certified.known_hosts), TRUE) == b"yes\n"


async def test_a_key_of_the_authority_itself_is_no_host_key(certified, remote):
    """Else an authority's key would open every host."""
    give(certified)
    with pytest.raises(Refused):
        await remote.exchange(pinned(certified, line(certified, mark="")), TRUE)


@pytest.mark.parametrize(("algorithm", "options"), [
    ("ssh-ed25519", {}), ("ssh-rsa", {"key_size": 2048}), ("ecdsa-sha2-nistp256", {}), ("ecdsa-sha2-nistp384", {}),
], ids=lambda value: value if isinstance(value, str) else "")
async def test_a_users_certificate_of_every_usual_kind_logs_in_also_with_a_passphrase(host, remote, algorithm, options):
    """Else a site that gives certificates instead of taking keys could not be used."""
    key = asyncssh.generate_private_key(algorithm, **options)
    certificate = AUTHORITY.generate_user_certificate(key, "a user", principals=[host.user]).export_certificate()
    host.write("ssh/authorized_keys", f"cert-authority {AUTHORITY.export_public_key().decode()}")
    text = key.export_private_key("openssh", passphrase="open sesame", rounds=50)
    assert await remote.exchange(address_of(host, credentials=Credentials(text, b"open sesame", certificate)), TRUE) == b"yes\n"


async def _refused_with(host, remote, **fields) -> str:
    key = asyncssh.generate_private_key("ssh-ed25519")
    certificate = AUTHORITY.generate_user_certificate(key, "a user", **{"principals": [host.user], **fields}).export_certificate()
    host.write("ssh/authorized_keys", f"cert-authority {AUTHORITY.export_public_key().decode()}")
    with pytest.raises(Refused) as failure:
        await remote.exchange(address_of(host, credentials=Credentials(key.export_private_key(), certificate=certificate)), TRUE)
    assert failure.value.reason is ClusterReason.AUTHENTICATION_FAILED
    return str(failure.value)


async def test_a_users_certificate_that_has_run_out_is_said_to_have(host, remote):
    """Else a person would look for the fault in authorized_keys, each time that the day's certificate has run out."""
    words = await _refused_with(host, remote, valid_before=int(time.time()) - HOUR)
    assert "with its certificate: Certificate expired. Put a new one into the Secret of spec.authSecretRef" in words
    assert "compare the clocks" in words


async def test_a_users_certificate_for_another_name_is_refused_with_what_to_check(host, remote):
    """Else a person would not know that it was the name."""
    assert "with its certificate: check spec.user" in await _refused_with(host, remote, principals=["somebody-else"])


async def test_a_hosts_certificate_in_place_of_the_users_is_never_offered(host, remote):
    """Else a mix-up of files would look like a refused login."""
    key = asyncssh.generate_private_key("ssh-ed25519")
    certificate = AUTHORITY.generate_host_certificate(key, "a host", principals=[host.host]).export_certificate()
    with pytest.raises(Unreadable, match="certificate is one for a host") as failure:
        await remote.exchange(address_of(host, credentials=Credentials(key.export_private_key(), certificate=certificate)), TRUE)
    assert failure.value.reason is ClusterReason.SECRET_INVALID
