"""From an owner of Runs as the API server sends it to the domain's own view of it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol, TypeVar, cast

from pydantic import ValidationError

from fairlead.api.v1alpha1 import names
from fairlead.api.v1alpha1.meta import ApiModel, ObjectMeta, OwnerStatus
from fairlead.domain.errors import UserFault
from fairlead.domain.objects import ObjectRef
from fairlead.domain.run.watched import OwnerSpec, WatchedOwner

Model = TypeVar("Model", bound=ApiModel)
Owner = TypeVar("Owner", bound=WatchedOwner)


class OwnerBody(Protocol):
    """The model of one kind's whole object."""

    @property
    def metadata(self) -> ObjectMeta: ...  # noqa: D102
    @property
    def spec(self) -> OwnerSpec: ...  # noqa: D102
    @property
    def status(self) -> OwnerStatus: ...  # noqa: D102


def read_owner(made: type[Owner], model: type[ApiModel], plural: str, body: Mapping[str, Any]) -> Owner:
    """The body of an owner of Runs, by its kind's `model`, an `OwnerBody`. Raises `UserFault` when that cannot read it."""
    found = cast("OwnerBody", parsed(model, body))
    meta = found.metadata
    has_finalizer, deleted = names.FINALIZER in meta.finalizers, meta.deletion_timestamp
    wish = meta.annotations.get(names.HOST_ANNOTATION, "") if has_finalizer else ""   # one alone may be a copy of another's
    read = made(
        ref_of(plural, meta), int(meta.resource_version), meta.generation, meta.is_deleted, has_finalizer, found.spec, found.status,
        deleted.timestamp() if deleted else None, wished_host=wish,
        created_at=meta.creation_timestamp.timestamp() if meta.creation_timestamp else None,
    )
    return replace(read, host=read.status.host or "") if read.is_begun else read


def parsed(model: type[Model], body: Mapping[str, Any]) -> Model:
    """An object's body as its model. Raises `UserFault` with the place that the model cannot read."""
    try:
        return model.model_validate(body)
    except ValidationError as error:
        meta = body.get("metadata") or {}
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        msg = f"{body.get('kind')} {meta.get('namespace')}/{meta.get('name')} cannot be read, at {place}: {first['msg']}"
        raise UserFault(msg) from error


def ref_of(plural: str, meta: ObjectMeta) -> ObjectRef:
    """Which object it is."""
    return ObjectRef(plural, meta.namespace, meta.name, meta.uid)
