"""Pinned host keys: what is accepted as a pin, which key is asked for, and nothing unseen is trusted."""

import base64
import hashlib
import hmac
import time

import asyncssh
import pytest

from fairlead.api.v1alpha1.reasons import ClusterReason
from fairlead.domain.cluster.address import HostKeys
from fairlead.domain.errors import Unreadable
from fairlead.ssh.algorithms import HOST_CERTIFICATES
from fairlead.ssh.hostkeys import read_host_keys

ED25519, ECDSA, RSA = (asyncssh.generate_private_key(name) for name in ("ssh-ed25519", "ecdsa-sha2-nistp256", "ssh-rsa"))
LINE = {key: f"login.example.org {key.export_public_key().decode().strip()}" for key in (ED25519, ECDSA, RSA)}
NOTHING: frozenset[str] = frozenset()

REFUSED = {
    "nothing": (HostKeys(), "give either"),
    "white space only": (HostKeys(" \n"), "give either"),
    "both": (HostKeys(LINE[RSA], (RSA.get_fingerprint(),)), "not both"),
    "comments only": (HostKeys("# none yet\n\n"), "comments only"),
    "a key without its host": (HostKeys(f"# mine\n{ED25519.export_public_key().decode()}"), "line 2 .* is not `host type key`"),
    "a cut key": (HostKeys(LINE[ED25519][:60]), "line 1 .* is not"),
    "one word": (HostKeys("login.example.org"), "line 1 .* is not"),
    "an unknown mark": (HostKeys(f"@trusted {LINE[RSA]}"), "line 1 .* is not"),
    "an MD5 fingerprint": (HostKeys(fingerprints=("MD5:00:11",)), "`MD5:00:11` is not a fingerprint"),
    "a short fingerprint": (HostKeys(fingerprints=("SHA256:abc",)), "is not a fingerprint"),
}


