"""A kubeconfig that works with kubectl must work here, and one that cannot must say what to change."""

import base64
import json
import ssl
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from fairlead.domain.errors import Unavailable, Unreadable
from fairlead.kube.kubeconfig import from_kubeconfig, in_cluster


def pair() -> tuple[str, str]:
    """A self-signed certificate and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(now).not_valid_after(now + timedelta(days=1)).sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return certificate.public_bytes(pem).decode(), secret.decode()


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def write(folder: Path, *, cluster: dict[str, Any] | None = None, user: dict[str, Any] | None = None, **changes: Any) -> Path:
    config = {
        "current-context": "here",
        "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u", "namespace": "science"}},
                     {"name": "there", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": "https://api.example.org:6443/"} | (cluster or {})}],
        "users": [{"name": "u", "user": user or {}}],
    } | changes
    path = folder / "config"
    path.write_text(yaml.safe_dump(config))
    return path


def test_certificates_inside_the_file(tmp_path: Path) -> None:
    certificate, key = pair()
    user = {"client-certificate-data": b64(certificate), "client-key-data": b64(key)}
    access = from_kubeconfig(write(tmp_path, cluster={"certificate-authority-data": b64(certificate)}, user=user))
    assert (access.server, access.namespace, access.verify) == ("https://api.example.org:6443", "science", True)
    assert access.ssl_context().verify_mode == ssl.CERT_REQUIRED
    assert "PRIVATE KEY" not in repr(access)


def test_certificates_in_files_beside_it(tmp_path: Path) -> None:
    certificate, key = pair()
    (tmp_path / "ca.crt").write_text(certificate)
    (tmp_path / "u.crt").write_text(certificate)
    (tmp_path / "u.key").write_text(key)
    user = {"client-certificate": "u.crt", "client-key": "u.key"}
    access = from_kubeconfig(write(tmp_path, cluster={"certificate-authority": "ca.crt"}, user=user))
    assert (access.ca_pem, access.certificate_pem, access.key_pem) == (certificate, certificate, key)


async def test_another_context_by_name(tmp_path: Path) -> None:
    access = from_kubeconfig(write(tmp_path, user={"token": "s3cret"}), "there")
    assert access.namespace == "default"
    assert await access.tokens.current() == "s3cret"
    assert "s3cret" not in repr(access)


def test_a_server_that_is_not_verified(tmp_path: Path) -> None:
    access = from_kubeconfig(write(tmp_path, cluster={"insecure-skip-tls-verify": True}))
    assert access.ssl_context().verify_mode == ssl.CERT_NONE


@pytest.mark.parametrize(("changes", "says"), [
    ({"current-context": ""}, "no current-context"),
    ({"current-context": "nowhere"}, "no context 'nowhere'"),
    ({"clusters": None}, "no cluster 'c'"),
    ({"users": [{"name": "other", "user": {}}]}, "no user 'u'"),
    ({"clusters": [{"name": "c", "cluster": {}}]}, "names no server"),
    ({"user": {"client-key-data": "%%%"}}, "client-key cannot be read"),
    ({"user": {"client-key": "missing.key"}}, "client-key cannot be read"),
    ({"user": {"auth-provider": {"name": "gcp"}}}, "use exec"),
], ids=lambda value: value if isinstance(value, str) else "")
def test_what_cannot_be_used_is_said(tmp_path: Path, changes: dict[str, Any], says: str) -> None:
    with pytest.raises(Unreadable, match=says):
        from_kubeconfig(write(tmp_path, **changes))


@pytest.mark.parametrize("text", ["", "- a", "a: [", "\x00"])
def test_a_file_that_is_no_kubeconfig_is_said(tmp_path: Path, text: str) -> None:
    (tmp_path / "config").write_text(text)
    with pytest.raises(Unreadable, match="The kubeconfig"):
        from_kubeconfig(tmp_path / "config")


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="No such file"):
        from_kubeconfig(tmp_path / "config")


def test_a_key_that_is_not_the_certificates_is_said(tmp_path: Path) -> None:
    user = {"client-certificate-data": b64(pair()[0]), "client-key-data": b64(pair()[1])}
    with pytest.raises(Unreadable, match=r"certificates for https://api\.example\.org:6443"):
        from_kubeconfig(write(tmp_path, user=user)).ssl_context()


async def test_a_pods_service_account_whose_token_is_renewed(tmp_path: Path) -> None:
    for name, text in {"ca.crt": pair()[0], "namespace": "fairlead-system\n", "token": "first\n"}.items():
        (tmp_path / name).write_text(text)
    access = in_cluster(tmp_path, {})
    assert (access.server, access.namespace) == ("https://kubernetes.default.svc", "fairlead-system")
    assert await access.tokens.current() == "first"
    (tmp_path / "token").write_text("second")
    assert access.tokens.forget()
    assert await access.tokens.current() == "second"


@pytest.mark.parametrize(("environment", "server"), [
    ({"KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBERNETES_SERVICE_PORT": "443"}, "https://10.0.0.1:443"),
    ({"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "6443"}, "https://[fd00::1]:6443"),
    ({"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, "https://kubernetes.default.svc"),
    ({}, "https://kubernetes.default.svc"),
], ids=["v4", "v6", "half", "none"])
def test_the_api_server_of_a_pod_is_where_the_kubelet_says(tmp_path: Path, environment: dict[str, str], server: str) -> None:
    """Else a pod on the host's network, which does not ask the cluster's DNS, would find no API server."""
    for name in ("ca.crt", "namespace", "token"):
        (tmp_path / name).write_text("x")
    assert in_cluster(tmp_path, environment).server == server


def test_outside_a_pod_a_kubeconfig_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="name a kubeconfig"):
        in_cluster(tmp_path / "none")


def program(folder: Path, script: str) -> dict[str, Any]:
    path = folder / "credential"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return {"exec": {"command": "./credential", "args": ["get"], "env": [{"name": "SUFFIX", "value": "x y"}], "apiVersion": "v1"}}


async def test_a_credential_program_is_asked_once_until_its_token_expires(tmp_path: Path) -> None:
    until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    answer = json.dumps({"status": {"token": "T", "expirationTimestamp": until}})
    script = f"""echo "$1 $SUFFIX ${{KUBERNETES_EXEC_INFO:+told}}" >> {tmp_path}/calls; echo '{answer}'"""
    tokens = from_kubeconfig(write(tmp_path, user=program(tmp_path, script))).tokens
    assert [await tokens.current(), await tokens.current()] == ["T", "T"]
    assert (tmp_path / "calls").read_text() == "get x y told\n"
    assert tokens.forget()
    await tokens.current()
    assert (tmp_path / "calls").read_text().count("told") == 2


@pytest.mark.parametrize("script", ["exit 1", "echo no", "echo '{}'", "echo '[]'", """echo '{"status":{}}'"""])
async def test_a_credential_program_that_gives_none_is_named(tmp_path: Path, script: str) -> None:
    tokens = from_kubeconfig(write(tmp_path, user=program(tmp_path, script))).tokens
    with pytest.raises(Unavailable, match="credential"):
        await tokens.current()


async def test_a_credential_program_that_is_missing_is_named(tmp_path: Path) -> None:
    tokens = from_kubeconfig(write(tmp_path, user={"exec": {"command": "no-such-program"}})).tokens
    with pytest.raises(Unavailable, match="no-such-program"):
        await tokens.current()
