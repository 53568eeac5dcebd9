"""What our objects refer to: Secrets, ConfigMaps, labels of namespaces, and the list of Jobs that have ended.

Contents of Secrets are never logged.
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from contextlib import aclosing

from fairlead.api.v1alpha1 import names
from fairlead.domain.errors import Unavailable
from fairlead.domain.kinds import Kinds
from fairlead.domain.objects import ClusterName, ObjectRef
from fairlead.domain.scope import EVERYWHERE, Scope
from fairlead.kube.client import JsonObject, KubeClient, path_of
from fairlead.kube.faults import NotFound
from fairlead.kube.lists import Lists


class KubeReferences:
    """The engine's `ClusterData` on the real API server."""

    def __init__(self, client: KubeClient, kinds: Kinds, scope: Scope = EVERYWHERE, *, page_size: int = 500) -> None:
        self._client = client
        self._kinds = kinds
        self._lists = Lists(client, scope)
        self._page_size = page_size

    async def read_secret(self, namespace: str, name: str) -> Mapping[str, bytes] | None:
        """A Secret's data, decoded; None if there is none. Raises `Unavailable`."""
        secret = await self._read(namespace, "secrets", name)
        if secret is None:
            return None
        try:
            return {key: base64.b64decode(value, validate=True) for key, value in (secret.get("data") or {}).items()}
        except binascii.Error:  # the cause would quote what it could not decode
            raise Unavailable(f"Secret {namespace}/{name}: the API server's answer is not base64") from None

    async def read_config_map(self, namespace: str, name: str) -> Mapping[str, str | bytes] | None:
        """A ConfigMap's data, as bytes what kubectl has put under binaryData since it is no UTF-8; None if there is none.

        Raises `Unavailable`.
        """
        config_map = await self._read(namespace, "configmaps", name)
        if config_map is None:
            return None
        binary = config_map.get("binaryData") or {}
        return {**(config_map.get("data") or {}), **{key: base64.b64decode(value) for key, value in binary.items()}}

    async def read_labels(self, namespace: str) -> Mapping[str, str] | None:
        """A namespace's labels; None if there is no such namespace. Raises `Unavailable`."""
        metadata = await self._namespace(namespace)
        return None if metadata is None else dict(metadata.get("labels") or {})

    async def is_going(self, namespace: str) -> bool:
        """Whether a namespace is being deleted, or is gone. Raises `Unavailable`."""
        metadata = await self._namespace(namespace)
        return metadata is None or "deletionTimestamp" in metadata

    async def has_jobs(self, namespace: str, cluster: ClusterName) -> bool:
        """Whether a namespace has owners of Runs, finished or not, that refer to a Cluster of another: the API server looks.

        Raises `Unavailable`.
        """
        fields = f"spec.clusterRef.namespace={cluster[0]},spec.clusterRef.name={cluster[1]}"
        for kind in self._kinds:
            path = path_of("apis", names.GROUP, names.VERSION, "namespaces", namespace, kind.plural)
            async with aclosing(self._client.objects(path, "", 1, fields)) as found:
                if await anext(found, None) is not None:
                    return True
        return False

    async def list_objects(self, plural: str, *, finished: bool = False) -> Sequence[ObjectRef]:
        """Objects in all watched namespaces, or those with the finished label alone: metadata, page by page. Raises `Unavailable`."""
        found = await self._lists.metadata(plural, names.FINISHED_SELECTOR if finished else "", self._page_size)
        return [ObjectRef(plural, item["namespace"], item["name"], item["uid"]) for item in found]

    async def _namespace(self, name: str) -> JsonObject | None:
        try:
            return await self._client.metadata(path_of("api", "v1", "namespaces", name))
        except NotFound:
            return None

    async def _read(self, namespace: str, plural: str, name: str) -> JsonObject | None:
        try:
            return await self._client.request("GET", path_of("api", "v1", "namespaces", namespace, plural, name))
        except NotFound:
            return None
