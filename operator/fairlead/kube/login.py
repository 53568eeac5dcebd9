"""Who we are to the API server, as a kubeconfig's context says: the library's loader, mended where kubectl does other than it.

    the library                                           ours
    exec: no bound, no end with ours, hears no stderr     bounded, killed with whoever asks, its words reach the person
    exec: a failure is logged, and we go on as nobody     a fault that names the program
    exec: asked each minute, or never again               when its credential expires or is refused
    a user's files count from the cluster's kubeconfig    from the user's own
    a token's file is read once                           each minute, and when the token is refused
    oidc: the issuer's certificate is not looked at       it is
    oidc: a new refresh token is lost                     written into the kubeconfig, as kubectl does
    keys in temporary files while the process lives       in memory without a name, for the time of reading

Settings that we leave as the library has them: a token beside `exec` waits for it, where kubectl takes the token.
"""

import asyncio
import base64
import binascii
import json
import math
import os
import ssl
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import aiohttp
import structlog
from kubernetes.aio.client import ApiClient, Configuration
from kubernetes.aio.config import ConfigException
from kubernetes.aio.config.exec_provider import ExecProvider
from kubernetes.aio.config.kube_config import ConfigNode, KubeConfigLoader
from kubernetes.aio.config.openid import OpenIDRequestor

from fairlead.domain.errors import Unavailable, Unreadable

log = structlog.get_logger()

REREAD_SECONDS = 60.0
"""How long a token from a file, or of an issuer, is used before it is looked at again. The kubelet renews it well before it expires."""
PROGRAM_SECONDS = 60.0
PERSON_SECONDS = 300.0
"""How long a credential program may take; the second, when a person sits before it, who may have to log in with a browser."""
ISSUER_SECONDS = 30.0
_LOCK_LOOK_SECONDS = 0.02
_PEMS = ("certificate-authority", "client-certificate", "client-key")
_PROGRAM_FAULTS = (OSError, TimeoutError, ValueError, KeyError, TypeError, ConfigException)
_ISSUER_FAULTS = (aiohttp.ClientError, *_PROGRAM_FAULTS)


