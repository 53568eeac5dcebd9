"""Private keys as people put them into Secrets: read them where the content is unambiguous, else say exactly what is there instead."""

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass

import asyncssh
from asyncssh.public_key import CERT_TYPE_USER, SSHOpenSSHCertificate

from fairlead.api.v1alpha1.reasons import ClusterReason
from fairlead.api.v1alpha1.texts import one_line
from fairlead.domain.cluster.address import Credentials
from fairlead.domain.errors import Unreadable
from fairlead.ssh import pasted
from fairlead.ssh.key_cost import refuse_what_costs_too_much, refuse_what_signs_too_slowly

PUBLIC_KEY_STARTS = (b"ssh-", b"ecdsa-", b"sk-", b"---- BEGIN SSH2 PUBLIC KEY", b"-----BEGIN PUBLIC KEY", b"-----BEGIN RSA PUBLIC KEY")
PUTTY_START = b"PuTTY-User-Key-File"
SSH_COM_START = b"---- BEGIN SSH2 ENCRYPTED PRIVATE KEY"
X509_START = b"-----BEGIN CERTIFICATE-----"
BODY_START = b"b3BlbnNzaC1rZXktdjEA"   # base64 of `openssh-key-v1` and its NUL
TOKEN_START = "sk-"  # noqa: S105  as the names of algorithms begin whose keys are on a security token
OF_A_HOST = "Invalid certificate type"
LOCKED = "Passphrase must be specified"   # how asyncssh begins when none was given


@dataclass(frozen=True, slots=True)
class ClientKey:
    """A private key that was read, with its certificate if there is one, and what may be said of it in public."""

    key: asyncssh.SSHKey
    certificate: asyncssh.SSHCertificate | None
    algorithm: str                   # ssh-ed25519, ssh-rsa, ecdsa-sha2-nistp256 ...
    fingerprint: str                 # SHA256:..., as `ssh-keygen -l` prints it

    def __str__(self) -> str:
        return f"{self.algorithm} {self.fingerprint}" + (" with its certificate" if self.certificate else "")


def read_key(credentials: Credentials) -> ClientKey:
    """Read a Secret's private key, and its certificate if it has one. Slow for keys with a passphrase: call it in a thread.

    Line ends, indentation and the like count as `pasted` says. Raises `Unreadable` with SECRET_INVALID or PASSPHRASE_REQUIRED; no
    sentence holds any of the key's text.
    """
    text = pasted.lines(credentials.private_key)
    _refuse_what_is_no_private_key(text)
    refuse_what_costs_too_much(text)
    key = _import(text, credentials.passphrase)
    _refuse_what_cannot_log_in(key.get_algorithm())
    refuse_what_signs_too_slowly(key)
    certificate = _certificate(credentials.certificate, key) if credentials.certificate else None
    return ClientKey(key, certificate, key.get_algorithm(), key.get_fingerprint())


def _refuse_what_is_no_private_key(text: bytes) -> None:
    if not text.strip():
        raise Unreadable("ssh-privatekey is empty: put the private key's text into it")
    if text.startswith(PUBLIC_KEY_STARTS):
        raise Unreadable("ssh-privatekey holds a public key: put the private key there (the file without .pub)")
    if text.startswith(PUTTY_START):
        raise Unreadable("ssh-privatekey holds a PuTTY key: convert it with `puttygen KEY.ppk -O private-openssh -o KEY` and use that")
    if text.startswith(SSH_COM_START):
        raise Unreadable("ssh-privatekey holds a key in the format of ssh.com: convert it with `ssh-keygen -i -f KEY` and use that")
    if text.startswith(X509_START):
        raise Unreadable("ssh-privatekey holds an X.509 certificate: put the private key there")
    if text.startswith(BODY_START):
        raise Unreadable("ssh-privatekey lacks its first line `-----BEGIN OPENSSH PRIVATE KEY-----`: put the whole file there")
    if _is_encoded_twice(text):
        raise Unreadable("ssh-privatekey is base64 of a key: it was encoded twice; put the key's text into stringData, or encode it once")
    if b"PRIVATE KEY-----" not in text:
        raise Unreadable("ssh-privatekey is not a private key: one begins with `-----BEGIN OPENSSH PRIVATE KEY-----` or the like")
    if b"-----END " not in text:
        raise Unreadable("ssh-privatekey is cut: its last line `-----END ... PRIVATE KEY-----` is missing")


def _is_encoded_twice(text: bytes) -> bool:
    try:
        return b"PRIVATE KEY-----" in base64.b64decode(b"".join(text.split()), validate=True)
    except binascii.Error:
        return False


def _refuse_what_cannot_log_in(algorithm: str) -> None:
    if algorithm.startswith(TOKEN_START):
        raise Unreadable("ssh-privatekey is for a key on a security token (FIDO), which somebody has to touch at each login: use "
                         "one in a file, such as `ssh-keygen -t ed25519` makes")
    if algorithm == "ssh-dss":
        raise Unreadable("ssh-privatekey is a DSA key, which sshd has refused for years: make another one with `ssh-keygen -t ed25519`")


def _import(text: bytes, passphrase: bytes | None) -> asyncssh.SSHKey:
    failure: Exception | None = None
    for attempt in _passphrases(passphrase):
        try:
            return asyncssh.import_private_key(text, attempt)
        except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError) as error:
            failure = error
    locked = _is_locked(text)
    if locked and not passphrase:
        raise Unreadable("ssh-privatekey has a passphrase: put it into the Secret's field `passphrase`",
                         ClusterReason.PASSPHRASE_REQUIRED) from failure
    if locked:
        raise Unreadable("ssh-privatekey does not open with the Secret's field `passphrase`: that is wrong, or the key is damaged",
                         ClusterReason.PASSPHRASE_REQUIRED) from failure
    raise Unreadable(f"ssh-privatekey cannot be read as a private key ({one_line(str(failure))}): try `ssh-keygen -yf KEY`") from failure


def _is_locked(text: bytes) -> bool:
    try:
        asyncssh.import_private_key(text)
    except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError) as error:
        return str(error).startswith(LOCKED)
    return False


def _passphrases(passphrase: bytes | None) -> Iterator[bytes | None]:
    """The passphrase as it is, then without the newline that `kubectl create secret --from-file` takes along."""
    yield passphrase or None
    if passphrase and passphrase.endswith(b"\n"):
        yield passphrase.rstrip(b"\r\n")


def _certificate(text: bytes, key: asyncssh.SSHKey) -> asyncssh.SSHCertificate:
    try:
        certificate = asyncssh.import_certificate(pasted.lines(text))
    except asyncssh.KeyImportError as error:
        raise Unreadable(f"certificate cannot be read ({one_line(str(error))}): it should be the one line of a *-cert.pub file") from error
    if certificate.key.public_data != key.public_data:
        raise Unreadable("certificate belongs to another key than ssh-privatekey")
    if doubt(certificate) == OF_A_HOST:
        raise Unreadable("certificate is one for a host: put the one that was signed for the user there")
    return certificate


def doubt(certificate: asyncssh.SSHCertificate) -> str:
    """What makes a server refuse a user's certificate, by our clock: in asyncssh's words, empty if nothing does."""
    if not isinstance(certificate, SSHOpenSSHCertificate):
        return ""
    try:
        certificate.validate(CERT_TYPE_USER, None)
    except ValueError as error:
        return str(error)
    return ""
