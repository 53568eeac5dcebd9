"""Private keys as people put them into Secrets: a mistake is named, and no sentence holds any of the key."""

import base64
import json
import struct
import time

import asyncssh
import pytest

from fairlead.api.v1alpha1.reasons import ClusterReason
from fairlead.domain.cluster.address import Credentials
from fairlead.domain.errors import Unreadable
from fairlead.ssh.keys import read_key

KEY = asyncssh.generate_private_key("ssh-ed25519")
TEXT = KEY.export_private_key("openssh")
RSA = asyncssh.generate_private_key("ssh-rsa", key_size=2048)
LOCKED = {form: KEY.export_private_key(form, passphrase="open sesame", **options)
          for form, options in {"openssh": {"rounds": 50}, "pkcs8-pem": {}}.items()}
LOCKED["pkcs1-pem"] = RSA.export_private_key("pkcs1-pem", passphrase="open sesame")
PUBLIC = KEY.export_public_key()



def on_a_token() -> bytes:
    """As `ssh-keygen -t ed25519-sk` writes a key that never leaves its token."""
    def text(*each: bytes) -> bytes:
        return b"".join(struct.pack(">I", len(part)) + part for part in each)

    public = text(b"sk-ssh-ed25519@openssh.com", bytes(32), b"ssh:")
    private = bytes(8) + public + b"\1" + text(b"handle", b"", b"ann@laptop")
    private += bytes(range(1, 1 - len(private) % 8 + 8)) if len(private) % 8 else b""
    body = b"openssh-key-v1\0" + text(b"none", b"none", b"") + struct.pack(">I", 1) + text(public, private)
    return b"-----BEGIN OPENSSH PRIVATE KEY-----\n" + base64.encodebytes(body) + b"-----END OPENSSH PRIVATE KEY-----\n"


READABLE = {
    "as ssh-keygen writes it": TEXT,
    "with Windows line ends": TEXT.replace(b"\n", b"\r\n"),
    "with the line ends of old Macs": TEXT.replace(b"\n", b"\r"),
    "without its last newline": TEXT.rstrip(b"\n"),
    "with empty lines around": b"\n\n" + TEXT + b"\n  \n",
    "with a byte-order mark": b"\xef\xbb\xbf" + TEXT,
    "in PKCS 8": KEY.export_private_key("pkcs8-pem"),
    "indented, as in a manifest": b"".join(b"    " + line + b"\n" for line in TEXT.splitlines()),
    "with space behind each line": TEXT.replace(b"\n", b"  \n"),
    "with an empty line behind each": TEXT.replace(b"\n", b"\n\n"),
    "folded into one line": TEXT.replace(b"\n", b" "),
    "in one line, with \\n for its newlines": TEXT.replace(b"\n", b"\\n"),
    "as a string of JSON": json.dumps(TEXT.decode()).encode(),
    "in quotes": b"'" + TEXT.strip() + b"'",
    "as PowerShell writes it": TEXT.decode().encode("utf-16"),
}

UNREADABLE = {
    "empty": (b"", "is empty"),
    "blank": (b" \r\n ", "is empty"),
    "a public key": (PUBLIC, "holds a public key"),
    "a public key in RFC 4716": (KEY.export_public_key("rfc4716"), "holds a public key"),
    "a public key in PEM": (KEY.export_public_key("pkcs8-pem"), "holds a public key"),
    "an RSA public key": (RSA.export_public_key(), "holds a public key"),
    "a PuTTY key": (b"PuTTY-User-Key-File-3: ssh-ed25519\n", "PuTTY"),
    "encoded twice": (base64.encodebytes(TEXT), "encoded twice"),
    "a key on a security token": (on_a_token(), "security token"),
    "a DSA key": (asyncssh.generate_private_key("ssh-dss").export_private_key("openssh"), "is a DSA key"),
    "a key of ssh.com": (b"---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\nAAAA\n---- END SSH2 ENCRYPTED PRIVATE KEY ----\n", "ssh.com"),
    "an X.509 certificate": (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "X.509"),
    "without its first and last line": (b"\n".join(TEXT.splitlines()[1:-1]), "lacks its first line"),
    "with its bag's attributes before it": (b"Bag Attributes\n" + KEY.export_private_key("pkcs8-pem"), "nothing before"),
    "some other text": (b"hello", "is not a private key"),
    "binary": (bytes(range(256)), "is not a private key"),
    "cut at its end": (TEXT[:200], "is cut"),
    "cut in the middle": (TEXT[:120] + TEXT[200:], "cannot be read as a private key"),
    "a placeholder": (b"-----BEGIN OPENSSH PRIVATE KEY-----\n...\n-----END OPENSSH PRIVATE KEY-----\n", "cannot be read as a private key"),
}


