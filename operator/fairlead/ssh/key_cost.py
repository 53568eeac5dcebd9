"""What a private key would cost to open and to use, told from what of it lies open: a key may ask for hours of our time."""

import binascii
import re
import struct
from typing import Final

import asyncssh
from asyncssh.asn1 import ASN1DecodeError, der_decode

from fairlead.domain.errors import Unreadable

TEXT_BYTES: Final = 16384
"""Of a whole key file; one of RSA with 8,192 bits has 7,000."""
BCRYPT_ROUNDS: Final = 256
"""ssh-keygen takes 16 or 24, and whatever -a says; each costs 10 to 30 ms of a core."""
ITERATIONS: Final = 1_000_000
"""Of PKCS #8; OpenSSL takes 2,048. A million cost about a second."""
RSA_BITS: Final = 8192
"""A signature with so many costs 50 to 100 ms, in which nothing else is done."""

_BLOCK: Final = re.compile(rb"-----BEGIN ([A-Z0-9 ]*)PRIVATE KEY-----(.*?)-----END ", re.DOTALL)


def refuse_what_costs_too_much(text: bytes) -> None:
    """Look at a key's text before it is opened. Raises `Unreadable`; no sentence holds any of it."""
    if len(text) > TEXT_BYTES:
        raise Unreadable(f"ssh-privatekey has {len(text)} bytes, and {TEXT_BYTES} are the most that is read: put one private key there")
    if not text.startswith(b"-----BEGIN "):
        raise Unreadable("ssh-privatekey does not begin with `-----BEGIN ... PRIVATE KEY-----`: put nothing before the key")
    for kind, body in _BLOCK.findall(text):
        if kind in {b"OPENSSH ", b"ENCRYPTED "}:
            if b":" in body or b"\\" in body:
                raise Unreadable("ssh-privatekey has header lines, which a key of this format never has: put the key's file there as it is")
            rounds, most = (_bcrypt_rounds(body), BCRYPT_ROUNDS) if kind == b"OPENSSH " else (_iterations(body), ITERATIONS)
            if rounds > most:
                raise Unreadable(f"ssh-privatekey asks for {rounds} rounds to be opened, and {most} are the most that is done: "
                                 f"`ssh-keygen -p -a 64 -f KEY` writes it anew with 64")


def refuse_what_signs_too_slowly(key: asyncssh.SSHKey) -> None:
    """Look at a key that was opened. Raises `Unreadable`."""
    if key.get_algorithm() == "ssh-rsa":
        numbers = _strings(key.public_data)
        if len(numbers) == 3 and len(numbers[2]) > RSA_BITS // 8 + 1:
            raise Unreadable(f"ssh-privatekey is an RSA key of more than {RSA_BITS} bits: use a smaller one, or ed25519")


def _bcrypt_rounds(body: bytes) -> int:
    """Of an OpenSSH key: magic, cipher, derivation, its salt and rounds. 0 if it has none, or is none: whoever opens it says so."""
    try:
        _, derivation, options = _strings(binascii.a2b_base64(body).removeprefix(b"openssh-key-v1\0"), 3)
        _, rounds = _strings(options, 1)[0], options[-4:]
    except (binascii.Error, ValueError, IndexError):
        return 0
    return int(struct.unpack(">I", rounds)[0]) if derivation == b"bcrypt" else 0


def _iterations(body: bytes) -> int:
    """Of an encrypted PKCS #8 key: the greatest number in the parameters of its derivation and cipher."""
    try:
        decoded = der_decode(binascii.a2b_base64(body))
    except (binascii.Error, ASN1DecodeError):
        return 0
    return _greatest(decoded[0]) if isinstance(decoded, tuple) and decoded else 0


def _greatest(value: object) -> int:
    if isinstance(value, tuple):
        return max(map(_greatest, value), default=0)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _strings(data: bytes, most: int = 8) -> list[bytes]:
    """The first strings of SSH's wire format in `data`, each behind its length."""
    found: list[bytes] = []
    while data and len(found) < most:
        (length,) = struct.unpack(">I", data[:4])
        found.append(data[4:4 + length])
        data = data[4 + length:]
    return found
