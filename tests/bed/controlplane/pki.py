"""The keys and certificates of one control plane: its own authority, good for a few days."""

import base64
import datetime
import ipaddress
from dataclasses import dataclass
from pathlib import Path

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

VALID_DAYS = 30
_SERVER_NAMES = ("localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local")
_SERVER_ADDRESSES = ("127.0.0.1", "10.0.0.1")
_SIGNS_CERTIFICATES = x509.KeyUsage(
    key_cert_sign=True, crl_sign=True, digital_signature=False, content_commitment=False, key_encipherment=False,
    data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
)


@dataclass(frozen=True, slots=True)
class Identity:
    """A certificate and its private key, both PEM."""

    certificate: bytes
    key: bytes

    def write(self, folder: Path, name: str) -> None:
        """Writes `<name>.crt` and `<name>.key`, the key readable by root alone."""
        (folder / f"{name}.crt").write_bytes(self.certificate)
        write_private(folder / f"{name}.key", self.key)


class Authority:
    """A certificate authority that lives in memory; only what it signed is written."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "fairlead-bed")])
        builder = _builder(self._name, self._name, self._key.public_key())
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        builder = builder.add_extension(_SIGNS_CERTIFICATES, critical=True)  # Python 3.13 refuses an authority that lacks this
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False)
        self.certificate = builder.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM)

    def server(self, *others: str) -> Identity:
        """A certificate for the API server on loopback, and at other addresses."""
        names = [x509.DNSName(name) for name in _SERVER_NAMES]
        addresses = [x509.IPAddress(ipaddress.ip_address(address)) for address in (*_SERVER_ADDRESSES, *others)]
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kube-apiserver")])
        return self._sign(subject, x509.SubjectAlternativeName([*names, *addresses]), ExtendedKeyUsageOID.SERVER_AUTH)

    def client(self, user: str, *groups: str) -> Identity:
        """A certificate that the API server takes for a user in groups (common name and organizations)."""
        parts = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
        subject = x509.Name([*parts, x509.NameAttribute(NameOID.COMMON_NAME, user)])
        return self._sign(subject, None, ExtendedKeyUsageOID.CLIENT_AUTH)

    def _sign(self, subject: x509.Name, names: x509.SubjectAlternativeName | None, usage: x509.ObjectIdentifier) -> Identity:
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(subject, self._name, key.public_key())
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        builder = builder.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        if names is not None:
            builder = builder.add_extension(names, critical=False)
        return Identity(builder.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM), private_pem(key))


def signing_key() -> bytes:
    """A key that the API server signs service account tokens with."""
    return private_pem(ec.generate_private_key(ec.SECP256R1()))


def private_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """A private key as PEM in the form that Go's programs read for every purpose."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())


def write_private(path: Path, content: bytes) -> None:
    """Writes a file that only its owner may read, from its first byte on."""
    path.touch(mode=0o600)
    path.write_bytes(content)


def kubeconfig(url: str, authority: bytes, identity: Identity) -> bytes:
    """A kubeconfig with everything in it, so that the file may be copied."""
    def data(pem: bytes) -> str:
        return base64.b64encode(pem).decode()

    user = {"client-certificate-data": data(identity.certificate), "client-key-data": data(identity.key)}
    document = {
        "apiVersion": "v1", "kind": "Config", "current-context": "bed",
        "clusters": [{"name": "bed", "cluster": {"server": url, "certificate-authority-data": data(authority)}}],
        "users": [{"name": "bed", "user": user}],
        "contexts": [{"name": "bed", "context": {"cluster": "bed", "user": "bed"}}],
    }
    return str(yaml.safe_dump(document)).encode()


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key).serial_number(x509.random_serial_number())
    return builder.not_valid_before(now - datetime.timedelta(hours=1)).not_valid_after(now + datetime.timedelta(days=VALID_DAYS))


def user_kubeconfig(folder: Path, url: str, authority: Authority, user: str, *groups: str) -> Path:
    """Write a user's kubeconfig into a folder, in the place of an earlier one; its path."""
    path = folder / f"{user.replace('/', '_')}.kubeconfig"
    path.unlink(missing_ok=True)
    write_private(path, kubeconfig(url, authority.certificate, authority.client(user, *groups)))
    return path