class KubeLogin(KubeConfigLoader):
    """One context. Used from any event loop: kopf has one of its own."""

    _user: ConfigNode
    _cluster: ConfigNode
    _tls: ssl.SSLContext
    token: str

    def __init__(self, config: ConfigNode, context: str, save: Callable[[], None]) -> None:
        super().__init__(config, context, config_base_path=None, config_persister=lambda _config: save())
        if self._user is None:
            self._user = ConfigNode("user", {}, self._cluster.path)
        self._good_until = -math.inf             # monotonic
        self._lock = threading.Lock()            # one of asyncio belongs to the first loop that waits for it

    def connect(self, configuration: Configuration) -> ApiClient:
        """The library's client for this context. Raises `Unreadable` when a certificate or key cannot be used, `ConfigException`."""
        user, cluster = self._user, self._cluster
        try:
            with ExitStack() as files:
                self._user, self._cluster = _in_files(user, files), _in_files(cluster, files)
                self._load_cluster_info()
                self._set_config(configuration)
                api = ApiClient(configuration)
        except (ssl.SSLError, ConfigException, OSError) as error:
            why = error.reason if isinstance(error, ssl.SSLError) and error.reason else error
            raise Unreadable(f"The certificates for {cluster['server']} cannot be used: {why}") from error
        finally:
            self._user, self._cluster = user, cluster
        configuration.cert_file = configuration.key_file = configuration.ssl_ca_cert = None      # read, and gone
        configuration.refresh_api_key_hook = self._renew
        self._tls = api.rest_client.ssl_context
        return api

    def refused(self, authorization: str) -> bool:
        """Drop what the server refused, unless it has been replaced; whether asking again can give another."""
        if self._good_until == math.inf:
            return False
        if authorization == getattr(self, "token", ""):
            self._good_until = -math.inf
        return True

    async def _renew(self, configuration: Configuration) -> None:
        """Before each request: have the credential of the moment, by one of those who want it. Raises `Unavailable`."""
        while time.monotonic() >= self._good_until:
            if not self._lock.acquire(blocking=False):
                await asyncio.sleep(_LOCK_LOOK_SECONDS)
                continue
            try:
                if time.monotonic() >= self._good_until:
                    await self._have_credential(configuration)
            finally:
                self._lock.release()

    async def _have_credential(self, configuration: Configuration) -> None:
        is_lasting = not any(self._user.safe_get(each) for each in ("exec", "tokenFile", "auth-provider"))
        good_until = math.inf if is_lasting else time.monotonic() + REREAD_SECONDS
        try:
            await self._load_authentication()    # a program says itself how long its answer is good
        except OSError as error:
            raise Unavailable(f"The token file {self._user.safe_get('tokenFile')} cannot be read: {error.strerror}") from error
        if token := str(getattr(self, "token", "")).strip():
            self.token = configuration.api_key["BearerToken"] = token
        self._good_until = getattr(self, "_program_good_until", good_until)

    async def load_from_exec_plugin(self) -> bool:
        """Ask the credential program. Raises `Unavailable` when it gives none."""
        settings = self._user["exec"].value
        command = str(settings.get("command"))
        try:
            status = await _Program(self._user["exec"], self._cluster.value).run()
            if token := status.get("token"):
                self.token = f"Bearer {token}"
            if status.get("clientCertificateData"):
                _load_pair(self._tls, str(status["clientCertificateData"]), str(status["clientKeyData"]))
            elif not token:
                raise ConfigException("neither a token nor a certificate")
            left = _seconds_left(status)
            if left <= 0:
                raise ConfigException("expired already")
            self._program_good_until = time.monotonic() + left
        except _PROGRAM_FAULTS as error:
            hint = settings.get("installHint") if isinstance(error, FileNotFoundError) else None
            why = hint or (error if isinstance(error, ConfigException) else type(error).__name__)
            raise Unavailable(f"The kubeconfig's credential program {command} gave no credential: {why}") from error
        return True

    async def _load_oid_token(self) -> str:
        try:
            async with asyncio.timeout(ISSUER_SECONDS):
                return str(await super()._load_oid_token())
        except _ISSUER_FAULTS as error:
            raise Unavailable(f"The kubeconfig's OIDC issuer gave no id-token: {type(error).__name__}") from error

    async def _refresh_oidc(self, provider: ConfigNode) -> None:
        config = provider.value["config"]
        if not config.get("refresh-token"):
            raise Unavailable("The kubeconfig's id-token has expired, and there is no refresh-token: log in again as you did for kubectl")
        issuer = _Issuer(config["client-id"], config.get("client-secret") or "", config["idp-issuer-url"])
        issuer.tls = ssl.create_default_context(cadata=self._pem_of_issuer(config))
        answer = await issuer.refresh_token(config["refresh-token"])
        config.update({name: answer[key] for name, key in (("id-token", "id_token"), ("refresh-token", "refresh_token")) if key in answer})
        try:
            self._config_persister(self._config.value)
        except OSError as error:
            log.warning("kubeconfig_not_written", error=error.strerror, advice="a refresh token that is good once is lost then")

    def _pem_of_issuer(self, config: Mapping[str, str]) -> str | None:
        if data := config.get("idp-certificate-authority-data"):
            return base64.b64decode(data).decode("ascii")
        file = config.get("idp-certificate-authority")
        return (Path(self._get_base_path(self._user.path)) / file).read_text() if file else None


class _Issuer(OpenIDRequestor):
    """The library's, with the issuer's certificate looked at."""

    tls: ssl.SSLContext

    def _get_connector(self) -> aiohttp.TCPConnector:
        return aiohttp.TCPConnector(ssl=self.tls)


