"""Objects that are kept for another one of ours, its children: such as a Service, an EndpointSlice, a NetworkPolicy, a ConfigMap.

    missing -> made -> applied, whenever it is not as it was left -> removed, or gone with its owner
    there, and not ours -> Taken: nothing is done to it

Server-side apply makes what is missing and changes what is there, whoever made that. So what is missing is made by a POST, which fails on a
namesake, and each apply and removal names the uid that was seen to be ours. Ours is what names our object as its controller, by uid.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from fairlead.api.v1alpha1 import names
from fairlead.domain.errors import ApiFault, Conflict, Unavailable
from fairlead.domain.objects import ObjectRef
from fairlead.domain.scope import EVERYWHERE, Scope
from fairlead.kube import jsonpatch
from fairlead.kube.client import JsonObject, KubeClient, path_of
from fairlead.kube.faults import NotFound

APPLY: Final = "application/apply-patch+yaml"
LABEL: Final = "app.kubernetes.io/managed-by"
SELECTOR: Final = f"{LABEL}={names.FIELD_MANAGER}"
"""Of all children: nothing else of their kind is listed or kept in memory."""
_PAGE_SIZE: Final = 500


class Taken(Conflict):
    """An object of this name is there, and is not ours."""


@dataclass(frozen=True, slots=True)
class ChildKind:
    """What children are: `group` is empty for the core group."""

    group: str
    version: str
    plural: str
    kind: str

    def path(self, *below: str, namespace: str = "") -> str:
        """The path of all of them, or of one in a namespace."""
        base = ("apis", self.group, self.version) if self.group else ("api", self.version)
        return path_of(*base, *(("namespaces", namespace) if namespace else ()), self.plural, *below)

    def body(self, metadata: JsonObject, content: Mapping[str, object]) -> JsonObject:
        """A whole object."""
        version = f"{self.group}/{self.version}" if self.group else self.version
        return {"apiVersion": version, "kind": self.kind, "metadata": metadata, **content}


@dataclass(frozen=True, slots=True)
class Child:
    """What an owner of `owner_kind` shall have: `content` is all but the metadata, of which `labels` and `annotations` are asked for."""

    owner: ObjectRef
    owner_kind: str
    name: str
    content: Mapping[str, object]
    labels: Mapping[str, str]
    annotations: Mapping[str, str]

    @property
    def metadata(self) -> JsonObject:
        """As it is written: with its owner, without which the API server removes it."""
        owner = {"apiVersion": names.API_VERSION, "kind": self.owner_kind, "name": self.owner.name, "uid": self.owner.uid,
                 "controller": True, "blockOwnerDeletion": False}
        return {"name": self.name, "namespace": self.owner.namespace, "labels": {**self.labels, LABEL: names.FIELD_MANAGER},
                "annotations": dict(self.annotations), "ownerReferences": [owner]}


class Children:
    """All children of one kind. What is known of them comes from `refresh`, from watch events by `take`, and from our own writes."""

    def __init__(
        self, client: KubeClient, kind: ChildKind, scope: Scope = EVERYWHERE, selector: str = SELECTOR, *, exact: bool = False,
    ) -> None:
        self._client, self._exact = client, exact
        self._kind = kind
        self._scope = scope
        self._selector = selector
        self._known: dict[tuple[str, str], JsonObject] = {}              # by namespace and name
        self._of: dict[str, set[tuple[str, str]]] = {}                   # where those of an owner are, by its uid
        self._left_as: dict[tuple[str, str], tuple[str, str]] = {}       # resourceVersion and digest of our last write

    async def refresh(self) -> None:
        """List them all, behind the selector. Raises `Unavailable`; what was known then stays."""
        paths = [self._kind.path(namespace=each) for each in self._scope.namespaces] if not self._scope.is_all else [self._kind.path()]
        found = [each for path in paths async for each in self._client.objects(path, self._selector, _PAGE_SIZE, of_all=True)]
        self._known, self._of = {}, {}
        for each in found:
            self._learn(each)

    def take(self, event: str | None, body: JsonObject) -> None:
        """One watch event."""
        if event == "DELETED":
            self._forget(_place(body))
        else:
            self._learn(body)

    def all(self) -> Iterable[JsonObject]:
        """What is known of all owners."""
        return tuple(self._known.values())

    def of(self, owner: ObjectRef) -> Iterable[JsonObject]:
        """What an owner has, as far as it is known."""
        return tuple(self._known[place] for place in self._of.get(owner.uid, ()))

    async def keep(self, child: Child) -> JsonObject:
        """Have it as it shall be; no write if it is as we left it. Raises `Taken`, `Conflict`, `Unavailable`."""
        place = child.owner.namespace, child.name
        known = self._known.get(place)
        digest = hashlib.sha256(json.dumps([child.metadata, child.content], sort_keys=True).encode()).hexdigest()
        if known is not None and self._left_as.get(place) == (known["metadata"]["resourceVersion"], digest):
            return known
        if known is None or not _is_of(known, child.owner):
            known = await self._find_or_make(child)
        try:
            written = await self._apply(child, known)
        except ApiFault as fault:        # gone, another one by now, or what was asked for is refused: the next call looks
            self._forget(place)
            if not isinstance(fault, Unavailable | Conflict) and await self._is_another(known):
                msg = f"{self._kind.kind} {'/'.join(place)} is another one by now"
                raise Conflict(msg) from fault
            raise
        self._learn(written)
        self._left_as[place] = written["metadata"]["resourceVersion"], digest
        return written

    async def remove(self, owner: ObjectRef, name: str) -> None:
        """Remove one of an owner's; what is gone, or is not ours, is left. Raises `Conflict`, `Unavailable`."""
        place = owner.namespace, name
        try:
            found = await self._client.request("GET", self._path(place))
            if _is_of(found, owner):
                await self._client.request("DELETE", self._path(place), body={"preconditions": {"uid": found["metadata"]["uid"]}})
        except NotFound:
            pass
        self._left_as.pop(place, None)

    def _learn(self, body: JsonObject) -> None:
        place = _place(body)
        self._forget(place)
        self._known[place] = body
        if uid := owner_of(body):
            self._of.setdefault(uid, set()).add(place)

    def _forget(self, place: tuple[str, str]) -> None:
        body = self._known.pop(place, None)
        if body is None:
            return
        uid = owner_of(body)
        if (places := self._of.get(uid)) is not None:
            places.discard(place)
            if not places:
                del self._of[uid]

    async def _find_or_make(self, child: Child) -> JsonObject:
        path = self._kind.path(namespace=child.owner.namespace)
        try:
            return await self._client.request("POST", path, body=self._kind.body(child.metadata, child.content))
        except Conflict:
            found = await self._client.request("GET", self._path((child.owner.namespace, child.name)))
        if not _is_of(found, child.owner):
            msg = f"{self._kind.kind} {child.owner.namespace}/{child.name} is there, and is not of {child.owner_kind} {child.owner.name}"
            raise Taken(msg)
        return found

    async def _apply(self, child: Child, known: JsonObject) -> JsonObject:
        for number, fields in enumerate(known["metadata"].get("managedFields") or ()):
            if (fields["manager"], fields["operation"]) == (names.FIELD_MANAGER, "Update"):
                known = await self._own(known, number)
        seen = {"uid": known["metadata"]["uid"]} | ({"resourceVersion": known["metadata"]["resourceVersion"]} if self._exact else {})
        whole = self._kind.body({**child.metadata, **seen}, child.content)
        return await self._client.request("PATCH", self._path(_place(known)), body=whole, content_type=APPLY, params={"force": "true"})

    async def _is_another(self, known: JsonObject) -> bool:
        """Whether the name stands for another object: the API server then says that a uid is immutable, as it says of a wrong field."""
        try:
            return bool((await self._client.metadata(self._path(_place(known))))["uid"] != known["metadata"]["uid"])
        except NotFound:
            return True

    async def _own(self, known: JsonObject, number: int) -> JsonObject:
        """Have the fields of the POST count as applied: else a field that is not asked for any more would stay."""
        place = jsonpatch.pointer("metadata", "managedFields", number)
        change = [jsonpatch.test("/metadata/uid", known["metadata"]["uid"]), jsonpatch.test(f"{place}/manager", names.FIELD_MANAGER),
                  jsonpatch.test(f"{place}/operation", "Update"), jsonpatch.add(f"{place}/operation", "Apply")]
        return await self._client.request("PATCH", self._path(_place(known)), body=change, content_type=jsonpatch.CONTENT_TYPE)

    def _path(self, place: tuple[str, str]) -> str:
        return self._kind.path(place[1], namespace=place[0])


def _place(body: JsonObject) -> tuple[str, str]:
    return body["metadata"]["namespace"], body["metadata"]["name"]


def owner_of(body: JsonObject) -> str:
    """The uid of what it names as its controller, of which there is one at most; empty if there is none."""
    references = body["metadata"].get("ownerReferences") or ()
    return next((str(each["uid"]) for each in references if each.get("controller")), "")


def _is_of(body: JsonObject, owner: ObjectRef) -> bool:
    return owner_of(body) == owner.uid
