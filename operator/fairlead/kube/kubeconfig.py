"""How to reach the API server and as whom: from kubeconfig files as kubectl reads them, or from a pod's service account.

Reading, merging, contexts, certificates and tokens are the library's, `kubernetes.aio`. Ours is what it lacks beside kubectl, in `login`
and here: which file's current-context counts (the first's), `as`, keys that never lie in a file, and sentences that quote no secret.
What it cannot do is refused in `_refuse`.
"""

import os
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import yaml
from kubernetes.aio.client import ApiClient, Configuration
from kubernetes.aio.config import ConfigException
from kubernetes.aio.config.incluster_config import InClusterConfigLoader
from kubernetes.aio.config.kube_config import KubeConfigMerger
from multidict import CIMultiDict

from fairlead.domain.errors import Unavailable, Unreadable
from fairlead.kube.login import KubeLogin

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
"""Where Kubernetes mounts a pod's own credentials: token, ca.crt, namespace."""
IN_CLUSTER = {"KUBERNETES_SERVICE_HOST": "kubernetes.default.svc", "KUBERNETES_SERVICE_PORT": "443"}
"""The API server's name inside each cluster, for a pod that is not told where it is; it is in the server's certificate."""
_PROXIES = frozenset({"http", "https"})


@dataclass(frozen=True, slots=True)
class Acting:
    """As whom the API server is to take us (impersonation); nobody else: empty."""

    user: str = ""
    groups: tuple[str, ...] = ()
    uid: str = ""
    extra: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def over(self, other: "Acting") -> "Acting":
        """This one, with the other's where it says nothing, as kubectl lays its options over a kubeconfig."""
        return Acting(self.user or other.user, self.groups or other.groups, self.uid or other.uid, self.extra or other.extra)

    def headers(self) -> CIMultiDict[str]:
        """What the API server is told. Raises `Unreadable` where something is to be acted as, but no user."""
        if not self.user:
            if self.groups or self.uid or self.extra:
                raise Unreadable("A group, uid or extra to act as needs a user to act as")
            return CIMultiDict()
        told = [("Impersonate-User", self.user), *(("Impersonate-Group", each) for each in self.groups)]
        told += [("Impersonate-Uid", self.uid)] if self.uid else []
        told += [(f"Impersonate-Extra-{quote(key.lower(), safe='')}", each) for key, values in self.extra.items() for each in values]
        return CIMultiDict(told)


NOBODY_ELSE = Acting()


def _never(_authorization: str) -> bool:
    return False


@dataclass(slots=True, eq=False)
class Access:
    """The way to an API server: the library's client, which has its address and TLS; the context's namespace; as whom we act.

    `refused` is told of an Authorization that the server refused, and says whether asking again can give another.
    """

    api: ApiClient = field(repr=False)
    namespace: str = "default"
    acting: Acting = NOBODY_ELSE
    refused: Callable[[str], bool] = field(default=_never, repr=False)

    @property
    def server(self) -> str:
        """The API server's URL."""
        return str(self.api.configuration.host)

    @property
    def tls(self) -> ssl.SSLContext:
        """With whom and as whom a connection is made."""
        context: ssl.SSLContext = self.api.rest_client.ssl_context
        return context

    async def authorization(self) -> str | None:
        """What to send as `Authorization` now, None for nothing. Raises `Unavailable` when it cannot be had now."""
        try:
            authorization: str | None = await self.api.configuration.get_api_key_with_prefix("BearerToken")
        except (OSError, ConfigException) as error:    # of a pod: `KubeLogin` has sentences of its own
            raise Unavailable(f"The service account's token cannot be read: {error}") from error
        return authorization


def in_cluster(folder: Path = SERVICE_ACCOUNT, environment: Mapping[str, str] = os.environ, acting: Acting = NOBODY_ELSE) -> Access:
    """Access by the pod's service account, whose token is read again as it is renewed. Raises `Unreadable` outside a pod."""
    told = {name: environment[name] for name in IN_CLUSTER if environment.get(name)}
    account, configuration = _Account(str(folder / "token"), str(folder / "ca.crt"), environ={**IN_CLUSTER, **told}), _configuration()
    try:
        namespace = (folder / "namespace").read_text().strip()
        account.load_and_set(configuration)
        return Access(ApiClient(configuration), namespace, acting, account.refused)
    except (OSError, ConfigException) as error:
        raise Unreadable(f"No service account in {folder} ({error}); outside a cluster name a kubeconfig") from error


