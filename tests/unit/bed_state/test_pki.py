"""What a control plane's certificates let whom do."""

import base64

import yaml
from cryptography import x509
from cryptography.x509.oid import NameOID
from cryptography.x509.verification import PolicyBuilder, Store

from bed.controlplane import pki


def test_a_client_is_verified_by_its_authority_as_user_in_groups() -> None:
    """Every request would be refused, or be somebody else's."""
    authority = pki.Authority()
    client = x509.load_pem_x509_certificate(authority.client("jane", "people", "testers").certificate)
    named = {attribute.value for attribute in client.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)}
    assert named == {"people", "testers"}
    assert [attribute.value for attribute in client.subject.get_attributes_for_oid(NameOID.COMMON_NAME)] == ["jane"]
    client.verify_directly_issued_by(x509.load_pem_x509_certificate(authority.certificate))


def test_the_server_is_verified_by_strict_clients() -> None:
    """Newer versions of Python, which check more, would not connect."""
    authority = pki.Authority()
    verifier = PolicyBuilder().store(Store([x509.load_pem_x509_certificate(authority.certificate)]))
    server = x509.load_pem_x509_certificate(authority.server().certificate)
    assert len(verifier.build_server_verifier(x509.DNSName("localhost")).verify(server, [])) == 2


def test_a_kubeconfig_holds_everything_itself() -> None:
    """A copied file would point to keys that are gone."""
    authority = pki.Authority()
    jane = authority.client("jane")
    document = yaml.safe_load(pki.kubeconfig("https://127.0.0.1:1", authority.certificate, jane))
    user = document["users"][0]["user"]
    assert base64.b64decode(user["client-key-data"]) == jane.key
    assert base64.b64decode(document["clusters"][0]["cluster"]["certificate-authority-data"]) == authority.certificate