@pytest.mark.parametrize(("host_keys", "words"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_pin_is_refused_before_any_connection(host_keys, words):
    with pytest.raises(Unreadable, match=words) as failure:
        read_host_keys(host_keys, "login.example.org", 22)
    assert failure.value.reason is ClusterReason.HOST_KEYS_INVALID
    assert "spec.hostKeys" in str(failure.value)


@pytest.mark.parametrize("text", ["{}", "{}\r\n", "# site\r\n\r\n{} a comment\r\n", "  {}"],
                         ids=["plain", "Windows line ends", "among comments", "indented"])
def test_known_hosts_text_is_read_as_people_paste_it(text):
    assert "seen" in str(read_host_keys(HostKeys(text.format(LINE[ED25519])), "login.example.org", 22).refusal("192.0.2.1", RSA, ""))


@pytest.mark.parametrize(("name", "port"), [("login.example.org", 22), ("login.example.org", 2222), ("other.example.org", 22)])
def test_a_pin_with_another_key_is_a_mismatch_and_a_host_without_pin_is_unknown(name, port):
    pins = read_host_keys(HostKeys(f"login.example.org {LINE[ED25519].split(None, 1)[1]}"), name, port)
    expected = ClusterReason.HOST_KEY_UNKNOWN if name.startswith("other") else ClusterReason.HOST_KEY_MISMATCH
    assert pins.refusal("192.0.2.1", RSA, "").reason is expected


@pytest.mark.parametrize(("line", "first"), [(ED25519, "ssh-ed25519"), (ECDSA, "ecdsa-sha2-nistp256"), (RSA, "rsa-sha2-512")],
                         ids=["ed25519", "ecdsa", "rsa"])
def test_the_pinned_type_is_asked_for_first_and_the_others_after_it_so_that_a_changed_key_is_seen(line, first):
    algorithms = read_host_keys(HostKeys(LINE[line]), "login.example.org", 22).algorithms("192.0.2.1", NOTHING)
    assert algorithms[0] == first
    assert len(algorithms) == 6


def test_a_pin_by_address_counts():
    pins = read_host_keys(HostKeys(f"192.0.2.1 {LINE[RSA].split(None, 1)[1]}"), "login.example.org", 22)
    assert pins.algorithms("192.0.2.1", NOTHING)[0] == "rsa-sha2-512"


def test_with_fingerprints_every_type_is_asked_for_once():
    pins = read_host_keys(HostKeys(fingerprints=(RSA.get_fingerprint() + "=",)), "login.example.org", 22)
    assert pins.algorithms("192.0.2.1", NOTHING)[0] == "ssh-ed25519"
    assert pins.algorithms("192.0.2.1", frozenset({"ssh-ed25519"}))[0] == "ecdsa-sha2-nistp256"
    assert pins.trusts(RSA)
    assert not pins.trusts(ED25519)


def test_with_known_hosts_no_key_is_trusted_by_its_fingerprint():
    assert not read_host_keys(HostKeys(LINE[RSA]), "login.example.org", 22).trusts(RSA)


def test_a_certificate_is_asked_for_only_where_an_authority_is_pinned():
    plain, signed = (read_host_keys(HostKeys(mark + LINE[ED25519]), "login.example.org", 22) for mark in ("", "@cert-authority "))
    assert not set(plain.algorithms("192.0.2.1", NOTHING)) & set(HOST_CERTIFICATES)
    assert tuple(signed.algorithms("192.0.2.1", NOTHING)[:len(HOST_CERTIFICATES)]) == HOST_CERTIFICATES


def test_signatures_with_sha_1_are_never_asked_for():
    assert "ssh-rsa" not in read_host_keys(HostKeys(LINE[RSA]), "login.example.org", 22).algorithms("192.0.2.1", NOTHING)


def blob(kind: str) -> str:
    """A whole key of a kind that nobody knows here."""
    return f"{kind} {base64.b64encode(len(kind).to_bytes(4, 'big') + kind.encode() + bytes(64)).decode()}"


def hashed(name: str) -> str:
    """As `ssh-keygen -H` writes a name."""
    salt = bytes(range(20))
    words = (base64.b64encode(each).decode() for each in (salt, hmac.new(salt, name.encode(), hashlib.sha1).digest()))
    return "|".join(("", "1", *words))


KEY = LINE[ED25519].split(None, 1)[1]
SCANNED = "# login.example.org:22 SSH-2.0-OpenSSH_9.2\n"
ACCEPTED = {
    "as ssh-keyscan prints it": (f"{SCANNED}{SCANNED}{LINE[ED25519]}", 22),
    "in capitals": (f"Login.Example.ORG {KEY}", 22),
    "with the usual port": (f"[login.example.org]:22,192.0.2.9 {KEY}", 22),
    "with another port": (f"[login.example.org]:2222 {KEY}", 2222),
    "several names": (f"other.example.org,login.example.org {KEY}", 22),
    "a pattern": (f"!bad.example.org,*.example.org {KEY}", 22),
    "a pattern in capitals with a port": (f"[*.Example.org]:2222 {KEY}", 2222),
    "hashed": (f"{hashed('login.example.org')} {KEY}", 22),
    "hashed with its port": (f"{hashed('[login.example.org]:2222')} {KEY}", 2222),
    "beside a key of a kind that comes later": (f"login.example.org {blob('ssh-mldsa65@example.org')}\n{LINE[ED25519]}", 22),
    "beside a key of SSH 1": (f"login.example.org 1024 35 {'1' * 309}\n{LINE[ED25519]}", 22),
    "with a byte-order mark": (f"\ufeff# mine\n{LINE[ED25519]}", 22),
    "with tabs and comments": (f"\tlogin.example.org\t{KEY.replace(' ', chr(9), 1)}   ann@laptop, 2024 \r\n", 22),
    "beside a revoked one": (f"@revoked * {LINE[RSA].split(None, 1)[1]}\n{LINE[ED25519]}", 22),
}


@pytest.mark.parametrize(("text", "port"), ACCEPTED.values(), ids=ACCEPTED)
@pytest.mark.parametrize("name", ["login.example.org", "LOGIN.example.org"])
def test_what_openssh_takes_for_a_pin_is_one(text, port, name):
    """Else a line that `ssh` goes by would leave a Cluster with an unknown host key."""
    pins = read_host_keys(HostKeys(text), name, port)
    assert pins.algorithms("192.0.2.1", NOTHING)[0] == "ssh-ed25519"
    listed = pins.known_hosts.match(name, "192.0.2.1", port if port != 22 else None)
    assert [key.get_fingerprint() for key in listed[0]] == [ED25519.get_fingerprint()]


def test_keys_of_unknown_kinds_alone_are_no_pin():
    with pytest.raises(Unreadable, match="kinds that are not known"):
        read_host_keys(HostKeys(f"login.example.org {blob('ssh-mldsa65@example.org')}"), "login.example.org", 22)


@pytest.mark.parametrize("text", ["[" * 1_000_000, "[" * 500_000 + " ssh-ed25519 AAAA", "h 1024 35 " + "1" * 1_000_000],
                         ids=["one word", "a name", "a number"])
def test_a_text_that_is_long_and_no_pin_is_refused_at_once(text):
    """Whoever may write a Cluster would hold up all others."""
    began = time.thread_time()
    with pytest.raises(Unreadable):
        read_host_keys(HostKeys(text), "login.example.org", 22)
    assert time.thread_time() - began < 1
