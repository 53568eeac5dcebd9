"""The engine's `Tokens` on the real API server: a Secret of an owner's own, which is read by its name, and made once.

It is never listed, watched, changed or removed: it goes with its owner, whose child it is.
"""

import base64
import secrets
from collections.abc import Mapping
from typing import Final

from fairlead.api.v1alpha1 import names
from fairlead.domain.errors import Conflict, Unavailable
from fairlead.domain.objects import ObjectRef
from fairlead.kube.children import Child, ChildKind, owner_of
from fairlead.kube.client import JsonObject, KubeClient
from fairlead.kube.faults import NotFound

SECRETS: Final = ChildKind("", "v1", "secrets", "Secret")
TOKEN_BYTES: Final = 32


class KubeTokens:
    """All of them."""

    def __init__(self, client: KubeClient) -> None:
        self._client = client

    async def own(self, owner: ObjectRef, kind: str, name: str) -> Mapping[str, bytes] | None:
        """The fields of an owner's Secret, made first if there is none of that name; None if that one is not the owner's.

        Raises `Conflict` when it was removed just now, `Unavailable`, of which `Forbidden`, another `ApiFault` if it is refused.
        """
        found = await self._find(owner, name) or await self._make(owner, kind, name)
        if owner_of(found) != owner.uid:
            return None
        try:
            return {key: base64.b64decode(value, validate=True) for key, value in (found.get("data") or {}).items()}
        except ValueError:               # the cause would quote what it could not decode
            raise Unavailable(f"Secret {owner.namespace}/{name}: the API server's answer is not base64") from None

    async def _find(self, owner: ObjectRef, name: str) -> JsonObject | None:
        try:
            return await self._client.request("GET", SECRETS.path(name, namespace=owner.namespace))
        except NotFound:
            return None

    async def _make(self, owner: ObjectRef, kind: str, name: str) -> JsonObject:
        token = base64.b64encode(secrets.token_hex(TOKEN_BYTES).encode()).decode()
        child = Child(owner, kind, name, {"type": "Opaque", "data": {names.TOKEN_KEY: token}}, {}, {})
        try:
            body = SECRETS.body(child.metadata, child.content)
            return await self._client.request("POST", SECRETS.path(namespace=owner.namespace), body=body)
        except Conflict:                 # somebody has made it just now
            return await self._client.request("GET", SECRETS.path(name, namespace=owner.namespace))
