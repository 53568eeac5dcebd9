"""How a Cluster is logged in to: the address that its spec and the Secrets it names make together, jump hosts included."""

import re
from collections.abc import Mapping, Sequence

from fairlead.api.v1alpha1 import names
from fairlead.api.v1alpha1.reasons import ClusterReason
from fairlead.api.v1alpha1.ssh import USER_PATTERN
from fairlead.domain.cluster.address import Address, Credentials, Endpoint, HostKeys
from fairlead.domain.cluster.cluster import Cluster
from fairlead.domain.errors import Unreadable

Secret = Mapping[str, bytes]
SecretName = tuple[str, str]
"""Namespace and name."""


def secrets_of(cluster: Cluster) -> Sequence[SecretName]:
    """All Secrets that a login needs, in the order of their names."""
    home, keys = cluster.ref.namespace, cluster.host_keys.known_hosts_secret_ref
    at_home = jump_secrets(cluster) | (frozenset({keys.name}) if keys else frozenset())
    return sorted({(cluster.login_namespace, cluster.spec.auth_secret_ref.name), *((home, name) for name in at_home)})


def login_of(cluster: Cluster, secrets: Mapping[SecretName, Secret | None], own: Secret | None = None) -> Address:
    """Where and as whom to connect, by what the Secrets of `secrets_of` hold; `own` counts in place of the Cluster's own, if given.

    Raises `Unreadable` when one of them is missing or lacks what is needed, and when the host is no longer in the spec.
    """
    home, keys = cluster.ref.namespace, cluster.host_keys.known_hosts_secret_ref
    known_hosts = known_hosts_of(cluster, secrets[home, keys.name] if keys else None)
    via = way_to(cluster, {name: secrets[home, name] for name in jump_secrets(cluster)})
    return address_of(cluster, own or secrets[cluster.login_namespace, cluster.spec.auth_secret_ref.name], known_hosts, via)


def jump_secrets(cluster: Cluster) -> frozenset[str]:
    """Names of the Secrets that the jump hosts on the way to the cluster need."""
    hops = cluster.spec.proxy_jump
    keys = (hop.host_keys.known_hosts_secret_ref for hop in hops)
    return frozenset(hop.auth_secret_ref.name for hop in hops) | frozenset(ref.name for ref in keys if ref)


def way_to(cluster: Cluster, secrets: Mapping[str, Secret | None]) -> Address | None:
    """The last jump host on the way to the cluster, which knows the one before it; None: there is none.

    Raises `Unreadable` when one of the `secrets` is missing or lacks what is needed.
    """
    via: Address | None = None
    for number, hop in enumerate(cluster.spec.proxy_jump):
        ref, name, namespace = hop.host_keys.known_hosts_secret_ref, hop.auth_secret_ref.name, cluster.ref.namespace
        listed = _known_hosts_in(secrets[ref.name], ref.key, f"Secret {namespace}/{ref.name}") if ref else hop.host_keys.known_hosts or ""
        credentials = _credentials_in(secrets[name], f"Secret {namespace}/{name}")
        via = Address(hop.host, hop.port, hop.user, credentials, HostKeys(listed, hop.host_keys.fingerprints), via=via, hop=number,
                      namespace=cluster.login_namespace)
    return via


def known_hosts_of(cluster: Cluster, secret: Secret | None) -> str:
    """The known_hosts text in the Secret that knownHostsSecretRef names. Raises `Unreadable` when Secret or field is missing."""
    keys = cluster.host_keys.known_hosts_secret_ref
    return _known_hosts_in(secret, keys.key, f"Secret {cluster.ref.namespace}/{keys.name}") if keys else ""


def address_of(cluster: Cluster, secret: Secret | None, known_hosts: str, via: Address | None = None) -> Address:
    """Where and as whom to connect. `known_hosts` is the text of the Secret that knownHostsSecretRef names, if it names one.

    Raises `Unreadable` when the Secret is missing or lacks the private key, and when the host is no longer in the spec.
    """
    spec = cluster.spec
    if not cluster.endpoints:
        msg = f"{cluster.site} is no longer in spec.process.hosts: write it back until what is there has been seen to"
        raise Unreadable(msg, ClusterReason.HOST_REMOVED)
    where = f"Secret {cluster.login_namespace}/{spec.auth_secret_ref.name}"
    credentials = _credentials_in(secret, where)
    keys = HostKeys(cluster.host_keys.known_hosts or known_hosts, cluster.host_keys.fingerprints)
    first, *more = (Endpoint(each.host, each.port) for each in cluster.endpoints)
    return Address(
        first.host, first.port, _user(cluster, secret or {}, where), credentials, keys, spec.connection.connect_timeout_seconds,
        spec.connection.keepalive_interval_seconds, spec.connection.max_connections, spec.connection.max_channels_per_connection,
        tuple(more), via, namespace=cluster.login_namespace,
    )


def _known_hosts_in(secret: Secret | None, field: str, where: str) -> str:
    if secret is None or field not in secret:
        msg = f"{where} with the field {field} does not exist: put the known_hosts lines there"
        raise Unreadable(msg, ClusterReason.SECRET_NOT_FOUND)
    text = secret[field]
    return text.decode("utf-16" if text.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8", "replace")   # PowerShell's `>` writes UTF-16


def _credentials_in(secret: Secret | None, where: str) -> Credentials:
    if secret is None:
        msg = f"{where} does not exist: create it with the private key under {names.PRIVATE_KEY_FIELD}"
        raise Unreadable(msg, ClusterReason.SECRET_NOT_FOUND)
    key = secret.get(names.PRIVATE_KEY_FIELD, b"")
    if not key.strip():
        there = ", ".join(sorted(secret)) or "no field at all"
        raise Unreadable(f"{where} has no field {names.PRIVATE_KEY_FIELD} (it has {there}): put the private key there")
    return Credentials(key, secret.get(names.PASSPHRASE_FIELD) or None, secret.get(names.CERTIFICATE_FIELD) or None)


def _user(cluster: Cluster, secret: Secret, where: str) -> str:
    """The login name: the Cluster's own, or what another namespace's Secret says."""
    if cluster.login_namespace == cluster.ref.namespace:
        return cluster.spec.user
    user = secret.get(names.USERNAME_FIELD, b"").decode("utf-8", "replace").strip()
    if not re.fullmatch(USER_PATTERN, user):
        msg = f"{where} has no login name in its field {names.USERNAME_FIELD}: write there as whom Jobs of {cluster.site} run"
        raise Unreadable(msg, ClusterReason.SECRET_INVALID)
    return user