class _Program(ExecProvider):
    """A credential program, by the client.authentication.k8s.io protocol."""

    def __init__(self, settings: ConfigNode, cluster: Mapping[str, Any]) -> None:
        super().__init__(settings)
        self._is_interactive = settings.safe_get("interactiveMode") != "Never" and sys.stdin is not None and sys.stdin.isatty()
        self._cluster = _told(cluster) if settings.safe_get("provideClusterInfo") else None
        if os.sep in self.args[0] and settings.path:     # a relative path counts from the kubeconfig
            self.args[0] = str(Path(settings.path).absolute().parent / self.args[0])

    async def run(self, previous_response: object = None) -> dict[str, Any]:  # noqa: ARG002  the library's, of a version that is gone
        """Its answer. Raises `OSError`, `TimeoutError`, or what a wrong answer leads to."""
        spec = {"interactive": self._is_interactive, **({"cluster": self._cluster} if self._cluster else {})}
        request = {"apiVersion": self.api_version, "kind": "ExecCredential", "spec": spec}
        environment = {**self.env, "KUBERNETES_EXEC_INFO": json.dumps(request)}
        process = None
        try:
            async with asyncio.timeout(PERSON_SECONDS if self._is_interactive else PROGRAM_SECONDS):
                given = None if self._is_interactive else asyncio.subprocess.DEVNULL
                process = await asyncio.create_subprocess_exec(*self.args, env=environment, stdin=given, stdout=asyncio.subprocess.PIPE)
                output, _ = await process.communicate()
        finally:
            if process and process.returncode is None:
                process.kill()
                await process.wait()
        answer = json.loads(output)
        if process.returncode or answer["apiVersion"] != self.api_version:
            raise ConfigException("it failed, or speaks another version of the protocol")
        status: dict[str, Any] = {**answer["status"]}
        return status


def _seconds_left(status: Mapping[str, Any]) -> float:
    """For how long the credential is good; without an expirationTimestamp until the server refuses it."""
    stamp = status.get("expirationTimestamp")
    return datetime.fromisoformat(str(stamp)).timestamp() - time.time() if stamp else math.inf


def _told(cluster: Mapping[str, Any]) -> dict[str, Any]:
    """What a program learns of the cluster that the credential is for."""
    names = ("server", "tls-server-name", "insecure-skip-tls-verify", "certificate-authority-data", "proxy-url")
    own = next((each.get("extension") for each in cluster.get("extensions") or () if each.get("name") == _EXTENSION), None)
    return {name: cluster[name] for name in names if name in cluster} | ({"config": own} if own else {})


_EXTENSION = "client.authentication.k8s.io/exec"


def _in_files(section: ConfigNode, files: ExitStack) -> ConfigNode:
    """The section, with what it has as base64 in files, which are gone with `files`; other names count from the file that has them."""
    found = dict(section.value)
    for name in _PEMS:
        if named := found.get(name):
            found[name] = str(Path(section.path).absolute().parent / named)
        if data := found.pop(f"{name}-data", None):
            try:
                pem = base64.b64decode("".join(str(data).split()), validate=True)
            except (binascii.Error, ValueError) as error:
                raise ConfigException(f"{name}-data is not base64") from error
            found[name] = files.enter_context(_file(pem))
    return ConfigNode(section.name, found, section.path)


def _load_pair(context: ssl.SSLContext, certificate: str, key: str) -> None:
    with _file(f"{certificate}\n{key}\n".encode()) as pair:
        context.load_cert_chain(pair)


@contextmanager
def _file(content: bytes) -> Iterator[str]:
    """A file for OpenSSL, which reads nothing else: one without a name where the system has such, so that none can stay."""
    if hasattr(os, "memfd_create"):
        with os.fdopen(os.memfd_create("fairlead"), "wb") as file:
            file.write(content)
            file.flush()
            yield f"/proc/self/fd/{file.fileno()}"
        return
    with tempfile.NamedTemporaryFile(suffix=".pem") as file:  # mode 0600
        file.write(content)
        file.flush()
        yield file.name