class _Account(InClusterConfigLoader):
    """The library's, which also reads the token again as soon as it is refused."""

    token: str

    def _read_token_file(self) -> None:
        super()._read_token_file()
        self.token = self.token.strip()

    def refused(self, _authorization: str) -> bool:
        """Read the token again at the next call."""
        self.token_expires_at = datetime.min  # noqa: DTZ901  the library's times have no zone
        return True


def _configuration() -> Configuration:
    configuration = Configuration()
    # Go's verifier, which every cluster was tried with, does not ask for what X509_STRICT asks of a CA (Python 3.13 sets it)
    configuration.disable_strict_ssl_verification = True
    return configuration


class _Files(KubeConfigMerger):
    """One or more kubeconfigs; of each entry, and of the current context, the first one counts. Raises `Unreadable`."""

    current = ""

    def load_config(self, path: str) -> None:
        """Add a file. One with nothing in it adds nothing."""
        try:
            if yaml.safe_load(Path(path).read_text()) is None:
                return
            super().load_config(path)
            self.current = self.current or str(self.config_files[path].get("current-context") or "")
        except OSError as error:
            raise Unreadable(f"The kubeconfig {path} cannot be read: {error.strerror}") from error
        except (yaml.YAMLError, ValueError) as error:
            raise Unreadable(f"The kubeconfig {path} is not YAML") from error
        except (AttributeError, TypeError, KeyError) as error:
            raise Unreadable(f"The kubeconfig {path} is YAML, but no kubeconfig") from error

    def section(self, table: str, kind: str, name: object) -> dict[str, Any]:
        """An entry's content."""
        for entry in self.config.value[table] if self.config else ():
            if isinstance(entry.value, dict) and entry.value.get("name") == name:
                return entry.value.get(kind) or {}
        raise Unreadable(f"{self.words} has no {kind} {name!r}")

    @property
    def words(self) -> str:
        """The files, for a sentence."""
        return os.pathsep.join(self.paths)


def from_kubeconfig(paths: str, context: str | None = None, acting: Acting = NOBODY_ELSE) -> Access:
    """Access as a context of kubeconfigs says, the current one by default. `paths`: as in KUBECONFIG; what is not there is passed over.

    What `acting` says is laid over what the kubeconfig says. Raises `Unreadable` with what is missing or not supported.
    """
    files = _Files(paths)
    if not files.paths:
        raise Unreadable(f"The kubeconfig {paths} cannot be read: No such file or directory")
    wanted = context or files.current
    if not wanted:
        raise Unreadable(f"{files.words} has no current-context; name one of its contexts")
    chosen = files.section("contexts", "context", wanted)
    cluster = files.section("clusters", "cluster", chosen.get("cluster"))
    user = files.section("users", "user", chosen["user"]) if chosen.get("user") else {}
    _refuse(files.words, cluster, user)
    configuration = _configuration()
    try:
        login = KubeLogin(files.config, wanted, files.save_changes)
        api = login.connect(configuration)
    except ConfigException as error:     # its words may quote the whole entry
        raise Unreadable(f"The context {wanted!r} of {files.words} cannot be used") from error
    return Access(api, chosen.get("namespace") or "default", acting.over(_acting(user)), login.refused)


def _acting(user: Mapping[str, Any]) -> Acting:
    """As whom a kubeconfig's user acts."""
    extra = {str(key): tuple(map(str, values)) for key, values in (user.get("as-user-extra") or {}).items()}
    return Acting(str(user.get("as") or ""), tuple(map(str, user.get("as-groups") or ())), str(user.get("as-uid") or ""), extra)


def _refuse(where: str, cluster: Mapping[str, Any], user: Mapping[str, Any]) -> None:
    """Say what kubectl can do and we cannot, before anything else is done instead."""
    if not cluster.get("server"):
        raise Unreadable(f"{where} names no server for the context's cluster")
    if "://" not in str(cluster["server"]):
        raise Unreadable(f"{where} names the server {cluster['server']}: put https:// before it")
    if (proxy := str(cluster.get("proxy-url") or "")) and urlsplit(proxy).scheme not in _PROXIES:
        raise Unreadable(f"{where} names a {urlsplit(proxy).scheme} proxy (proxy-url), and only http and https proxies can be used")
    if proxy and cluster.get("tls-server-name"):
        raise Unreadable(f"{where} has proxy-url and tls-server-name for one cluster, which cannot be used together")
    provider = user.get("auth-provider")
    if isinstance(provider, dict) and provider.get("name") != "oidc":
        raise Unreadable(f"{where} uses auth-provider {provider.get('name')}, which Kubernetes dropped in 1.26; use exec")
