"""What is offered to a login node: nothing weak, and everything that the library can do of it."""

import asyncssh
import pytest
from asyncssh.encryption import get_encryption_algs
from asyncssh.mac import get_mac_algs
from asyncssh.public_key import get_public_key_algs

from fairlead.domain.cluster.address import Address, Credentials, HostKeys
from fairlead.ssh.algorithms import CIPHERS, HOST_CERTIFICATES, HOST_KEYS, KEX, MACS, SIGNATURES
from fairlead.ssh.profile import read_profiles

KEY = asyncssh.generate_private_key("ssh-ed25519")
ADDRESS = Address("hpc", 22, "ann", Credentials(KEY.export_private_key()), HostKeys(f"hpc {KEY.export_public_key().decode()}"))
WEAK = ("sha1", "md5", "cbc", "arcfour", "ssh-dss", "group-exchange", "group1-", "group14-", "-96", "gss-")
HOST_KEY_SIGNATURES = [name for names in HOST_KEYS.values() for name in names]


@pytest.mark.parametrize("name", [*KEX, *CIPHERS, *MACS, *SIGNATURES, *HOST_KEY_SIGNATURES, *HOST_CERTIFICATES])
def test_nothing_weak_is_offered(name):
    """A login could be read or changed on its way, by whoever makes both sides agree on it."""
    assert not [word for word in WEAK if word in name]
    assert name != "ssh-rsa", "that signs with SHA-1"


def test_hybrids_come_before_all_others():
    """What is recorded today could be read once there is a quantum computer."""
    assert KEX[0] == "mlkem768x25519-sha256"
    assert CIPHERS[0] == "aes128-gcm@openssh.com"


def test_the_library_has_all_the_rest():
    """A name that it does not know would end every connection."""
    assert {"curve25519-sha256", "ecdh-sha2-nistp256", "diffie-hellman-group16-sha512"} <= set(KEX)
    for known, names in ((get_encryption_algs(), CIPHERS), (get_mac_algs(), MACS), (get_public_key_algs(), SIGNATURES)):
        assert {name.encode() for name in names} <= set(known)


def test_a_connection_offers_these_and_no_others():
    """The library's defaults, which have SHA-1 in them, would be offered in their place."""
    [profile] = read_profiles(ADDRESS)
    offered = profile.options
    assert tuple(name.decode() for name in offered.kex_algs) == KEX
    assert tuple(name.decode() for name in offered.encryption_algs) == CIPHERS
    assert tuple(name.decode() for name in offered.mac_algs) == MACS
    assert tuple(name.decode() for name in offered.signature_algs) == SIGNATURES
    assert offered.compression_algs == [b"none"]


GARBAGE = "\x00 nothing that can be read"
UNSET = ("agent_path", "agent_identities", "agent_forward_path", "pkcs11_provider", "proxy_command", "tunnel", "x509_trusted_certs",
         "x509_trusted_cert_paths", "env", "send_env", "x11_forwarding", "gss_host", "command")
PLANTED = {
    "configuration": (".ssh/config", "Host *\n Port 2222\n User eve\n ProxyCommand nc eve 22\n KexAlgorithms diffie-hellman-group1-sha1\n"),
    "authorities": (".ssh/ca-bundle.crt", GARBAGE),
    "folder of authorities": (".ssh/crt", GARBAGE),
    "host keys": (".ssh/known_hosts", GARBAGE),
    "a key": (".ssh/id_ed25519", GARBAGE),
    "a certificate": (".ssh/id_ed25519-cert.pub", GARBAGE),
}


@pytest.mark.parametrize("what", PLANTED)
def test_nothing_is_taken_from_a_home(what, tmp_path, monkeypatch):
    """What lies in the home of the process could send a login elsewhere, or end every connection."""
    name, text = PLANTED[what]
    (tmp_path / ".ssh").mkdir()
    (tmp_path / name).write_text(text)
    monkeypatch.setenv("HOME", str(tmp_path))
    _require_as_named()


@pytest.mark.parametrize("name", ["SSH_AUTH_SOCK", "USER", "LOGNAME", "SSH_ASKPASS", "DISPLAY", "XAUTHORITY"])
def test_nothing_is_taken_from_the_environment(name, monkeypatch):
    """The agent of whoever started the controller would log in for everybody's Jobs."""
    monkeypatch.setenv(name, "/tmp/eve")
    _require_as_named()


def _require_as_named():
    [profile] = read_profiles(ADDRESS)
    options = profile.options
    assert (options.host, options.port, options.username) == ("hpc", 22, "ann")
    assert [pair.public_data for pair in options.client_keys] == [KEY.public_data]
    assert [name for name in UNSET if getattr(options, name)] == []
    assert options.kex_algs[0].decode() == KEX[0]
