"""Which algorithms are offered to a login node, the best first. Named here one by one: a library's defaults change, and some are too old.

Each is among the defaults of OpenSSH 10's client (`man ssh_config`): no SHA-1 (RFC 9142, RFC 8332), no DSA, no CBC (CVE-2008-5161), no RC4
(RFC 8758), no compression. Not offered, though OpenSSH does: `diffie-hellman-group-exchange-sha256`, in which the other side chooses the
group, with the library from 1,024 bits on; group 14, which has 2,048 bits; and group 18, of which one exchange takes 35 ms of our CPU.

An sshd of OpenSSH 6.5 (2014) or newer shares curve25519-sha256, aes-gcm and ed25519 with this list. One that is restricted to less is
refused, and the Cluster's condition says what it offers.
"""

from typing import Final

from asyncssh.kex import get_kex_algs

_KEX: Final = (
    "mlkem768x25519-sha256",                # draft-ietf-sshm-mlkem-hybrid-kex; first in OpenSSH 10's list
    "sntrup761x25519-sha512",               # draft-ietf-sshm-ntruprime-ssh; first from OpenSSH 9.0 to 9.9. The library needs liboqs for it
    "sntrup761x25519-sha512@openssh.com",   # the same by its first name
    "curve25519-sha256",                    # RFC 8731; RFC 9142: should be implemented
    "curve25519-sha256@libssh.org",         # the same by its first name
    "ecdh-sha2-nistp256", "ecdh-sha2-nistp384", "ecdh-sha2-nistp521",   # RFC 5656; for sites that keep to FIPS 140
    "diffie-hellman-group16-sha512",        # RFC 8268, 4,096 bits; for sites that trust no curve
)
KEX: Final = tuple(name for name in _KEX if name.encode() in get_kex_algs())
"""Those that withstand a quantum computer come first: what is recorded now may be read then."""

CIPHERS: Final = (
    "aes128-gcm@openssh.com", "aes256-gcm@openssh.com",       # RFC 5647
    "chacha20-poly1305@openssh.com",                          # after AES-GCM: Terrapin (CVE-2023-48795) needs it, or CBC
    "aes128-ctr", "aes192-ctr", "aes256-ctr",                 # RFC 4344
)
"""The order is by cost, too: with AES instructions aes128-gcm carries half as much again as chacha20."""

MACS: Final = (
    "hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com",
    "hmac-sha2-256", "hmac-sha2-512",                         # RFC 6668
)
"""For the CTR ciphers alone: the others authenticate by themselves. No umac, which needs a library that may not be there."""

HOST_KEYS: Final[dict[str, tuple[str, ...]]] = {
    "ssh-ed25519": ("ssh-ed25519",),                          # RFC 8709
    "ecdsa-sha2-nistp256": ("ecdsa-sha2-nistp256",),          # RFC 5656
    "ecdsa-sha2-nistp384": ("ecdsa-sha2-nistp384",),
    "ecdsa-sha2-nistp521": ("ecdsa-sha2-nistp521",),
    "ssh-rsa": ("rsa-sha2-512", "rsa-sha2-256"),              # RFC 8332: the old key type, signed with SHA-2
}
"""Types of host keys, the cheapest first, with the signatures asked of each."""

HOST_CERTIFICATES: Final = tuple(f"{name}-cert-v01@openssh.com" for names in HOST_KEYS.values() for name in names)

SIGNATURES: Final = (
    *(name for names in HOST_KEYS.values() for name in names),
    "sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com",
)
"""With which our key signs, and with which an authority may have signed a certificate; the last two are of hardware keys."""
