"""How to reach the API server and as whom: from a kubeconfig file, or from a pod's service account."""

import base64
import binascii
import os
import ssl
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from fairlead.domain.errors import Unreadable
from fairlead.kube.tokens import ExecToken, FileToken, FixedToken, TokenSource

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
"""Where Kubernetes mounts a pod's own credentials: token, ca.crt, namespace."""
IN_CLUSTER_SERVER = "https://kubernetes.default.svc"
"""The API server's name inside each cluster; it is in the server's certificate."""


@dataclass(frozen=True, slots=True)
class Access:
    """A server and what is needed to talk to it. Secrets are not printed."""

    server: str
    tokens: TokenSource
    ca_pem: str | None = None
    verify: bool = True
    server_name: str | None = None   # what the certificate must say, if not the host of `server`
    certificate_pem: str | None = None
    key_pem: str | None = field(default=None, repr=False)
    proxy_url: str | None = None
    namespace: str = "default"

    def ssl_context(self) -> ssl.SSLContext:
        """TLS as this access asks for it. Raises `Unreadable` for broken certificates."""
        try:
            context = ssl.create_default_context(cadata=self.ca_pem)
            # Go's verifier, which every cluster was tried with, does not ask for what X509_STRICT asks of a CA (Python 3.13 sets it)
            context.verify_flags &= ~ssl.VERIFY_X509_STRICT
            if self.certificate_pem and self.key_pem:
                _load_pair(context, f"{self.certificate_pem}\n{self.key_pem}\n")
        except ssl.SSLError as error:
            raise Unreadable(f"The certificates for {self.server} cannot be used: {error.reason or error}") from error
        if not self.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context


def _load_pair(context: ssl.SSLContext, pem: str) -> None:
    """Certificate and key for `context`, which reads only files: one without a name where the system has such, so that none can stay."""
    if hasattr(os, "memfd_create"):
        with os.fdopen(os.memfd_create("fairlead"), "w") as pair:
            pair.write(pem)
            pair.flush()
            context.load_cert_chain(f"/proc/self/fd/{pair.fileno()}")
        return
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as pair:  # mode 0600
        pair.write(pem)
        pair.flush()
        context.load_cert_chain(pair.name)


def in_cluster(folder: Path = SERVICE_ACCOUNT, environment: Mapping[str, str] = os.environ) -> Access:
    """Access by the pod's service account, whose token is read again as it is renewed. Raises `Unreadable` outside a pod."""
    try:
        ca_pem, namespace = (folder / "ca.crt").read_text(), (folder / "namespace").read_text().strip()
    except OSError as error:
        raise Unreadable(f"No service account in {folder} ({error.strerror}); outside a cluster name a kubeconfig") from error
    return Access(server=_server_in_pod(environment), tokens=FileToken(folder / "token"), ca_pem=ca_pem, namespace=namespace)


def _server_in_pod(environment: Mapping[str, str]) -> str:
    """Where the kubelet says that the API server is, as all clients have it: that works also for a pod without the cluster's DNS."""
    host, port = environment.get("KUBERNETES_SERVICE_HOST"), environment.get("KUBERNETES_SERVICE_PORT")
    if not (host and port):
        return IN_CLUSTER_SERVER
    return f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"


def from_kubeconfig(path: Path, context: str | None = None) -> Access:
    """Access as a kubeconfig's context says, its current one by default. Raises `Unreadable` with what is missing or not supported."""
    config = _Section(_parse(path), str(path))
    wanted = context or config.text("current-context")
    if not wanted:
        raise Unreadable(f"{path} has no current-context; name one of its contexts")
    chosen = config.named("contexts", wanted, "context")
    cluster = config.named("clusters", chosen.text("cluster") or "", "cluster")
    user = config.named("users", chosen.text("user") or "", "user")
    server = cluster.text("server")
    if not server:
        raise Unreadable(f"{cluster.where} names no server")
    return Access(
        server=server.rstrip("/"),
        tokens=_token_source(user, path.parent),
        ca_pem=cluster.pem("certificate-authority", path.parent),
        verify=not cluster.values.get("insecure-skip-tls-verify"),
        server_name=cluster.text("tls-server-name"),
        certificate_pem=user.pem("client-certificate", path.parent),
        key_pem=user.pem("client-key", path.parent),
        proxy_url=cluster.text("proxy-url"),
        namespace=chosen.text("namespace") or "default",
    )


@dataclass(frozen=True, slots=True)
class _Section:
    """A mapping of a kubeconfig, with words for where it stands."""

    values: Mapping[str, Any]
    where: str

    def text(self, name: str) -> str | None:
        value = self.values.get(name)
        return str(value) if value else None

    def named(self, table: str, name: str, kind: str) -> "_Section":
        for entry in self.values.get(table) or []:
            if isinstance(entry, dict) and entry.get("name") == name and isinstance(entry.get(kind), dict):
                return _Section(entry[kind], f"{self.where}, {kind} {name!r}")
        raise Unreadable(f"{self.where} has no {kind} {name!r}")

    def pem(self, name: str, folder: Path) -> str | None:
        """`NAME-data` (base64) or the file `NAME`, relative to the kubeconfig."""
        data, file = self.text(f"{name}-data"), self.text(name)
        try:
            if data:
                return base64.b64decode(data, validate=True).decode("ascii")
            return (folder / file).read_text() if file else None
        except (OSError, binascii.Error, UnicodeDecodeError) as error:
            raise Unreadable(f"{self.where}: {name} cannot be read: {error.__class__.__name__}") from error


def _parse(path: Path) -> Mapping[str, Any]:
    try:
        parsed = yaml.safe_load(path.read_text())
    except OSError as error:
        raise Unreadable(f"The kubeconfig {path} cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise Unreadable(f"The kubeconfig {path} is not YAML") from error
    if not isinstance(parsed, dict):
        raise Unreadable(f"The kubeconfig {path} is empty")
    return parsed


def _token_source(user: _Section, folder: Path) -> TokenSource:
    if token := user.text("token"):
        return FixedToken(token)
    if file := user.text("tokenFile"):
        return FileToken(folder / file)
    program = user.values.get("exec")
    if isinstance(program, dict) and program.get("command"):
        command = str(program["command"])
        return ExecToken(
            command=str(folder / command) if "/" in command else command,   # a relative path counts from the kubeconfig
            arguments=tuple(str(argument) for argument in program.get("args") or ()),
            environment={str(pair["name"]): str(pair["value"]) for pair in program.get("env") or ()},
            api_version=str(program.get("apiVersion") or "client.authentication.k8s.io/v1"),
        )
    if user.values.get("auth-provider"):
        raise Unreadable(f"{user.where} uses auth-provider, which Kubernetes dropped in 1.26; use exec")
    return FixedToken(None)
