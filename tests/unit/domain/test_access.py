"""A login is put together in one place, from the Secrets that the Cluster names and no others."""

from collections.abc import Mapping

import pytest

from fairlead.domain.cluster.access import login_of, secrets_of
from fairlead.domain.errors import Unreadable
from product.objects import a_cluster

KEY = {"ssh-privatekey": b"mine"}
HOP = {"host": "jump", "user": "hop", "authSecretRef": {"name": "hop"}, "hostKeys": {"knownHostsSecretRef": {"name": "pins", "key": "hop"}}}
FAR = a_cluster(proxyJump=[HOP], authSecretRef={"name": "own"}, hostKeys={"knownHostsSecretRef": {"name": "pins", "key": "hpc"}})
SECRETS: Mapping[tuple[str, str], Mapping[str, bytes] | None] = {
    ("lab", "own"): KEY, ("lab", "hop"): {"ssh-privatekey": b"theirs"},
    ("lab", "pins"): {"hpc": b"hpc ssh-ed25519 A", "hop": b"jump ssh-ed25519 B"},
}


def test_a_login_takes_the_secrets_that_it_names():
    """Controller, commands and doctor would log in by different keys, or trust different hosts."""
    assert secrets_of(FAR) == sorted(SECRETS)
    address = login_of(FAR, SECRETS)
    assert address.via is not None
    assert (address.credentials.private_key, address.via.credentials.private_key) == (b"mine", b"theirs")
    assert (address.host_keys.known_hosts, address.via.host_keys.known_hosts) == ("hpc ssh-ed25519 A", "jump ssh-ed25519 B")


def test_another_key_takes_the_place_of_the_clusters_own_alone():
    """Who tries a key of his own would send it to the jump host as well."""
    address = login_of(FAR, {**SECRETS, ("lab", "own"): None}, {"ssh-privatekey": b"another"})
    assert address.via is not None
    assert (address.credentials.private_key, address.via.credentials.private_key) == (b"another", b"theirs")


@pytest.mark.parametrize("lacking", SECRETS)
def test_a_secret_that_is_missing_is_named(lacking):
    """Nobody would know which of them to make."""
    with pytest.raises(Unreadable, match=lacking[1]):
        login_of(FAR, {**SECRETS, lacking: None})
