"""The installation's name: which of the run directories and jobs on a remote cluster are ours. It must never change by itself.

It comes from the settings, else from kube-system's uid (one per Kubernetes cluster) and our namespace, and is kept in a ConfigMap that an
uninstall leaves: a fresh install in its place finds its own runs again.
"""

import base64
import binascii
import hashlib
import re
import secrets
from contextlib import suppress

from fairlead.api.v1alpha1 import names
from fairlead.domain.errors import Conflict, UserFault
from fairlead.domain.run.installation import Installation
from fairlead.kube.client import KubeClient, path_of
from fairlead.kube.config_map import LABELS, ConfigMapTable, Entries
from fairlead.kube.faults import NotFound

_KEY = "name"
_SHAPE = re.compile(r"[a-z0-9](?:[-a-z0-9]{0,30}[a-z0-9])?")     # it is a folder's name and a word in a Slurm comment
_DIGITS = 10
_PROOFS = "proofs"                       # names the secret, so that another one in its place is seen
_SECRET_BYTES = 32


async def installation_of(client: KubeClient, namespace: str, wanted: str | None = None) -> Installation:
    """The installation as the far end knows it. The API server's part is read anew at each start, and kept nowhere: a copy would lie.

    Raises `UserFault` when `wanted` is no name or not the one that is kept, or when the secret that is remembered is gone; `Unavailable`.
    """
    name = await installation_name(client, namespace, wanted)
    return Installation(name, await _api_server(client), await _secret(client, namespace))


async def installation_name(client: KubeClient, namespace: str, wanted: str | None = None) -> str:
    """The name kept in `namespace`, writing it down first if there is none.

    Raises `UserFault` when `wanted` is no name or not the one that is kept; `Unavailable`.
    """
    if wanted and not _SHAPE.fullmatch(wanted):
        raise UserFault(f"The installation name {wanted!r} must be 1 to 32 of a-z, 0-9 and -, and begin and end with a letter or digit")
    table = ConfigMapTable(client, namespace, names.INSTALLATION_CONFIG_MAP)
    kept = (await table.read()).get(_KEY)
    if kept is None:
        fresh = wanted or await _derived(client, namespace)

        def unless_there(entries: Entries) -> Entries:
            return {} if _KEY in entries else {_KEY: fresh}

        kept = (await table.change(unless_there))[_KEY]
    if wanted and wanted != kept:
        raise UserFault(
            f"This installation is called {kept!r} ({table}), and the settings say {wanted!r}: its runs on remote clusters go by the old "
            f"name. Set it back, or delete the ConfigMap once no Job is left"
        )
    return kept


async def known_name(client: KubeClient, namespace: str) -> str | None:
    """The name kept in `namespace`, None before a controller has led there. Raises `Unavailable`."""
    return (await ConfigMapTable(client, namespace, names.INSTALLATION_CONFIG_MAP).read()).get(_KEY)


async def _derived(client: KubeClient, namespace: str) -> str:
    """A short name that two clusters, or two namespaces of one, do not share."""
    return "f" + hashlib.sha256(f"{await _api_server(client)}/{namespace}".encode()).hexdigest()[:_DIGITS]


async def _api_server(client: KubeClient) -> str:
    """What stands for the API server: the uid of kube-system, which no other has unless it is a copy of this one's data."""
    return str((await client.metadata("/api/v1/namespaces/kube-system"))["uid"])


async def _secret(client: KubeClient, namespace: str) -> bytes:
    """The secret kept in `namespace`, made first if there never was one.

    Another one in its place would prove nothing of what was written before: what `deletionPolicy: Orphan` has left alone would be ended.
    """
    table = ConfigMapTable(client, namespace, names.INSTALLATION_CONFIG_MAP)
    folder = path_of("api", "v1", "namespaces", namespace, "secrets")
    secret = await _read_secret(client, folder)
    if secret is None and _PROOFS not in await table.read():
        secret = await _make_secret(client, folder)
    if secret is not None:
        mark = hashlib.sha256(secret).hexdigest()[:_DIGITS]
        if (await table.change(lambda entries: {} if _PROOFS in entries else {_PROOFS: mark}))[_PROOFS] == mark:
            return secret
    raise UserFault(
        f"The Secret {namespace}/{names.INSTALLATION_SECRET} is gone, or not the one that {table} remembers: by it the controller knows "
        f"again what it wrote on the clusters. Restore it; if it is lost, take {_PROOFS!r} out of the ConfigMap and delete the Secret: "
        f"then the first sweep ends what deletionPolicy Orphan has left alone"
    )


async def _make_secret(client: KubeClient, folder: str) -> bytes | None:
    data = {names.PROOF_KEY_FIELD: base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()}
    metadata = {"name": names.INSTALLATION_SECRET, "labels": LABELS}
    with suppress(Conflict):     # another has made it just now
        await client.request("POST", folder, body={"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data})
    return await _read_secret(client, folder)


async def _read_secret(client: KubeClient, folder: str) -> bytes | None:
    """The secret; None if there is none, or none that can be read as one."""
    try:
        found = await client.request("GET", f"{folder}/{names.INSTALLATION_SECRET}")
        secret = base64.b64decode((found.get("data") or {}).get(names.PROOF_KEY_FIELD) or "", validate=True)
    except (NotFound, binascii.Error):
        return None
    return secret if len(secret) == _SECRET_BYTES else None
