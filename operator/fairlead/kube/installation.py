"""The installation's name: which of the run directories and jobs on a remote cluster are ours. It must never change by itself.

It comes from the settings, else from kube-system's uid (one per Kubernetes cluster) and our namespace, and is kept in a ConfigMap that an
uninstall leaves: a fresh install in its place finds its own runs again.
"""

import hashlib
import re

from fairlead.api.v1alpha1 import names
from fairlead.domain.errors import UserFault
from fairlead.kube.client import KubeClient
from fairlead.kube.config_map import ConfigMapTable, Entries

_KEY = "name"
_SHAPE = re.compile(r"[a-z0-9](?:[-a-z0-9]{0,30}[a-z0-9])?")     # it is a folder's name and a word in a Slurm comment
_DIGITS = 10


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


async def _derived(client: KubeClient, namespace: str) -> str:
    """A short name that two clusters, or two namespaces of one, do not share."""
    system = await client.metadata("/api/v1/namespaces/kube-system")
    return "f" + hashlib.sha256(f"{system['uid']}/{namespace}".encode()).hexdigest()[:_DIGITS]
