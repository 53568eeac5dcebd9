"""Keys that would take hours to open are refused before they are."""

import base64

import asyncssh
import pytest
from asyncssh.asn1 import ObjectIdentifier, der_encode

from fairlead.domain.cluster.address import Credentials
from fairlead.domain.errors import Unreadable
from fairlead.ssh.keys import read_key

KEY = asyncssh.generate_private_key("ssh-ed25519")


def openssh(rounds: int) -> bytes:
    """A key that asks for so many rounds, made without doing them."""
    text = KEY.export_private_key("openssh", passphrase="x", rounds=1, ignore_few_rounds=True)
    body = base64.b64decode(b"".join(text.split(b"\n")[1:-2]))
    place = body.index(b"bcrypt") + len(b"bcrypt") + 4 + 4 + 16
    assert body[place:place + 4] == (1).to_bytes(4, "big")
    body = body[:place] + rounds.to_bytes(4, "big") + body[place + 4:]
    return b"-----BEGIN OPENSSH PRIVATE KEY-----\n" + base64.encodebytes(body) + b"-----END OPENSSH PRIVATE KEY-----\n"


def pkcs8(iterations: int) -> bytes:
    """The same, as OpenSSL writes keys."""
    derivation = (ObjectIdentifier("1.2.840.113549.1.5.12"), (b"saltsalt", iterations))
    cipher = (ObjectIdentifier("2.16.840.1.101.3.4.1.42"), b"0" * 16)
    body = der_encode(((ObjectIdentifier("1.2.840.113549.1.5.13"), (derivation, cipher)), b"secret"))
    return b"-----BEGIN ENCRYPTED PRIVATE KEY-----\n" + base64.encodebytes(body) + b"-----END ENCRYPTED PRIVATE KEY-----\n"


@pytest.mark.parametrize(("text", "words"), [
    pytest.param(openssh(100_000), "asks for 100000 rounds", id="openssh"),
    pytest.param(openssh(2**32 - 1), "asks for 4294967295 rounds", id="openssh-most"),
    pytest.param(pkcs8(10**9), "asks for 1000000000 rounds", id="pkcs8"),
    pytest.param(openssh(100_000).replace(b"KEY-----\n", b"KEY-----\nComment: x\n", 1), "header lines", id="hidden-behind-a-header"),
    pytest.param(b"\x30\x82 -----BEGIN PRIVATE KEY----- -----END PRIVATE KEY-----", "does not begin with", id="der"),
    pytest.param(openssh(16) * 50, "bytes, and", id="too-long"),
])
def test_a_key_that_costs_too_much_is_refused_before_it_is_opened(text: bytes, words: str) -> None:
    """Else one Secret would hold the threads that everybody's keys are read in, for hours."""
    with pytest.raises(Unreadable, match=words):
        read_key(Credentials(text, b"x"))


def test_a_key_with_the_rounds_that_people_choose_is_read() -> None:
    """Else whoever is careful with his passphrase could not log in."""
    text = KEY.export_private_key("openssh", passphrase="x", rounds=64)
    assert read_key(Credentials(text, b"x")).fingerprint == KEY.get_fingerprint()
