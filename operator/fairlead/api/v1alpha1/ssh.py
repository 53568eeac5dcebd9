"""How a remote host is reached by SSH: addresses, jump hosts, the keys by which servers are recognised, and bounds of connections."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field

from fairlead.api.v1alpha1 import names
from fairlead.api.v1alpha1.meta import ApiModel
from fairlead.api.v1alpha1.schema import NO_NUL, Rule, marks, matches

USER_PATTERN: Final = r"^[A-Za-z0-9_][A-Za-z0-9_.@+\\-]*$"
# A rule and not `minimum`: for a whole number the API server cuts a minimum of 0.2 down to 0.
AT_LEAST_200_MS: Final = Rule("self >= 0.2", "write at least 0.2 seconds")
LOGIN_NAME: Final = matches(USER_PATTERN, "user is a login name on the cluster, of letters, digits and . _ @ + \\ - only")
ONE_KIND_OF_HOST_KEYS: Final = Rule(
    "[has(self.knownHostsSecretRef), has(self.knownHosts), has(self.fingerprints) && size(self.fingerprints) > 0]"
    ".filter(each, each).size() == 1",
    "write exactly one of knownHosts, knownHostsSecretRef and fingerprints: no host key is accepted unseen",
)


class Endpoint(ApiModel):
    """An address at which the cluster's login node answers SSH."""

    host: str = Field(
        max_length=253,
        json_schema_extra=marks(matches(
            "^[A-Za-z0-9:][A-Za-z0-9._:-]*$",
            "host is a host name or an IP address alone, such as login.hpc.example.org; the port goes into port",
        )),
    )
    """Host name or IP address of the login node."""
    port: int = Field(default=22, ge=1, le=65535)
    """Port of its SSH server."""


class SecretReference(ApiModel):
    """A Secret in the Cluster's namespace."""

    name: str = Field(min_length=1, max_length=253)
    """Name of the Secret."""


class KnownHostsReference(ApiModel):
    """A field of a Secret that holds known_hosts lines."""

    name: str = Field(min_length=1, max_length=253)
    """Name of the Secret."""
    key: str = Field(default=names.KNOWN_HOSTS_FIELD, min_length=1, max_length=253)
    """The Secret's field."""


class HostKeys(ApiModel):
    """By what the server's host key is recognised. Exactly one is to be set; a key that is not named here is never accepted."""

    known_hosts_secret_ref: KnownHostsReference | None = None
    """Lines as in OpenSSH's known_hosts, kept in a Secret."""
    known_hosts: str | None = Field(
        default=None, min_length=1, max_length=65536,
        json_schema_extra=marks(Rule(NO_NUL, "knownHosts is plain text, as ssh-keyscan prints it: remove the NUL character")),
    )
    """Lines as in OpenSSH's known_hosts, as `ssh-keyscan -p PORT HOST` prints them. Compare them with what the site publishes."""
    fingerprints: tuple[Annotated[str, Field(max_length=64)], ...] = Field(default=(), max_length=16, json_schema_extra=marks(
        Rule(
            "self.all(each, each.matches(r'^SHA256:[A-Za-z0-9+/]{43}=?$'))",
            "a fingerprint looks as ssh-keygen -l prints it: SHA256: and 43 characters",
        ),
        is_set=True,
    ))
    """SHA-256 fingerprints of the host keys, as `ssh-keygen -l` prints them."""


class JumpHost(Endpoint):
    """An SSH server through which the login node, or the next jump host, is reached."""

    user: str = Field(max_length=128, json_schema_extra=marks(LOGIN_NAME))
    """The login name there."""
    auth_secret_ref: SecretReference
    """Secret with the private key for it, in the same fields as the Cluster's own."""
    host_keys: HostKeys = Field(json_schema_extra=marks(ONE_KIND_OF_HOST_KEYS))
    """By what its host key is recognised. Exactly one of its fields."""


class Connection(ApiModel):
    """How connections to the login node are made and kept."""

    connect_timeout_seconds: float = Field(default=10, le=300, json_schema_extra=marks(AT_LEAST_200_MS))
    """Seconds for a connection with its authentication to be made."""
    keepalive_interval_seconds: float = Field(default=15, le=3600, json_schema_extra=marks(AT_LEAST_200_MS))
    """Seconds of silence after which the server is asked for a sign of life; three unanswered end the connection."""
    max_connections: int = Field(default=1, ge=1, le=8)
    """Connections at the same time."""
    max_channels_per_connection: int = Field(default=4, ge=1, le=32)
    """Commands at the same time on one connection. Keep it below half of the server's MaxSessions (10 by default)."""