@pytest.mark.parametrize("text", READABLE.values(), ids=READABLE)
def test_a_key_whose_content_is_unambiguous_is_read(text):
    key = read_key(Credentials(text))
    assert str(key) == f"ssh-ed25519 {KEY.get_fingerprint()}"


@pytest.mark.parametrize(("text", "words"), UNREADABLE.values(), ids=UNREADABLE)
def test_what_is_no_key_is_named_for_what_it_is(text, words):
    with pytest.raises(Unreadable, match=words) as failure:
        read_key(Credentials(text))
    assert failure.value.reason is ClusterReason.SECRET_INVALID
    assert "ssh-privatekey" in str(failure.value)
    assert not any(line.decode("latin-1") in str(failure.value) for line in TEXT.splitlines()[1:-1])


@pytest.mark.parametrize("form", LOCKED)
@pytest.mark.parametrize("passphrase", [b"open sesame", b"open sesame\n", b"open sesame\r\n"])
def test_a_locked_key_opens_with_its_passphrase_also_with_the_newline_of_a_file(form, passphrase):
    assert read_key(Credentials(LOCKED[form], passphrase)).fingerprint in {KEY.get_fingerprint(), RSA.get_fingerprint()}


@pytest.mark.parametrize("form", LOCKED)
@pytest.mark.parametrize("passphrase", [None, b""], ids=["no field", "an empty field"])
def test_a_locked_key_without_passphrase_says_which_field_is_missing(form, passphrase):
    with pytest.raises(Unreadable, match="has a passphrase: put it into the Secret's field `passphrase`") as failure:
        read_key(Credentials(LOCKED[form], passphrase))
    assert failure.value.reason is ClusterReason.PASSPHRASE_REQUIRED


@pytest.mark.parametrize("form", LOCKED)
def test_a_wrong_passphrase_is_said_to_be_wrong_and_not_repeated(form):
    with pytest.raises(Unreadable, match="does not open") as failure:
        read_key(Credentials(LOCKED[form], b"close sesame"))
    assert failure.value.reason is ClusterReason.PASSPHRASE_REQUIRED
    assert "close sesame" not in str(failure.value)


def test_a_passphrase_for_a_key_that_has_none_does_no_harm():
    assert read_key(Credentials(TEXT, b"open sesame")).algorithm == "ssh-ed25519"


def test_a_certificate_of_another_key_is_refused():
    other = asyncssh.generate_private_key("ssh-ed25519")
    certificate = other.generate_user_certificate(other, "test").export_certificate()
    with pytest.raises(Unreadable, match="belongs to another key"):
        read_key(Credentials(TEXT, certificate=certificate))


def test_a_certificate_that_is_none_is_refused():
    with pytest.raises(Unreadable, match="certificate cannot be read"):
        read_key(Credentials(TEXT, certificate=b"ssh-ed25519 AAAA"))


def test_neither_credentials_nor_key_show_a_secret_when_printed():
    credentials = Credentials(LOCKED["openssh"], b"open sesame")
    assert "sesame" not in f"{credentials} {credentials!r} {read_key(credentials)!r}"
    assert "PRIVATE" not in f"{credentials} {credentials!r} {read_key(credentials)!r}"


@pytest.mark.parametrize("text", [b"-----BEGIN A PRIVATE KEY-----" + b" " * 1_000_000, b"-----BEGIN A-----" * 60_000, b"\\n" * 500_000],
                         ids=["blanks", "begins", "newlines"])
def test_a_text_that_is_long_and_no_key_is_refused_at_once(text):
    """Whoever may write a Secret would hold up all Clusters of all others."""
    began = time.thread_time()
    with pytest.raises(Unreadable):
        read_key(Credentials(text))
    assert time.thread_time() - began < 1
